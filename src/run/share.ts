import { Bench, type BenchOptions, type Rows, TILE } from "./bench.js";
import { activeOf, type Counted, costOfTurning, gainByRows, orderForVectors } from "./choice.js";
import type { LineArrays, Order, RowLines } from "./lines.js";
import { DenseMatrix, SparseMatrix } from "./matrix.js";
import type { Dense } from "./read.js";

/** How a layer's survivors stand in memory: in one order, in both, or in that which is best for what is called. */
export type Layout = "auto" | "both" | Order;

/** The orders that a sparse matrix is laid out in at first. */
export function ordersOf(layout: Layout, matrix: Counted): readonly Order[] {
  return layout === "both" ? ["columns", "rows"] : [layout === "auto" ? orderForVectors(matrix) : layout];
}

export interface ShareOptions extends BenchOptions {
  readonly layout: Layout;
}

/** Rows of a layer that one thread works: all of them where there is one. */
export class Share {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly #options: ShareOptions;
  #auto: boolean;
  /** One of a dense matrix, two of layout "both". */
  #benches: readonly Bench[];
  /** What calls have taken longer than they would have in the other order, in the units of choice.ts. */
  #lost = 0;

  /**
   * @param matrix to be laid out, or in each order of the layout already
   * @throws RangeError where the memory cannot grow so far
   */
  constructor(matrix: RowLines | readonly LineArrays[] | Dense, options: ShareOptions) {
    const { layout } = options;
    this.#options = options;
    this.#auto = layout === "auto" && !("dense" in matrix);
    if ("dense" in matrix) this.#benches = [new Bench(options, (runner) => new DenseMatrix(runner, matrix))];
    else if ("runner" in matrix)
      this.#benches = ordersOf(layout, matrix).map((order) => new Bench(options, (runner) => new SparseMatrix(runner, matrix, order)));
    else this.#benches = matrix.map((lines) => new Bench(options, (runner) => new SparseMatrix(runner, lines, lines.order)));
    const [{ matrix: laid }] = this.#benches;
    this.rows = laid.rows;
    this.columns = laid.columns;
    this.survivors = laid.survivors;
  }

  get layout(): Order | "both" | "dense" {
    const [first, second] = this.#benches;
    return second !== undefined ? "both" : (first.order ?? "dense");
  }

  /** Bytes of the kernels' memory. */
  get byteLength(): number {
    return this.#benches.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** y = W x + b */
  vector(x: Float32Array, y: Float32Array): void {
    this.#benchFor(x, 1).vector(x, y);
  }

  /** Y = X Wᵀ + b: `n` vectors, each a row. */
  vectors(X: Float32Array, n: number, Y: Rows): void {
    const { columns, rows } = this;
    const bench = this.#benchFor(X, n);
    const { values, stride, first } = Y;
    if (bench.order === "columns" || n === 1) {
      for (let i = 0; i < n; i++) {
        const to = i * stride + first;
        bench.vector(X.subarray(i * columns, (i + 1) * columns), values.subarray(to, to + rows));
      }
      return;
    }
    for (let i = 0; i < n; i += TILE) {
      const end = Math.min(n, i + TILE);
      bench.lanes(X.subarray(i * columns, end * columns), end - i, { values, stride, first: first + i * stride });
    }
  }

  /**
   * The one that works `n` vectors: of two that which is faster. Of one that is not, the matrix is turned into the other order once calls have lost as much as turning takes: then never twice as much is lost as had to be,
   * whatever comes.
   */
  #benchFor(X: Float32Array, n: number): Bench {
    const [first, second] = this.#benches;
    if (n === 0 || (second === undefined && !this.#auto)) return first;
    const gain = gainByRows(this, n, TILE, activeOf(X));
    if (second !== undefined) return gain > 0 ? second : first;
    const lost = first.order === "columns" ? gain : -gain;
    this.#lost = Math.max(0, this.#lost + lost);
    if (lost <= 0 || this.#lost < costOfTurning(this)) return first;
    const { matrix } = first;
    if (!(matrix instanceof SparseMatrix)) return first;
    this.#lost = 0;
    const order = matrix.order === "columns" ? "rows" : "columns";
    try {
      this.#benches = [new Bench(this.#options, (runner) => new SparseMatrix(runner, matrix.lines(), order))];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // Without memory for turning it runs as it is.
      this.#auto = false;
    }
    return this.#benches[0];
  }
}
