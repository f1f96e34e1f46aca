import type { EncodeKernels } from "../kernel-types.js";
import { coarser, meanOf, type Points, runningSums, type Sums } from "./points.js";

// Sharing that knows that its codes will be entropy-coded (Choi, El-Khamy and Lee 2017): not the least error for a number of centroids, but for a number of bits.

/** Clusters of weights in ascending order. */
export interface Clusters {
  readonly centroids: Float64Array;
  /** Between neighbouring clusters, half-way from the last weight of one to the first of the next. */
  readonly boundaries: Float64Array;
}

/** For accuracy within noise without retraining (docs/results.md). */
export const DEFAULT_TRADEOFF = 0.005;

/** The time of the search grows with the square of its points. */
const MOST_POINTS = 2048;

/** What a centroid takes beside the codes: 16 bits in the codebook, and the length of its code. */
const CENTROID_BITS = 20;

/** The part of the weights at each end that says nothing of how far the others are spread: a few may lie far out. */
const TAIL = 0.01;

/** Each halves the logarithm of what is not known. */
const MOST_BISECTIONS = 20;

/**
 * The clusters for which squared error and bits come to the least.
 *
 * @param elements weights of the tensor, the pruned ones among them
 * @param most centroids
 * @param tradeoff squared error that a bit may cost, as a part of the variance of the tensor's weights
 */
export function rateClusters(
  kernels: EncodeKernels,
  points: Points,
  elements: number,
  most: number,
  tradeoff: number = DEFAULT_TRADEOFF,
): Clusters {
  const { values } = points;
  if (values.length === 0) return { centroids: new Float64Array(0), boundaries: new Float64Array(0) };
  const sums = runningSums(points);
  const coarse = coarser(points, MOST_POINTS);
  const perBit = (tradeoff * spread(sums) * sums.counts[values.length]) / elements;
  const ends = Array.from(cellsWithin(kernels, coarse, perBit, most), (end) => coarse.ends[end - 1]);
  return {
    centroids: Float64Array.from(ends, (to, j) => meanOf(sums, ends[j - 1] ?? 0, to)),
    boundaries: Float64Array.from(ends.slice(0, -1), (end) => (values[end - 1] + values[end]) / 2),
  };
}

/** The variance of the weights, those of both tails left out: one weight far from all others does not make any error of theirs small. */
function spread({ counts, sums, squares }: Sums): number {
  const n = counts.length - 1;
  const upTo = (weight: number): number => counts.findIndex((count) => count >= weight);
  const variance = (from: number, to: number): number => {
    const weight = counts[to] - counts[from];
    const sum = sums[to] - sums[from];
    return Math.max(0, (squares[to] - squares[from]) / weight - (sum / weight) * (sum / weight));
  };
  const from = Math.max(0, upTo(TAIL * counts[n]) - 1);
  const to = upTo((1 - TAIL) * counts[n]);
  return variance(from, to) || variance(0, n);
}

/** At most so many cells: where more would be worth their bits, bits are made dearer. */
function cellsWithin(kernels: EncodeKernels, { values, weights }: Points, perBit: number, most: number): Uint32Array {
  const cellsFor = (perBit: number): Uint32Array => kernels.rateCells(values, weights, perBit, CENTROID_BITS);
  const best = (): Uint32Array => kernels.optimalCells(values, weights, Math.min(most, values.length));
  if (perBit === 0) return best();
  let [cheap, dear] = [perBit, perBit];
  let cells = cellsFor(perBit);
  if (cells.length <= most) return cells;
  while (cells.length > most) {
    cheap = dear;
    dear *= 4; // half as many cells
    cells = cellsFor(dear);
  }
  for (let i = 0; i < MOST_BISECTIONS && cells.length < most; i++) {
    const middle = Math.sqrt(cheap * dear);
    const found = cellsFor(middle);
    if (found.length > most) cheap = middle;
    else [dear, cells] = [middle, found];
  }
  // Some numbers of cells are the best for no price of a bit.
  return cells.length === most ? cells : best();
}
