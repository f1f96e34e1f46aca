/**
 * Sets what a mask prunes to 0, in place, whatever it was.
 *
 * Layout     values  f32[count]
 *            mask    u8[count]   0 for a pruned weight
 * Reads      nothing past the lengths above, in either build.
 * Order      elements on their own.
 */
export function maskValues(values: usize, mask: usize, count: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const zero = i8x16.splat(0);
    for (const body = count & ~3; i < body; i += 4) {
      const pruned = i8x16.eq(v128.load32_zero(mask + i), zero);
      const wide = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(pruned));
      const at = values + (i << 2);
      v128.store(at, v128.andnot(v128.load(at), wide));
    }
  }
  for (; i < count; i++) if (load<u8>(mask + i) == 0) store<f32>(values + (i << 2), 0);
}

/**
 * Writes weights from their centroids, and 0 for those that are pruned.
 *
 * Layout     codes      u8[count]
 *            mask       u8[count]      0 for a pruned weight
 *            centroids  f32[at least as many as the largest code + 1]
 *            out        f32[count]
 * Reads      nothing past the lengths above; the code of a pruned weight is followed too.
 * Order      elements on their own.
 */
export function spreadCentroids(codes: usize, mask: usize, count: usize, centroids: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    // All ones for a survivor, without a branch: which weights are pruned cannot be predicted.
    const kept: i32 = -(<i32>load<u8>(mask + i)) >> 31;
    store<i32>(out + (i << 2), load<i32>(centroids + ((<usize>load<u8>(codes + i)) << 2)) & kept);
  }
}

/** Centroids of a codebook, at most. */
const MOST_CENTROIDS: usize = 256;

/**
 * Gives each survivor the centroid that is nearest, the lower of two, and then each centroid the mean of the weights that took it. One that no weight takes stays as it is, and one whose mean
 * is 0, which would prune.
 *
 * Layout     weights    f32[at least the largest survivor + 1]
 *            survivors  u32[count]   where the weights are that have a code, each place once
 *            centroids  f32[k]       changed in place
 *            scratch    f64[3][256]  midpoints, filled up with infinity; sums; counts
 *            codes      u8, and out f32, as many as weights: written where a survivor is
 * Requires   centroids that never descend (two may be alike), no NaN among them, 0 < k <= 256.
 * Reads      nothing past the lengths above.
 * Order      midpoints, sums and means in float64, sums survivor after survivor; means rounded to float32.
 */
export function settleWeights(
  weights: usize,
  survivors: usize,
  count: usize,
  centroids: usize,
  k: usize,
  scratch: usize,
  codes: usize,
  out: usize,
): void {
  const sums = scratch + (MOST_CENTROIDS << 3);
  const counts = sums + (MOST_CENTROIDS << 3);
  let half: usize = 1;
  while (half << 1 < k) half <<= 1;
  for (let j: usize = 0; j < half << 1; j++) {
    const at = centroids + (j << 2);
    store<f64>(scratch + (j << 3), j + 1 < k ? (<f64>load<f32>(at) + <f64>load<f32>(at, 4)) / 2 : f64.POSITIVE_INFINITY);
  }
  memory.fill(sums, 0, MOST_CENTROIDS << 4);
  for (let i: usize = 0; i < count; i++) {
    const place = <usize>load<u32>(survivors + (i << 2));
    const weight = <f64>load<f32>(weights + (place << 2));
    // Bisection without a branch: which side a weight is on cannot be predicted.
    let code: usize = 0;
    for (let step = half; step > 0; step >>= 1) code += weight > load<f64>(scratch + ((code + step - 1) << 3)) ? step : 0;
    store<u8>(codes + place, <u32>code);
    const cell = code << 3;
    store<f64>(sums + cell, load<f64>(sums + cell) + weight);
    store<f64>(counts + cell, load<f64>(counts + cell) + 1);
  }
  for (let j: usize = 0; j < k; j++) {
    const taken = load<f64>(counts + (j << 3));
    const mean = <f32>(load<f64>(sums + (j << 3)) / taken);
    if (taken > 0 && mean != 0) store<f32>(centroids + (j << 2), mean);
  }
  for (let i: usize = 0; i < count; i++) {
    const place = <usize>load<u32>(survivors + (i << 2));
    store<f32>(out + (place << 2), load<f32>(centroids + ((<usize>load<u8>(codes + place)) << 2)));
  }
}
