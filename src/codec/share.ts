import type { EncodeKernels, FloatDtype } from "../kernel-types.js";
import { binnedPoints, distinctPoints } from "./points.js";
import type { Share } from "./quantize.js";
import { rateClusters } from "./rate.js";
import type { SurvivorPoints } from "./sift.js";
import { optimalStart, startOf, withoutIdle } from "./start.js";

// Weight sharing: k-means over the survivors of a tensor (Deep Compression, section 3), or the clusters that entropy coding makes the best of.

export interface Centroids {
  /** The centroids as elements of the tensor, ascending, all different. */
  readonly elements: Uint8Array;
  /** Between neighbours, float64, ascending: a weight takes the code that is the number of boundaries below it. */
  readonly boundaries: Float64Array;
  /** Every survivor is a centroid already. */
  readonly exact: boolean;
}

const DEFAULT_ITERATIONS = 300;
/** Codes are bytes. */
export const MOST_CENTROIDS = 256;

/** What float16 may change of a centroid: half a unit in the last of its 11 bits. */
const FLOAT16_ERROR = 2 ** -11;

/**
 * The codebook of a tensor, from its survivors.
 *
 * @param elements weights of the tensor, the pruned ones among them
 */
export function shareCentroids(
  kernels: EncodeKernels,
  dtype: FloatDtype,
  { table, few, binned }: SurvivorPoints,
  share: Share,
  elements: number,
): Centroids {
  const most = share.centroids ?? (share.bits === undefined ? MOST_CENTROIDS : 2 ** share.bits);
  const byRate = share.objective === "rate";
  if (!byRate && table && table.length <= 4 * most) {
    const values = new Float32Array(table.slice().buffer).sort();
    return { elements: kernels.fromFloat32(values, dtype), boundaries: midpointsOf(values), exact: true };
  }
  const points = binned ? binnedPoints(binned) : distinctPoints(few);
  if (byRate) {
    const { centroids, boundaries } = rateClusters(kernels, points, elements, most, share.tradeoff);
    const rounded = roundedCentroids(kernels, centroids, dtype, share);
    // Where two are rounded to the same number, there is no boundary between them.
    const different = (_: number, i: number): boolean => rounded[i] !== rounded[i - 1];
    const values = rounded.filter(different);
    return { elements: kernels.fromFloat32(values, dtype), boundaries: boundaries.filter((_, j) => different(0, j + 1)), exact: false };
  }
  const k = Math.min(most, points.values.length);
  const start = share.init === "optimal" ? optimalStart(kernels, points, k) : startOf(points, k, share);
  // Where every survivor is a point, what is idle goes to single weights far out, as Lloyd's iteration gives it: the error is larger then, and the codes are shorter.
  const centroids = binned ? withoutIdle(points, start) : start;
  kernels.lloyd(points.values, points.weights, centroids, share.maxIterations ?? DEFAULT_ITERATIONS);
  const values = Float32Array.from(new Set(roundedCentroids(kernels, centroids, dtype, share))).sort();
  return { elements: kernels.fromFloat32(values, dtype), boundaries: midpointsOf(values), exact: false };
}

/** Centroids as the tensor can hold them, and as float16 where that is allowed and changes little. */
export function roundedCentroids(kernels: EncodeKernels, values: Float64Array, dtype: FloatDtype, share: Share): Float32Array {
  const floats = Float32Array.from(values);
  if (dtype === "F32" && share.codebook !== "float32") {
    const halfs = kernels.toFloat32(kernels.fromFloat32(floats, "F16"), "F16");
    const close = halfs.every((half, i) => Math.abs(half - floats[i]) <= FLOAT16_ERROR * Math.abs(floats[i]));
    if (close || share.codebook === "float16") return halfs;
  }
  return kernels.toFloat32(kernels.fromFloat32(floats, dtype), dtype);
}

/** Half-way between neighbours: each weight takes the centroid that is nearest. */
function midpointsOf(centroids: Float32Array): Float64Array {
  return Float64Array.from({ length: Math.max(0, centroids.length - 1) }, (_, j) => (centroids[j] + centroids[j + 1]) / 2);
}
