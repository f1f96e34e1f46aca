import type { Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";
import { type Lines, type LinesAt, layOut, type Order, type Shape, viewOf } from "./lines.js";
import type { Dense } from "./read.js";

/** How the lanes of many vectors stand in a runner's memory: assembly/run/matmul.ts. */
export interface Lanes {
  readonly x: Ptr;
  /** Bytes from x to each column's lanes: u32[columns]; or `stride` bytes a column. */
  readonly offsets?: Ptr;
  readonly stride?: number;
  readonly count: number;
  readonly y: Ptr;
  /** Bytes from one row's lanes to the next row's. */
  readonly yStride: number;
  readonly bias?: Ptr;
  readonly relu?: boolean;
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

/** A matrix of codes that is laid out in one order: vectors want "columns", lanes must have "rows". */
export class CodedMatrix implements Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly order: Order;
  readonly #runner: Runner;
  readonly #at: LinesAt;
  /** Scratch of `matvecColumns`. */
  readonly #found: Ptr;

  /** @throws RangeError where the memory cannot grow so far */
  constructor(runner: Runner, lines: Lines, order: Order) {
    this.#runner = runner;
    this.#at = layOut(runner, lines, order);
    this.#found = runner.arena.alloc(order === "columns" ? 4 * (lines.columns + 1) : 0);
    this.rows = lines.rows;
    this.columns = lines.columns;
    this.survivors = this.#at.survivors;
    this.order = order;
  }

  /** What it was made of, in its order: views that hold until the memory grows. */
  lines(): Lines {
    return viewOf(this.#runner, this.#at);
  }

  vector(x: Ptr, y: Ptr): void {
    const { exports } = this.#runner;
    const { pointers, panels, indices, codes, codebook, centroids, columns, rows } = this.#at;
    if (this.order === "columns") exports.matvecColumns(pointers, panels, indices, codes, codebook, centroids, x, columns, this.#found, y);
    else exports.matvecRows(pointers, panels, indices, codes, codebook, x, rows, y);
  }

  lanes({ x, offsets = 0 as Ptr, stride = 0, count, y, yStride, bias = 0 as Ptr, relu = false }: Lanes): void {
    const { pointers, panels, indices, codes, codebook, rows } = this.#at;
    this.#runner.exports.matmulRows(
      ...([pointers, panels, indices, codes, codebook, bias, offsets, stride, x, count, rows, y, yStride] as const),
      relu,
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
  constructor(runner: Runner, { rows, columns, weights }: Dense) {
    this.#runner = runner;
    this.#weights = runner.arena.alloc(weights.byteLength);
    runner.arena.f32(this.#weights, weights.length).set(weights);
    this.rows = rows;
    this.columns = columns;
    this.survivors = runner.exports.countNonZero(this.#weights, weights.length) >>> 0;
  }

  vector(x: Ptr, y: Ptr): void {
    this.#runner.exports.matvecDense(this.#weights, x, this.columns, this.rows, y);
  }

  lanes({ x, offsets = 0 as Ptr, stride = 0, count, y, yStride, bias = 0 as Ptr, relu = false }: Lanes): void {
    this.#runner.exports.matmulDense(this.#weights, this.columns, bias, offsets, stride, x, count, this.rows, y, yStride, relu);
  }
}
