import { at, type Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";
import { layOut } from "./lay-out.js";
import { type ColumnLines, LINE, type LineArrays, type Lines, linesOf, type Order, panelsOf, type Shape } from "./lines.js";
import type { Dense } from "./read.js";

/** How the lanes of many vectors stand in a runner's memory: assembly/run/matmul.ts. */
export interface Lanes {
  readonly x: Ptr;
  /** Bytes from one column's lanes to the next column's. */
  readonly stride: number;
  readonly count: number;
  readonly y: Ptr;
  /** Bytes from one row's lanes to the next row's. */
  readonly yStride: number;
  /** Of the first of the rows that are worked. */
  readonly bias?: Ptr;
  readonly relu?: boolean;
  /** The rows that are worked, all unless given: `rows` of them from `first` on. */
  readonly first?: number;
  readonly rows?: number;
}

/** A matrix in the memory of a runner, and its products. Activations are at addresses there. */
export interface Matrix extends Shape {
  /** Weights that are stored. */
  readonly survivors: number;
  /** y += W x. */
  vector(x: Ptr, y: Ptr): void;
  /** Y = W X + b, the vectors in lanes. */
  lanes(lanes: Lanes): void;
}

/** A matrix that was multiplied by so many single vectors is likely to be so again: grouping its entries takes about as long as twenty times. */
const GROUPED_AFTER = 16;

/** Bytes that a line has for each row at most, and what comes beside: its head, and what is written over. */
const LONGEST_LINE = 3;
const SLACK = 16;

/** Where kernels look for a codebook: weights in float32 have none. */
const NO_CODEBOOK = 0 as Ptr;

/** A matrix of survivors that is laid out in one order: lanes must have "rows". */
export class SparseMatrix implements Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly order: Order;
  readonly #runner: Runner;
  #lines: Lines;
  readonly #panels: number;
  readonly #codebook: Ptr;
  /** Of columns, scratch of `matvecColumns`, and what a column has in bytes. */
  readonly #found: Ptr;
  #mean: number;
  #vectors = 0;

  /** @throws RangeError where the memory cannot grow so far */
  constructor(runner: Runner, from: Lines | LineArrays, order: Order) {
    this.#runner = runner;
    const { arena } = runner;
    const lines = layOut(runner, from, order);
    const { rows, columns, survivors, codebook } = lines;
    this.#lines = lines;
    this.#panels = panelsOf(lines, order);
    this.#mean = lines.order === "columns" ? Math.ceil(lines.byteLength / columns) : 0;
    // What is read ahead may be behind the entries.
    this.#found = arena.alloc(order === "columns" ? Math.max(4 * (columns + 4), this.#mean) : 0);
    this.#codebook = codebook === undefined ? NO_CODEBOOK : arena.alloc(codebook.byteLength);
    if (codebook !== undefined) arena.f32(this.#codebook, codebook.length).set(codebook);
    this.rows = rows;
    this.columns = columns;
    this.survivors = survivors;
    this.order = order;
  }

  /** Where it stands. */
  lines(): Lines {
    return this.#lines;
  }

  vector(x: Ptr, y: Ptr): void {
    const { exports } = this.#runner;
    const lines = this.#lines;
    const { pointers, codebook, columns, rows } = lines;
    if (lines.order === "rows") exports.matvecRows(pointers, this.#panels, lines.indices, lines.weights, this.#codebook, x, rows, y);
    else {
      const centroids = codebook?.length ?? 0;
      if (++this.#vectors === GROUPED_AFTER && codebook !== undefined) this.#group(lines, centroids);
      exports.matvecColumns(pointers, this.#panels, lines.entries, this.#mean, this.#codebook, centroids, x, columns, this.#found, y);
    }
  }

  /** Groups the entries of columns, which no number can be told from. */
  #group(lines: ColumnLines, centroids: number): void {
    const { arena, exports } = this.#runner;
    const { pointers, entries, rows } = lines;
    const byteLength = arena.scope(() => {
      const scratch = arena.alloc(LONGEST_LINE * Math.min(LINE, rows) + SLACK);
      return exports.groupLines(pointers, entries, linesOf(lines, "columns"), centroids, scratch) >>> 0;
    });
    this.#lines = { ...lines, byteLength };
    this.#mean = Math.ceil(byteLength / this.columns);
  }

  lanes({ x, stride, count, y, yStride, bias = 0 as Ptr, relu = false, first = 0, rows = this.rows }: Lanes): void {
    const lines = this.#lines;
    if (lines.order !== "rows") throw new Error("lanes are worked by rows");
    this.#runner.exports.matmulRows(
      ...([at(lines.pointers, 4 * first * this.#panels), this.#panels, lines.indices, lines.weights, this.#codebook] as const),
      ...([bias, stride, x, count, rows, y, yStride, relu] as const),
    );
  }
}

/** A matrix in float32, every weight stored. */
export class DenseMatrix implements Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly #runner: Runner;
  readonly #weights: Ptr;

  /** @throws RangeError where the memory cannot grow so far */
  constructor(runner: Runner, { rows, columns, dense }: Dense) {
    this.#runner = runner;
    this.#weights = runner.arena.alloc(dense.byteLength);
    runner.arena.f32(this.#weights, dense.length).set(dense);
    this.rows = rows;
    this.columns = columns;
    this.survivors = runner.exports.countNonZero(this.#weights, dense.length) >>> 0;
  }

  vector(x: Ptr, y: Ptr): void {
    this.#runner.exports.matvecDense(this.#weights, x, this.columns, this.rows, y);
  }

  lanes({ x, stride, count, y, yStride, bias = 0 as Ptr, relu = false, first = 0, rows = this.rows }: Lanes): void {
    const weights = at(this.#weights, 4 * first * this.columns);
    this.#runner.exports.matmulDense(weights, this.columns, bias, stride, x, count, rows, y, yStride, relu);
  }
}
