import type { EncodeKernels } from "../kernel-types.js";
import type { Points } from "./points.js";
import { coarser, runningSums } from "./points.js";

// Sharing that knows that its codes will be entropy-coded (Choi, El-Khamy and Lee 2017): not the least error for a number of centroids, but for a number of bits.

/** Clusters of weights in ascending order. */
export interface Clusters {
  readonly centroids: Float64Array;
  /** Between neighbouring clusters, half-way from the last weight of one to the first of the next. */
  readonly boundaries: Float64Array;
}

/** Accuracy within noise without retraining (docs/results.md). */
export const DEFAULT_TRADEOFF = 0.004;

/** The time of the search grows with the square of its points, and these are finer than any step that pays. */
const MOST_POINTS = 2048;

/** What a centroid takes beside the codes: 16 bits in the codebook, and the length of its code. */
const CENTROID_BITS = 20;

/**
 * The clusters for which squared error and bits come to the least.
 *
 * @param elements weights of the tensor, the pruned ones among them
 * @param most centroids
 * @param tradeoff squared error that a bit may cost, as a part of the mean square of the tensor's weights
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
  const { counts, sums, squares } = runningSums(points);
  const coarse = coarser(points, MOST_POINTS);
  let perBit = (tradeoff * squares[values.length]) / elements;
  let cells = kernels.rateCells(coarse.values, coarse.weights, perBit, CENTROID_BITS);
  // The width of a cell grows with the square root of what a bit may cost.
  while (cells.length > most) {
    perBit *= Math.max(1.1, (cells.length / most) * (cells.length / most));
    cells = kernels.rateCells(coarse.values, coarse.weights, perBit, CENTROID_BITS);
  }
  const ends = Array.from(cells, (end) => coarse.ends[end - 1]);
  return {
    centroids: Float64Array.from(ends, (to, j) => {
      const from = ends[j - 1] ?? 0;
      return (sums[to] - sums[from]) / (counts[to] - counts[from]);
    }),
    boundaries: Float64Array.from(ends.slice(0, -1), (end) => (values[end - 1] + values[end]) / 2),
  };
}
