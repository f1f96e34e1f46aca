import { Bench, type BenchOptions, type Rows, TILE } from "./bench.js";
import type { LineArrays, Lines, Order } from "./lines.js";
import { CodedMatrix, DenseMatrix } from "./matrix.js";
import type { Dense } from "./read.js";

/** How a layer's survivors stand in memory; `dense` where the tensor has more than 256 different values. */
export type Layout = "auto" | "both" | Order;

/** The orders that a matrix of codes is laid out in at first. */
export function ordersOf(layout: Layout): readonly Order[] {
  return layout === "both" ? ["columns", "rows"] : [layout === "auto" ? "columns" : layout];
}

/** Fewer vectors than this are faster one by one, by columns. */
const FEW = 4;

export interface ShareOptions extends BenchOptions {
  readonly layout: Layout;
}

/** Rows of a layer that one thread works: all of them where there is one. */
export class Share {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly #options: ShareOptions;
  readonly #auto: boolean;
  /** One of a dense matrix, two of layout "both". */
  #benches: readonly Bench[];

  /**
   * @param matrix to be laid out, or in each order of the layout already
   * @throws RangeError where the memory cannot grow so far
   */
  constructor(matrix: Lines | readonly LineArrays[] | Dense, options: ShareOptions) {
    const { layout } = options;
    this.#options = options;
    this.#auto = layout === "auto" && !("weights" in matrix);
    if ("weights" in matrix) this.#benches = [new Bench(options, (runner) => new DenseMatrix(runner, matrix))];
    else
      this.#benches = ordersOf(layout).map((order, i) => {
        const lines = "runner" in matrix ? matrix : matrix[i];
        return new Bench(options, (runner) => new CodedMatrix(runner, lines, order));
      });
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
    this.#benchFor("columns").vector(x, y);
  }

  /** Y = X Wᵀ + b: `n` vectors, each a row. */
  vectors(X: Float32Array, n: number, Y: Rows): void {
    const { columns, rows } = this;
    const bench = n < FEW && this.layout === "columns" ? this.#benches[0] : this.#benchFor("rows");
    const { values, stride, first } = Y;
    if (bench.order === "columns") {
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

  /** The one in that order where there is one. */
  #benchFor(order: Order): Bench {
    const [first, second] = this.#benches;
    const { matrix } = first;
    if (!(matrix instanceof CodedMatrix) || matrix.order === order) return first;
    if (second !== undefined) return second;
    if (!this.#auto) return first;
    const bench = new Bench(this.#options, (runner) => new CodedMatrix(runner, matrix.lines(), order));
    this.#benches = [bench];
    return bench;
  }
}
