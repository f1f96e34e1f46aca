import { patience, reached } from "../kernels/answers.js";
import { runnerModule } from "../kernels/runner.js";
import { chooseVariant } from "../kernels/variant.js";
import { type Rows, TILE } from "./bench.js";
import { ANSWERS, COUNT, END, FAILED, ONE, ORDERS, PAGE_BYTES, PAGES, TURN_MS } from "./crew-messages.js";
import type { Order, RowLines } from "./lines.js";
import type { Dense } from "./read.js";
import { Share, type ShareOptions } from "./share.js";
import { split } from "./split.js";
import { startThread, type Thread } from "./thread.js";

/** The rows of a layer, worked by several threads: the calling one has a share itself, and waits for the others without giving way to its event loop. */
export class Crew {
  readonly rows: number;
  readonly columns: number;
  readonly survivors: number;
  readonly #own: Share;
  readonly #others: readonly Thread[];
  readonly #control: Int32Array;
  /** Shared: f32[TILE][columns], f32[TILE][rows]. */
  readonly #x: Float32Array;
  readonly #y: Float32Array;
  #orders = 0;
  #fault: string | undefined;

  private constructor(own: Share, others: readonly Thread[], shared: Shared, survivors: number) {
    const { control, x, y } = shared;
    this.#own = own;
    this.#others = others;
    this.#control = control;
    this.#x = x;
    this.#y = y;
    this.rows = y.length / TILE;
    this.columns = own.columns;
    this.survivors = survivors;
    for (const other of others) {
      other.onEnd = (reason) => {
        this.#fault ??= `a thread of the layer has ended: ${reason}`;
      };
    }
  }

  /**
   * Cuts a matrix into shares, and starts a thread for each but the first.
   *
   * @returns undefined where a thread does not start
   * @throws RangeError where a memory cannot grow so far
   */
  static async start(matrix: RowLines | Dense, threads: number, options: ShareOptions): Promise<Crew | undefined> {
    const { rows, columns } = matrix;
    const variant = chooseVariant(options);
    const { first: own, others: parts } = split(matrix, threads, { layout: options.layout, variant });
    const shared: Shared = {
      control: new Int32Array(new SharedArrayBuffer(4 * (PAGES + parts.length))),
      x: new Float32Array(new SharedArrayBuffer(4 * TILE * columns)),
      y: new Float32Array(new SharedArrayBuffer(4 * TILE * rows)),
    };
    const { bias } = options;
    let first = own.rows;
    const others = parts.map((part, index) => {
      const { rows: count } = "dense" in part ? part : part[0];
      const biasHere = bias?.slice(first, first + count);
      const module = runnerModule(variant);
      const thread = startThread({ ...options, ...shared, module, variant, part, bias: biasHere, first, index, outputs: rows });
      first += count;
      return thread;
    });
    try {
      const share = new Share(own, { ...options, bias: bias?.slice(0, own.rows) });
      const ready = await Promise.all(others.map((other) => other.ready));
      let survivors = share.survivors;
      for (const message of ready) {
        if (message === undefined) {
          for (const other of others) other.end();
          return undefined;
        }
        if ("failure" in message) throw new RangeError(message.failure);
        survivors += message.survivors;
      }
      return new Crew(share, others, shared, survivors);
    } catch (error) {
      for (const other of others) other.end();
      throw error;
    }
  }

  get threads(): number {
    return 1 + this.#others.length;
  }

  /** All shares have the same: they are asked for the same. */
  get layout(): Order | "both" | "dense" {
    return this.#own.layout;
  }

  /** Bytes of all kernels' memory, and of what the threads share. */
  get byteLength(): number {
    const pages = this.#others.reduce((sum, _, index) => sum + Atomics.load(this.#control, PAGES + index), 0);
    return this.#own.byteLength + PAGE_BYTES * pages + this.#x.byteLength + this.#y.byteLength;
  }

  /** y = W x + b */
  vector(x: Float32Array, y: Float32Array): void {
    const { rows } = this.#own;
    this.#x.set(x);
    this.#order(ONE, () => this.#own.vector(x, y.subarray(0, rows)));
    y.set(this.#y.subarray(rows, this.rows), rows);
  }

  /** Y = X Wᵀ + b: `n` vectors, each a row. */
  vectors(X: Float32Array, n: number, { values, stride, first }: Rows): void {
    const { columns, rows } = this;
    const ownRows = this.#own.rows;
    for (let from = 0; from < n; from += TILE) {
      const count = Math.min(TILE, n - from);
      const some = X.subarray(from * columns, (from + count) * columns);
      const start = first + from * stride;
      this.#x.set(some);
      this.#order(count, () => this.#own.vectors(some, count, { values, stride, first: start }));
      for (let i = 0; i < count; i++) values.set(this.#y.subarray(i * rows + ownRows, (i + 1) * rows), start + i * stride + ownRows);
    }
  }

  /** Ends the other threads. */
  end(): void {
    for (const other of this.#others) other.onEnd = () => undefined;
    this.#give(END);
    for (const other of this.#others) other.end();
  }

  #give(count: number): void {
    Atomics.store(this.#control, COUNT, count);
    Atomics.add(this.#control, ORDERS, 1);
    Atomics.notify(this.#control, ORDERS);
  }

  /** Has all threads work what is ordered, `own` being this one's share. */
  #order(count: number, own: () => void): void {
    if (this.#fault !== undefined) throw new Error(this.#fault);
    this.#give(count);
    this.#orders++;
    const start = performance.now();
    try {
      own();
    } finally {
      const timeoutMs = patience(performance.now() - start);
      if (!reached(this.#control, ANSWERS, this.#orders * this.#others.length, timeoutMs, TURN_MS)) {
        this.#fault = "a thread of the layer does not answer";
        this.end();
      }
    }
    if (this.#fault !== undefined) throw new Error(this.#fault);
    if (Atomics.exchange(this.#control, FAILED, 0) !== 0) throw new RangeError("a thread of the layer has no memory for its share");
  }
}

interface Shared {
  readonly control: Int32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
}
