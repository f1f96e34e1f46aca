import { LINE } from "./line";

// y = W x + b from the run layout (line.ts), one vector.

/** A line with fewer entries than a quarter of the centroids is faster without a table of its products. */
const PER_CENTROID: u32 = 4;

/** Entries whose memory is read ahead: with y they stay in the first-level cache, or not far from it. */
const AHEAD: i32 = 4096;

const CACHE_LINE: usize = 64;

/**
 * The products of the activation that is being worked on and all centroids. At an address that the compiler knows, a code is an address at once. Nothing stays here from one call to the next.
 */
const PRODUCTS: usize = memory.data(1024, 64);

/** For each set of four lanes, the bytes of those that are in it, one after the other. */
const PACKED: usize = memory.data<u32>(
  [
    0, 0, 0, 0, 0x03020100, 0, 0, 0, 0x07060504, 0, 0, 0, 0x03020100, 0x07060504, 0, 0, 0x0b0a0908, 0, 0, 0, 0x03020100, 0x0b0a0908, 0, 0,
    0x07060504, 0x0b0a0908, 0, 0, 0x03020100, 0x07060504, 0x0b0a0908, 0, 0x0f0e0d0c, 0, 0, 0, 0x03020100, 0x0f0e0d0c, 0, 0, 0x07060504,
    0x0f0e0d0c, 0, 0, 0x03020100, 0x07060504, 0x0f0e0d0c, 0, 0x0b0a0908, 0x0f0e0d0c, 0, 0, 0x03020100, 0x0b0a0908, 0x0f0e0d0c, 0,
    0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0, 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
  ],
  16,
);

/**
 * y += W x by columns; those whose activation is 0 are not read.
 *
 * Layout     pointers  u32[columns * panels + 1], indices u16[], codes u8[]: order "columns", see line.ts
 *            codebook  f32[centroids]
 *            x         f32[columns]
 *            found     u32[columns + 4]  scratch
 *            y         f32[rows]         65,536 for each panel but the last
 * Requires   indices below the rows and codes below the centroids, as `lay` checks them.
 * Reads      up to 12 bytes past the codebook.
 * Order      each element of y: columns ascending; each product and each sum is rounded to float32. An activation of 0 or -0 adds nothing.
 */
export function matvecColumns(
  pointers: usize,
  panels: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  centroids: u32,
  x: usize,
  columns: usize,
  found: usize,
  y: usize,
): void {
  const last = listNonZero(x, columns, found);
  for (let at = found; at < last;) {
    const end = touch(pointers, panels, indices, codes, found + (columns << 2), at, last);
    for (; at < end; at += 4) {
      const column = <usize>load<u32>(at);
      addColumn(pointers + ((column * panels) << 2), panels, indices, codes, codebook, centroids, load<f32>(x + (column << 2)), y);
    }
  }
}

/** Lists the columns whose activation is not 0, and gives the list's end. Which they are is as good as random: nothing branches on it. */
// @ts-ignore: decorator
@inline
function listNonZero(x: usize, columns: usize, list: usize): usize {
  let last = list;
  let column: usize = 0;
  if (ASC_FEATURE_SIMD) {
    let four = i32x4(0, 1, 2, 3);
    const zeros = f32x4.splat(0);
    for (; column + 4 <= columns; column += 4) {
      const set = i32x4.bitmask(f32x4.ne(v128.load(x + (column << 2)), zeros));
      v128.store(last, i8x16.swizzle(four, v128.load(PACKED + ((<usize>set) << 4))));
      last += (<usize>popcnt(set)) << 2;
      four = i32x4.add(four, i32x4.splat(4));
    }
  }
  for (; column < columns; column++) {
    store<u32>(last, <u32>column);
    last += load<f32>(x + (column << 2)) != 0 ? 4 : 0;
  }
  return last;
}

/**
 * Reads a word of each cache line of the next columns, and gives where they end in the list: columns that are skipped in between keep the processor from reading ahead by itself, and so many lines are on their way at once.
 */
function touch(pointers: usize, panels: usize, indices: usize, codes: usize, sink: usize, first: usize, last: usize): usize {
  let at = first;
  let left = AHEAD;
  let words: u32 = 0;
  do {
    const lines = pointers + ((<usize>load<u32>(at) * panels) << 2);
    const from = <usize>load<u32>(lines);
    const end = <usize>load<u32>(lines + (panels << 2));
    for (let line = indices + (from << 1); line < indices + (end << 1); line += CACHE_LINE) words ^= load<u32>(line);
    for (let line = codes + from; line < codes + end; line += CACHE_LINE) words ^= load<u32>(line);
    left -= <i32>(end - from);
    at += 4;
  } while (at < last && left > 0);
  store<u32>(sink, words);
  return at;
}

/** Adds a column times a value that is not 0. */
// @ts-ignore: decorator
@inline
function addColumn(lines: usize, panels: usize, indices: usize, codes: usize, codebook: usize, centroids: u32, value: f32, y: usize): void {
  let from = load<u32>(lines);
  let scaled = false;
  for (let panel: usize = 0; panel < panels; panel++) {
    const end = load<u32>(lines + (panel << 2), 4);
    if (!scaled && (end - from) * PER_CENTROID >= centroids) {
      scale(codebook, centroids, value);
      scaled = true;
    }
    const rows = y + ((panel * LINE) << 2);
    if (scaled) addLine(indices, codes, from, end, rows);
    else {
      for (let i = <usize>from; i < <usize>end; i++) {
        add(rows + ((<usize>load<u16>(indices + (i << 1))) << 2), load<f32>(codebook + ((<usize>load<u8>(codes + i)) << 2)) * value);
      }
    }
    from = end;
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, product: f32): void {
  store<f32>(to, load<f32>(to) + product);
}

/** Makes the products of a value and each centroid. */
// @ts-ignore: decorator
@inline
function scale(codebook: usize, centroids: u32, value: f32): void {
  const byteLength = (<usize>centroids) << 2;
  if (ASC_FEATURE_SIMD) {
    const values = f32x4.splat(value);
    for (let i: usize = 0; i < byteLength; i += 16) v128.store(i, f32x4.mul(v128.load(codebook + i), values), PRODUCTS);
  } else {
    for (let i: usize = 0; i < byteLength; i += 4) store<f32>(i, load<f32>(codebook + i) * value, PRODUCTS);
  }
}

/** Adds the entries `first` to `end` of a line. Rows loaded one by one and codes four at a time take the fewest instructions. */
// @ts-ignore: decorator
@inline
function addLine(indices: usize, codes: usize, first: u32, end: u32, y: usize): void {
  let at = indices + ((<usize>first) << 1);
  let code = codes + <usize>first;
  const last = codes + <usize>end;
  for (const body = last - ((<usize>(end - first)) & 3); code < body; code += 4) {
    const four = load<u32>(code);
    add(y + ((<usize>load<u16>(at)) << 2), load<f32>((<usize>(four & 255)) << 2, PRODUCTS));
    add(y + ((<usize>load<u16>(at, 2)) << 2), load<f32>(<usize>((four >> 6) & 0x3fc), PRODUCTS));
    add(y + ((<usize>load<u16>(at, 4)) << 2), load<f32>(<usize>((four >> 14) & 0x3fc), PRODUCTS));
    add(y + ((<usize>load<u16>(at, 6)) << 2), load<f32>(<usize>((four >> 22) & 0x3fc), PRODUCTS));
    at += 8;
  }
  for (; code < last; code++) {
    add(y + ((<usize>load<u16>(at)) << 2), load<f32>((<usize>load<u8>(code)) << 2, PRODUCTS));
    at += 2;
  }
}

/**
 * y += W x by rows, every activation read.
 *
 * Layout     pointers  u32[rows * panels + 1], indices u16[], codes u8[]: order "rows", see line.ts
 *            codebook  f32[]
 *            x         f32[columns]
 *            y         f32[rows]
 * Requires   indices below the columns and codes below the centroids, as `lay` checks them.
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of y: for each of its lines the sum of four, entry i in sum i mod 4, and then (s0 + s1) + (s2 + s3); those after one another. Each product and each sum is rounded to float32.
 */
export function matvecRows(
  pointers: usize,
  panels: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  x: usize,
  rows: usize,
  y: usize,
): void {
  let line = pointers;
  let i = <usize>load<u32>(line);
  for (let row: usize = 0; row < rows; row++) {
    let sum = load<f32>(y + (row << 2));
    for (let panel: usize = 0; panel < panels; panel++) {
      const from = x + ((panel * LINE) << 2);
      line += 4;
      const end = <usize>load<u32>(line);
      let s0: f32 = 0;
      let s1: f32 = 0;
      let s2: f32 = 0;
      let s3: f32 = 0;
      for (; i + 4 <= end; i += 4) {
        const at = indices + (i << 1);
        const four = load<u32>(codes + i);
        s0 += load<f32>(codebook + ((<usize>(four & 255)) << 2)) * load<f32>(from + ((<usize>load<u16>(at)) << 2));
        s1 += load<f32>(codebook + <usize>((four >> 6) & 0x3fc)) * load<f32>(from + ((<usize>load<u16>(at, 2)) << 2));
        s2 += load<f32>(codebook + <usize>((four >> 14) & 0x3fc)) * load<f32>(from + ((<usize>load<u16>(at, 4)) << 2));
        s3 += load<f32>(codebook + <usize>((four >> 22) & 0x3fc)) * load<f32>(from + ((<usize>load<u16>(at, 6)) << 2));
      }
      if (i < end) s0 += termOf(indices, codes, codebook, from, i++);
      if (i < end) s1 += termOf(indices, codes, codebook, from, i++);
      if (i < end) s2 += termOf(indices, codes, codebook, from, i++);
      sum += s0 + s1 + (s2 + s3);
    }
    store<f32>(y + (row << 2), sum);
  }
}

// @ts-ignore: decorator
@inline
function termOf(indices: usize, codes: usize, codebook: usize, x: usize, i: usize): f32 {
  return load<f32>(codebook + ((<usize>load<u8>(codes + i)) << 2)) * load<f32>(x + ((<usize>load<u16>(indices + (i << 1))) << 2));
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
