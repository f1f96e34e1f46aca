import { biasOf, finished, lanesOf } from "./lanes";

// Convolution from the run layout (lay.ts): each plane of the outputs is a run of lanes, and a column of the weights sees the plane of its channel from a place of its own on. No patches are made.

/** Columns of a block are read for a tile of lanes by all rows before those of the next: they stay in the first-level cache. */
const LINE_MASK: usize = ~65535;

/**
 * Y = W X * scale + bias, ReLU of it where asked.
 *
 * Layout     pointers  u32[rows * blocks + 1]  where the entries begin that a row has in each block of 2^blockLog columns
 *            indices   u16[], codes u8[]: order "rows", see lay.ts
 *            codebook  f32[]
 *            bias      f32[rows]; address 0: zeros
 *            scale     f32[rows]; address 0: ones
 *            offsets   u32[columns]  bytes from x to each column's lanes
 *            x         f32[][lanes]  a column's lanes stand one after the other, and may be another's too
 *            y         f32[rows][lanes]  rows yStride bytes apart
 * Requires   lanes a multiple of 8, blockLog at most 16; y overlaps nothing else; indices and codes as `lay` checks them.
 * Reads      nothing past the lengths above, in either build.
 * Order      each element of Y: from 0 the row's entries as they stand, then the scale, then the bias; each product and each sum is rounded to float32. ReLU: what is below 0 becomes 0; a NaN and -0 stay.
 */
export function convolve(
  pointers: usize,
  blocks: usize,
  blockLog: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  bias: usize,
  scale: usize,
  offsets: usize,
  x: usize,
  lanes: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  let lane: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; lane + 32 <= lanes; lane += 32) {
      tile(
        8,
        pointers,
        blocks,
        blockLog,
        indices,
        codes,
        codebook,
        bias,
        scale,
        offsets,
        x + (lane << 2),
        rows,
        y + (lane << 2),
        yStride,
        relu,
      );
    }
    if (lane + 16 <= lanes) {
      tile(
        4,
        pointers,
        blocks,
        blockLog,
        indices,
        codes,
        codebook,
        bias,
        scale,
        offsets,
        x + (lane << 2),
        rows,
        y + (lane << 2),
        yStride,
        relu,
      );
      lane += 16;
    }
    if (lane < lanes) {
      tile(
        2,
        pointers,
        blocks,
        blockLog,
        indices,
        codes,
        codebook,
        bias,
        scale,
        offsets,
        x + (lane << 2),
        rows,
        y + (lane << 2),
        yStride,
        relu,
      );
    }
  } else {
    for (; lane < lanes; lane += 4) {
      four(
        pointers,
        blocks,
        blockLog,
        indices,
        codes,
        codebook,
        bias,
        scale,
        offsets,
        x + (lane << 2),
        rows,
        y + (lane << 2),
        yStride,
        relu,
      );
    }
  }
}

/** The offsets of a block's columns: an index is a column's place among 65,536. */
// @ts-ignore: decorator
@inline
function tableOf(offsets: usize, block: usize, blockLog: usize): usize {
  return offsets + (((block << blockLog) & LINE_MASK) << 2);
}

/** So many vectors of lanes, eight, four or two: a call's `vectors` is known to the compiler. */
// @ts-ignore: decorator
@inline
function tile(
  vectors: usize,
  pointers: usize,
  blocks: usize,
  blockLog: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  bias: usize,
  scale: usize,
  offsets: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  for (let block: usize = 0; block < blocks; block++) {
    const table = tableOf(offsets, block, blockLog);
    let line = pointers + (block << 2);
    let to = y;
    for (let row: usize = 0; row < rows; row++) {
      const first = <usize>load<u32>(line);
      const end = codes + <usize>load<u32>(line, 4);
      line += blocks << 2;
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      let s4 = s0;
      let s5 = s0;
      let s6 = s0;
      let s7 = s0;
      if (block != 0) {
        s0 = v128.load(to);
        s1 = v128.load(to, 16);
        if (vectors > 2) {
          s2 = v128.load(to, 32);
          s3 = v128.load(to, 48);
        }
        if (vectors > 4) {
          s4 = v128.load(to, 64);
          s5 = v128.load(to, 80);
          s6 = v128.load(to, 96);
          s7 = v128.load(to, 112);
        }
      }
      let at = indices + (first << 1);
      for (let code = codes + first; code < end; code++) {
        const from = lanesOf(x, table, 0, <usize>load<u16>(at));
        const weight = v128.load_splat<f32>(codebook + ((<usize>load<u8>(code)) << 2));
        s0 = f32x4.add(s0, f32x4.mul(weight, v128.load(from)));
        s1 = f32x4.add(s1, f32x4.mul(weight, v128.load(from, 16)));
        if (vectors > 2) {
          s2 = f32x4.add(s2, f32x4.mul(weight, v128.load(from, 32)));
          s3 = f32x4.add(s3, f32x4.mul(weight, v128.load(from, 48)));
        }
        if (vectors > 4) {
          s4 = f32x4.add(s4, f32x4.mul(weight, v128.load(from, 64)));
          s5 = f32x4.add(s5, f32x4.mul(weight, v128.load(from, 80)));
          s6 = f32x4.add(s6, f32x4.mul(weight, v128.load(from, 96)));
          s7 = f32x4.add(s7, f32x4.mul(weight, v128.load(from, 112)));
        }
        at += 2;
      }
      v128.store(to, s0);
      v128.store(to, s1, 16);
      if (vectors > 2) {
        v128.store(to, s2, 32);
        v128.store(to, s3, 48);
      }
      if (vectors > 4) {
        v128.store(to, s4, 64);
        v128.store(to, s5, 80);
        v128.store(to, s6, 96);
        v128.store(to, s7, 112);
      }
      to += yStride;
    }
  }
  finish(vectors << 4, bias, scale, rows, y, yStride, relu);
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

function four(
  pointers: usize,
  blocks: usize,
  blockLog: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  bias: usize,
  scale: usize,
  offsets: usize,
  x: usize,
  rows: usize,
  y: usize,
  yStride: usize,
  relu: bool,
): void {
  for (let block: usize = 0; block < blocks; block++) {
    const table = tableOf(offsets, block, blockLog);
    let line = pointers + (block << 2);
    let to = y;
    for (let row: usize = 0; row < rows; row++) {
      const first = <usize>load<u32>(line);
      const end = codes + <usize>load<u32>(line, 4);
      line += blocks << 2;
      let s0: f32 = block != 0 ? load<f32>(to) : 0;
      let s1: f32 = block != 0 ? load<f32>(to, 4) : 0;
      let s2: f32 = block != 0 ? load<f32>(to, 8) : 0;
      let s3: f32 = block != 0 ? load<f32>(to, 12) : 0;
      let at = indices + (first << 1);
      for (let code = codes + first; code < end; code++) {
        const from = lanesOf(x, table, 0, <usize>load<u16>(at));
        const weight = load<f32>(codebook + ((<usize>load<u8>(code)) << 2));
        s0 += weight * load<f32>(from);
        s1 += weight * load<f32>(from, 4);
        s2 += weight * load<f32>(from, 8);
        s3 += weight * load<f32>(from, 12);
        at += 2;
      }
      store<f32>(to, s0);
      store<f32>(to, s1, 4);
      store<f32>(to, s2, 8);
      store<f32>(to, s3, 12);
      to += yStride;
    }
  }
  finish(16, bias, scale, rows, y, yStride, relu);
}
