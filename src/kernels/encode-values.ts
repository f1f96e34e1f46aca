import type { EncodeKernels, FloatDtype, Survivors } from "../kernel-types.js";
import { dtypeBits, MANTISSA_BITS } from "../types.js";
import type { Arena, Ptr } from "./arena.js";
import { NO_CODES } from "./decode-block.js";
import type { EncodeExports } from "./encode-exports.js";
import type { KernelModule } from "./module.js";

// Kernels that work on weights: statistics, pruning, k-means, conversion.

type Values = Pick<
  EncodeKernels,
  | "stats"
  | "magnitudeHistogram"
  | "prune"
  | "sift"
  | "compact"
  | "scatter"
  | "index"
  | "lloyd"
  | "rateCells"
  | "optimalCells"
  | "assign"
  | "shareErrors"
  | "toFloat32"
  | "fromFloat32"
  | "roundMantissa"
  | "codebookGradient"
>;

const BINS = 65536;
const INDEX_SLOTS_BYTES = 2 * 1024;
const MOST_CODES = 256;

/** The bytes of any typed array, for copying. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Lends the kernels a copy of `array`. */
export function lend(arena: Arena, array: ArrayBufferView): Ptr {
  const ptr = arena.alloc(array.byteLength);
  arena.u8(ptr, array.byteLength).set(bytesOf(array));
  return ptr;
}

let zeros = new Uint32Array(0);

/** The gaps of values that all survive, shared by all who ask. */
function noGaps(count: number): Uint32Array {
  if (zeros.length < count) zeros = new Uint32Array(count);
  return zeros.subarray(0, count);
}

const KINDS: readonly FloatDtype[] = ["F16", "BF16", "F64", "F32"];

function kindOf(dtype: FloatDtype): { kind: number; elementBytes: number } {
  return { kind: KINDS.indexOf(dtype), elementBytes: dtypeBits(dtype) / 8 };
}

/** The kernels over float32 values and elements, in the memory of `module`. */
export function valueKernels(module: KernelModule<EncodeExports>): Values {
  const { arena, exports } = module;

  function survivors(found: number, elementBytes: number, gaps: Ptr, out: Ptr): Survivors {
    return {
      gaps: arena.u32(gaps, found).slice(),
      elements: arena.u8(out, found * elementBytes).slice(),
      maxGap: exports.largest(gaps, found) >>> 0,
    };
  }

  return {
    stats: (values) =>
      arena.scope(() => {
        const out = arena.alloc(32);
        exports.stats(lend(arena, values), values.length, out);
        const [sum, sumOfSquares, nonFinite, nonZero] = arena.f64(out, 4);
        return { sum, sumOfSquares, nonFinite, nonZero };
      }),

    magnitudeHistogram: (values, level, prefix, outCounts) =>
      arena.scope(() => {
        const counts = lend(arena, outCounts);
        exports.magnitudeHistogram(lend(arena, values), values.length, level, prefix, counts);
        outCounts.set(arena.u32(counts, BINS));
      }),

    prune: (values, threshold) =>
      arena.scope(() => {
        const gaps = arena.alloc(4 * values.length);
        const out = arena.alloc(4 * values.length);
        return survivors(exports.prune(lend(arena, values), values.length, threshold, gaps, out), 4, gaps, out);
      }),

    sift: (values, threshold) =>
      arena.scope(() => {
        const gaps = arena.alloc(4 * values.length);
        const out = arena.alloc(4 * values.length);
        const totals = arena.alloc(56);
        exports.sift(lend(arena, values), values.length, threshold, gaps, out, totals);
        const [found, nonFinite, nonZero, sumOfSquares, prunedSquares, prunedMax, maxGap] = arena.f64(totals, 7);
        const all = found === values.length;
        return {
          gaps: all ? noGaps(found) : arena.u32(gaps, found).slice(),
          elements: all ? bytesOf(values) : arena.u8(out, 4 * found).slice(),
          maxGap,
          nonFinite,
          nonZero,
          sumOfSquares,
          prunedSquares,
          prunedMax,
        };
      }),

    compact: (elements, elementBytes) =>
      arena.scope(() => {
        const count = elements.length / elementBytes;
        const gaps = arena.alloc(4 * count);
        const out = arena.alloc(elements.length);
        return survivors(exports.compact(lend(arena, elements), count, elementBytes, gaps, out), elementBytes, gaps, out);
      }),

    scatter: (gaps, codes, elements, elementBytes, count) =>
      arena.scope(() => {
        const out = arena.alloc(count * elementBytes);
        const after = lend(arena, gaps);
        const by = codes === undefined ? NO_CODES : lend(arena, codes);
        const from = lend(arena, elements);
        arena.u8(out, count * elementBytes).fill(0);
        exports.scatterElements(after, gaps.length, by, from, elementBytes, out);
        return arena.u8(out, count * elementBytes).slice();
      }),

    index: (elements, elementBytes, known) =>
      arena.scope(() => {
        const count = elements.length / elementBytes;
        const codes = arena.alloc(count);
        const table = arena.alloc(MOST_CODES * elementBytes);
        const slots = arena.alloc(INDEX_SLOTS_BYTES);
        const from = lend(arena, elements);
        arena.u8(table, known.length).set(known);
        const size = exports.index(from, count, elementBytes, codes, table, known.length / elementBytes, slots);
        if (size > MOST_CODES) return undefined;
        return { codes: arena.u8(codes, count).slice(), table: arena.u8(table, size * elementBytes).slice() };
      }),

    lloyd: (points, weights, outCentroids, maxIterations) =>
      arena.scope(() => {
        const k = outCentroids.length;
        const centroids = lend(arena, outCentroids);
        const ends = arena.alloc(4 * k);
        const weightSums = arena.alloc(8 * (points.length + 1));
        const sums = arena.alloc(8 * (points.length + 1));
        const taken = arena.alloc(points.length);
        const from = lend(arena, points);
        const by = lend(arena, weights);
        const iterations = exports.lloyd(from, by, points.length, centroids, k, maxIterations, ends, weightSums, sums, taken) >>> 0;
        outCentroids.set(arena.f64(centroids, k));
        return iterations;
      }),

    rateCells: (points, weights, perBit, cellBits) =>
      arena.scope(() => {
        const n = points.length;
        const sums = arena.alloc(24 * (n + 1));
        const costs = arena.alloc(8 * (n + 1));
        const ends = arena.alloc(4 * (n + 1));
        const cells = exports.rateCells(lend(arena, points), lend(arena, weights), n, perBit, cellBits, sums, costs, ends);
        return arena.u32(ends, cells).slice();
      }),

    optimalCells: (points, weights, k) =>
      arena.scope(() => {
        const n = points.length;
        const sums = arena.alloc(24 * (n + 1));
        const costs = arena.alloc(16 * (n + 1));
        const starts = arena.alloc(2 * k * (n + 1));
        const ends = arena.alloc(4 * k);
        exports.optimalCells(lend(arena, points), lend(arena, weights), n, k, sums, costs, starts, ends);
        return arena.u32(ends, k).slice();
      }),

    assign: (values, midpoints) =>
      arena.scope(() => {
        const codes = arena.alloc(values.length);
        const bounds = arena.alloc(2 * BINS);
        const between = lend(arena, midpoints);
        exports.assign(lend(arena, values), values.length, between, midpoints.length, codes, bounds);
        return arena.u8(codes, values.length).slice();
      }),

    shareErrors: (values, codes, centroids) =>
      arena.scope(() => {
        const out = arena.alloc(16);
        const to = lend(arena, centroids);
        const by = lend(arena, codes);
        exports.shareErrors(lend(arena, values), by, values.length, to, out);
        const [noise, maxAbs] = arena.f64(out, 2);
        return { noise, maxAbs };
      }),

    toFloat32: (elements, dtype) => {
      if (dtype === "F32") return new Float32Array(elements.slice().buffer);
      const { kind, elementBytes } = kindOf(dtype);
      const count = elements.length / elementBytes;
      return arena.scope(() => {
        const out = arena.alloc(4 * count);
        exports.toFloat32(lend(arena, elements), count, kind, out);
        return arena.f32(out, count).slice();
      });
    },

    fromFloat32: (values, dtype) => {
      if (dtype === "F32") return bytesOf(values).slice();
      const { kind, elementBytes } = kindOf(dtype);
      return arena.scope(() => {
        const out = arena.alloc(elementBytes * values.length);
        exports.fromFloat32(lend(arena, values), values.length, kind, out);
        return arena.u8(out, elementBytes * values.length).slice();
      });
    },

    roundMantissa: (elements, dtype, mantissaBits) => {
      const { kind, elementBytes } = kindOf(dtype);
      return arena.scope(() => {
        const at = lend(arena, elements);
        exports.roundMantissa(at, elements.length / elementBytes, kind, MANTISSA_BITS[dtype] - mantissaBits);
        return arena.u8(at, elements.length).slice();
      });
    },

    codebookGradient: (gradients, codes, centroids) =>
      arena.scope(() => {
        const sums = arena.alloc(8 * centroids);
        const out = arena.alloc(4 * centroids);
        const of = lend(arena, codes);
        exports.codebookGradient(lend(arena, gradients), of, codes.length, centroids, sums, out);
        return arena.f32(out, centroids).slice();
      }),
  };
}
