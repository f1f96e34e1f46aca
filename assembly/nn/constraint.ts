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
