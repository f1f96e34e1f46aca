import { largest } from "../csr/gaps";
import { afterGroup, GROUP, keepGroup } from "./keep";

/** The magnitude bits of infinity: those of a finite value are below. */
const INFINITE: u32 = 0x7f800000;

/**
 * `prune` and `stats` in one pass, and what pruning costs.
 *
 * Layout     values  f32[count]
 *            gaps    u32[count]  pruned values before each survivor
 *            out     f32[count]  the survivors
 *            totals  f64[8]      survivors; values that are not finite; values that have a bit set; the sum of the squares of all values; the same of the pruned
 *                                values; the largest magnitude of a pruned value; the largest gap; the sum of all values. Sums and magnitudes leave values out
 *                                that are not finite
 * Requires   threshold >= 0.
 * Reads      nothing past the lengths above, in either build.
 * Order      |value| > threshold survives, NaN does not. Four float64 lanes for each sum, value i in lane i mod 4, then (lane 0 + lane 1) + (lane 2 + lane 3). A value
 *            that is left out adds 0.
 */
export function sift(values: usize, count: usize, threshold: f32, gaps: usize, out: usize, totals: usize): void {
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let q0: f64 = 0;
  let q1: f64 = 0;
  let q2: f64 = 0;
  let q3: f64 = 0;
  let p0: f64 = 0;
  let p1: f64 = 0;
  let p2: f64 = 0;
  let p3: f64 = 0;
  let nonFinite: usize = 0;
  let nonZero: usize = 0;
  // Magnitudes compare as their bits do.
  let most: u32 = 0;
  let found: usize = 0;
  let next: usize = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limit = f32x4.splat(threshold);
    let s01 = f64x2.splat(0);
    let s23 = f64x2.splat(0);
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
        s01 = f64x2.add(s01, low);
        s23 = f64x2.add(s23, high);
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
    nonZero = i + <usize>laneSum(zeros);
    nonFinite = i + <usize>laneSum(finites);
    most = max(
      max(i32x4.extract_lane(largestPruned, 0), i32x4.extract_lane(largestPruned, 1)),
      max(i32x4.extract_lane(largestPruned, 2), i32x4.extract_lane(largestPruned, 3)),
    );
    s0 = f64x2.extract_lane(s01, 0);
    s1 = f64x2.extract_lane(s01, 1);
    s2 = f64x2.extract_lane(s23, 0);
    s3 = f64x2.extract_lane(s23, 1);
    q0 = f64x2.extract_lane(q01, 0);
    q1 = f64x2.extract_lane(q01, 1);
    q2 = f64x2.extract_lane(q23, 0);
    q3 = f64x2.extract_lane(q23, 1);
    p0 = f64x2.extract_lane(p01, 0);
    p1 = f64x2.extract_lane(p01, 1);
    p2 = f64x2.extract_lane(p23, 0);
    p3 = f64x2.extract_lane(p23, 1);
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
    const lane = i & 3;
    if (lane == 0) {
      s0 += value;
      q0 += square;
      p0 += pruned;
    } else if (lane == 1) {
      s1 += value;
      q1 += square;
      p1 += pruned;
    } else if (lane == 2) {
      s2 += value;
      q2 += square;
      p2 += pruned;
    } else {
      s3 += value;
      q3 += square;
      p3 += pruned;
    }
  }
  store<f64>(totals, <f64>found);
  store<f64>(totals, <f64>nonFinite, 8);
  store<f64>(totals, <f64>nonZero, 16);
  store<f64>(totals, q0 + q1 + (q2 + q3), 24);
  store<f64>(totals, p0 + p1 + (p2 + p3), 32);
  store<f64>(totals, <f64>reinterpret<f32>(most), 40);
  store<f64>(totals, <f64>largest(gaps, found), 48);
  store<f64>(totals, s0 + s1 + (s2 + s3), 56);
}

// @ts-ignore: decorator
@inline
function laneSum(lanes: v128): i32 {
  return i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
}
