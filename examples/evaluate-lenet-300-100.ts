// node scripts/run.mjs examples/evaluate-lenet-300-100.ts MODEL [--divisor 255]: how many of MNIST's 10,000 test digits a model gets right.
// MODEL, an archive or a model file of any format, holds fc1.weight [300, 784], fc1.bias [300], fc2.weight [100, 300], fc2.bias [100], fc3.weight [10, 100] and fc3.bias [10], F32, and
// takes pixel / divisor.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { decode } from "../src/index.js";
import { Sequential } from "../src/nn/index.js";
import { LENET_300_100, readTensors } from "./lenet-300-100.js";
import { loadMnist, samplesOf } from "./mnist.js";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { divisor: { type: "string", default: "255" } } });
const divisor = Number(values.divisor);
if (positionals.length !== 1 || !(divisor > 0)) {
  console.error("usage: node scripts/run.mjs examples/evaluate-lenet-300-100.ts MODEL [--divisor 255]");
  process.exit(2);
}
const network = new Sequential(LENET_300_100);
const [file] = positionals;
network.load(file.endsWith(".coppice") ? decode(await readFile(file)) : await readTensors(file));
const { accuracy, correct, count, loss } = network.evaluate(samplesOf(await loadMnist("test"), divisor));
console.log(`${(100 * accuracy).toFixed(2)} % (${correct} of ${count}), loss ${loss.toFixed(4)}`);
