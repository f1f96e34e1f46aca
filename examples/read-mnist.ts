import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { decode } from "../src/decode/index.js";
import { type NetworkSpec, Sequential } from "../src/nn/index.js";
import { loadNetwork } from "../src/run/index.js";
import { loadMnist, samplesOf } from "./mnist.js";

// node scripts/run.mjs examples/read-mnist.ts ARCHIVE NETWORK.json [--divisor N]: reads the 10,000 test digits from the archive, one at a time, and by the dense network decoded from it; exit code 1 where they differ on one.

const { values, positionals } = parseArgs({ allowPositionals: true, options: { divisor: { type: "string", default: "255" } } });
const [file, specFile] = positionals;
if (specFile === undefined) {
  console.error("usage: node scripts/run.mjs examples/read-mnist.ts ARCHIVE NETWORK.json [--divisor N]");
  process.exit(2);
}

const archive = new Uint8Array(await readFile(file));
const spec = JSON.parse(await readFile(specFile, "utf8")) as NetworkSpec;
const { inputs, labels } = samplesOf(await loadMnist("test"), Number(values.divisor));
const SOME = 500;

/** The digit of each row of logits. */
function digitsOf(logits: Float32Array): number[] {
  return Array.from(labels, (_, i) => {
    const row = logits.subarray(10 * i, 10 * (i + 1));
    return row.indexOf(Math.max(...row));
  });
}

/** What `work` gives, and the microseconds of a digit, once the first digits have warmed it up. */
function timed(work: (inputs: Float32Array, count: number) => Float32Array): { logits: Float32Array; microseconds: number } {
  work(inputs.subarray(0, (SOME * inputs.length) / labels.length), SOME);
  const start = performance.now();
  const logits = work(inputs, labels.length);
  return { logits, microseconds: (1000 * (performance.now() - start)) / labels.length };
}

const dense = new Sequential(spec);
dense.load(decode(archive));
const network = await loadNetwork(archive, spec);
const byOne = timed((samples, count) => network.runBatch(samples, count));
const byMany = timed((samples) => dense.forward(samples));
const [own, wanted] = [digitsOf(byOne.logits), digitsOf(byMany.logits)];

const weights = network.layers.reduce((sum, layer) => sum + layer.weights, 0);
const survivors = network.layers.reduce((sum, layer) => sum + layer.survivors, 0);
const errors = own.filter((digit, i) => digit !== labels[i]).length;
const different = own.filter((digit, i) => digit !== wanted[i]).length;
console.log(`${file}: ${archive.length} bytes, ${survivors} of ${weights} weights`);
console.log(
  `from the archive, one at a time: ${errors} of ${labels.length} wrong, ${byOne.microseconds.toFixed(1)} us a digit, ${network.byteLength} bytes of memory`,
);
console.log(`dense, in batches: ${byMany.microseconds.toFixed(1)} us a digit; ${different} digits are read otherwise`);
process.exitCode = different === 0 ? 0 : 1;
