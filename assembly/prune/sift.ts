import { largest } from "../csr/gaps";
import { afterGroup, GROUP, keepGroup } from "./keep";
import { addToLane, laneSum, setLanes } from "./lanes";

/** The sums of the call that is running, four lanes each. */
const SQUARES: usize = memory.data(64, 16);
const PRUNED: usize = SQUARES + 32;

/** The magnitude bits of infinity: those of a finite value are below. */
const INFINITE: u32 = 0x7f800000;

/**
 * `prune` and `stats` in one pass, and what pruning costs.
 *
 * Layout     values  f32[count]
 *            gaps    u32[count]  pruned values before each survivor
 *            out     f32[count]  the survivors
 *            totals  f64[7]      survivors; values that are not finite; values that have a bit set; the sum of the squares of all values; the same of the pruned
 *                                values; the largest magnitude of a pruned value; the largest gap. Sums and magnitudes leave values out that are not finite
 * Requires   threshold >= 0.
 * Reads      nothing past the lengths above, in either build.
 * Order      |value| > threshold survives, NaN does not. Four float64 lanes for each sum, value i in lane i mod 4, then (lane 0 + lane 1) + (lane 2 + lane 3). A value
 *            that is left out adds 0.
 */
export function sift(values: usize, count: usize, threshold: f32, gaps: usize, out: usize, totals: usize): void {
  memory.fill(SQUARES, 0, 64);
  let nonFinite: usize = 0;
  let nonZero: usize = 0;
  // Magnitudes compare as their bits do.
  let most: u32 = 0;
  let found: usize = 0;
  let next: usize = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limit = f32x4.splat(threshold);
    let q01 = f64x2.splat(0);
    let q23 = f64x2.splat(0);
    let p01 = f64x2.splat(0);
    let p23 = f64x2.splat(0);
    // Less one a lane for each value that is zero, and each that is finite.
    let zeros = i32x4.splat(0);
    let finites = i32x4.splat(0);
    let largestPruned = i32x4.splat(0);
    for (; i + GROUP < count; i += GROUP) {
      const from = values + (i << 2);
      let mask: u64 = 0;
      for (let part: usize = 0; part < GROUP; part += 4) {
        const raw = v128.load(from + (part << 2));
        zeros = i32x4.add(zeros, i32x4.eq(raw, i32x4.splat(0)));
        const magnitude = f32x4.abs(raw);
        const survives = f32x4.gt(magnitude, limit);
        mask |= (<u64>i32x4.bitmask(survives)) << part;
        const isFinite = i32x4.lt_s(magnitude, i32x4.splat(INFINITE));
        finites = i32x4.add(finites, isFinite);
        largestPruned = i32x4.max_s(largestPruned, v128.andnot(v128.and(magnitude, isFinite), survives));
        const value = v128.and(raw, isFinite);
        const low = f64x2.promote_low_f32x4(value);
        const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 2, 3));
        const lowSquare = f64x2.mul(low, low);
        const highSquare = f64x2.mul(high, high);
        q01 = f64x2.add(q01, lowSquare);
        q23 = f64x2.add(q23, highSquare);
        p01 = f64x2.add(p01, v128.andnot(lowSquare, v128.shuffle<i32>(survives, survives, 0, 4, 1, 5)));
        p23 = f64x2.add(p23, v128.andnot(highSquare, v128.shuffle<i32>(survives, survives, 2, 6, 3, 7)));
      }
      if (mask == 0) continue;
      keepGroup<f32>(from, mask, i, next, gaps + (found << 2), out + (found << 2));
      found += <usize>popcnt(mask);
      next = afterGroup(mask, i);
    }
    nonZero = i + <usize>countIn(zeros);
    nonFinite = i + <usize>countIn(finites);
    most = max(
      max(i32x4.extract_lane(largestPruned, 0), i32x4.extract_lane(largestPruned, 1)),
      max(i32x4.extract_lane(largestPruned, 2), i32x4.extract_lane(largestPruned, 3)),
    );
    setLanes(SQUARES, q01, q23);
    setLanes(PRUNED, p01, p23);
  }
  for (; i < count; i++) {
    const bits = load<u32>(values + (i << 2));
    const magnitude = bits & 0x7fffffff;
    const isFinite = magnitude < INFINITE;
    nonFinite += isFinite ? 0 : 1;
    nonZero += bits != 0 ? 1 : 0;
    const value = <f64>reinterpret<f32>(isFinite ? bits : 0);
    const square = value * value;
    let pruned = square;
    if (reinterpret<f32>(magnitude) > threshold) {
      store<u32>(gaps + (found << 2), <u32>(i - next));
      store<u32>(out + (found << 2), bits);
      found++;
      next = i + 1;
      pruned = 0;
    } else most = max(most, isFinite ? magnitude : 0);
    addToLane(SQUARES, i, square);
    addToLane(PRUNED, i, pruned);
  }
  store<f64>(totals, <f64>found);
  store<f64>(totals, <f64>nonFinite, 8);
  store<f64>(totals, <f64>nonZero, 16);
  store<f64>(totals, laneSum(SQUARES), 24);
  store<f64>(totals, laneSum(PRUNED), 32);
  store<f64>(totals, <f64>reinterpret<f32>(most), 40);
  store<f64>(totals, <f64>largest(gaps, found), 48);
}

// @ts-ignore: decorator
@inline
function countIn(lanes: v128): i32 {
  return i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
}
