// npm run fuzz -- [--inputs 1000000] [--seed 1]: see docs/fuzzing.md.

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkInteger } from "../../src/check.js";
import { corpus } from "./corpus.js";
import { fuzz } from "./fuzz.js";

const TEST = path.join(path.dirname(process.argv[1]), "..");
const OUTPUT = path.join(TEST, "output");

const { values } = parseArgs({ options: { inputs: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } } });
const inputs = Number(values.inputs);
const seed = Number(values.seed);
checkInteger(inputs, "--inputs", 1, 2 ** 32);
checkInteger(seed, "--seed", 0, 2 ** 32 - 1);

const result = await fuzz(await corpus(path.join(TEST, "golden")), {
  inputs,
  seed,
  progress: (line) => void process.stderr.write(`${line}\n`),
  onFailure(input, title) {
    mkdirSync(OUTPUT, { recursive: true });
    writeFileSync(path.join(OUTPUT, `fuzz-${title}.bin`), input);
  },
});
const { inputs: tried, failures, accepted, archives, refused, slowestMilliseconds, restored, wasmBytes, allocatedBytes } = result;
process.stderr.write(`refused: ${JSON.stringify(refused)}\n`);
process.stderr.write(`${archives} archives decoded in every way, ${accepted} inputs accepted, ${restored} gave files back, `);
process.stderr.write(`slowest ${slowestMilliseconds.toFixed(1)} ms, ${(wasmBytes / 2 ** 20).toFixed(1)} MiB more of wasm memory, `);
process.stderr.write(`at most ${(allocatedBytes / 2 ** 20).toFixed(1)} MiB of buffers for one input\n`);
process.stdout.write(`${tried} inputs, ${failures} failures\n`);
process.exitCode = failures === 0 ? 0 : 1;
