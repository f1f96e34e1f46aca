import type { EncodeKernels } from "../kernel-types.js";
import { coarser, meanOf, type Points, runningSums } from "./points.js";
import type { Share } from "./quantize.js";
import { seededRandom } from "./random.js";

// Where k-means starts.

/** k ascending centroids (Deep Compression, section 3.2) for at least k points. */
export function startOf({ values, weights }: Points, k: number, share: Share): Float64Array {
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
  for (let i = 0; i < weights.length; i++) {
    total += weights[i];
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

/** Beyond, points are merged: the search takes k times as long as it takes to walk them, and some more. */
const MOST_POINTS = 1 << 14;

/** The means of the k clusters of least error. */
export function optimalStart(kernels: EncodeKernels, points: Points, k: number): Float64Array {
  if (k === 0) return new Float64Array(0);
  const coarse = coarser(points, MOST_POINTS);
  // So few points are left only where some of them have nearly all of the weight.
  if (coarse.values.length < k) return startOf(points, k, { init: "linear" });
  const sums = runningSums(coarse);
  const ends = kernels.optimalCells(coarse.values, coarse.weights, k);
  return Float64Array.from(ends, (to, j) => meanOf(sums, j === 0 ? 0 : ends[j - 1], to));
}

/** Points `from` to below `to`. */
interface Cluster {
  readonly from: number;
  readonly to: number;
  readonly mean: number;
  /** The sum of the weighted squared distances to the mean. */
  readonly error: number;
}

/**
 * Centroids that serve no point, as those that even steps put among pruned weights, would each be given one point by Lloyd's iteration, all of them from the neighbourhood that is served
 * worst, and take long to spread from there. Instead the cluster of the largest error is cut at its mean, as often as there are such centroids. Where there are none, all stay as they are.
 */
export function withoutIdle(points: Points, centroids: Float64Array): Float64Array {
  const { values } = points;
  const k = centroids.length;
  const ends = Array.from(centroids, (_, j) => (j === k - 1 ? values.length : pointsUpTo(values, (centroids[j] + centroids[j + 1]) / 2)));
  const served = ends.filter((end, j) => end > (ends[j - 1] ?? 0));
  if (served.length === k) return centroids;
  const cluster = clustersOf(points);
  const clusters = served.map((end, j) => cluster(served[j - 1] ?? 0, end));
  while (clusters.length < k) {
    // There are at least k points, so some cluster has two.
    const worst = worstOf(clusters);
    const { from, to, mean } = clusters[worst];
    // Rounded, the mean may be beside all points.
    const cut = Math.min(Math.max(pointsUpTo(values, mean), from + 1), to - 1);
    clusters[worst] = cluster(from, cut);
    clusters.push(cluster(cut, to));
  }
  return Float64Array.from(clusters, ({ mean }) => mean).sort();
}

/** Where the cluster of the largest error stands, of those that can be cut. */
function worstOf(clusters: readonly Cluster[]): number {
  let worst = -1;
  for (let j = 0; j < clusters.length; j++) {
    const { from, to, error } = clusters[j];
    if (to - from > 1 && (worst < 0 || error > clusters[worst].error)) worst = j;
  }
  return worst;
}

/** Clusters by their ends, from running sums. */
function clustersOf(points: Points): (from: number, to: number) => Cluster {
  const { counts, sums, squares } = runningSums(points);
  return (from, to) => {
    const weight = counts[to] - counts[from];
    const total = sums[to] - sums[from];
    return { from, to, mean: total / weight, error: squares[to] - squares[from] - (total * total) / weight };
  };
}

/** How many of the ascending values are at most `limit`. */
function pointsUpTo(values: Float64Array, limit: number): number {
  let low = 0;
  for (let high = values.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
