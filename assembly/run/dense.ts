import { biasOf, finished } from "./lanes";

// y = W x + b of a matrix that has no codes, in float32.

/**
 * y += W x.
 *
 * Layout     weights  f32[rows][columns]
 *            x        f32[columns]
 *            y        f32[rows]
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of y: the sum of eight, column j in sum j mod 8, those in fours as (s0 + s4), …, (s3 + s7), and then (t0 + t1) + (t2 + t3). Each product and each sum is rounded to float32.
 */
export function matvecDense(weights: usize, x: usize, columns: usize, rows: usize, y: usize): void {
  const body = columns & ~7;
  for (let row: usize = 0; row < rows; row++) {
    const from = weights + ((row * columns) << 2);
    let t0: f32, t1: f32, t2: f32, t3: f32;
    let j: usize = 0;
    if (ASC_FEATURE_SIMD) {
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      for (; j < body; j += 8) {
        const at = j << 2;
        a = f32x4.add(a, f32x4.mul(v128.load(from + at), v128.load(x + at)));
        b = f32x4.add(b, f32x4.mul(v128.load(from + at, 16), v128.load(x + at, 16)));
      }
      a = f32x4.add(a, b);
      t0 = f32x4.extract_lane(a, 0);
      t1 = f32x4.extract_lane(a, 1);
      t2 = f32x4.extract_lane(a, 2);
      t3 = f32x4.extract_lane(a, 3);
    } else {
      t0 = partial(from, x, 0, body);
      t1 = partial(from, x, 1, body);
      t2 = partial(from, x, 2, body);
      t3 = partial(from, x, 3, body);
      j = body;
    }
    let sum = t0 + t1 + (t2 + t3);
    for (; j < columns; j++) sum += load<f32>(from + (j << 2)) * load<f32>(x + (j << 2));
    const to = y + (row << 2);
    store<f32>(to, load<f32>(to) + sum);
  }
}

/** The sums of the columns that are `first` mod 8, and of those four after them, together. */
function partial(from: usize, x: usize, first: usize, end: usize): f32 {
  let a: f32 = 0;
  let b: f32 = 0;
  for (let j = first; j < end; j += 8) {
    const at = j << 2;
    a += load<f32>(from + at) * load<f32>(x + at);
    b += load<f32>(from + at, 16) * load<f32>(x + at, 16);
  }
  return a + b;
}

/**
 * Y = W X + b, ReLU of it where asked.
 *
 * Layout     weights  f32[rows][columns]
 *            bias     f32[rows]; address 0: zeros
 *            x        f32[columns][lanes]  columns stride bytes apart
 *            y        f32[rows][lanes]  rows yStride bytes apart
 * Requires   y overlaps nothing else.
 * Reads      up to 12 bytes past the last lane of a column.
 * Order      each element of Y: the bias, then the columns ascending; each product and each sum is rounded to float32. ReLU: what is below 0 becomes 0; a NaN and -0 stay.
 */
export function matmulDense(
  weights: usize,
  columns: usize,
  bias: usize,
  stride: usize,
  x: usize,
  lanes: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  for (let lane: usize = 0; lane < lanes; lane += 4) {
    let row: usize = 0;
    for (; row + 4 <= rows; row += 4) tile(4, row, weights, columns, bias, stride, x, lane, lanes, y, yStride, relu);
    for (; row < rows; row++) tile(1, row, weights, columns, bias, stride, x, lane, lanes, y, yStride, relu);
  }
}

/** Four lanes of four rows, or of one: a call's `rows` is known to the compiler. */
// @ts-ignore: decorator
@inline
function tile(
  rows: usize,
  row: usize,
  weights: usize,
  columns: usize,
  bias: usize,
  stride: usize,
  x: usize,
  lane: usize,
  lanes: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  const rowBytes = columns << 2;
  const from = weights + row * rowBytes;
  const to = y + row * yStride + (lane << 2);
  const some = min(lanes - lane, 4);
  const at = x + (lane << 2);
  if (ASC_FEATURE_SIMD) {
    let s0 = f32x4.splat(biasOf(bias, row));
    let s1 = rows > 1 ? f32x4.splat(biasOf(bias, row + 1)) : s0;
    let s2 = rows > 1 ? f32x4.splat(biasOf(bias, row + 2)) : s0;
    let s3 = rows > 1 ? f32x4.splat(biasOf(bias, row + 3)) : s0;
    for (let j: usize = 0; j < columns; j++) {
      const values = v128.load(at + j * stride);
      const w = from + (j << 2);
      s0 = f32x4.add(s0, f32x4.mul(v128.load_splat<f32>(w), values));
      if (rows > 1) {
        s1 = f32x4.add(s1, f32x4.mul(v128.load_splat<f32>(w + rowBytes), values));
        s2 = f32x4.add(s2, f32x4.mul(v128.load_splat<f32>(w + 2 * rowBytes), values));
        s3 = f32x4.add(s3, f32x4.mul(v128.load_splat<f32>(w + 3 * rowBytes), values));
      }
    }
    put(s0, to, some, relu);
    if (rows > 1) {
      put(s1, to + yStride, some, relu);
      put(s2, to + 2 * yStride, some, relu);
      put(s3, to + 3 * yStride, some, relu);
    }
  } else {
    for (let r: usize = 0; r < rows; r++) {
      for (let l: usize = 0; l < some; l++) {
        let sum = biasOf(bias, row + r);
        for (let j: usize = 0; j < columns; j++) {
          sum += load<f32>(from + r * rowBytes + (j << 2)) * load<f32>(at + j * stride + (l << 2));
        }
        store<f32>(to + r * yStride + (l << 2), relu && sum < 0 ? 0 : sum);
      }
    }
  }
}

/** Writes the first `lanes` of four. */
function put(sum: v128, to: usize, lanes: usize, relu: bool): void {
  sum = finished(sum, relu);
  if (lanes > 3) {
    v128.store(to, sum);
    return;
  }
  store<f32>(to, f32x4.extract_lane(sum, 0));
  if (lanes > 1) store<f32>(to, f32x4.extract_lane(sum, 1), 4);
  if (lanes > 2) store<f32>(to, f32x4.extract_lane(sum, 2), 8);
}

/**
 * Numbers that are not 0.
 *
 * Layout     x  f32[count]
 */
export function countNonZero(x: usize, count: usize): u32 {
  let zeros: u32 = 0;
  for (let i: usize = 0; i < count; i++) zeros += load<f32>(x + (i << 2)) == 0 ? 1 : 0;
  return <u32>count - zeros;
}
