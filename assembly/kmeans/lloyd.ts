/** prefix[i] = the sum over the first i points. */
// @ts-ignore: decorator
@inline
function span(prefix: usize, from: usize, to: usize): f64 {
  return load<f64>(prefix + (to << 3)) - load<f64>(prefix + (from << 3));
}

/**
 * The number of points that are at most `limit`: by bisection, between bounds that are sought from `near` in steps that double, since a boundary seldom moves far from one iteration to
 * the next.
 */
function pointsUpTo(points: usize, count: usize, limit: f64, near: usize): usize {
  let low: usize = 0;
  let high = count;
  if (near <= count) {
    let step: usize = 1;
    if (near < count && load<f64>(points + (near << 3)) <= limit) {
      low = near + 1;
      for (; low + step <= count && load<f64>(points + ((low + step - 1) << 3)) <= limit; step <<= 1) low += step;
      high = min(count, low + step - 1);
    } else {
      high = near;
      for (; step <= high && load<f64>(points + ((high - step) << 3)) > limit; step <<= 1) high -= step;
      low = step <= high ? high - step + 1 : 0;
    }
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f64>(points + (middle << 3)) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Lloyd's iteration in one dimension, on sorted weighted points: an iteration costs a bisection a centroid, however many the points are.
 *
 * Layout     points      f64[count]      ascending
 *            weights     f64[count]      above 0
 *            centroids   f64[k]          ascending; changed
 *            ends        u32[k]          scratch: points of each cluster end there
 *            weightSums  f64[count + 1]  scratch
 *            sums        f64[count + 1]  scratch
 *            taken       u8[count]       scratch
 * Requires   count >= 1, k >= 1.
 * Reads      nothing past the lengths above.
 * Order      as `EncodeKernels.lloyd` in src/kernel-types.ts says, step by step.
 *
 * @returns iterations done
 */
export function lloyd(
  points: usize,
  weights: usize,
  count: usize,
  centroids: usize,
  k: usize,
  maxIterations: u32,
  ends: usize,
  weightSums: usize,
  sums: usize,
  taken: usize,
): u32 {
  store<f64>(weightSums, 0);
  store<f64>(sums, 0);
  for (let i: usize = 0; i < count << 3; i += 8) {
    const weight = load<f64>(weights + i);
    store<f64>(weightSums + i, load<f64>(weightSums + i) + weight, 8);
    store<f64>(sums + i, load<f64>(sums + i) + weight * load<f64>(points + i), 8);
  }
  memory.fill(ends, 0xff, k << 2);
  let iteration: u32 = 0;
  while (iteration < maxIterations) {
    iteration++;
    let moved = false;
    for (let j: usize = 0; j < k; j++) {
      const before = <usize>load<u32>(ends + (j << 2));
      const at = centroids + (j << 3);
      const end = j == k - 1 ? count : pointsUpTo(points, count, (load<f64>(at) + load<f64>(at, 8)) / 2, before);
      if (before != end) moved = true;
      store<u32>(ends + (j << 2), <u32>end);
    }
    let empty: usize = 0;
    for (let j: usize = 0, from: usize = 0; j < k; j++) {
      const to = <usize>load<u32>(ends + (j << 2));
      const weight = span(weightSums, from, to);
      if (weight == 0) empty++;
      else store<f64>(centroids + (j << 3), span(sums, from, to) / weight);
      from = to;
    }
    if (empty > 0 && refill(points, weights, count, centroids, k, ends, taken)) moved = true;
    if (!moved) break;
  }
  return iteration;
}

/**
 * Empty clusters take the points that are served worst, each as its new centroid; then the centroids are sorted. An empty cluster has no points of its own, so its new centroid
 * changes no distance. Returns whether one was refilled.
 */
function refill(points: usize, weights: usize, count: usize, centroids: usize, k: usize, ends: usize, taken: usize): bool {
  memory.fill(taken, 0, count);
  let refilled = false;
  for (let j: usize = 0, from: usize = 0; j < k; j++) {
    const to = <usize>load<u32>(ends + (j << 2));
    if (to == from) {
      const worst = worstPoint(points, weights, centroids, k, ends, taken);
      if (worst == usize.MAX_VALUE) break;
      store<u8>(taken + worst, 1);
      store<f64>(centroids + (j << 3), load<f64>(points + (worst << 3)));
      refilled = true;
    }
    from = to;
  }
  for (let j: usize = 1; j < k; j++) {
    const centroid = load<f64>(centroids + (j << 3));
    let at = centroids + (j << 3);
    for (; at > centroids && load<f64>(at - 8) > centroid; at -= 8) store<f64>(at, load<f64>(at - 8));
    store<f64>(at, centroid);
  }
  return refilled;
}

/** The point with the largest weighted squared distance to its centroid, the first of equals; usize.MAX_VALUE where none is away from it. */
function worstPoint(points: usize, weights: usize, centroids: usize, k: usize, ends: usize, taken: usize): usize {
  let worst = usize.MAX_VALUE;
  let most: f64 = 0;
  for (let j: usize = 0, i: usize = 0; j < k; j++) {
    const centroid = load<f64>(centroids + (j << 3));
    for (const to = <usize>load<u32>(ends + (j << 2)); i < to; i++) {
      const away = load<f64>(points + (i << 3)) - centroid;
      const distance = load<f64>(weights + (i << 3)) * (away * away);
      if (distance > most && load<u8>(taken + i) == 0) {
        most = distance;
        worst = i;
      }
    }
  }
  return worst;
}
