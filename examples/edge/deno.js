// deno run --allow-read examples/edge/deno.js ARCHIVE DRAWING...

import { load, read, say } from "./lenet.js";

const [archive, ...drawings] = Deno.args;
if (drawings.length === 0) {
  console.error("usage: deno run --allow-read examples/edge/deno.js ARCHIVE DRAWING...");
  Deno.exit(2);
}
const network = await load((await Deno.open(archive)).readable);
for (const drawing of drawings) console.log(say(drawing, read(network, await Deno.readTextFile(drawing))));
