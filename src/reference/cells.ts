import { log2 } from "./log2.js";

/** Running sums over the points. */
class Sums {
  readonly weights: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(points: Float64Array, weights: Float64Array) {
    const n = points.length;
    this.weights = new Float64Array(n + 1);
    this.#sums = new Float64Array(n + 1);
    this.#squares = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) {
      const sum = weights[i] * points[i];
      this.weights[i + 1] = this.weights[i] + weights[i];
      this.#sums[i + 1] = this.#sums[i] + sum;
      this.#squares[i + 1] = this.#squares[i] + sum * points[i];
    }
  }

  weight(from: number, to: number): number {
    return this.weights[to] - this.weights[from];
  }

  error(from: number, to: number): number {
    const sum = this.#sums[to] - this.#sums[from];
    return Math.max(0, this.#squares[to] - this.#squares[from] - (sum * sum) / this.weight(from, to));
  }
}

/** As `EncodeKernels.rateCells` says. */
export function rateCells(points: Float64Array, weights: Float64Array, perBit: number, cellBits: number): Uint32Array {
  const n = points.length;
  const sums = new Sums(points, weights);
  const total = log2(sums.weights[n]);
  const costs = new Float64Array(n + 1);
  const starts = new Uint32Array(n + 1);
  for (let to = 1; to <= n; to++) {
    let best = Number.MAX_VALUE;
    const without = costs[to - 1] - perBit * Math.LOG2E * sums.weight(to - 1, to);
    for (let from = to - 1; from >= 0; from--) {
      const error = sums.error(from, to);
      if ((to - from) % 8 === 0 && without + (error - sums.error(from, to - 1)) > best) break;
      if (costs[from] + (error + perBit * cellBits) >= best) continue;
      const weight = sums.weight(from, to);
      const cost = costs[from] + (error + perBit * (weight * (total - log2(weight)) + cellBits));
      if (cost < best) {
        best = cost;
        starts[to] = from;
      }
    }
    costs[to] = best;
  }
  const ends: number[] = [];
  for (let to = n; to > 0; to = starts[to]) ends.unshift(to);
  return Uint32Array.from(ends);
}

/** As `EncodeKernels.optimalCells` says. */
export function optimalCells(points: Float64Array, weights: Float64Array, k: number): Uint32Array {
  const n = points.length;
  const sums = new Sums(points, weights);
  let before = new Float64Array(n + 1);
  let after = new Float64Array(n + 1);
  for (let to = 1; to <= n; to++) after[to] = sums.error(0, to);
  const starts = [new Uint32Array(n + 1)];
  for (let cell = 1; cell < k; cell++) {
    [before, after] = [after, before];
    const from = new Uint32Array(n + 1);
    cutAll(sums, before, after, from, cell + 1, n, cell, n - 1);
    starts.push(from);
  }
  const ends = new Uint32Array(k);
  for (let cell = k - 1, to = n; cell >= 0; to = starts[cell--][to]) ends[cell] = to;
  return ends;
}

function cutAll(
  sums: Sums,
  before: Float64Array,
  after: Float64Array,
  starts: Uint32Array,
  low: number,
  high: number,
  least: number,
  most: number,
): void {
  if (low > high) return;
  const to = (low + high) >> 1;
  let best = Number.MAX_VALUE;
  let start = least;
  for (let from = least; from <= Math.min(most, to - 1); from++) {
    const cost = before[from] + sums.error(from, to);
    if (cost < best) {
      best = cost;
      start = from;
    }
  }
  after[to] = best;
  starts[to] = start;
  cutAll(sums, before, after, starts, low, to - 1, least, start);
  cutAll(sums, before, after, starts, to + 1, high, start, most);
}
