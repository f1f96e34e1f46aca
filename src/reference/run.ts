// Layers that run from their sparse, shared form: assembly/run.

/** Entries of a line have indices below it. */
const LINE = 65536;

/** A matrix of shared weights, entries of a line in their order; `pointers` has `panels` lines for each row or column. */
export interface RunLines {
  readonly rows: number;
  readonly columns: number;
  readonly order: "columns" | "rows";
  readonly panels: number;
  readonly pointers: Uint32Array;
  readonly indices: Uint16Array;
  /** Of any number of different weights. */
  readonly codes: Uint16Array;
}

/** Lays a row-major matrix of codes out; where `kept` is 0 there is no entry. */
export function layOut(kept: Uint8Array, codes: Uint16Array, rows: number, columns: number, order: RunLines["order"]): RunLines {
  const byRows = order === "rows";
  const [outer, inner] = byRows ? [rows, columns] : [columns, rows];
  const panels = Math.max(1, Math.ceil(inner / LINE));
  const pointers = [0];
  const indices: number[] = [];
  const found: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let panel = 0; panel < panels; panel++) {
      for (let i = panel * LINE; i < Math.min(inner, (panel + 1) * LINE); i++) {
        const at = byRows ? o * columns + i : i * columns + o;
        if (kept[at] === 0) continue;
        indices.push(i % LINE);
        found.push(codes[at]);
      }
      pointers.push(indices.length);
    }
  }
  return {
    ...{ rows, columns, order, panels },
    pointers: Uint32Array.from(pointers),
    indices: Uint16Array.from(indices),
    codes: Uint16Array.from(found),
  };
}

/**
 * Entries of order "columns" as bytes, and where each line begins: assembly/run/line.ts. Four of one code make a group, where the number of centroids is given; `weights` are those of the entries in float32, where they have no
 * codes.
 */
export function columnBytes(
  { pointers, indices, codes }: RunLines,
  centroids: number | undefined,
  weights?: Float32Array,
): { pointers: Uint32Array; entries: Uint8Array } {
  const bytes: number[] = [];
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
  const begins = [0];
  for (let line = 0; line + 1 < pointers.length; line++) {
    const entries = Array.from({ length: pointers[line + 1] - pointers[line] }, (_, i) => pointers[line] + i);
    if (weights !== undefined) {
      bytes.push(...word(entries.length));
      const bits = new Uint32Array(weights.buffer, weights.byteOffset);
      for (const i of entries) bytes.push(...word(indices[i]).slice(0, 2), ...word(bits[i]));
    } else {
      const four: number[][] = [];
      const buckets = Array.from({ length: centroids ?? 0 }, (): number[] => []);
      const grouped = centroids !== undefined && entries.length >= 2 * centroids;
      for (const i of grouped ? entries : []) {
        const bucket = buckets[codes[i]];
        bucket.push(i);
        if (bucket.length === 4) four.push(bucket.splice(0));
      }
      const loose = grouped ? buckets.flat() : entries;
      bytes.push(...word(loose.length + (four.length << 17)));
      for (const group of four) bytes.push(...group.flatMap((i) => word(indices[i]).slice(0, 2)), codes[group[0]]);
      for (const i of loose) bytes.push(...word(indices[i]).slice(0, 2), codes[i]);
    }
    begins.push(bytes.length);
  }
  return { pointers: Uint32Array.from(begins), entries: Uint8Array.from(bytes) };
}

/** `y` += W x, of order "columns". */
export function matvecColumns(
  { columns, panels, pointers, indices, codes }: RunLines,
  codebook: Float32Array,
  x: Float32Array,
  y: Float32Array,
): void {
  for (let column = 0; column < columns; column++) {
    if (x[column] === 0) continue;
    for (let panel = 0; panel < panels; panel++) {
      const line = column * panels + panel;
      for (let i = pointers[line]; i < pointers[line + 1]; i++) {
        const row = panel * LINE + indices[i];
        y[row] = y[row] + Math.fround(codebook[codes[i]] * x[column]);
      }
    }
  }
}

/** `y` += W x, of order "rows". */
export function matvecRows(
  { rows, panels, pointers, indices, codes }: RunLines,
  codebook: Float32Array,
  x: Float32Array,
  y: Float32Array,
): void {
  for (let row = 0; row < rows; row++) {
    for (let panel = 0; panel < panels; panel++) {
      const line = row * panels + panel;
      for (let i = pointers[line]; i < pointers[line + 1]; i++)
        y[row] = y[row] + Math.fround(codebook[codes[i]] * x[panel * LINE + indices[i]]);
    }
  }
}

/** Y = W X + b, of order "rows": X is f32[columns][lanes], Y f32[rows][lanes]; what is below 0 becomes 0 with `relu`. */
export function matmulRows(
  { rows, panels, pointers, indices, codes }: RunLines,
  codebook: Float32Array,
  bias: Float32Array | undefined,
  X: Float32Array,
  lanes: number,
  relu: boolean,
): Float32Array {
  const Y = new Float32Array(rows * lanes);
  for (let row = 0; row < rows; row++) {
    const sums = new Float32Array(lanes).fill(bias?.[row] ?? 0);
    for (let panel = 0; panel < panels; panel++) {
      const line = row * panels + panel;
      for (let i = pointers[line]; i < pointers[line + 1]; i++) {
        const from = (panel * LINE + indices[i]) * lanes;
        for (let lane = 0; lane < lanes; lane++) sums[lane] = sums[lane] + Math.fround(codebook[codes[i]] * X[from + lane]);
      }
    }
    Y.set(relu ? rectified(sums) : sums, row * lanes);
  }
  return Y;
}

function rectified(values: Float32Array): Float32Array {
  return values.map((value) => (value < 0 ? 0 : value));
}

/** `y` += W x of a matrix in float32. */
export function matvecDense(weights: Float32Array, x: Float32Array, y: Float32Array): void {
  const columns = x.length;
  const body = columns - (columns % 8);
  const sums = new Float32Array(8);
  for (let row = 0; row < y.length; row++) {
    const from = row * columns;
    sums.fill(0);
    for (let j = 0; j < body; j++) sums[j % 8] = sums[j % 8] + Math.fround(weights[from + j] * x[j]);
    const t = Float32Array.from({ length: 4 }, (_, i) => sums[i] + sums[i + 4]);
    let sum = Math.fround(Math.fround(t[0] + t[1]) + Math.fround(t[2] + t[3]));
    for (let j = body; j < columns; j++) sum = Math.fround(sum + Math.fround(weights[from + j] * x[j]));
    y[row] = y[row] + sum;
  }
}

/** Y = W X + b of a matrix in float32: X is f32[columns][lanes], Y f32[rows][lanes]; what is below 0 becomes 0 with `relu`. */
export function matmulDense(
  weights: Float32Array,
  rows: number,
  bias: Float32Array | undefined,
  X: Float32Array,
  lanes: number,
  relu: boolean,
): Float32Array {
  const columns = weights.length / rows;
  const Y = new Float32Array(rows * lanes);
  for (let row = 0; row < rows; row++) {
    const sums = new Float32Array(lanes).fill(bias?.[row] ?? 0);
    for (let j = 0; j < columns; j++) {
      for (let lane = 0; lane < lanes; lane++) sums[lane] = sums[lane] + Math.fround(weights[row * columns + j] * X[j * lanes + lane]);
    }
    Y.set(relu ? rectified(sums) : sums, row * lanes);
  }
  return Y;
}
