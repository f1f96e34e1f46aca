import { GROUP_BYTES, groupsOf, HEAD_BYTES, LINE, LOOSE_BYTES, looseOf, WEIGHT_BYTES } from "./line";

// y = W x + b by columns (line.ts), one vector.

/** A line with fewer entries than a quarter of the centroids is faster without a table of its products. */
const PER_CENTROID: usize = 4;

/** Bytes of entries that are read ahead: with y they stay in the first-level cache, or not far from it. */
const AHEAD: usize = 32768;

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
 * Layout     pointers  u32[columns * panels + 1], entries: order "columns", see line.ts
 *            codebook  f32[centroids]; address 0: entries of weights
 *            x         f32[columns]
 *            found     u32[columns + 4]  scratch
 *            y         f32[rows]         65,536 for each panel but the last
 * Requires   indices below the rows and codes below the centroids, as they were checked when they were laid out.
 * Reads      up to 12 bytes past the codebook, and `mean` bytes and 63 more past the entries: about as many as a column has.
 * Order      each element of y: columns ascending; each product and each sum is rounded to float32. An activation of 0 or -0 adds nothing.
 */
export function matvecColumns(
  pointers: usize,
  panels: usize,
  entries: usize,
  mean: usize,
  codebook: usize,
  centroids: u32,
  x: usize,
  columns: usize,
  found: usize,
  y: usize,
): void {
  const last = listNonZero(x, columns, found);
  // Where most columns are read, one after the other, the processor reads ahead by itself.
  const skips = (last - found) << 2 < columns * 11;
  const some = max<usize>(AHEAD / max(mean, 1), 1) << 2;
  for (let at = found; at < last;) {
    const end = last - at > some ? at + some : last;
    if (skips) touch(pointers, panels, entries, mean, found + (columns << 2), at, end);
    for (; at < end; at += 4) {
      const column = <usize>load<u32>(at);
      const value = load<f32>(x + (column << 2));
      const line = entries + <usize>load<u32>(pointers + ((column * panels) << 2));
      if (codebook != 0) addCodes(line, panels, codebook, centroids, value, y);
      else addWeights(line, panels, value, y);
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
 * Reads a word of each cache line that the next columns are likely to have: columns that are skipped in between keep the processor from reading ahead by itself, and so many lines are on their way at once. How many is not
 * looked up: a branch on what is on its way would wait for it.
 */
function touch(pointers: usize, panels: usize, entries: usize, mean: usize, sink: usize, at: usize, end: usize): void {
  let words: u32 = 0;
  for (; at < end; at += 4) {
    const from = entries + <usize>load<u32>(pointers + ((<usize>load<u32>(at) * panels) << 2));
    for (let line: usize = 0; line < mean; line += CACHE_LINE) words ^= load<u32>(from + line);
  }
  store<u32>(sink, words);
}

// @ts-ignore: decorator
@inline
function add(y: usize, index: u32, product: f32): void {
  const to = y + ((<usize>index) << 2);
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

// @ts-ignore: decorator
@inline
function productOf(code: usize): f32 {
  return load<f32>((<usize>load<u8>(code)) << 2, PRODUCTS);
}

/** Adds a column of codes, from its first line on, times a value that is not 0. */
// @ts-ignore: decorator
@inline
function addCodes(at: usize, panels: usize, codebook: usize, centroids: u32, value: f32, y: usize): void {
  let scaled = false;
  for (let panel: usize = 0; panel < panels; panel++) {
    const head = load<u32>(at);
    const groups = groupsOf(head);
    const loose = looseOf(head);
    at += HEAD_BYTES;
    if (!scaled && (groups * 4 + loose) * PER_CENTROID >= <usize>centroids) {
      scale(codebook, centroids, value);
      scaled = true;
    }
    const endOfGroups = at + groups * GROUP_BYTES;
    const end = endOfGroups + loose * LOOSE_BYTES;
    if (scaled) {
      for (; at < endOfGroups; at += GROUP_BYTES) {
        const product = productOf(at + 8);
        add(y, load<u16>(at), product);
        add(y, load<u16>(at, 2), product);
        add(y, load<u16>(at, 4), product);
        add(y, load<u16>(at, 6), product);
      }
      for (; at < end; at += LOOSE_BYTES) add(y, load<u16>(at), productOf(at + 2));
    } else {
      // So short a line has no groups.
      for (; at < end; at += LOOSE_BYTES) add(y, load<u16>(at), load<f32>(codebook + ((<usize>load<u8>(at, 2)) << 2)) * value);
    }
    y += LINE << 2;
  }
}

/** The same of a column of weights. */
// @ts-ignore: decorator
@inline
function addWeights(at: usize, panels: usize, value: f32, y: usize): void {
  for (let panel: usize = 0; panel < panels; panel++) {
    const end = at + HEAD_BYTES + <usize>load<u32>(at) * WEIGHT_BYTES;
    for (at += HEAD_BYTES; at < end; at += WEIGHT_BYTES) add(y, load<u16>(at), load<f32>(at, 2) * value);
    y += LINE << 2;
  }
}
