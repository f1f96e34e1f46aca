import type { Ptr } from "./arena.js";
import type { DecodeExports } from "./decode-block.js";

/** What engine.wasm exports for compressing: the kernels under assembly/ say what each needs. */
export interface EncodeExports extends DecodeExports {
  stats(values: Ptr, count: number, out: Ptr): void;
  magnitudeHistogram(values: Ptr, count: number, level: number, prefix: number, counts: Ptr): void;
  prune(values: Ptr, count: number, threshold: number, gaps: Ptr, out: Ptr): number;
  sift(values: Ptr, count: number, threshold: number, gaps: Ptr, out: Ptr, totals: Ptr): void;
  compact(elements: Ptr, count: number, elementBytes: number, gaps: Ptr, out: Ptr): number;
  scatterElements(gaps: Ptr, survivors: number, codes: Ptr, elements: Ptr, elementBytes: number, out: Ptr): void;
  index(elements: Ptr, count: number, elementBytes: number, codes: Ptr, table: Ptr, known: number, slots: Ptr): number;
  binFloats(values: Ptr, count: number, words: Ptr): void;
  takeBins(words: Ptr, firsts: Ptr, counts: Ptr, lows: Ptr): number;
  lloyd(
    points: Ptr,
    weights: Ptr,
    count: number,
    centroids: Ptr,
    k: number,
    maxIterations: number,
    ends: Ptr,
    weightSums: Ptr,
    sums: Ptr,
    taken: Ptr,
  ): number;
  rateCells(points: Ptr, weights: Ptr, count: number, perBit: number, cellBits: number, sums: Ptr, costs: Ptr, ends: Ptr): number;
  optimalCells(points: Ptr, weights: Ptr, count: number, k: number, sums: Ptr, costs: Ptr, starts: Ptr, ends: Ptr): void;
  assign(values: Ptr, count: number, midpoints: Ptr, boundaries: number, codes: Ptr, bounds: Ptr): void;
  shareErrors(values: Ptr, codes: Ptr, count: number, centroids: Ptr, out: Ptr): void;
  codebookGradient(gradients: Ptr, codes: Ptr, count: number, k: number, sums: Ptr, out: Ptr): void;
  histogram(bytes: Ptr, count: number, counts: Ptr, lanes: Ptr): void;
  mapBytes(bytes: Ptr, count: number, table: Ptr): void;
  codeLengths(counts: Ptr, alphabet: number, maxLength: number, lengths: Ptr, symbols: Ptr, levels: Ptr, kinds: Ptr): void;
  encodeTable(lengths: Ptr, alphabet: number, table: Ptr, next: Ptr): void;
  encodeStream(symbols: Ptr, symbolsEnd: Ptr, stride: number, table: Ptr, out: Ptr): number;
  encodeStreams4(symbols: Ptr, count: number, table: Ptr, out: Ptr, room: number, ends: Ptr): void;
  contextEncode(symbols: Ptr, rows: number, columns: number, kernel: number, codes: number, out: Ptr, work: Ptr): number;
  splitPlane(elements: Ptr, count: number, elementBytes: number, out: Ptr): void;
  fillGaps(gaps: Ptr, count: number, filler: number, out: Ptr): number;
  escapeGapSymbols(gaps: Ptr, count: number, exponent: number, out: Ptr, extra: Ptr): number;
  gapHistogram(gaps: Ptr, count: number, counts: Ptr): void;
  largest(values: Ptr, count: number): number;
  total(values: Ptr, count: number): number;
  toFloat32(elements: Ptr, count: number, kind: number, out: Ptr): void;
  fromFloat32(values: Ptr, count: number, kind: number, out: Ptr): void;
  roundMantissa(elements: Ptr, count: number, kind: number, dropped: number): void;
}
