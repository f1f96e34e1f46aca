import { checkInteger } from "../check.js";
import { at, type Ptr } from "../kernels/arena.js";
import { newRunner, type Runner } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import type { Lines, Order, Shape } from "./lines.js";
import { CodedMatrix, DenseMatrix, type Matrix } from "./matrix.js";
import type { Dense } from "./read.js";
import { checkApart, checkVector } from "./vectors.js";

/** How a layer's survivors stand in memory; `dense` where the tensor has more than 256 different values. */
export type Layout = "auto" | "both" | Order;

/** Vectors of a batch that are worked at a time: their sums fit in the registers, and a column's lanes in a cache line. */
const TILE = 16;

const CACHE_LINE = 64;

/** Vectors that are transposed at a time. */
const LANES = 4;

/** Fewer vectors than this are faster one by one, by columns. */
const FEW = 4;

/** What a layer is made of. */
export interface LayerParts {
  readonly matrix: Lines | Dense;
  /** f32[rows] */
  readonly bias?: Float32Array;
  readonly relu: boolean;
  readonly layout: Layout;
  readonly variant?: Variant;
}

/** A matrix with what it works on, in a runner of its own. */
class Bench {
  readonly runner: Runner;
  readonly matrix: Matrix;
  readonly #shape: Shape;
  readonly #bias: Ptr | undefined;
  readonly #relu: boolean;
  readonly #x: Ptr;
  readonly #y: Ptr;
  /** Of LANES vectors, and of TILE in lanes; made when the first batch comes. */
  #batch: { some: Ptr; x: Ptr; y: Ptr } | undefined;

  constructor({ bias, relu, variant }: LayerParts, make: (runner: Runner) => Matrix) {
    this.runner = newRunner({ variant });
    const { arena } = this.runner;
    this.matrix = make(this.runner);
    const { rows, columns } = this.matrix;
    this.#shape = { rows, columns };
    this.#relu = relu;
    this.#x = arena.alloc(4 * columns);
    this.#y = arena.alloc(4 * rows);
    if (bias !== undefined) {
      this.#bias = arena.alloc(4 * rows);
      arena.f32(this.#bias, rows).set(bias);
    }
  }

  /** Undefined of a dense matrix, which has none. */
  get order(): Order | undefined {
    return this.matrix instanceof CodedMatrix ? this.matrix.order : undefined;
  }

  vector(x: Float32Array, y: Float32Array): void {
    const { arena, exports } = this.runner;
    const { rows, columns } = this.#shape;
    arena.f32(this.#x, columns).set(x);
    const sums = arena.f32(this.#y, rows);
    if (this.#bias === undefined) sums.fill(0);
    else sums.set(arena.f32(this.#bias, rows));
    this.matrix.vector(this.#x, this.#y);
    if (this.#relu) exports.relu(this.#y, rows);
    y.set(sums);
  }

  /** At most TILE vectors, each a row of X. */
  lanes(X: Float32Array, n: number, Y: Float32Array): void {
    const { arena, exports } = this.runner;
    const { rows, columns } = this.#shape;
    this.#batch ??= {
      some: arena.alloc(4 * LANES * Math.max(rows, columns)),
      x: aligned(arena.alloc(4 * TILE * columns + CACHE_LINE)),
      y: aligned(arena.alloc(4 * TILE * rows + CACHE_LINE)),
    };
    const { some, x, y } = this.#batch;
    const stride = 4 * TILE;
    for (let first = 0; first < n; first += LANES) {
      const count = Math.min(LANES, n - first);
      arena.f32(some, LANES * columns).set(X.subarray(first * columns, (first + count) * columns));
      // Lanes beyond the last vector hold another's numbers, and their products are not looked at.
      exports.transpose(some, 4 * columns, LANES, columns, at(x, 4 * first), stride);
    }
    this.matrix.lanes({ x, stride, count: n, y, yStride: stride, bias: this.#bias, relu: this.#relu });
    for (let first = 0; first < n; first += LANES) {
      const count = Math.min(LANES, n - first);
      exports.transpose(at(y, 4 * first), stride, rows, LANES, some, 4 * rows);
      Y.set(arena.f32(some, count * rows), first * rows);
    }
  }
}

/**
 * A layer that runs from its sparse, shared form: y = W x + b.
 *
 * Its memory is its own, and goes with it. Calls are synchronous, and copy activations in and out.
 */
export class Layer {
  /** Numbers of x. */
  readonly inputs: number;
  /** Numbers of y. */
  readonly outputs: number;
  /** Weights of the dense tensor. */
  readonly weights: number;
  /** Weights that are stored. */
  readonly survivors: number;
  readonly #parts: LayerParts;
  readonly #auto: boolean;
  /** One of a dense layer, two of layout "both". */
  #benches: readonly Bench[];

  constructor(parts: LayerParts) {
    const { matrix, layout } = parts;
    this.#parts = { ...parts, matrix: { rows: matrix.rows, columns: matrix.columns, weights: new Float32Array(0) } };
    this.#auto = layout === "auto" && !("weights" in matrix);
    if ("weights" in matrix) this.#benches = [new Bench(parts, (runner) => new DenseMatrix(runner, matrix))];
    else {
      const orders: readonly Order[] = layout === "both" ? ["columns", "rows"] : [layout === "auto" ? "columns" : layout];
      this.#benches = orders.map((order) => new Bench(parts, (runner) => new CodedMatrix(runner, matrix, order)));
    }
    this.inputs = matrix.columns;
    this.outputs = matrix.rows;
    this.weights = matrix.rows * matrix.columns;
    this.survivors = this.#benches[0].matrix.survivors;
  }

  /** Survivors of each weight. */
  get density(): number {
    return this.weights === 0 ? 0 : this.survivors / this.weights;
  }

  /** How the survivors stand in memory now; "dense" where there are more than 256 different weights. */
  get layout(): Order | "both" | "dense" {
    const [first, second] = this.#live();
    return second !== undefined ? "both" : (first.order ?? "dense");
  }

  /** Bytes of memory that the layer has now, all of its kernels' memory included. */
  get byteLength(): number {
    return this.#live().reduce((sum, { runner }) => sum + runner.arena.byteLength, 0);
  }

  /**
   * y = W x + b. By columns, an input that is 0 costs nothing.
   *
   * @param x f32[inputs]
   * @param y f32[outputs]
   * @throws TypeError, RangeError naming the argument where it is no Float32Array, has another length or was detached, or where x and y share memory; nothing is written then
   */
  matvec(x: Float32Array, y: Float32Array): void {
    this.#live();
    checkVector(x, "x", this.inputs);
    checkVector(y, "y", this.outputs);
    checkApart(x, "x", y, "y");
    this.#benchFor("columns").vector(x, y);
  }

  /**
   * Y = X Wᵀ + b: `n` vectors at a time, by rows. Of a layer whose layout is "auto", what was laid out for single vectors is laid out anew, which takes about as long as loading it did without reading the archive; and
   * again when a single vector comes.
   *
   * @param X f32[n][inputs]
   * @param Y f32[n][outputs]
   * @throws TypeError, RangeError naming the argument, as `matvec` does; TypeError where n is no integer
   */
  matmul(X: Float32Array, n: number, Y: Float32Array): void {
    this.#live();
    checkInteger(n, "n", 0, 2 ** 31 - 1);
    const { inputs, outputs } = this;
    checkVector(X, "X", n * inputs);
    checkVector(Y, "Y", n * outputs);
    checkApart(X, "X", Y, "Y");
    const bench = n < FEW && this.layout === "columns" ? this.#benches[0] : this.#benchFor("rows");
    if (bench.order === "columns") {
      for (let i = 0; i < n; i++) bench.vector(X.subarray(i * inputs, (i + 1) * inputs), Y.subarray(i * outputs, (i + 1) * outputs));
      return;
    }
    for (let first = 0; first < n; first += TILE) {
      const end = Math.min(n, first + TILE);
      bench.lanes(X.subarray(first * inputs, end * inputs), end - first, Y.subarray(first * outputs, end * outputs));
    }
  }

  /** Lets its memory go. Nothing can be asked of the layer after it. */
  dispose(): void {
    this.#benches = [];
  }

  #live(): readonly Bench[] {
    if (this.#benches.length === 0) throw new TypeError("the layer was disposed");
    return this.#benches;
  }

  /** The one in that order where there is one. */
  #benchFor(order: Order): Bench {
    const [first, second] = this.#live();
    const { matrix } = first;
    if (!(matrix instanceof CodedMatrix) || matrix.order === order) return first;
    if (second !== undefined) return second;
    if (!this.#auto) return first;
    const bench = new Bench(this.#parts, (runner) => new CodedMatrix(runner, matrix.lines(), order));
    this.#benches = [bench];
    return bench;
  }
}

/** The first address from there on where a cache line begins. */
function aligned(ptr: Ptr): Ptr {
  return (Math.ceil(ptr / CACHE_LINE) * CACHE_LINE) as Ptr;
}
