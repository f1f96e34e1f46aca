/** Rows of a tile: the width of the panels of A. */
const ROWS: usize = 4;

/** Columns of a tile: the width of the panels of B. Eight vectors of sums, two of B and one of A fit in sixteen registers. */
const COLUMNS: usize = 8;

/** Steps along k at a time: a panel of B is then 8 KiB and stays in the first-level cache. */
const BLOCK_K: usize = 256;

/** Rows of C at a time: with BLOCK_K steps of k they are 128 KiB of A, which stay in the second-level cache. */
const BLOCK_M: usize = 128;

/**
 * C = A B or C += A B, from packed panels.
 *
 * Layout     a      f32[ceil(m / 4)][k][4]  rows of A, by `packRows`, or columns of its transpose, by `packColumns`
 *            b      f32[ceil(n / 8)][k][8]  columns of B, by `packColumns`, or rows of its transpose, by `packRows`
 *            c      f32[m][n]               rows `stride` elements apart; read only where `accumulate` is not 0
 *            tile   f32[4][8]               scratch
 * Requires   k >= 1; c overlaps neither a nor b.
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of C: from 0 (or what it was) one product after the other, k ascending; each product and each sum
 *            is rounded to float32. The blocks do not change it, since a float32 sum that waits in C stays what it is.
 */
export function gemm(a: usize, b: usize, c: usize, m: usize, n: usize, k: usize, stride: usize, accumulate: u32, tile: usize): void {
  const rowBytes = stride << 2;
  for (let p: usize = 0; p < k; p += BLOCK_K) {
    const depth = min(BLOCK_K, k - p);
    const onTop = p > 0 || accumulate != 0;
    for (let i0: usize = 0; i0 < m; i0 += BLOCK_M) {
      const iEnd = min(i0 + BLOCK_M, m);
      for (let j: usize = 0; j < n; j += COLUMNS) {
        const panelB = b + ((j * k + p * COLUMNS) << 2);
        for (let i = i0; i < iEnd; i += ROWS) {
          const panelA = a + ((i * k + p * ROWS) << 2);
          const at = c + i * rowBytes + (j << 2);
          if (i + ROWS <= m && j + COLUMNS <= n) {
            multiplyTile(panelA, panelB, at, rowBytes, depth, onTop);
          } else {
            const rows = min(ROWS, m - i);
            const columns = min(COLUMNS, n - j);
            if (onTop) copyTile(at, rowBytes, tile, COLUMNS << 2, rows, columns);
            multiplyTile(panelA, panelB, tile, COLUMNS << 2, depth, onTop);
            copyTile(tile, COLUMNS << 2, at, rowBytes, rows, columns);
          }
        }
      }
    }
  }
}

/** A part of a tile. In a loop: a call of memory.copy takes longer than so few elements. */
function copyTile(from: usize, fromStride: usize, to: usize, toStride: usize, rows: usize, columns: usize): void {
  for (let r: usize = 0; r < rows; r++) {
    for (let c: usize = 0; c < columns << 2; c += 4) store<u32>(to + c, load<u32>(from + c));
    from += fromStride;
    to += toStride;
  }
}

/** One tile of C, four rows `stride` bytes apart, over `depth` steps of k. */
function multiplyTile(a: usize, b: usize, c: usize, stride: usize, depth: usize, onTop: bool): void {
  if (ASC_FEATURE_SIMD) {
    const row1 = c + stride;
    const row2 = row1 + stride;
    const row3 = row2 + stride;
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    if (onTop) {
      c00 = v128.load(c);
      c01 = v128.load(c, 16);
      c10 = v128.load(row1);
      c11 = v128.load(row1, 16);
      c20 = v128.load(row2);
      c21 = v128.load(row2, 16);
      c30 = v128.load(row3);
      c31 = v128.load(row3, 16);
    }
    let b0: v128;
    let b1: v128;
    let s: v128;
    const end = a + (depth << 4);
    // Four steps a turn: V8 asks at each loop's head whether to stop. The branch between two steps keeps it from loading the values of all four before it uses any, which would not fit in registers.
    while (a < end) {
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, b0));
      c01 = f32x4.add(c01, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(s, b0));
      c11 = f32x4.add(c11, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(s, b0));
      c21 = f32x4.add(c21, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(s, b0));
      c31 = f32x4.add(c31, f32x4.mul(s, b1));
      a += ROWS << 2;
      b += COLUMNS << 2;
      if (a >= end) break;
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, b0));
      c01 = f32x4.add(c01, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(s, b0));
      c11 = f32x4.add(c11, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(s, b0));
      c21 = f32x4.add(c21, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(s, b0));
      c31 = f32x4.add(c31, f32x4.mul(s, b1));
      a += ROWS << 2;
      b += COLUMNS << 2;
      if (a >= end) break;
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, b0));
      c01 = f32x4.add(c01, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(s, b0));
      c11 = f32x4.add(c11, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(s, b0));
      c21 = f32x4.add(c21, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(s, b0));
      c31 = f32x4.add(c31, f32x4.mul(s, b1));
      a += ROWS << 2;
      b += COLUMNS << 2;
      if (a >= end) break;
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      s = v128.load32_splat(a);
      c00 = f32x4.add(c00, f32x4.mul(s, b0));
      c01 = f32x4.add(c01, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 4);
      c10 = f32x4.add(c10, f32x4.mul(s, b0));
      c11 = f32x4.add(c11, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 8);
      c20 = f32x4.add(c20, f32x4.mul(s, b0));
      c21 = f32x4.add(c21, f32x4.mul(s, b1));
      s = v128.load32_splat(a, 12);
      c30 = f32x4.add(c30, f32x4.mul(s, b0));
      c31 = f32x4.add(c31, f32x4.mul(s, b1));
      a += ROWS << 2;
      b += COLUMNS << 2;
    }
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(row1, c10);
    v128.store(row1, c11, 16);
    v128.store(row2, c20);
    v128.store(row2, c21, 16);
    v128.store(row3, c30);
    v128.store(row3, c31, 16);
  } else {
    for (let r: usize = 0; r < ROWS; r += 2) {
      for (let q: usize = 0; q < COLUMNS; q += 4) multiplyPart(a + (r << 2), b + (q << 2), c + r * stride + (q << 2), stride, depth, onTop);
    }
  }
}

/** Two rows of four columns of a tile: as many sums as stay in scalar registers. */
function multiplyPart(a: usize, b: usize, c: usize, stride: usize, depth: usize, onTop: bool): void {
  const row1 = c + stride;
  let c00: f32 = 0;
  let c01: f32 = 0;
  let c02: f32 = 0;
  let c03: f32 = 0;
  let c10: f32 = 0;
  let c11: f32 = 0;
  let c12: f32 = 0;
  let c13: f32 = 0;
  if (onTop) {
    c00 = load<f32>(c);
    c01 = load<f32>(c, 4);
    c02 = load<f32>(c, 8);
    c03 = load<f32>(c, 12);
    c10 = load<f32>(row1);
    c11 = load<f32>(row1, 4);
    c12 = load<f32>(row1, 8);
    c13 = load<f32>(row1, 12);
  }
  const end = a + (depth << 4);
  while (a < end) {
    const a0 = load<f32>(a);
    const a1 = load<f32>(a, 4);
    let value = load<f32>(b);
    c00 += a0 * value;
    c10 += a1 * value;
    value = load<f32>(b, 4);
    c01 += a0 * value;
    c11 += a1 * value;
    value = load<f32>(b, 8);
    c02 += a0 * value;
    c12 += a1 * value;
    value = load<f32>(b, 12);
    c03 += a0 * value;
    c13 += a1 * value;
    a += ROWS << 2;
    b += COLUMNS << 2;
  }
  store<f32>(c, c00);
  store<f32>(c, c01, 4);
  store<f32>(c, c02, 8);
  store<f32>(c, c03, 12);
  store<f32>(row1, c10);
  store<f32>(row1, c11, 4);
  store<f32>(row1, c12, 8);
  store<f32>(row1, c13, 12);
}
