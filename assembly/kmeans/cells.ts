import { log2 } from "../common/log2";

// Weighted points in ascending order are cut into cells, runs of points, at the least cost over all ways to cut them: by dynamic programming, from running sums.
//
// Layout of what both kernels share, `sums`: three of f64[count + 1], one after another: of the weights, of weight * point, and of weight * point * point, over the first i points.

const LOG2_E: f64 = 1.4426950408889634;

/** Lengths of cells at which it is asked whether longer ones can cost less: asking takes as long as trying one. */
const LOOK: usize = 8;

// @ts-ignore: decorator
@inline
function span(sums: usize, from: usize, to: usize): f64 {
  return load<f64>(sums + (to << 3)) - load<f64>(sums + (from << 3));
}

/** The weighted squared distances of points `from` to below `to` to their mean. */
// @ts-ignore: decorator
@inline
function errorOf(sums: usize, stride: usize, from: usize, to: usize): f64 {
  const sum = span(sums + stride, from, to);
  return max<f64>(0, span(sums + 2 * stride, from, to) - (sum * sum) / span(sums, from, to));
}

function addUp(points: usize, weights: usize, count: usize, sums: usize): usize {
  const stride = (count + 1) << 3;
  memory.fill(sums, 0, 3 * stride);
  for (let i: usize = 0; i < count << 3; i += 8) {
    const at = sums + i;
    const point = load<f64>(points + i);
    const weight = load<f64>(weights + i);
    const sum = weight * point;
    store<f64>(at, load<f64>(at) + weight, 8);
    store<f64>(at + stride, load<f64>(at + stride) + sum, 8);
    store<f64>(at + 2 * stride, load<f64>(at + 2 * stride) + sum * point, 8);
  }
  return stride;
}

/**
 * Cells for codes of variable length: as `EncodeKernels.rateCells` in src/kernel-types.ts says.
 *
 * Layout     points   f64[count]      ascending
 *            weights  f64[count]      above 0
 *            sums     f64[3 * (count + 1)], costs f64[count + 1]  scratch
 *            ends     u32[count + 1]  out: where the cells end, in order; scratch behind them
 * Requires   count >= 1.
 * Complexity O(count^2)
 *
 * @returns the number of cells
 */
export function rateCells(
  points: usize,
  weights: usize,
  count: usize,
  perBit: f64,
  cellBits: f64,
  sums: usize,
  costs: usize,
  ends: usize,
): usize {
  const stride = addUp(points, weights, count, sums);
  const total = log2(load<f64>(sums + (count << 3)));
  store<f64>(costs, 0);
  for (let to: usize = 1; to <= count; to++) {
    let best = f64.MAX_VALUE;
    let start: usize = 0;
    const without = load<f64>(costs + ((to - 1) << 3)) - perBit * LOG2_E * span(sums, to - 1, to);
    for (let from = to; from-- > 0;) {
      const error = errorOf(sums, stride, from, to);
      // What the last point adds to the error grows with the cell, and its bits fall by LOG2_E of its weight at most: beyond here no cell with it costs less.
      if ((to - from) % LOOK == 0 && without + (error - errorOf(sums, stride, from, to - 1)) > best) break;
      const before = load<f64>(costs + (from << 3));
      // The codes take no bits or more: mostly there is no need to know how many.
      if (before + (error + perBit * cellBits) >= best) continue;
      const weight = span(sums, from, to);
      const cost = before + (error + perBit * (weight * (total - log2(weight)) + cellBits));
      if (cost < best) {
        best = cost;
        start = from;
      }
    }
    store<f64>(costs + (to << 3), best);
    store<u32>(ends + (to << 2), <u32>start);
  }
  // ends[to] says where the cell that ends at `to` begins: from the last backwards, and then in order to the front.
  let cells: usize = 0;
  for (let to = count; to > 0; to = <usize>load<u32>(ends + (to << 2))) cells++;
  for (let to = count, left = cells; left > 0; left--) {
    const from = <usize>load<u32>(ends + (to << 2));
    // costs are not needed any more
    store<u32>(costs + ((left - 1) << 2), <u32>to);
    to = from;
  }
  memory.copy(ends, costs, cells << 2);
  return cells;
}

/**
 * Cells for a given number of centroids: as `EncodeKernels.optimalCells` in src/kernel-types.ts says.
 *
 * Layout     points   f64[count]      ascending
 *            weights  f64[count]      above 0
 *            sums     f64[3 * (count + 1)], costs f64[2 * (count + 1)]  scratch
 *            starts   u16[k * (count + 1)]  scratch
 *            ends     u32[k]          out
 * Requires   1 <= k <= count < 65536.
 * Complexity O(k count log count)
 */
export function optimalCells(
  points: usize,
  weights: usize,
  count: usize,
  k: usize,
  sums: usize,
  costs: usize,
  starts: usize,
  ends: usize,
): void {
  const stride = addUp(points, weights, count, sums);
  let before = costs;
  let after = costs + stride;
  for (let to: usize = 1; to <= count; to++) {
    store<f64>(after + (to << 3), errorOf(sums, stride, 0, to));
    store<u16>(starts + (to << 1), 0);
  }
  for (let cell: usize = 1; cell < k; cell++) {
    const swapped = before;
    before = after;
    after = swapped;
    // `cell` cells before, of a point each at least; those after need one each, too.
    cutAll(sums, stride, before, after, starts + cell * ((count + 1) << 1), cell + 1, count, cell, count - 1);
  }
  for (let cell = k, to = count; cell-- > 0;) {
    store<u32>(ends + (cell << 2), <u32>to);
    to = <usize>load<u16>(starts + cell * ((count + 1) << 1) + (to << 1));
  }
}

/** For each end from `low` to `high`, the start of the last cell, known to be `least` to `most`: that of the middle end bounds those of the others, as the cost is concave Monge. */
function cutAll(
  sums: usize,
  stride: usize,
  before: usize,
  after: usize,
  starts: usize,
  low: usize,
  high: usize,
  least: usize,
  most: usize,
): void {
  if (low > high) return;
  const to = (low + high) >> 1;
  let best = f64.MAX_VALUE;
  let start = least;
  for (let from = least; from <= min(most, to - 1); from++) {
    const cost = load<f64>(before + (from << 3)) + errorOf(sums, stride, from, to);
    if (cost < best) {
      best = cost;
      start = from;
    }
  }
  store<f64>(after + (to << 3), best);
  store<u16>(starts + (to << 1), <u16>start);
  cutAll(sums, stride, before, after, starts, low, to - 1, least, start);
  cutAll(sums, stride, before, after, starts, to + 1, high, start, most);
}
