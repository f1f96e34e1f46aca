import { describe, expect, it } from "vitest";
import { thresholdFor } from "../../bench/corpus.js";
import { runTask } from "../../bench/harness.js";
import { crc32c } from "../../bench/js/crc32c.js";
import { expand, fillGaps } from "../../bench/js/gaps.js";
import { gemmRoom, multiply, multiplyWide } from "../../bench/js/gemm.js";
import { decode4, decodeTable, encode4, encodeRoom, encodeTable, pairTable } from "../../bench/js/huffman.js";
import { assignCodes, centroidsByHistogram, centroidsByValues, inertiaOf, sumGradients } from "../../bench/js/kmeans.js";
import { compactElements, pruneWeights, survivorRoom } from "../../bench/js/prune.js";
import { FloatBinWork, histogramOfFloats, histogramOfMagnitudes, statistics } from "../../bench/js/values.js";
import { TASKS, tasksFor } from "../../bench/kernels/index.js";
import { bitsOf, digest, type Task } from "../../bench/kernels/task.js";
import { newEngine } from "../../src/kernels/engine.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { referenceKernels } from "../../src/reference/index.js";
import { referenceNnKernels } from "../../src/reference/nn.js";
import { Random } from "../random.js";
import { isolateHere } from "./isolate-here.js";

const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 1000, 70001];

function values(count: number, seed: number, strange = false): Float32Array {
  const random = new Random(seed);
  const made = Float32Array.from({ length: count }, () => random.normal(0.1));
  if (strange) made.set([Number.NaN, Number.POSITIVE_INFINITY, -0, 0, Number.NEGATIVE_INFINITY].slice(0, count));
  return made;
}

describe.each(TASKS)("$name", (task: Task) => {
  it("gives the same bits as JavaScript and as both builds of the engine, run after run", () => {
    const prepared = task.prepare();
    prepared.js.rehearse();
    prepared.other?.runnable.rehearse();
    const runnables = [prepared.js, ...VARIANTS.map((variant) => prepared.wasm(newEngine({ variant })))];
    for (const runnable of runnables) {
      runnable.run();
      runnable.run();
    }
    const digests = runnables.map((runnable) => digest(runnable.outputs()));
    expect(new Set(digests).size).toBe(1);
    expect(prepared.js.outputs().reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeGreaterThan(0);
    expect(prepared.count).toBeGreaterThan(0);
  });
});

describe("tasks", () => {
  it("are found by parts of their names, whatever the case", () => {
    expect(tasksFor([])).toBe(TASKS);
    expect(tasksFor(["HUFFMAN decode"]).map(({ name }) => name)).toEqual(
      TASKS.map(({ name }) => name).filter((name) => name.startsWith("Huffman decode")),
    );
    expect(tasksFor(["nothing of the kind"])).toEqual([]);
  });

  it("have names of their own", () => expect(new Set(TASKS.map(({ name }) => name)).size).toBe(TASKS.length));
});

describe("the JavaScript forms, held to the reference", () => {
  it.each(LENGTHS)("Huffman-code %i symbols both ways", (count) => {
    const random = new Random(count);
    const symbols = Uint8Array.from({ length: count }, () => Math.min(40, Math.floor(Math.abs(random.normal(6)))));
    const counts = referenceKernels.histogram(symbols).slice(0, 41);
    counts[0]++;
    counts[40]++;
    const lengths = referenceKernels.codeLengths(counts, 12);
    const wanted = referenceKernels.encodeSymbols(symbols, { way: 3, symbol: 0, lengths, alphabet: 41 });
    const bytes = new Uint8Array(encodeRoom(count));
    const streams = new Uint32Array(4);
    encode4(encodeTable(lengths), symbols, new DataView(bytes.buffer), bytes, streams);
    const total = streams.reduce((sum, length) => sum + length, 0);
    expect(digest([bytes.subarray(0, total)])).toBe(digest([wanted.subarray(wanted.length - total)]));
    bytes.fill(0);
    encode4(encodeTable(lengths), symbols, new DataView(bytes.buffer), bytes, streams, pairTable(lengths));
    expect(digest([bytes.subarray(0, total)])).toBe(digest([wanted.subarray(wanted.length - total)]));

    const padded = new Uint8Array(total + 64);
    padded.set(bytes.subarray(0, total));
    const words = new Int32Array(Math.ceil(count / 4));
    const out = new Uint8Array(words.buffer, 0, count);
    const starts = Uint32Array.of(0, streams[0], streams[0] + streams[1], streams[0] + streams[1] + streams[2]);
    decode4(decodeTable(lengths), new DataView(padded.buffer), starts, count, out, words);
    expect(digest([out])).toBe(digest([symbols]));
  });

  it.each(LENGTHS)("prune, compact and count %i weights", (count) => {
    const weights = values(count, count, true);
    const bits = bitsOf(weights);
    const room = survivorRoom(count);
    const [threshold] = bitsOf(Float32Array.of(0.05));
    const check = (found: number, { gaps, elements }: { gaps: Uint32Array; elements: Uint8Array }): void => {
      expect(digest([room.gaps.subarray(0, found), room.values.subarray(0, found)])).toBe(digest([gaps, elements]));
    };
    check(pruneWeights(bits, threshold, room), referenceKernels.prune(weights, 0.05));
    check(compactElements(bits, room), referenceKernels.compact(new Uint8Array(weights.buffer), 4));

    const sums = new Float64Array(4);
    statistics(weights, bits, sums);
    const { sum, sumOfSquares, nonFinite, nonZero } = referenceKernels.stats(weights);
    expect([...sums]).toEqual([sum, sumOfSquares, nonFinite, nonZero]);

    for (const level of [0, 1] as const) {
      const counts = new Uint32Array(65536);
      referenceKernels.magnitudeHistogram(weights, level, 0x7b00, counts);
      expect(digest([histogramOfMagnitudes(bits, level, 0x7b00)])).toBe(digest([counts]));
    }
    const bins = referenceKernels.floatBins();
    bins.add(weights);
    const { firsts, counts, lows } = bins.take();
    const work = new FloatBinWork();
    expect(histogramOfFloats(bits, work)).toBe(firsts.length);
    const ours = [work.firsts, work.counts, work.lows].map((array) => array.subarray(0, firsts.length));
    expect(digest(ours)).toBe(digest([firsts, counts, lows]));
  });

  it.each(LENGTHS)("assign %i codes, and sum gradients by them", (count) => {
    const weights = values(count, count);
    const midpoints = Float64Array.of(-0.1, -0.05, 0, 0.03, 0.09);
    const codes = assignCodes(weights, midpoints, new Uint8Array(count));
    expect(digest([codes])).toBe(digest([referenceKernels.assign(weights, midpoints)]));
    const out = new Float32Array(6);
    sumGradients(weights, codes, new Float64Array(6), out);
    expect(out).toEqual(referenceKernels.codebookGradient(weights, codes, 6));
  });

  it.each([
    [2, 4, 1],
    [6, 8, 5],
    [64, 12, 33],
  ])("multiply %i x %i matrices over %i steps", (m, n, k) => {
    const [a, b, c, wanted, wide] = [
      values(m * k, 1),
      values(k * n, 2),
      new Float32Array(m * n),
      new Float32Array(m * n),
      new Float32Array(m * n),
    ];
    referenceNnKernels.multiply({ m, n, k }, a, b, wanted);
    multiply(a, b, c, m, n, k, gemmRoom(m, n, k));
    expect(c).toEqual(wanted);
    multiplyWide(a, b, wide, m, n, k, gemmRoom(m, n, k));
    for (const [i, value] of wide.entries()) expect(value).toBeCloseTo(wanted[i], 5);
  });

  it.each([1, 3, 100])("fill gaps with filler %i, and expand them", (filler) => {
    const random = new Random(filler);
    const gaps = Uint32Array.from({ length: 300 }, () => Math.floor(Math.abs(random.normal(30))));
    const wanted = referenceKernels.fillGaps(gaps, filler);
    const symbols = new Uint8Array(wanted.length);
    expect(fillGaps(new Int32Array(gaps.buffer), filler, symbols)).toBe(wanted.length);
    expect(symbols).toEqual(wanted);
    const codes = Uint8Array.from(gaps, (_, i) => i % 3);
    const codebook = Float32Array.of(1, -2, 0.5);
    const count = gaps.reduce((sum, gap) => sum + gap + 1, 5);
    const out = new Int32Array(count).fill(9);
    expand(symbols, filler, codes, bitsOf(codebook), out);
    expect(digest([out])).toBe(digest([referenceKernels.scatter(gaps, codes, new Uint8Array(codebook.buffer), 4, count)]));
  });

  it.each([0, 1, 3, 4, 15, 16, 17, 1000])("take the CRC-32C of %i bytes", (count) => {
    const bytes = Uint8Array.from({ length: count }, (_, i) => (i * 37) ^ (i >> 3));
    expect(crc32c(bytes)).toBe(referenceKernels.crc32c(bytes));
  });

  it("cluster by all values to no worse an end than they began", () => {
    const weights = values(100_000, 5);
    const { centroids } = centroidsByHistogram(weights, 8);
    expect([...centroids]).toEqual([...centroids].sort((a, b) => a - b));
    const plain = centroidsByValues(weights, 8);
    expect(inertiaOf(weights, plain.centroids)).toBeLessThan(1.2 * inertiaOf(weights, centroids));
    expect(plain.iterations).toBeGreaterThan(1);
  });

  it.each([2, 3, 4, 5, 6, 7, 8])("cluster by bins, with codes of %i bits, at least as well as by all values", (codeBits) => {
    for (const density of [1, 0.3, 0.09]) {
      const weights = values(100_000, 6);
      const threshold = thresholdFor(weights, density);
      const survivors = weights.filter((weight) => Math.abs(weight) > threshold);
      const [binned, plain] = [centroidsByHistogram(survivors, 2 ** codeBits), centroidsByValues(survivors, 2 ** codeBits)];
      expect(inertiaOf(survivors, binned.centroids)).toBeLessThanOrEqual(1.0001 * inertiaOf(survivors, plain.centroids));
    }
  });
});

describe("the harness", () => {
  const [task] = tasksFor(["crc"]);
  const wrong: Task = {
    ...task,
    prepare: () => ({ ...task.prepare(), js: { run: () => undefined, rehearse: () => undefined, outputs: () => [Uint8Array.of(1)] } }),
  };

  it("reports every form that agrees, with as many samples as rounds", async () => {
    const result = await runTask(task, { rounds: 3, startJavaScript: isolateHere });
    expect(result.refused).toEqual([]);
    expect(result.forms.map(({ form }) => form)).toEqual(["WASM SIMD", "WASM scalar", "JavaScript"]);
    for (const { samples, minimum, median } of result.forms) {
      expect(samples).toHaveLength(3);
      expect(minimum).toBe(Math.min(...samples));
      expect(median).toBe([...samples].sort((a, b) => a - b)[1]);
    }
  });

  it("refuses a form whose output differs from that of the others", async () => {
    const result = await runTask(wrong, { rounds: 1, startJavaScript: () => isolateHere([wrong]) });
    expect(result.refused).toMatchObject([{ form: "JavaScript", reason: expect.stringMatching(/differs/) }]);
    expect(result.forms.map(({ form }) => form)).toEqual(["WASM SIMD", "WASM scalar"]);
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(runTask(task, { rounds: 1, startJavaScript: isolateHere, signal })).rejects.toThrow("enough");
  });
});
