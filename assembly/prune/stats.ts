import { addToLane, laneSum, setLanes } from "./lanes";

/** The sums of the call that is running, four lanes each. */
const SUM: usize = memory.data(64, 16);
const SQUARES: usize = SUM + 32;

/** Added to one lane of the sums: the value, or 0 where it is not finite. */
// @ts-ignore: decorator
@inline
function finite(value: f32): f64 {
  return <f64>(value - value == 0 ? value : 0);
}

/**
 * Sums over float32 values.
 *
 * Layout     values  f32[count]
 *            out     f64[4]      sum, sum of squares, values that are not finite, values that have a bit set
 * Reads      nothing past the lengths above, in either build.
 * Order      four float64 lanes for each sum, value i in lane i mod 4, then (lane 0 + lane 1) + (lane 2 + lane 3). A value that is not finite adds 0.
 */
export function stats(values: usize, count: usize, out: usize): void {
  memory.fill(SUM, 0, 64);
  let nonFinite: usize = 0;
  let nonZero: usize = 0;
  const body = count & ~3;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let s01 = f64x2.splat(0);
    let s23 = f64x2.splat(0);
    let q01 = f64x2.splat(0);
    let q23 = f64x2.splat(0);
    for (; i < body; i += 4) {
      const raw = v128.load(values + (i << 2));
      const kept = f32x4.eq(f32x4.sub(raw, raw), f32x4.splat(0));
      nonFinite += 4 - popcnt(i32x4.bitmask(kept));
      nonZero += popcnt(i32x4.bitmask(i32x4.ne(raw, i32x4.splat(0))));
      const value = v128.and(raw, kept);
      const low = f64x2.promote_low_f32x4(value);
      const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3));
      s01 = f64x2.add(s01, low);
      s23 = f64x2.add(s23, high);
      q01 = f64x2.add(q01, f64x2.mul(low, low));
      q23 = f64x2.add(q23, f64x2.mul(high, high));
    }
    setLanes(SUM, s01, s23);
    setLanes(SQUARES, q01, q23);
  }
  for (; i < count; i++) {
    const raw = load<f32>(values + (i << 2));
    if (!(raw - raw == 0)) nonFinite++;
    if (load<u32>(values + (i << 2)) != 0) nonZero++;
    const value = finite(raw);
    addToLane(SUM, i, value);
    addToLane(SQUARES, i, value * value);
  }
  store<f64>(out, laneSum(SUM));
  store<f64>(out, laneSum(SQUARES), 8);
  store<f64>(out, <f64>nonFinite, 16);
  store<f64>(out, <f64>nonZero, 24);
}

/**
 * Counts magnitudes, for the exact selection of the k-th smallest.
 *
 * Layout     values  f32[count]
 *            counts  u32[65536]  added to
 * Requires   level 0 or 1.
 * Reads      nothing past the lengths above.
 * Order      exact integers. Level 0: bin = the upper 16 of the 31 magnitude bits. Level 1: of the values whose upper 16 are `prefix`, bin = the lower 15.
 */
export function magnitudeHistogram(values: usize, count: usize, level: u32, prefix: u32, counts: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const magnitude = load<u32>(values + (i << 2)) & 0x7fffffff;
    const upper = magnitude >> 15;
    if (level != 0 && upper != prefix) continue;
    const bin = counts + ((<usize>(level == 0 ? upper : magnitude & 0x7fff)) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
  }
}
