import { LINE, weightAt, weightBytes } from "./line";

// y = W x + b by rows (line.ts), one vector.

/**
 * y += W x by rows, every activation read.
 *
 * Layout     pointers  u32[rows * panels + 1], indices u16[], weights u8[] or f32[]: order "rows", see line.ts
 *            codebook  f32[]; address 0: f32 weights
 *            x         f32[columns]
 *            y         f32[rows]
 * Requires   indices below the columns and codes below the centroids, as they were checked when they were laid out.
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of y: the row's entries as they stand, columns ascending; each product and each sum is rounded to float32.
 */
export function matvecRows(
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  x: usize,
  rows: usize,
  y: usize,
): void {
  if (codebook == 0) addRows(true, pointers, panels, indices, weights, codebook, x, rows, y);
  else addRows(false, pointers, panels, indices, weights, codebook, x, rows, y);
}

// @ts-ignore: decorator
@inline
function addRows(
  floats: bool,
  pointers: usize,
  panels: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  x: usize,
  rows: usize,
  y: usize,
): void {
  let row: usize = 0;
  // Four rows at a time: a sum would wait for itself.
  if (panels == 1) {
    for (; row + 4 <= rows; row += 4) {
      const line = pointers + (row << 2);
      const a = <usize>load<u32>(line);
      const b = <usize>load<u32>(line, 4);
      const c = <usize>load<u32>(line, 8);
      const d = <usize>load<u32>(line, 12);
      const end = <usize>load<u32>(line, 16);
      const all = min(min(b - a, c - b), min(d - c, end - d));
      const to = y + (row << 2);
      let s0 = load<f32>(to);
      let s1 = load<f32>(to, 4);
      let s2 = load<f32>(to, 8);
      let s3 = load<f32>(to, 12);
      for (let i: usize = 0; i < all; i++) {
        s0 += termOf(floats, indices, weights, codebook, x, a + i);
        s1 += termOf(floats, indices, weights, codebook, x, b + i);
        s2 += termOf(floats, indices, weights, codebook, x, c + i);
        s3 += termOf(floats, indices, weights, codebook, x, d + i);
      }
      store<f32>(to, sumOf(floats, s0, indices, weights, codebook, x, a + all, b));
      store<f32>(to, sumOf(floats, s1, indices, weights, codebook, x, b + all, c), 4);
      store<f32>(to, sumOf(floats, s2, indices, weights, codebook, x, c + all, d), 8);
      store<f32>(to, sumOf(floats, s3, indices, weights, codebook, x, d + all, end), 12);
    }
  }
  for (; row < rows; row++) {
    let sum = load<f32>(y + (row << 2));
    for (let panel: usize = 0; panel < panels; panel++) {
      const line = pointers + ((row * panels + panel) << 2);
      sum = sumOf(floats, sum, indices, weights, codebook, x + ((panel * LINE) << 2), <usize>load<u32>(line), <usize>load<u32>(line, 4));
    }
    store<f32>(y + (row << 2), sum);
  }
}

/** A sum and the terms of the entries `first` to `end`. */
// @ts-ignore: decorator
@inline
function sumOf(floats: bool, sum: f32, indices: usize, weights: usize, codebook: usize, x: usize, first: usize, end: usize): f32 {
  for (let i = first; i < end; i++) sum += termOf(floats, indices, weights, codebook, x, i);
  return sum;
}

// @ts-ignore: decorator
@inline
function termOf(floats: bool, indices: usize, weights: usize, codebook: usize, x: usize, i: usize): f32 {
  return weightAt(floats, weights + i * weightBytes(floats), codebook) * load<f32>(x + ((<usize>load<u16>(indices + (i << 1))) << 2));
}
