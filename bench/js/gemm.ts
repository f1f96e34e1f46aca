// A float32 matrix product in plain JavaScript: panels of four rows and four columns side by side, and eight sums at a time, as many as stay in registers.

const { fround } = Math;

/** Rows of A in panels of four: [ceil(m / 4)][k][4], zeros beyond m. */
function packRows(a: Float32Array, m: number, k: number, out: Float32Array): void {
  for (let i = 0; i < m; i += 4) {
    let to = i * k;
    for (let p = 0; p < k; p++) {
      for (let r = 0; r < 4; r++) out[to++] = i + r < m ? a[(i + r) * k + p] : 0;
    }
  }
}

/** Columns of B in panels of four: [ceil(n / 4)][k][4], zeros beyond n. */
function packColumns(b: Float32Array, n: number, k: number, out: Float32Array): void {
  for (let j = 0; j < n; j += 4) {
    let to = j * k;
    for (let p = 0; p < k; p++) {
      for (let c = 0; c < 4; c++) out[to++] = j + c < n ? b[p * n + j + c] : 0;
    }
  }
}

export interface GemmRoom {
  readonly a: Float32Array;
  readonly b: Float32Array;
  /** The product where its columns are no multiple of four, with zeros beyond them. */
  readonly c: Float32Array | undefined;
}

export function gemmRoom(m: number, n: number, k: number): GemmRoom {
  const wide = 4 * Math.ceil(n / 4);
  return {
    a: new Float32Array(4 * Math.ceil(m / 4) * k),
    b: new Float32Array(wide * k),
    c: wide > n ? new Float32Array(m * wide) : undefined,
  };
}

function unpad(from: Float32Array, to: Float32Array, m: number, n: number, wide: number): void {
  for (let i = 0; i < m; i++) to.set(from.subarray(i * wide, i * wide + n), i * n);
}

/** C [m][n] = A [m][k] B [k][n]; m even. Each product and each sum is rounded to float32. */
export function multiply(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number, room: GemmRoom): void {
  packRows(a, m, k, room.a);
  packColumns(b, n, k, room.b);
  const wide = 4 * Math.ceil(n / 4);
  const out = room.c ?? c;
  for (let j = 0; j < n; j += 4) {
    for (let i = 0; i < m; i += 2) multiplyTile(room.a, (i & ~3) * k + (i & 2), room.b, j * k, out, i * wide + j, wide, k);
  }
  if (out !== c) unpad(out, c, m, n, wide);
}

function multiplyTile(a: Float32Array, aAt: number, b: Float32Array, bAt: number, c: Float32Array, to: number, n: number, k: number): void {
  let c00 = fround(0);
  let c01 = fround(0);
  let c02 = fround(0);
  let c03 = fround(0);
  let c10 = fround(0);
  let c11 = fround(0);
  let c12 = fround(0);
  let c13 = fround(0);
  for (let p = 0; p < 4 * k; p += 4) {
    const a0 = a[aAt + p];
    const a1 = a[aAt + p + 1];
    const b0 = b[bAt + p];
    const b1 = b[bAt + p + 1];
    const b2 = b[bAt + p + 2];
    const b3 = b[bAt + p + 3];
    c00 = fround(c00 + fround(a0 * b0));
    c01 = fround(c01 + fround(a0 * b1));
    c02 = fround(c02 + fround(a0 * b2));
    c03 = fround(c03 + fround(a0 * b3));
    c10 = fround(c10 + fround(a1 * b0));
    c11 = fround(c11 + fround(a1 * b1));
    c12 = fround(c12 + fround(a1 * b2));
    c13 = fround(c13 + fround(a1 * b3));
  }
  c[to] = c00;
  c[to + 1] = c01;
  c[to + 2] = c02;
  c[to + 3] = c03;
  c[to + n] = c10;
  c[to + n + 1] = c11;
  c[to + n + 2] = c12;
  c[to + n + 3] = c13;
}

/** As `multiply`, with sums in float64 that are rounded once, at the end: fewer roundings than JavaScript can do cheaply, and other bits. */
export function multiplyWide(a: Float32Array, b: Float32Array, c: Float32Array, m: number, n: number, k: number, room: GemmRoom): void {
  packRows(a, m, k, room.a);
  packColumns(b, n, k, room.b);
  const wide = 4 * Math.ceil(n / 4);
  const out = room.c ?? c;
  for (let j = 0; j < n; j += 4) {
    for (let i = 0; i < m; i += 2) wideTile(room.a, (i & ~3) * k + (i & 2), room.b, j * k, out, i * wide + j, wide, k);
  }
  if (out !== c) unpad(out, c, m, n, wide);
}

function wideTile(a: Float32Array, aAt: number, b: Float32Array, bAt: number, c: Float32Array, to: number, n: number, k: number): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  for (let p = 0; p < 4 * k; p += 4) {
    const a0 = a[aAt + p];
    const a1 = a[aAt + p + 1];
    const b0 = b[bAt + p];
    const b1 = b[bAt + p + 1];
    const b2 = b[bAt + p + 2];
    const b3 = b[bAt + p + 3];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
  }
  c[to] = c00;
  c[to + 1] = c01;
  c[to + 2] = c02;
  c[to + 3] = c03;
  c[to + n] = c10;
  c[to + n + 1] = c11;
  c[to + n + 2] = c12;
  c[to + n + 3] = c13;
}
