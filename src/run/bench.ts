import { at, type Ptr } from "../kernels/arena.js";
import { newRunner, type Runner } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import type { Order, Shape } from "./lines.js";
import { type Matrix, SparseMatrix } from "./matrix.js";

/** Vectors of a batch that are worked at a time: their sums fit in the registers, and a column's lanes in a cache line. */
export const TILE = 16;

const CACHE_LINE = 64;

/** Vectors that are transposed at a time, and numbers of each. */
const LANES = 4;
const PIECE = 512;

/** Rows whose lanes are worked at a time. */
const ROWS = 64;

/** Vectors, each in a row: of some of the outputs where a row is longer. */
export interface Rows {
  /** f32[n][stride] */
  readonly values: Float32Array;
  readonly stride: number;
  /** The place in a row where the outputs begin. */
  readonly first: number;
}

export interface BenchOptions {
  /** f32[rows] */
  readonly bias?: Float32Array;
  readonly relu: boolean;
  readonly variant?: Variant;
}

/** A matrix with what it works on, in a runner of its own. */
export class Bench {
  readonly matrix: Matrix;
  readonly #runner: Runner;
  readonly #shape: Shape;
  readonly #bias: Ptr | undefined;
  readonly #relu: boolean;
  readonly #y: Ptr;
  /** A vector, at a cache line's beginning and the end of the memory: a batch's lanes grow where it stands. */
  readonly #x: Ptr;
  /** f32[LANES][PIECE] and f32[ROWS][TILE], made when the first batch comes. */
  #batch: { some: Ptr; y: Ptr } | undefined;

  /** @throws RangeError where the memory cannot grow so far */
  constructor({ bias, relu, variant }: BenchOptions, make: (runner: Runner) => Matrix) {
    this.#runner = newRunner({ variant });
    const { arena } = this.#runner;
    this.matrix = make(this.#runner);
    const { rows, columns } = this.matrix;
    this.#shape = { rows, columns };
    this.#relu = relu;
    this.#y = arena.alloc(4 * rows);
    if (bias !== undefined) {
      this.#bias = arena.alloc(4 * rows);
      arena.f32(this.#bias, rows).set(bias);
    }
    arena.alloc((CACHE_LINE - (arena.top % CACHE_LINE)) % CACHE_LINE);
    this.#x = arena.alloc(4 * columns);
  }

  /** Undefined of a dense matrix, which has none. */
  get order(): Order | undefined {
    return this.matrix instanceof SparseMatrix ? this.matrix.order : undefined;
  }

  /** Bytes of the kernels' memory. */
  get byteLength(): number {
    return this.#runner.arena.byteLength;
  }

  /** y = W x + b */
  vector(x: Float32Array, y: Float32Array): void {
    const { arena, exports } = this.#runner;
    const { rows, columns } = this.#shape;
    arena.f32(this.#x, columns).set(x);
    const before = arena.f32(this.#y, rows);
    if (this.#bias === undefined) before.fill(0);
    else before.set(arena.f32(this.#bias, rows));
    this.matrix.vector(this.#x, this.#y);
    if (this.#relu) exports.relu(this.#y, rows);
    // Another view: the memory may have grown.
    y.set(arena.f32(this.#y, rows));
  }

  /** At most TILE vectors, each a row of X. */
  lanes(X: Float32Array, n: number, Y: Rows): void {
    const { arena } = this.#runner;
    const { rows, columns } = this.#shape;
    const byteLength = 4 * TILE * columns;
    if (this.#batch === undefined) {
      arena.alloc(at(this.#x, byteLength) - arena.top);
      this.#batch = { some: arena.alloc(4 * LANES * PIECE), y: arena.alloc(4 * TILE * ROWS) };
    }
    const stride = 4 * TILE;
    this.#intoLanes(X, n, this.#batch.some);
    for (let first = 0; first < rows; first += ROWS) {
      const count = Math.min(ROWS, rows - first);
      const bias = this.#bias && at(this.#bias, 4 * first);
      this.matrix.lanes({ x: this.#x, stride, count: n, y: this.#batch.y, yStride: stride, bias, relu: this.#relu, first, rows: count });
      this.#outOfLanes(this.#batch, n, count, { ...Y, first: Y.first + first });
    }
  }

  #intoLanes(X: Float32Array, n: number, some: Ptr): void {
    const { arena, exports } = this.#runner;
    const { columns } = this.#shape;
    for (let vector = 0; vector < n; vector += LANES) {
      const end = Math.min(n, vector + LANES);
      for (let first = 0; first < columns; first += PIECE) {
        const length = Math.min(PIECE, columns - first);
        const piece = arena.f32(some, LANES * PIECE);
        for (let i = vector; i < end; i++) {
          const from = i * columns + first;
          piece.set(X.subarray(from, from + length), (i - vector) * PIECE);
        }
        // Lanes beyond the last vector hold another's numbers, and their products are not looked at.
        exports.transpose(some, 4 * PIECE, LANES, length, at(this.#x, 4 * (TILE * first + vector)), 4 * TILE);
      }
    }
  }

  #outOfLanes({ some, y }: { some: Ptr; y: Ptr }, n: number, rows: number, { values, stride, first }: Rows): void {
    const { arena, exports } = this.#runner;
    for (let vector = 0; vector < n; vector += LANES) {
      exports.transpose(at(y, 4 * vector), 4 * TILE, rows, LANES, some, 4 * rows);
      for (let i = vector; i < Math.min(n, vector + LANES); i++)
        values.set(arena.f32(at(some, 4 * (i - vector) * rows), rows), i * stride + first);
    }
  }
}
