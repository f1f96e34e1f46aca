// node examples/edge/node.js ARCHIVE DRAWING...

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { load, read, say } from "./lenet.js";

const [archive, ...drawings] = process.argv.slice(2);
if (drawings.length === 0) {
  console.error("usage: node examples/edge/node.js ARCHIVE DRAWING...");
  process.exit(2);
}
const network = await load(createReadStream(archive));
for (const drawing of drawings) console.log(say(drawing, read(network, await readFile(drawing, "utf8"))));
