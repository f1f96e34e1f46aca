/**
 * What sharing costs: how far values are from the centroids of their codes.
 *
 * Layout     values     f32[count]
 *            codes      u8[count]
 *            centroids  f32[k]
 *            out        f64[2]      the sum of the squares of value - centroid; the largest |value - centroid|, in which a NaN does not count
 * Requires   codes below k <= 256.
 * Reads      nothing past the lengths above, in either build.
 * Order      differences of the float32 numbers in float64; four float64 lanes for the sum, value i in lane i mod 4, then (lane 0 + lane 1) + (lane 2 + lane 3).
 */
export function shareErrors(values: usize, codes: usize, count: usize, centroids: usize, out: usize): void {
  let n0: f64 = 0;
  let n1: f64 = 0;
  let n2: f64 = 0;
  let n3: f64 = 0;
  let most: f64 = 0;
  let i: usize = 0;
  const body = count & ~3;
  if (ASC_FEATURE_SIMD) {
    let n01 = f64x2.splat(0);
    let n23 = f64x2.splat(0);
    let most01 = f64x2.splat(0);
    let most23 = f64x2.splat(0);
    for (; i < body; i += 4) {
      const value = v128.load(values + (i << 2));
      const four = load<u32>(codes + i);
      const low = f64x2(<f64>centroid(centroids, four & 255), <f64>centroid(centroids, (four >> 8) & 255));
      const high = f64x2(<f64>centroid(centroids, (four >> 16) & 255), <f64>centroid(centroids, four >> 24));
      const away01 = f64x2.sub(f64x2.promote_low_f32x4(value), low);
      const away23 = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3)), high);
      n01 = f64x2.add(n01, f64x2.mul(away01, away01));
      n23 = f64x2.add(n23, f64x2.mul(away23, away23));
      // Keeps its first argument where the second is NaN.
      most01 = f64x2.pmax(most01, f64x2.abs(away01));
      most23 = f64x2.pmax(most23, f64x2.abs(away23));
    }
    const most2 = f64x2.pmax(most01, most23);
    most = max(f64x2.extract_lane(most2, 0), f64x2.extract_lane(most2, 1));
    n0 = f64x2.extract_lane(n01, 0);
    n1 = f64x2.extract_lane(n01, 1);
    n2 = f64x2.extract_lane(n23, 0);
    n3 = f64x2.extract_lane(n23, 1);
  } else {
    for (; i < body; i += 4) {
      const at = values + (i << 2);
      const four = load<u32>(codes + i);
      const a = <f64>load<f32>(at) - <f64>centroid(centroids, four & 255);
      const b = <f64>load<f32>(at, 4) - <f64>centroid(centroids, (four >> 8) & 255);
      const c = <f64>load<f32>(at, 8) - <f64>centroid(centroids, (four >> 16) & 255);
      const d = <f64>load<f32>(at, 12) - <f64>centroid(centroids, four >> 24);
      n0 += a * a;
      n1 += b * b;
      n2 += c * c;
      n3 += d * d;
      most = larger(larger(most, a), larger(larger(0, b), larger(larger(0, c), d)));
    }
  }
  for (; i < count; i++) {
    const away = <f64>load<f32>(values + (i << 2)) - <f64>centroid(centroids, load<u8>(codes + i));
    const lane = i & 3;
    if (lane == 0) n0 += away * away;
    else if (lane == 1) n1 += away * away;
    else n2 += away * away;
    most = larger(most, away);
  }
  store<f64>(out, n0 + n1 + (n2 + n3));
  store<f64>(out, most, 8);
}

// @ts-ignore: decorator
@inline
function centroid(centroids: usize, code: u32): f32 {
  return load<f32>(centroids + ((<usize>code) << 2));
}

/** |away| where it is above most, else most: also where it is NaN. */
// @ts-ignore: decorator
@inline
function larger(most: f64, away: f64): f64 {
  return abs(away) > most ? abs(away) : most;
}
