// What there is to see of a tensor: how its weights lie, and where the survivors are. It is counted block by block, so that a tensor need not fit into memory.

/** Bars of a histogram. */
export const BINS = 120;

/** Most cells of a pattern, down and across: a larger tensor has several weights in a cell. */
const MOST_ROWS = 400;
const MOST_COLUMNS = 784;

/** Weights in a line of the pattern of a tensor of one axis. */
const VECTOR_COLUMNS = 50;

/** Calls anew for each pass over the weights, in row-major order. */
export type Weights = () => AsyncIterable<Float32Array>;

export interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Centroids {
  readonly values: Float32Array;
  /** Weights that share each. */
  readonly counts: Uint32Array;
}

export interface Pattern {
  /** The tensor as a matrix. */
  readonly rows: number;
  readonly columns: number;
  /** Cells down and across. */
  readonly height: number;
  readonly width: number;
  /** Survivors of each cell's weights, 255 for all. */
  readonly density: Uint8Array;
  /** Mean weight of each cell, 127 for the largest of the tensor. */
  readonly mean: Int8Array;
}

export interface Look {
  readonly weights: number;
  readonly survivors: number;
  /** Of the histograms. */
  readonly range: Range;
  /** Non-zero weights by value, as they were before compression, and as they are; undefined where there is no such file. */
  readonly before?: Uint32Array;
  readonly after?: Uint32Array;
  readonly centroids?: Centroids;
  readonly pattern: Pattern;
}

/** From the least to the largest finite weight. */
export async function rangeOf(weights: Weights): Promise<Range> {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for await (const block of weights()) {
    for (const value of block) {
      if (value < low && value !== Number.NEGATIVE_INFINITY) low = value;
      if (value > high && value !== Number.POSITIVE_INFINITY) high = value;
    }
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

/** Counts of the non-zero weights. */
export async function histogramOf(weights: Weights, { low, high }: Range): Promise<Uint32Array> {
  const counts = new Uint32Array(BINS);
  const scale = high > low ? BINS / (high - low) : 0;
  for await (const block of weights()) {
    for (const value of block) {
      // Not for a NaN, nor for what is outside.
      if (value !== 0 && value >= low && value <= high) counts[Math.min(BINS - 1, Math.floor((value - low) * scale))]++;
    }
  }
  return counts;
}

export async function centroidsOf(weights: Weights, values: Float32Array): Promise<Centroids> {
  const counts = new Uint32Array(values.length);
  const indexOf = new Map(Array.from(values, (value, i) => [value, i]));
  for await (const block of weights()) {
    for (const value of block) {
      const i = value === 0 ? undefined : indexOf.get(value);
      if (i !== undefined) counts[i]++;
    }
  }
  return { values, counts };
}

/** A shape as rows and columns. */
function matrixOf(shape: readonly number[]): { rows: number; columns: number } {
  const weights = shape.reduce((product, axis) => product * axis, 1);
  const filled = shape.filter((axis) => axis > 1);
  const columns = filled.length > 1 ? weights / filled[0] : Math.min(weights, VECTOR_COLUMNS);
  return { rows: columns === 0 ? 0 : Math.ceil(weights / columns), columns };
}

export async function patternOf(weights: Weights, shape: readonly number[]): Promise<{ pattern: Pattern; survivors: number }> {
  const { rows, columns } = matrixOf(shape);
  const down = Math.max(1, Math.ceil(rows / MOST_ROWS));
  const across = Math.max(1, Math.ceil(columns / MOST_COLUMNS));
  const height = Math.ceil(rows / down);
  const width = Math.ceil(columns / across);
  const kept = new Uint32Array(width * height);
  const seen = new Uint32Array(width * height);
  const sums = new Float64Array(width * height);
  let [row, column, survivors] = [0, 0, 0];
  for await (const block of weights()) {
    for (const value of block) {
      const cell = Math.floor(row / down) * width + Math.floor(column / across);
      seen[cell]++;
      if (value !== 0) {
        survivors++;
        kept[cell]++;
        if (Number.isFinite(value)) sums[cell] += value;
      }
      if (++column === columns) {
        column = 0;
        row++;
      }
    }
  }
  const means = sums.map((sum, i) => sum / Math.max(1, seen[i]));
  const largest = means.reduce((most, mean) => Math.max(most, Math.abs(mean)), 0) || 1;
  return {
    pattern: {
      rows,
      columns,
      height,
      width,
      // At least 1 of 255: a lone survivor among many is to be seen.
      density: Uint8Array.from(kept, (count, i) => (count === 0 ? 0 : Math.max(1, Math.round((255 * count) / seen[i])))),
      mean: Int8Array.from(means, (mean) => Math.round((127 * mean) / largest)),
    },
    survivors,
  };
}
