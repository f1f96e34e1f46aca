import type { EncodeKernels, FloatDtype } from "../kernel-types.js";
import { binnedPoints, distinctPoints } from "./points.js";
import type { Share } from "./quantize.js";
import type { SurvivorPoints } from "./sift.js";
import { startOf, withoutIdle } from "./start.js";

// Weight sharing: k-means over the survivors of a tensor (Deep Compression, section 3).

export interface Centroids {
  /** The centroids as elements of the tensor, ascending, all different. */
  readonly elements: Uint8Array;
  /** Half-way between neighbours, float64: a weight takes the code that is the number of midpoints below it. */
  readonly midpoints: Float64Array;
  /** Every survivor is a centroid already. */
  readonly exact: boolean;
}

const DEFAULT_ITERATIONS = 300;

/** What float16 may change of a centroid: half a unit in the last of its 11 bits. */
const FLOAT16_ERROR = 2 ** -11;

/** The codebook of a tensor, from its survivors. */
export function shareCentroids(kernels: EncodeKernels, dtype: FloatDtype, { table, few, binned }: SurvivorPoints, share: Share): Centroids {
  const most = share.centroids ?? 2 ** (share.bits ?? 8);
  if (table && table.length <= 4 * most) {
    const values = new Float32Array(table.slice().buffer);
    return centroidsOf(kernels, Float64Array.from(values).sort(), dtype, { ...share, codebook: "float32" }, true);
  }
  const points = binned ? binnedPoints(binned) : distinctPoints(few);
  const start = startOf(points, Math.min(most, points.values.length), share);
  // Where every survivor is a point, what is idle goes to single weights far out, as Lloyd's iteration gives it: the error is larger then, and the codes are shorter.
  const centroids = binned ? withoutIdle(points, start) : start;
  kernels.lloyd(points.values, points.weights, centroids, share.maxIterations ?? DEFAULT_ITERATIONS);
  return centroidsOf(kernels, centroids, dtype, share, false);
}

/** Centroids as the tensor can hold them, and as float16 where that is allowed and changes little. */
function centroidsOf(kernels: EncodeKernels, values: Float64Array, dtype: FloatDtype, share: Share, exact: boolean): Centroids {
  const floats = Float32Array.from(values);
  let rounded = kernels.toFloat32(kernels.fromFloat32(floats, dtype), dtype);
  if (dtype === "F32" && share.codebook !== "float32") {
    const halfs = kernels.toFloat32(kernels.fromFloat32(floats, "F16"), "F16");
    const close = halfs.every((half, i) => Math.abs(half - floats[i]) <= FLOAT16_ERROR * Math.abs(floats[i]));
    if (close || share.codebook === "float16") rounded = halfs;
  }
  const unique = Float32Array.from(new Set(rounded)).sort();
  const midpoints = new Float64Array(Math.max(0, unique.length - 1));
  for (let j = 0; j < midpoints.length; j++) midpoints[j] = (unique[j] + unique[j + 1]) / 2;
  return { elements: kernels.fromFloat32(unique, dtype), midpoints, exact };
}
