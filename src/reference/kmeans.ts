import type { ShareErrors } from "../kernel-types.js";
import { bitsOf } from "./words.js";

/** As `EncodeKernels.lloyd` says. */
export function lloyd(points: Float64Array, weights: Float64Array, outCentroids: Float64Array, maxIterations: number): number {
  const n = points.length;
  const k = outCentroids.length;
  const weightSums = new Float64Array(n + 1);
  const sums = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    weightSums[i + 1] = weightSums[i] + weights[i];
    sums[i + 1] = sums[i] + weights[i] * points[i];
  }
  // ends[j] is the boundary b[j]; none is -1, so the first iteration is never the last.
  const ends = new Int32Array(k).fill(-1);
  let iteration = 0;
  let moved = true;
  while (moved && iteration < maxIterations) {
    iteration++;
    moved = false;
    for (let j = 0; j < k; j++) {
      const end = j === k - 1 ? n : pointsUpTo(points, (outCentroids[j] + outCentroids[j + 1]) / 2);
      if (end !== ends[j]) moved = true;
      ends[j] = end;
    }
    let anyEmpty = false;
    for (let j = 0, from = 0; j < k; from = ends[j], j++) {
      const weight = weightSums[ends[j]] - weightSums[from];
      if (weight === 0) anyEmpty = true;
      else outCentroids[j] = (sums[ends[j]] - sums[from]) / weight;
    }
    if (anyEmpty && refill(points, weights, outCentroids, ends)) moved = true;
  }
  return iteration;
}

/** How many of the ascending `points` are at most `limit`. */
function pointsUpTo(points: Float64Array, limit: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Each empty cluster, in order, takes the point that is farthest from its centroid. Returns whether one did. */
function refill(points: Float64Array, weights: Float64Array, centroids: Float64Array, ends: Int32Array): boolean {
  const distances = new Float64Array(points.length);
  for (let j = 0, i = 0; j < ends.length; j++) {
    for (; i < ends[j]; i++) {
      const away = points[i] - centroids[j];
      distances[i] = weights[i] * (away * away);
    }
  }
  let refilled = false;
  for (let j = 0, from = 0; j < ends.length; from = ends[j], j++) {
    if (ends[j] !== from) continue;
    let farthest = 0;
    for (let i = 1; i < distances.length; i++) if (distances[i] > distances[farthest]) farthest = i;
    if (!(distances[farthest] > 0)) break;
    // An empty cluster has no points, so its new centroid changes no distance but that of the point it takes.
    centroids[j] = points[farthest];
    distances[farthest] = 0;
    refilled = true;
  }
  // With a comparison: the sort without one would put -0 before 0.
  centroids.sort((a, b) => a - b);
  return refilled;
}

/** As `EncodeKernels.assign` says. */
export function assign(values: Float32Array, midpoints: Float64Array): Uint8Array {
  const codes = new Uint8Array(values.length);
  if (values.length < BINS) {
    for (let i = 0; i < values.length; i++) codes[i] = midpointsBelow(values[i], midpoints, 0, midpoints.length);
    return codes;
  }
  const { least, most } = codesOfBins(midpoints);
  const bits = bitsOf(values);
  for (let i = 0; i < values.length; i++) {
    const bin = bits[i] >>> 16;
    const low = least[bin];
    const high = most[bin];
    codes[i] = low === high ? low : midpointsBelow(values[i], midpoints, low, high);
  }
  return codes;
}

/** How many midpoints are below `value`, where it is known to be `low` to `high`. */
function midpointsBelow(value: number, midpoints: Float64Array, low: number, high: number): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (midpoints[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

const BINS = 65536;

/** The least and the most code of the float32 values that share their upper 16 bits. */
function codesOfBins(midpoints: Float64Array): { least: Uint8Array; most: Uint8Array } {
  const values = new Float32Array(2);
  const bits = bitsOf(values);
  const least = new Uint8Array(BINS);
  const most = new Uint8Array(BINS);
  for (let bin = 0; bin < BINS; bin++) {
    bits[0] = bin << 16;
    bits[1] = (bin << 16) | 0xffff;
    const [a, b] = values;
    // Infinities and NaNs share bins: there any code is possible.
    if (Number.isFinite(a)) {
      least[bin] = midpointsBelow(Math.min(a, b), midpoints, 0, midpoints.length);
      most[bin] = midpointsBelow(Math.max(a, b), midpoints, 0, midpoints.length);
    } else most[bin] = midpoints.length;
  }
  return { least, most };
}

/** As `EncodeKernels.shareErrors` says. */
export function shareErrors(values: Float32Array, codes: Uint8Array, centroids: Float32Array): ShareErrors {
  const lanes = [0, 0, 0, 0];
  let maxAbs = 0;
  for (let lane = 0; lane < 4; lane++) {
    let sum = 0;
    for (let i = lane; i < values.length; i += 4) {
      const away = values[i] - centroids[codes[i]];
      sum += away * away;
      if (Math.abs(away) > maxAbs) maxAbs = Math.abs(away);
    }
    lanes[lane] = sum;
  }
  return { noise: lanes[0] + lanes[1] + (lanes[2] + lanes[3]), maxAbs };
}

/** As `EncodeKernels.codebookGradient` says. */
export function codebookGradient(gradients: Float32Array, codes: Uint8Array, centroids: number): Float32Array {
  const sums = new Float64Array(centroids);
  for (let i = 0; i < codes.length; i++) sums[codes[i]] += gradients[i];
  return Float32Array.from(sums);
}
