import { concat } from "../archive/bytes.js";
import type { BinnedFloats } from "../kernel-types.js";

// What k-means works on: values in ascending order, with weights.

export interface Points {
  readonly values: Float64Array;
  /** How many survivors each stands for. */
  readonly weights: Float64Array;
}

/** Every different value as a point. */
export function distinctPoints(parts: readonly Float32Array[]): Points {
  const bytes = concat(parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)));
  const all = new Float32Array(bytes.buffer).sort();
  const values = new Float64Array(all.length);
  const weights = new Float64Array(all.length);
  let n = 0;
  for (const value of all) {
    if (n === 0 || value !== values[n - 1]) values[n++] = value;
    weights[n - 1]++;
  }
  return { values: values.slice(0, n), weights: weights.slice(0, n) };
}

/** Bins as points at their means. Within a bin values are equally far apart, so the mean of the lower bits gives the mean exactly. */
export function binnedPoints({ firsts, counts, lows }: BinnedFloats): Points {
  const bits = new Uint32Array(2);
  const floats = new Float32Array(bits.buffer);
  const values = new Float64Array(firsts.length);
  for (let i = 0; i < firsts.length; i++) {
    bits[0] = firsts[i];
    bits[1] = firsts[i] | 1;
    values[i] = floats[0] + (floats[1] - floats[0]) * (lows[i] / counts[i]);
  }
  return { values, weights: counts };
}

/** Sums over the first i points, for i from 0 to all. */
export interface Sums {
  /** Of the weights, */
  readonly counts: Float64Array;
  /** of weight times value, */
  readonly sums: Float64Array;
  /** and of weight times value squared. */
  readonly squares: Float64Array;
}

export function runningSums({ values, weights }: Points): Sums {
  const n = values.length;
  const [counts, sums, squares] = [new Float64Array(n + 1), new Float64Array(n + 1), new Float64Array(n + 1)];
  for (let i = 0; i < n; i++) {
    const sum = weights[i] * values[i];
    counts[i + 1] = counts[i] + weights[i];
    sums[i + 1] = sums[i] + sum;
    squares[i + 1] = squares[i] + sum * values[i];
  }
  return { counts, sums, squares };
}

/** The mean of points `from` to below `to`. */
export function meanOf({ counts, sums }: Sums, from: number, to: number): number {
  return (sums[to] - sums[from]) / (counts[to] - counts[from]);
}

/**
 * At most `most` points, each at the mean of neighbours that lie within one of most / 2 equal steps of the range, and within one of most / 2 equal parts of the weight: fine where the points are many, and
 * where they are far apart. And where the points of each end.
 */
export function coarser(points: Points, most: number): Points & { readonly ends: Uint32Array } {
  const { values, weights } = points;
  const n = values.length;
  if (n <= most) return { values, weights, ends: Uint32Array.from({ length: n }, (_, i) => i + 1) };
  const sums = runningSums(points);
  const steps = Math.floor(most / 2);
  const step = (values[n - 1] - values[0]) / steps;
  const share = sums.counts[n] / steps;
  const inStep = (i: number): number => Math.min(steps - 1, Math.floor((values[i] - values[0]) / step));
  const inShare = (i: number): number => Math.min(steps - 1, Math.floor(sums.counts[i] / share));
  const apart = (a: number, b: number): boolean => inStep(a) !== inStep(b) || inShare(a) !== inShare(b);
  const ends = Uint32Array.from({ length: n }, (_, i) => i + 1).filter((end) => end === n || apart(end - 1, end));
  const starts = (j: number): number => (j === 0 ? 0 : ends[j - 1]);
  return {
    values: Float64Array.from(ends, (end, j) => meanOf(sums, starts(j), end)),
    weights: Float64Array.from(ends, (end, j) => sums.counts[end] - sums.counts[starts(j)]),
    ends,
  };
}

/** The sums of both, bin by bin. */
export function mergeBinned(a: BinnedFloats, b: BinnedFloats): BinnedFloats {
  const most = a.firsts.length + b.firsts.length;
  const firsts = new Uint32Array(most);
  const counts = new Float64Array(most);
  const lows = new Float64Array(most);
  let n = 0;
  for (let i = 0, j = 0; i < a.firsts.length || j < b.firsts.length; n++) {
    const order = i === a.firsts.length ? 1 : j === b.firsts.length ? -1 : inOrder(a.firsts[i]) - inOrder(b.firsts[j]);
    firsts[n] = order <= 0 ? a.firsts[i] : b.firsts[j];
    if (order <= 0) {
      counts[n] += a.counts[i];
      lows[n] += a.lows[i++];
    }
    if (order >= 0) {
      counts[n] += b.counts[j];
      lows[n] += b.lows[j++];
    }
  }
  return { firsts: firsts.slice(0, n), counts: counts.slice(0, n), lows: lows.slice(0, n) };
}

/** Bits as a number that grows with their value: those of negative values descend. */
function inOrder(bits: number): number {
  return bits >= 2 ** 31 ? -bits : bits;
}
