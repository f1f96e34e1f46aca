import { at, type Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";
import { type LineArrays, type Lines, layOut, type Order, panelsOf, type Shape } from "./lines.js";
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

/** A matrix of codes that is laid out in one order: vectors want "columns", lanes must have "rows". */
export class CodedMatrix implements Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly order: Order;
  readonly #runner: Runner;
  readonly #lines: Lines;
  readonly #panels: number;
  readonly #codebook: Ptr;
  /** Scratch of `matvecColumns`. */
  readonly #found: Ptr;

  /** @throws RangeError where the memory cannot grow so far */
  constructor(runner: Runner, lines: Lines | LineArrays, order: Order) {
    this.#runner = runner;
    const { arena } = runner;
    const { rows, columns, codebook } = lines;
    this.#lines = layOut(runner, lines, order);
    this.#panels = panelsOf(lines, order);
    this.#codebook = arena.alloc(4 * codebook.length);
    arena.f32(this.#codebook, codebook.length).set(codebook);
    this.#found = arena.alloc(order === "columns" ? 4 * (columns + 4) : 0);
    this.rows = rows;
    this.columns = columns;
    this.survivors = this.#lines.survivors;
    this.order = order;
  }

  /** Where it stands. */
  lines(): Lines {
    return this.#lines;
  }

  vector(x: Ptr, y: Ptr): void {
    const { exports } = this.#runner;
    const { pointers, indices, codes, codebook, columns, rows } = this.#lines;
    const coded = [pointers, this.#panels, indices, codes, this.#codebook] as const;
    if (this.order === "columns") exports.matvecColumns(...coded, codebook.length, x, columns, this.#found, y);
    else exports.matvecRows(...coded, x, rows, y);
  }

  lanes({ x, offsets = 0 as Ptr, stride = 0, count, y, yStride, bias = 0 as Ptr, relu = false, first = 0, rows = this.rows }: Lanes): void {
    const { pointers, indices, codes } = this.#lines;
    this.#runner.exports.matmulRows(
      ...([
        at(pointers, 4 * first * this.#panels),
        this.#panels,
        indices,
        codes,
        this.#codebook,
        bias,
        offsets,
        stride,
        x,
        count,
        rows,
        y,
        yStride,
      ] as const),
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

  lanes({ x, offsets = 0 as Ptr, stride = 0, count, y, yStride, bias = 0 as Ptr, relu = false, first = 0, rows = this.rows }: Lanes): void {
    const weights = at(this.#weights, 4 * first * this.columns);
    this.#runner.exports.matmulDense(weights, this.columns, bias, offsets, stride, x, count, rows, y, yStride, relu);
  }
}
