// deno run --allow-read examples/edge/deno.js ARCHIVE DRAWING...

import process from "node:process";
import { load, read, say } from "./lenet.js";

const [archive, ...drawings] = process.argv.slice(2);
if (drawings.length === 0) {
  console.error("usage: deno run --allow-read examples/edge/deno.js ARCHIVE DRAWING...");
  process.exit(2);
}
const network = await load((await Deno.open(archive)).readable);
for (const drawing of drawings) console.log(say(drawing, read(network, await Deno.readTextFile(drawing))));
