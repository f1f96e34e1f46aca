import { biasOf, finished } from "./lanes";
import { LINE, weightAt, weightBytes } from "./line";

// Y = W X + b from the run layout (line.ts), many vectors: each in a lane.

/**
 * Y = W X + b by rows, ReLU of it where asked.
 *
 * Layout     pointers  u32[rows * panels + 1], indices u16[], weights u8[] or f32[]: order "rows", see line.ts
 *            codebook  f32[]; address 0: f32 weights
 *            bias      f32[rows]; address 0: zeros
 *            x         f32[columns][lanes]  columns stride bytes apart
 *            y         f32[rows][lanes]  rows yStride bytes apart
 * Requires   indices below the columns and codes below the centroids, as they were checked when they were laid out; y overlaps nothing else.
 * Reads      up to 12 bytes past the last lane of a column.
 * Order      each element of Y: the bias, then the row's entries as they stand; each product and each sum is rounded to float32. ReLU: what is below 0 becomes 0; a NaN and -0 stay.
 */
export function matmulRows(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  lanes: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  for (let lane: usize = 0; lane < lanes;) {
    const left = lanes - lane;
    const from = x + (lane << 2);
    const to = y + (lane << 2);
    if (ASC_FEATURE_SIMD && left >= 16) {
      if (codebook == 0) floats16(pointers, panels, indices, weights, bias, stride, from, rows, to, yStride, relu);
      else codes16(pointers, panels, indices, weights, codebook, bias, stride, from, rows, to, yStride, relu);
      lane += 16;
    } else if (ASC_FEATURE_SIMD && left >= 8) {
      if (codebook == 0) floats8(pointers, panels, indices, weights, bias, stride, from, rows, to, yStride, relu);
      else codes8(pointers, panels, indices, weights, codebook, bias, stride, from, rows, to, yStride, relu);
      lane += 8;
    } else {
      const some = min<usize>(left, 4);
      if (codebook == 0) floats4(pointers, panels, indices, weights, bias, stride, from, some, rows, to, yStride, relu);
      else codes4(pointers, panels, indices, weights, codebook, bias, stride, from, some, rows, to, yStride, relu);
      lane += 4;
    }
  }
}

// A function of its own for each loop: in a larger one its sums would not all be in registers.

function codes16(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  wide(false, 4, pointers, panels, indices, weights, codebook, bias, stride, x, rows, y, yStride, relu);
}

function floats16(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  bias: usize,
  stride: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  wide(true, 4, pointers, panels, indices, weights, 0, bias, stride, x, rows, y, yStride, relu);
}

function codes8(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  wide(false, 2, pointers, panels, indices, weights, codebook, bias, stride, x, rows, y, yStride, relu);
}

function floats8(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  bias: usize,
  stride: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  wide(true, 2, pointers, panels, indices, weights, 0, bias, stride, x, rows, y, yStride, relu);
}

function codes4(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  some: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  four(false, pointers, panels, indices, weights, codebook, bias, stride, x, some, rows, y, yStride, relu);
}

function floats4(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  bias: usize,
  stride: usize,
  x: usize,
  some: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  four(true, pointers, panels, indices, weights, 0, bias, stride, x, some, rows, y, yStride, relu);
}

/** Sixteen lanes, or eight: a call's `floats` and `vectors`, four or two, are known to the compiler. */
// @ts-ignore: decorator
@inline
function wide(
  floats: bool,
  vectors: usize,
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  const bytes = weightBytes(floats);
  let line = pointers;
  let at = indices + ((<usize>load<u32>(line)) << 1);
  let weight = weights + <usize>load<u32>(line) * bytes;
  for (let row: usize = 0; row < rows; row++) {
    let s0 = f32x4.splat(biasOf(bias, row));
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let panel: usize = 0; panel < panels; panel++) {
      const base = x + panel * LINE * stride;
      line += 4;
      const end = weights + <usize>load<u32>(line) * bytes;
      for (; weight < end; weight += bytes) {
        const from = base + <usize>load<u16>(at) * stride;
        const value = v128.load_splat<f32>(floats ? weight : codebook + ((<usize>load<u8>(weight)) << 2));
        s0 = f32x4.add(s0, f32x4.mul(value, v128.load(from)));
        s1 = f32x4.add(s1, f32x4.mul(value, v128.load(from, 16)));
        if (vectors > 2) {
          s2 = f32x4.add(s2, f32x4.mul(value, v128.load(from, 32)));
          s3 = f32x4.add(s3, f32x4.mul(value, v128.load(from, 48)));
        }
        at += 2;
      }
    }
    const to = y + row * yStride;
    v128.store(to, finished(s0, relu));
    v128.store(to, finished(s1, relu), 16);
    if (vectors > 2) {
      v128.store(to, finished(s2, relu), 32);
      v128.store(to, finished(s3, relu), 48);
    }
  }
}

/** The first `lanes` of four are written. */
// @ts-ignore: decorator
@inline
function four(
  floats: bool,
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  stride: usize,
  x: usize,
  lanes: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  const bytes = weightBytes(floats);
  let line = pointers;
  let at = indices + ((<usize>load<u32>(line)) << 1);
  let weight = weights + <usize>load<u32>(line) * bytes;
  for (let row: usize = 0; row < rows; row++) {
    let s0 = biasOf(bias, row);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let panel: usize = 0; panel < panels; panel++) {
      const base = x + panel * LINE * stride;
      line += 4;
      const end = weights + <usize>load<u32>(line) * bytes;
      if (ASC_FEATURE_SIMD) {
        let sums = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(s0), 1, s1), 2, s2), 3, s3);
        for (; weight < end; weight += bytes) {
          const from = base + <usize>load<u16>(at) * stride;
          const value = v128.load_splat<f32>(floats ? weight : codebook + ((<usize>load<u8>(weight)) << 2));
          sums = f32x4.add(sums, f32x4.mul(value, v128.load(from)));
          at += 2;
        }
        s0 = f32x4.extract_lane(sums, 0);
        s1 = f32x4.extract_lane(sums, 1);
        s2 = f32x4.extract_lane(sums, 2);
        s3 = f32x4.extract_lane(sums, 3);
      } else {
        for (; weight < end; weight += bytes) {
          const from = base + <usize>load<u16>(at) * stride;
          const value = weightAt(floats, weight, codebook);
          s0 += value * load<f32>(from);
          s1 += value * load<f32>(from, 4);
          s2 += value * load<f32>(from, 8);
          s3 += value * load<f32>(from, 12);
          at += 2;
        }
      }
    }
    const to = y + row * yStride;
    store<f32>(to, relu && s0 < 0 ? 0 : s0);
    if (lanes > 1) store<f32>(to, relu && s1 < 0 ? 0 : s1, 4);
    if (lanes > 2) store<f32>(to, relu && s2 < 0 ? 0 : s2, 8);
    if (lanes > 3) store<f32>(to, relu && s3 < 0 ? 0 : s3, 12);
  }
}

/**
 * The transpose of a matrix.
 *
 * Layout     from  f32[rows][columns]  rows fromStride bytes apart
 *            to    f32[columns][rows]  columns toStride bytes apart
 * Requires   they do not overlap.
 * Reads      nothing past the lengths above, in either build.
 */
export function transpose(from: usize, fromStride: usize, rows: usize, columns: usize, to: usize, toStride: usize): void {
  let row: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; row + 4 <= rows; row += 4) {
      const at = from + row * fromStride;
      let column: usize = 0;
      for (; column + 4 <= columns; column += 4) {
        const a = v128.load(at + (column << 2));
        const b = v128.load(at + fromStride + (column << 2));
        const c = v128.load(at + 2 * fromStride + (column << 2));
        const d = v128.load(at + 3 * fromStride + (column << 2));
        const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
        const abEnd = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
        const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
        const cdEnd = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
        const out = to + column * toStride + (row << 2);
        v128.store(out, v128.shuffle<f64>(ab, cd, 0, 2));
        v128.store(out + toStride, v128.shuffle<f64>(ab, cd, 1, 3));
        v128.store(out + 2 * toStride, v128.shuffle<f64>(abEnd, cdEnd, 0, 2));
        v128.store(out + 3 * toStride, v128.shuffle<f64>(abEnd, cdEnd, 1, 3));
      }
      for (; column < columns; column++) {
        for (let r: usize = 0; r < 4; r++) copyOne(at + r * fromStride + (column << 2), to + column * toStride + ((row + r) << 2));
      }
    }
  }
  for (; row < rows; row++) {
    for (let column: usize = 0; column < columns; column++) {
      copyOne(from + row * fromStride + (column << 2), to + column * toStride + (row << 2));
    }
  }
}

// @ts-ignore: decorator
@inline
function copyOne(from: usize, to: usize): void {
  store<u32>(to, load<u32>(from));
}
