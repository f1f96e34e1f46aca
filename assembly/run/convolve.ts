import { biasOf, finished } from "./lanes";
import { weightAt, weightBytes } from "./line";

// Convolution from the run layout (line.ts): each plane of the outputs is a run of lanes, and a column of the weights sees the plane of its channel from a place of its own on. No patches are made.

/** Vectors of a tile: with as many that are read and the weight, sixteen registers hold them. */
const WIDE: usize = 7;

/** Lanes of such a tile. */
const LANES: usize = 4 * WIDE;

/** Columns whose indices count from where a line begins. */
const LINE_MASK: usize = 65535;

/**
 * Y = W X * scale + bias, ReLU of it where asked.
 *
 * Layout     pointers  u32[rows * blocks + 1]  where the entries begin that a row has in each block of 2^blockLog columns
 *            indices   u16[], weights u8[] or f32[]: order "rows", see line.ts
 *            codebook  f32[]; address 0: f32 weights
 *            bias      f32[rows]; address 0: zeros
 *            scale     f32[rows]; address 0: ones
 *            offsets   u32[columns]  bytes from x to each column's lanes
 *            places    u32[2^blockLog]  scratch
 *            x         f32[][lanes]  a column's lanes stand one after the other, and may be another's too
 *            y         f32[rows][lanes]  rows yStride bytes apart
 * Requires   lanes a multiple of 28, or 8 or 16 more; blockLog at most 16; y overlaps nothing else; indices and codes as they were checked when they were laid out.
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of Y: from 0 the row's entries as they stand, then the scale, then the bias; each product and each sum is rounded to float32. ReLU: what is below 0 becomes 0; a NaN and -0 stay.
 */
export function convolve(
  pointers: usize,
  columns: usize,
  blockLog: usize,
  indices: usize,
  weights: usize,
  codebook: usize,
  bias: usize,
  scale: usize,
  offsets: usize,
  places: usize,
  x: usize,
  lanes: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  const blocks = (columns + (1 << blockLog) - 1) >> blockLog;
  let byteLength: usize = 0;
  for (let lane: usize = 0; lane < lanes; lane += byteLength >> 2) {
    const left = lanes - lane;
    byteLength = ASC_FEATURE_SIMD ? (left >= LANES ? LANES : left >= 16 ? 16 : 8) << 2 : 16;
    const from = x + (lane << 2);
    const to = y + (lane << 2);
    clear(byteLength, rows, to, yStride);
    for (let block: usize = 0; block < blocks; block++) {
      // What a tile of all rows sees of a block's columns stays in the first-level cache.
      const first = block << blockLog;
      const count = min(columns - first, (<usize>1) << blockLog);
      for (let i: usize = 0; i < count; i++) store<u32>(places + (i << 2), <u32>from + load<u32>(offsets + ((first + i) << 2)));
      const table = places - ((first & LINE_MASK) << 2);
      let line = pointers + (block << 2);
      let sums = to;
      for (let row: usize = 0; row < rows; row++) {
        const entry = <usize>load<u32>(line);
        const at = indices + (entry << 1);
        if (codebook == 0) {
          const weight = weights + (entry << 2);
          const end = weights + ((<usize>load<u32>(line, 4)) << 2);
          if (ASC_FEATURE_SIMD) {
            if (byteLength == LANES << 2) addFloats28(at, weight, end, table, sums);
            else if (byteLength == 64) addFloats16(at, weight, end, table, sums);
            else addFloats8(at, weight, end, table, sums);
          } else {
            add4(true, at, weight, end, 0, table, sums);
          }
        } else {
          const weight = weights + entry;
          const end = weights + <usize>load<u32>(line, 4);
          if (ASC_FEATURE_SIMD) {
            if (byteLength == LANES << 2) add28(at, weight, end, codebook, table, sums);
            else if (byteLength == 64) add16(at, weight, end, codebook, table, sums);
            else add8(at, weight, end, codebook, table, sums);
          } else {
            add4(false, at, weight, end, codebook, table, sums);
          }
        }
        line += blocks << 2;
        sums += yStride;
      }
    }
    finish(byteLength, bias, scale, rows, to, yStride, relu);
  }
}

/** Sets so many bytes of each row to zeros: they are too few to ask the host for it. */
function clear(byteLength: usize, rows: usize, y: usize, yStride: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const end = y + row * yStride + byteLength;
    for (let to = end - byteLength; to < end; to += 16) {
      if (ASC_FEATURE_SIMD) {
        v128.store(to, i64x2.splat(0));
      } else {
        store<u64>(to, 0);
        store<u64>(to, 0, 8);
      }
    }
  }
}

// A function of its own for each loop: in a larger one its sums would not all be in registers.

function add28(at: usize, weight: usize, end: usize, codebook: usize, table: usize, sums: usize): void {
  add(false, WIDE, at, weight, end, codebook, table, sums);
}

function add16(at: usize, weight: usize, end: usize, codebook: usize, table: usize, sums: usize): void {
  add(false, 4, at, weight, end, codebook, table, sums);
}

function add8(at: usize, weight: usize, end: usize, codebook: usize, table: usize, sums: usize): void {
  add(false, 2, at, weight, end, codebook, table, sums);
}

function addFloats28(at: usize, weight: usize, end: usize, table: usize, sums: usize): void {
  add(true, WIDE, at, weight, end, 0, table, sums);
}

function addFloats16(at: usize, weight: usize, end: usize, table: usize, sums: usize): void {
  add(true, 4, at, weight, end, 0, table, sums);
}

function addFloats8(at: usize, weight: usize, end: usize, table: usize, sums: usize): void {
  add(true, 2, at, weight, end, 0, table, sums);
}

/** Adds the products of some entries of a row to so many vectors of its sums: a call's `floats` and `vectors` are known to the compiler. */
// @ts-ignore: decorator
@inline
function add(floats: bool, vectors: usize, at: usize, weight: usize, end: usize, codebook: usize, table: usize, sums: usize): void {
  let s0 = v128.load(sums);
  let s1 = v128.load(sums, 16);
  let s2 = vectors > 2 ? v128.load(sums, 32) : s0;
  let s3 = vectors > 2 ? v128.load(sums, 48) : s0;
  let s4 = vectors > 4 ? v128.load(sums, 64) : s0;
  let s5 = vectors > 4 ? v128.load(sums, 80) : s0;
  let s6 = vectors > 4 ? v128.load(sums, 96) : s0;
  for (; weight < end; weight += weightBytes(floats)) {
    const from = <usize>load<u32>(table + ((<usize>load<u16>(at)) << 2));
    const value = v128.load_splat<f32>(floats ? weight : codebook + ((<usize>load<u8>(weight)) << 2));
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(from)));
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(from, 16)));
    if (vectors > 2) {
      s2 = f32x4.add(s2, f32x4.mul(value, v128.load(from, 32)));
      s3 = f32x4.add(s3, f32x4.mul(value, v128.load(from, 48)));
    }
    if (vectors > 4) {
      s4 = f32x4.add(s4, f32x4.mul(value, v128.load(from, 64)));
      s5 = f32x4.add(s5, f32x4.mul(value, v128.load(from, 80)));
      s6 = f32x4.add(s6, f32x4.mul(value, v128.load(from, 96)));
    }
    at += 2;
  }
  v128.store(sums, s0);
  v128.store(sums, s1, 16);
  if (vectors > 2) {
    v128.store(sums, s2, 32);
    v128.store(sums, s3, 48);
  }
  if (vectors > 4) {
    v128.store(sums, s4, 64);
    v128.store(sums, s5, 80);
    v128.store(sums, s6, 96);
  }
}

/** The same for four lanes of the scalar build. */
// @ts-ignore: decorator
@inline
function add4(floats: bool, at: usize, weight: usize, end: usize, codebook: usize, table: usize, sums: usize): void {
  let s0 = load<f32>(sums);
  let s1 = load<f32>(sums, 4);
  let s2 = load<f32>(sums, 8);
  let s3 = load<f32>(sums, 12);
  for (; weight < end; weight += weightBytes(floats)) {
    const from = <usize>load<u32>(table + ((<usize>load<u16>(at)) << 2));
    const value = weightAt(floats, weight, codebook);
    s0 += value * load<f32>(from);
    s1 += value * load<f32>(from, 4);
    s2 += value * load<f32>(from, 8);
    s3 += value * load<f32>(from, 12);
    at += 2;
  }
  store<f32>(sums, s0);
  store<f32>(sums, s1, 4);
  store<f32>(sums, s2, 8);
  store<f32>(sums, s3, 12);
}

/** Scale, bias and ReLU of so many bytes of each row. */
function finish(byteLength: usize, bias: usize, scale: usize, rows: usize, y: usize, yStride: usize, relu: bool): void {
  for (let row: usize = 0; row < rows; row++) {
    const own = scale != 0 ? load<f32>(scale + (row << 2)) : 1;
    const added = biasOf(bias, row);
    const first = y + row * yStride;
    for (let to = first; to < first + byteLength; to += 16) {
      if (ASC_FEATURE_SIMD) {
        let sum = v128.load(to);
        if (scale != 0) sum = f32x4.mul(sum, f32x4.splat(own));
        if (bias != 0) sum = f32x4.add(sum, f32x4.splat(added));
        v128.store(to, finished(sum, relu));
      } else {
        for (let i: usize = 0; i < 16; i += 4) {
          let sum = load<f32>(to + i);
          if (scale != 0) sum *= own;
          if (bias != 0) sum += added;
          store<f32>(to + i, relu && sum < 0 ? 0 : sum);
        }
      }
    }
  }
}
