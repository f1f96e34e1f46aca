import { FLOAT_BINS, FloatBinWork, histogramOfFloats } from "./values.js";

// k-means in one dimension in plain JavaScript: the same histogram algorithm as the kernels, and plain Lloyd over all values, as one would write it.

const BINS = 65536;
export const MOST_ITERATIONS = 300;

export interface Clustering {
  readonly centroids: Float64Array;
  readonly iterations: number;
}

/** Bins as points at their means. */
function pointsOf({ firsts, counts, lows }: FloatBinWork, n: number, points: Float64Array): void {
  const bits = new Uint32Array(2);
  const floats = new Float32Array(bits.buffer);
  for (let i = 0; i < n; i++) {
    bits[0] = firsts[i];
    bits[1] = firsts[i] | 1;
    points[i] = floats[0] + (floats[1] - floats[0]) * (lows[i] / counts[i]);
  }
}

/** Even steps from the least to the most: Deep Compression, section 3.2. */
function evenSteps(least: number, most: number, centroids: Float64Array): void {
  const k = centroids.length;
  for (let j = 0; j < k; j++) centroids[j] = k === 1 ? (least + most) / 2 : least + ((most - least) * j) / (k - 1);
}

/** How many points are at most `limit`, which are `low` to `high`. */
function pointsBetween(points: Float64Array, low: number, high: number, limit: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many points are at most `limit`, sought in steps that double from `near` on, where that is not -1. */
function pointsUpTo(points: Float64Array, count: number, limit: number, near: number): number {
  if (near < 0) return pointsBetween(points, 0, count, limit);
  let step = 1;
  if (near < count && points[near] <= limit) {
    let low = near + 1;
    for (; low + step <= count && points[low + step - 1] <= limit; step <<= 1) low += step;
    return pointsBetween(points, low, Math.min(count, low + step - 1), limit);
  }
  let high = near;
  for (; step <= high && points[high - step] > limit; step <<= 1) high -= step;
  return pointsBetween(points, step <= high ? high - step + 1 : 0, high, limit);
}

/** Memory of `lloyd`, taken once. */
class LloydWork {
  readonly ends: Int32Array;
  readonly weightSums: Float64Array;
  readonly sums: Float64Array;
  readonly squares: Float64Array;
  readonly taken: Uint8Array;

  constructor(points: number, k: number) {
    this.ends = new Int32Array(k);
    this.weightSums = new Float64Array(points + 1);
    this.sums = new Float64Array(points + 1);
    this.squares = new Float64Array(points + 1);
    this.taken = new Uint8Array(points);
  }
}

/** Sums over the points before each, and over all. */
function sumUp(points: Float64Array, weights: Float64Array, count: number, { weightSums, sums, squares }: LloydWork): void {
  weightSums[0] = 0;
  sums[0] = 0;
  squares[0] = 0;
  for (let i = 0; i < count; i++) {
    const point = points[i];
    const weighted = weights[i] * point;
    weightSums[i + 1] = weightSums[i] + weights[i];
    sums[i + 1] = sums[i] + weighted;
    squares[i + 1] = squares[i] + weighted * point;
  }
}

/** Centroids that serve no point: in their place the cluster of the largest error is cut at its mean, as src/codec/start.ts does it. */
function replaceIdle(points: Float64Array, count: number, centroids: Float64Array, { weightSums, sums, squares }: LloydWork): void {
  const k = centroids.length;
  const froms = new Int32Array(k);
  const ends = new Int32Array(k);
  const errors = new Float64Array(k);
  const means = new Float64Array(k);
  const set = (j: number, from: number, end: number): void => {
    const weight = weightSums[end] - weightSums[from];
    const total = sums[end] - sums[from];
    froms[j] = from;
    ends[j] = end;
    means[j] = total / weight;
    errors[j] = squares[end] - squares[from] - (total * total) / weight;
  };
  let n = 0;
  for (let j = 0, from = 0; j < k; j++) {
    const end = j === k - 1 ? count : pointsBetween(points, 0, count, (centroids[j] + centroids[j + 1]) / 2);
    if (end === from) continue;
    set(n++, from, end);
    from = end;
  }
  if (n === k) return;
  for (; n < k; n++) {
    let worst = -1;
    for (let j = 0; j < n; j++) if (ends[j] - froms[j] > 1 && (worst < 0 || errors[j] > errors[worst])) worst = j;
    const [from, end] = [froms[worst], ends[worst]];
    const cut = Math.min(Math.max(pointsBetween(points, 0, count, means[worst]), from + 1), end - 1);
    set(worst, from, cut);
    set(n, cut, end);
  }
  centroids.set(means.sort());
}

/** Lloyd's iteration over ascending weighted points whose sums are there, as `EncodeKernels.lloyd` says; returns the iterations. */
function lloyd(points: Float64Array, weights: Float64Array, count: number, centroids: Float64Array, work: LloydWork): number {
  const { ends, weightSums, sums } = work;
  const k = centroids.length;
  ends.fill(-1);
  for (let iteration = 1; ; iteration++) {
    let moved = false;
    for (let j = 0; j < k; j++) {
      const end = j === k - 1 ? count : pointsUpTo(points, count, (centroids[j] + centroids[j + 1]) / 2, ends[j]);
      if (ends[j] !== end) moved = true;
      ends[j] = end;
    }
    let empty = 0;
    for (let j = 0, from = 0; j < k; from = ends[j], j++) {
      const weight = weightSums[ends[j]] - weightSums[from];
      if (weight === 0) empty++;
      else centroids[j] = (sums[ends[j]] - sums[from]) / weight;
    }
    if (empty > 0 && refill(points, weights, count, centroids, work)) moved = true;
    if (!moved || iteration === MOST_ITERATIONS) return iteration;
  }
}

/** Empty clusters take the points that are served worst; then the centroids are sorted. */
function refill(points: Float64Array, weights: Float64Array, count: number, centroids: Float64Array, { ends, taken }: LloydWork): boolean {
  taken.fill(0, 0, count);
  let refilled = false;
  for (let j = 0, from = 0; j < centroids.length; from = ends[j], j++) {
    if (ends[j] !== from) continue;
    let worst = -1;
    let most = 0;
    for (let c = 0, i = 0; c < centroids.length; c++) {
      for (; i < ends[c]; i++) {
        const away = points[i] - centroids[c];
        const distance = weights[i] * (away * away);
        if (distance > most && taken[i] === 0) {
          most = distance;
          worst = i;
        }
      }
    }
    if (worst === -1) break;
    taken[worst] = 1;
    centroids[j] = points[worst];
    refilled = true;
  }
  centroids.sort();
  return refilled;
}

/** All memory of k-means over a histogram. */
export class HistogramWork {
  readonly bins: FloatBinWork = new FloatBinWork();
  readonly points: Float64Array = new Float64Array(FLOAT_BINS);
  readonly lloyd: LloydWork;

  constructor(k: number) {
    this.lloyd = new LloydWork(FLOAT_BINS, k);
  }
}

export function centroidsByHistogram(values: Float32Array, k: number, work: HistogramWork = new HistogramWork(k)): Clustering {
  const { bins, points, lloyd: rest } = work;
  const count = histogramOfFloats(new Int32Array(values.buffer, values.byteOffset, values.length), bins);
  pointsOf(bins, count, points);
  sumUp(points, bins.counts, count, rest);
  const centroids = new Float64Array(Math.min(k, count));
  evenSteps(points[0], points[count - 1], centroids);
  replaceIdle(points, count, centroids, rest);
  return { iterations: lloyd(points, bins.counts, count, centroids, rest), centroids };
}

export function midpointsOf(centroids: Float64Array): Float64Array {
  return Float64Array.from({ length: Math.max(0, centroids.length - 1) }, (_, j) => (centroids[j] + centroids[j + 1]) / 2);
}

/** Cells of the table in which `centroidsByValues` begins its search. */
const CELLS = 1024;

/** As scikit-learn does: Lloyd's iteration ends when the squared moves of all centroids add up to less than this part of the values' variance. */
const TOLERANCE = 1e-4;

/**
 * Plain Lloyd: every iteration looks at every value, and ends as scikit-learn's does. The centroids stay sorted, so a value's cluster is found by a look-up of where to begin, and a
 * step or two; an empty cluster takes the value that is farthest from its centroid.
 */
export function centroidsByValues(values: Float32Array, k: number): Clustering {
  const { length } = values;
  let least = values[0];
  let most = values[0];
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i];
    if (value < least) least = value;
    if (value > most) most = value;
    sum += value;
    squares += value * value;
  }
  const enough = TOLERANCE * (squares / length - (sum / length) ** 2);
  const centroids = new Float64Array(k);
  evenSteps(least, most, centroids);
  const midpoints = new Float64Array(k).fill(Number.POSITIVE_INFINITY);
  const sums = new Float64Array(k);
  const counts = new Int32Array(k);
  const starts = new Uint8Array(CELLS);
  const before = new Float64Array(k);
  const scale = most > least ? CELLS / (most - least) : 0;
  for (let iteration = 1; ; iteration++) {
    for (let j = 0; j + 1 < k; j++) midpoints[j] = (centroids[j] + centroids[j + 1]) / 2;
    // One cell too early at the most: a rounded product is never off by a whole one.
    for (let cell = 0, code = 0; cell < CELLS; cell++) {
      while (code < k - 1 && midpoints[code] < least + (cell - 1) / scale) code++;
      starts[cell] = code;
    }
    addUp(values, least, scale, starts, midpoints, sums, counts);
    before.set(centroids);
    const empty: number[] = [];
    for (let j = 0; j < k; j++) {
      if (counts[j] === 0) empty.push(j);
      else centroids[j] = sums[j] / counts[j];
    }
    if (empty.length > 0) refillFromValues(values, centroids, empty);
    let moved = 0;
    for (let j = 0; j < k; j++) moved += (centroids[j] - before[j]) ** 2;
    if (iteration === MOST_ITERATIONS || moved <= enough) return { centroids, iterations: iteration };
  }
}

function addUp(
  values: Float32Array,
  least: number,
  scale: number,
  starts: Uint8Array,
  midpoints: Float64Array,
  sums: Float64Array,
  counts: Int32Array,
): void {
  const { length } = values;
  sums.fill(0);
  counts.fill(0);
  for (let i = 0; i < length; i++) {
    const value = values[i];
    const cell = ((value - least) * scale) | 0;
    let code = starts[cell < CELLS ? cell : CELLS - 1];
    while (midpoints[code] < value) code++;
    sums[code] += value;
    counts[code]++;
  }
}

function refillFromValues(values: Float32Array, centroids: Float64Array, empty: readonly number[]): void {
  const served = centroids.filter((_, j) => !empty.includes(j));
  const between = midpointsOf(served);
  const distances = new Float64Array(values.length);
  const code = new Uint8Array(values.length);
  assignCodes(values, between, code);
  for (let i = 0; i < values.length; i++) distances[i] = (values[i] - served[code[i]]) ** 2;
  for (const j of empty) {
    let worst = 0;
    for (let i = 1; i < values.length; i++) if (distances[i] > distances[worst]) worst = i;
    if (distances[worst] === 0) break;
    centroids[j] = values[worst];
    distances[worst] = 0;
  }
  centroids.sort();
}

/** The sum of the squared distances of values to their nearest centroid, in float64. */
export function inertiaOf(values: Float32Array, centroids: Float64Array): number {
  const codes = assignCodes(values, midpointsOf(centroids), new Uint8Array(values.length));
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const away = values[i] - centroids[codes[i]];
    sum += away * away;
  }
  return sum;
}

/** The midpoints below `value`, by bisection between `low` and `high` of them. */
function below(midpoints: Float64Array, low: number, high: number, value: number): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (midpoints[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The least and the most code of the values that share the upper half of their bits. */
export interface CodeBounds {
  readonly least: Uint8Array;
  readonly most: Uint8Array;
}

const bounds: CodeBounds = { least: new Uint8Array(BINS), most: new Uint8Array(BINS) };
const pairBits = new Uint32Array(2);
const pair = new Float32Array(pairBits.buffer);

function fillBounds(midpoints: Float64Array, { least, most }: CodeBounds): void {
  const all = midpoints.length;
  for (let bin = 0; bin < BINS; bin++) {
    pairBits[0] = bin << 16;
    pairBits[1] = (bin << 16) | 0xffff;
    const [one, other] = pair;
    const finite = one - one === 0;
    least[bin] = finite ? below(midpoints, 0, all, Math.min(one, other)) : 0;
    most[bin] = finite ? below(midpoints, 0, all, Math.max(one, other)) : all;
  }
}

/** The code of each value: the midpoints below it. By a look-up of the upper half of its bits where that decides. */
export function assignCodes(values: Float32Array, midpoints: Float64Array, codes: Uint8Array): Uint8Array {
  const { length } = values;
  const { least, most } = bounds;
  const bits = new Uint32Array(values.buffer, values.byteOffset, length);
  fillBounds(midpoints, bounds);
  for (let i = 0; i < length; i++) {
    const bin = bits[i] >>> 16;
    const low = least[bin];
    const high = most[bin];
    codes[i] = low === high ? low : below(midpoints, low, high, values[i]);
  }
  return codes;
}

/** Sums of gradients over the weights that share a centroid, as float32. */
export function sumGradients(gradients: Float32Array, codes: Uint8Array, sums: Float64Array, out: Float32Array): void {
  sums.fill(0);
  const { length } = codes;
  const body = length & ~3;
  for (let i = 0; i < body; i += 4) {
    sums[codes[i]] += gradients[i];
    sums[codes[i + 1]] += gradients[i + 1];
    sums[codes[i + 2]] += gradients[i + 2];
    sums[codes[i + 3]] += gradients[i + 3];
  }
  for (let i = body; i < length; i++) sums[codes[i]] += gradients[i];
  for (let j = 0; j < out.length; j++) out[j] = sums[j];
}
