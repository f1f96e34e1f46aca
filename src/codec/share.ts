import type { EncodeKernels, FloatDtype } from "../kernel-types.js";
import type { Share } from "./quantize.js";
import { seededRandom } from "./random.js";
import { BINS, type SurvivorPoints } from "./sift.js";

// Weight sharing: k-means over the survivors of a tensor (Deep Compression, section 3).

export interface Centroids {
  /** The centroids as elements of the tensor, ascending, all different. */
  readonly elements: Uint8Array;
  /** Half-way between neighbours, float64: a weight takes the code that is the number of midpoints below it. */
  readonly midpoints: Float64Array;
  /** Every survivor is a centroid already. */
  readonly exact: boolean;
}

/** Survivors as ascending points with weights. */
interface Points {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

const DEFAULT_ITERATIONS = 300;

/** What float16 may change of a centroid: half a unit in the last of its 11 bits. */
const FLOAT16_ERROR = 2 ** -11;

/** The codebook of a tensor, from its survivors. */
export function shareCentroids(
  kernels: EncodeKernels,
  dtype: FloatDtype,
  { table, few, counts, lows }: SurvivorPoints,
  share: Share,
): Centroids {
  const most = share.centroids ?? 2 ** (share.bits ?? 8);
  if (table && table.length <= 4 * most) {
    const values = new Float32Array(table.slice().buffer);
    return centroidsOf(kernels, Float64Array.from(values).sort(), dtype, { ...share, codebook: "float32" }, true);
  }
  const points = few ? distinct(few) : binned(counts, lows);
  const centroids = initial(points, Math.min(most, points.values.length), share);
  kernels.lloyd(points.values, points.weights, centroids, share.maxIterations ?? DEFAULT_ITERATIONS);
  return centroidsOf(kernels, centroids, dtype, share, false);
}

function distinct(parts: readonly Float32Array[]): Points {
  const all = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.sort();
  const values: number[] = [];
  const weights: number[] = [];
  for (const value of all) {
    if (value === values[values.length - 1]) weights[weights.length - 1]++;
    else {
      values.push(value);
      weights.push(1);
    }
  }
  return { values: Float64Array.from(values), weights: Float64Array.from(weights) };
}

/** Bins of the upper sixteen bits, as points at their means. Within a bin values are equally far apart, so the mean of the lower bits gives the mean exactly. */
function binned(counts: Float64Array, lows: Float64Array): Points {
  const values: number[] = [];
  const weights: number[] = [];
  const bits = new Uint32Array(2);
  const floats = new Float32Array(bits.buffer);
  const add = (bin: number): void => {
    if (counts[bin] === 0) return;
    bits[0] = bin << 16;
    bits[1] = (bin << 16) | 1;
    const mean = lows[bin] / counts[bin];
    values.push(floats[0] + (floats[1] - floats[0]) * mean);
    weights.push(counts[bin]);
  };
  for (let bin = BINS - 1; bin >= BINS / 2; bin--) add(bin); // negative, the largest magnitude first
  for (let bin = 0; bin < BINS / 2; bin++) add(bin);
  return { values: Float64Array.from(values), weights: Float64Array.from(weights) };
}

/** Where k-means starts: k ascending values (Deep Compression, section 3.2). */
function initial({ values, weights }: Points, k: number, share: Share): Float64Array {
  const centroids = new Float64Array(k);
  const init = share.init ?? "linear";
  if (init === "linear") {
    const least = values[0];
    const most = values[values.length - 1];
    for (let j = 0; j < k; j++) centroids[j] = k === 1 ? (least + most) / 2 : least + ((most - least) * j) / (k - 1);
    return centroids;
  }
  const upTo = new Float64Array(weights.length);
  let total = 0;
  for (const [i, weight] of weights.entries()) {
    total += weight;
    upTo[i] = total;
  }
  if (init === "density") {
    for (let j = 0, i = 0; j < k; j++) {
      while (upTo[i] < ((j + 0.5) / k) * total) i++;
      centroids[j] = values[i];
    }
    return centroids;
  }
  const random = seededRandom(share.seed ?? 0);
  const taken = new Set<number>();
  while (taken.size < k) {
    const drawn = random() * total;
    let low = 0;
    for (let high = upTo.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (upTo[middle] > drawn) high = middle;
      else low = middle + 1;
    }
    while (taken.has(low)) low = (low + 1) % upTo.length;
    taken.add(low);
  }
  return Float64Array.from(taken)
    .sort()
    .map((i) => values[i]);
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
