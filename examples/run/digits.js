// node examples/run/digits.js ARCHIVE NETWORK.json DRAWING...

import { readFile } from "node:fs/promises";
import { loadNetwork } from "coppice/run";
import { pixelsOf, say } from "../edge/lenet.js";

const [archive, spec, ...drawings] = process.argv.slice(2);
if (drawings.length === 0) {
  console.error("usage: node examples/run/digits.js ARCHIVE NETWORK.json DRAWING...");
  process.exit(2);
}
// The weights are never unpacked: the network runs from the survivors and their codes.
const network = await loadNetwork(new Uint8Array(await readFile(archive)), JSON.parse(await readFile(spec, "utf8")), { softmax: true });
for (const drawing of drawings) {
  const likely = network.run(pixelsOf(await readFile(drawing, "utf8")));
  const digit = likely.indexOf(Math.max(...likely));
  console.log(say(drawing, { digit, probability: likely[digit] }));
}
