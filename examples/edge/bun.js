// bun examples/edge/bun.js ARCHIVE DRAWING...

import { load, read, say } from "./lenet.js";

const [archive, ...drawings] = process.argv.slice(2);
if (drawings.length === 0) {
  console.error("usage: bun examples/edge/bun.js ARCHIVE DRAWING...");
  process.exit(2);
}
const network = await load(Bun.file(archive).stream());
for (const drawing of drawings) console.log(say(drawing, read(network, await Bun.file(drawing).text())));
