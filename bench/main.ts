import { Bench } from "tinybench";
import type { EncodeKernels, SymbolCoding } from "../src/kernel-types.js";
import { engineKernels } from "../src/kernels/engine-kernels.js";
import { referenceKernels } from "../src/reference/index.js";
import { normalWeights, sharedLayer, thresholdFor } from "./corpus.js";

// Each kernel as WASM with SIMD, as scalar WASM and as plain JavaScript (src/reference), through the same typed-array interface, copies in and out included.
// One table; medians; the variants of a task run one after another in the same process. Usage: npm run bench [-- part of a task's name]

const variants: readonly EncodeKernels[] = [engineKernels({ variant: "simd" }), engineKernels({ variant: "scalar" }), referenceKernels];

const COUNT = 1 << 20;
const weights = normalWeights(COUNT, 1);
const threshold = thresholdFor(weights, 0.09);
const survivors = referenceKernels.prune(weights, threshold);
const values = new Float32Array(survivors.elements.buffer);
const layer = sharedLayer(COUNT, 0.09, 5, 2);
const dense = sharedLayer(COUNT, 1, 5, 3);
const { codes } = referenceKernels.index(referenceKernels.compact(dense, 4).elements, 4, new Uint8Array(0)) as { codes: Uint8Array };
const gapSymbols = referenceKernels.fillGaps(survivors.gaps, 63);
const midpoints = Float64Array.from({ length: 31 }, (_, i) => (i - 15) / 100);
const sorted = Float64Array.from(values).sort();
const ones = new Float64Array(sorted.length).fill(1);

function coding(symbols: Uint8Array, alphabet: number): SymbolCoding {
  const counts = referenceKernels.histogram(symbols).slice(0, alphabet);
  return { way: 3, symbol: 0, lengths: referenceKernels.codeLengths(counts, 12), alphabet };
}

/** A block of codes alone, to decode. */
function codeBlock(symbols: Uint8Array, alphabet: number) {
  const described = coding(symbols, alphabet);
  const plan = {
    coding: "dense",
    elementBytes: 1,
    elements: symbols.length,
    axes: [symbols.length, 1, 1],
    scan: 0,
    blockElements: COUNT,
    codebook: Uint8Array.from({ length: alphabet }, (_, i) => i),
    codebookBytes: 0,
    own: false,
    symbols: [described],
    escape: false,
    gapParameter: 0,
    zero: false,
    exact: true,
  } as const;
  return { plan, block: referenceKernels.encodeSymbols(symbols, described), out: new Uint8Array(symbols.length) };
}

const codeDecode = codeBlock(codes, 32);
const gapDecode = codeBlock(gapSymbols, 64);
const codeCoding = coding(codes, 32);

/** Name, how many things a run works on and what they are, and the run. */
const tasks: readonly [string, number, string, (kernels: EncodeKernels) => unknown][] = [
  ["prune at 9 % density", COUNT, "weights", (k) => k.prune(weights, threshold)],
  ["statistics", COUNT, "weights", (k) => k.stats(weights)],
  ["histogram of floats", COUNT, "weights", (k) => k.floatHistogram(weights, new Uint32Array(65536), new Float64Array(65536))],
  [
    "k-means, 32 centroids",
    sorted.length,
    "points",
    (k) =>
      k.lloyd(
        sorted,
        ones,
        Float64Array.from({ length: 32 }, (_, i) => (i - 15.5) / 80),
        300,
      ),
  ],
  ["assign codes", COUNT, "weights", (k) => k.assign(weights, midpoints)],
  ["compact a shared layer", COUNT, "weights", (k) => k.compact(layer, 4)],
  ["Huffman encode 5-bit codes", codes.length, "symbols", (k) => k.encodeSymbols(codes, codeCoding)],
  ["Huffman decode 5-bit codes", codes.length, "symbols", (k) => k.decodeBlock(codeDecode.plan, codeDecode.block, 0, codeDecode.out)],
  ["Huffman decode gaps", gapSymbols.length, "symbols", (k) => k.decodeBlock(gapDecode.plan, gapDecode.block, 0, gapDecode.out)],
  ["CRC-32C", dense.length, "bytes", (k) => k.crc32c(dense)],
];

const wanted = process.argv[2] ?? "";
const rows: Record<string, string>[] = [];
for (const [name, count, unit, run] of tasks.filter(([name]) => name.includes(wanted))) {
  const bench = new Bench({ time: 400, warmupTime: 100, throws: true });
  for (const kernels of variants) bench.add(kernels.variant, () => void run(kernels));
  await bench.run();
  const medians = bench.tasks.map(({ result }) => (result.state === "completed" ? result.latency.p50 : Number.NaN));
  rows.push({
    task: name,
    ...Object.fromEntries(variants.map(({ variant }, i) => [`${variant}, M/s`, (count / medians[i] / 1e3).toFixed(0)])),
    of: unit,
    "simd / reference": (medians[2] / medians[0]).toFixed(1),
  });
}
console.table(rows);
