import type { Points } from "./points.js";
import type { Share } from "./quantize.js";
import { seededRandom } from "./random.js";

// Where k-means starts.

/** k ascending centroids (Deep Compression, section 3.2) for at least k points. */
export function startOf(points: Points, k: number, share: Share): Float64Array {
  return withoutIdle(points, spread(points, k, share));
}

function spread({ values, weights }: Points, k: number, share: Share): Float64Array {
  const centroids = new Float64Array(k);
  const init = share.init ?? "linear";
  if (init === "linear") {
    const least = values[0];
    const most = values[values.length - 1];
    for (let j = 0; j < k; j++) centroids[j] = k === 1 ? (least + most) / 2 : least + ((most - least) * j) / (k - 1);
    return centroids;
  }
  const upTo = runningSums(weights).subarray(1);
  const total = upTo[upTo.length - 1];
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
function withoutIdle({ values, weights }: Points, centroids: Float64Array): Float64Array {
  const k = centroids.length;
  const ends = Array.from(centroids, (_, j) => (j === k - 1 ? values.length : pointsUpTo(values, (centroids[j] + centroids[j + 1]) / 2)));
  const served = ends.filter((end, j) => end > (ends[j - 1] ?? 0));
  if (served.length === k) return centroids;
  const count = runningSums(weights);
  const sum = runningSums(weights, (weight, i) => weight * values[i]);
  const squares = runningSums(weights, (weight, i) => weight * values[i] * values[i]);
  const cluster = (from: number, to: number): Cluster => {
    const weight = count[to] - count[from];
    const total = sum[to] - sum[from];
    return { from, to, mean: total / weight, error: squares[to] - squares[from] - (total * total) / weight };
  };
  const clusters = served.map((end, j) => cluster(served[j - 1] ?? 0, end));
  while (clusters.length < k) {
    // There are at least k points, so some cluster has two.
    const worst = clusters.filter(({ from, to }) => to - from > 1).reduce((a, b) => (b.error > a.error ? b : a));
    // Rounded, the mean may be beside all points.
    const cut = Math.min(Math.max(pointsUpTo(values, worst.mean), worst.from + 1), worst.to - 1);
    clusters[clusters.indexOf(worst)] = cluster(worst.from, cut);
    clusters.push(cluster(cut, worst.to));
  }
  return Float64Array.from(clusters, ({ mean }) => mean).sort();
}

/** Sums of what comes before each index, and of all. */
function runningSums(weights: Float64Array, of: (weight: number, i: number) => number = (weight) => weight): Float64Array {
  const sums = new Float64Array(weights.length + 1);
  for (let i = 0; i < weights.length; i++) sums[i + 1] = sums[i] + of(weights[i], i);
  return sums;
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
