// y = W x + b from the run layout (lay.ts), one vector.

const LINE: usize = 65536;

/** A column with fewer entries than a quarter of the centroids is faster without a table of its products. */
const PER_CENTROID: u32 = 4;

/** y[row] += the value's product. */
// @ts-ignore: decorator
@inline
function add(y: usize, row: usize, product: f32): void {
  const at = y + (row << 2);
  store<f32>(at, load<f32>(at) + product);
}

// @ts-ignore: decorator
@inline
function productOf(products: usize, code: usize): f32 {
  return load<f32>(products + (code << 2));
}

/**
 * y += W x by columns; those whose activation is 0 are not read.
 *
 * Layout     pointers  u32[columns * panels + 1], indices u16[], codes u8[]: order "columns", see lay.ts
 *            codebook  f32[centroids]
 *            products  f32[256]       scratch
 *            x         f32[columns]
 *            y         f32[rows]      65,536 for each panel but the last
 * Requires   indices below the rows and codes below the centroids, as `lay` checks them.
 * Reads      up to 12 bytes past codebook and products.
 * Order      each element of y: columns ascending; each product and each sum is rounded to float32. An activation of 0 or -0 adds nothing.
 */
export function matvecColumns(
  pointers: usize,
  panels: usize,
  indices: usize,
  codes: usize,
  codebook: usize,
  centroids: u32,
  products: usize,
  x: usize,
  columns: usize,
  y: usize,
): void {
  for (let column: usize = 0; column < columns; column++) {
    const value = load<f32>(x + (column << 2));
    if (value == 0) continue;
    const lines = pointers + ((column * panels) << 2);
    let from = load<u32>(lines);
    let scaled = false;
    for (let panel: usize = 0; panel < panels; panel++) {
      const end = load<u32>(lines + (panel << 2), 4);
      if (!scaled && (end - from) * PER_CENTROID > centroids) {
        scale(codebook, centroids, value, products);
        scaled = true;
      }
      const rows = y + ((panel * LINE) << 2);
      if (scaled) addColumn(indices, codes, from, end, products, rows);
      else {
        for (let i = <usize>from; i < <usize>end; i++) {
          add(rows, <usize>load<u16>(indices + (i << 1)), productOf(codebook, <usize>load<u8>(codes + i)) * value);
        }
      }
      from = end;
    }
  }
}

/** The products of a value and each centroid. */
// @ts-ignore: decorator
@inline
function scale(codebook: usize, centroids: u32, value: f32, products: usize): void {
  const end = (<usize>centroids) << 2;
  if (ASC_FEATURE_SIMD) {
    const values = f32x4.splat(value);
    for (let i: usize = 0; i < end; i += 16) v128.store(products + i, f32x4.mul(v128.load(codebook + i), values));
  } else {
    for (let i: usize = 0; i < end; i += 4) store<f32>(products + i, load<f32>(codebook + i) * value);
  }
}

/** Adds the entries `first` to `end` of a column. No two are in one row, so eight may be on their way at a time. */
// @ts-ignore: decorator
@inline
function addColumn(indices: usize, codes: usize, first: u32, end: u32, products: usize, y: usize): void {
  let at = indices + ((<usize>first) << 1);
  let code = codes + <usize>first;
  const last = codes + <usize>end;
  while (last - code >= 4 && code < last) {
    const four = load<u64>(at);
    const by = load<u32>(code);
    const r0 = y + ((<usize>((<u32>four) & 0xffff)) << 2);
    const r1 = y + ((<usize>((<u32>four) >> 14)) & 0x3fffc);
    const r2 = y + ((<usize>(four >> 30)) & 0x3fffc);
    const r3 = y + ((<usize>(four >> 46)) & 0x3fffc);
    const s0 = load<f32>(r0) + load<f32>(products + ((<usize>(by & 255)) << 2));
    const s1 = load<f32>(r1) + load<f32>(products + <usize>((by >> 6) & 0x3fc));
    const s2 = load<f32>(r2) + load<f32>(products + <usize>((by >> 14) & 0x3fc));
    const s3 = load<f32>(r3) + load<f32>(products + <usize>((by >> 22) & 0x3fc));
    store<f32>(r0, s0);
    store<f32>(r1, s1);
    store<f32>(r2, s2);
    store<f32>(r3, s3);
    at += 8;
    code += 4;
  }
  for (; code < last; code++) {
    add(y, <usize>load<u16>(at), productOf(products, <usize>load<u8>(code)));
    at += 2;
  }
}

/**
 * y += W x by rows, every activation read.
 *
 * Layout     pointers  u32[rows * panels + 1], indices u16[], codes u8[]: order "rows", see lay.ts
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
        const four = load<u64>(indices + (i << 1));
        const by = load<u32>(codes + i);
        s0 += load<f32>(codebook + ((<usize>(by & 255)) << 2)) * load<f32>(from + ((<usize>((<u32>four) & 0xffff)) << 2));
        s1 += load<f32>(codebook + <usize>((by >> 6) & 0x3fc)) * load<f32>(from + ((<usize>((<u32>four) >> 14)) & 0x3fffc));
        s2 += load<f32>(codebook + <usize>((by >> 14) & 0x3fc)) * load<f32>(from + ((<usize>(four >> 30)) & 0x3fffc));
        s3 += load<f32>(codebook + <usize>((by >> 22) & 0x3fc)) * load<f32>(from + ((<usize>(four >> 46)) & 0x3fffc));
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
  return productOf(codebook, <usize>load<u8>(codes + i)) * load<f32>(x + ((<usize>load<u16>(indices + (i << 1))) << 2));
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
