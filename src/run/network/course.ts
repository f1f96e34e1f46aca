import type { Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import { TILE } from "../bench.js";
import type { Share } from "../share.js";

/** Steps that work one sample at a time, behind a linear layer unless they are the first. */
export interface Part {
  readonly linear?: Share;
  /** Where that layer reads and writes a sample. */
  readonly from?: Ptr;
  readonly to?: Ptr;
  /** Where the first of the steps finds its inputs. */
  readonly at: Ptr;
  readonly steps: (() => void)[];
}

/** The steps of a network, ready to run. */
export class Course {
  readonly #runner: Runner;
  readonly #parts: readonly Part[];
  readonly #outputs: Ptr;

  constructor(runner: Runner, parts: readonly Part[], outputs: Ptr) {
    this.#runner = runner;
    this.#parts = parts;
    this.#outputs = outputs;
  }

  /** Bytes of the kernels' memory, that of the linear layers among them. */
  get byteLength(): number {
    return this.#parts.reduce((sum, { linear }) => sum + (linear?.byteLength ?? 0), this.#runner.arena.byteLength);
  }

  /** The linear layers, in their order. */
  get linears(): readonly Share[] {
    return this.#parts.flatMap(({ linear }) => linear ?? []);
  }

  /** One sample: f32[inputs] to f32[outputs]. */
  one(x: Float32Array, y: Float32Array): void {
    const { arena } = this.#runner;
    const [{ at }] = this.#parts;
    arena.f32(at, x.length).set(x);
    for (const { linear, from, to, steps } of this.#parts) {
      if (linear !== undefined && from !== undefined && to !== undefined)
        linear.vector(arena.f32(from, linear.columns), arena.f32(to, linear.rows));
      for (const step of steps) step();
    }
    y.set(arena.f32(this.#outputs, y.length));
  }

  /** Several samples: f32[n][inputs] to f32[n][outputs], the linear layers as many at a time as lanes are worked. */
  many(X: Float32Array, n: number, Y: Float32Array): void {
    const [inputs, outputs] = [X.length / n, Y.length / n];
    for (let first = 0; first < n; first += TILE) {
      const count = Math.min(TILE, n - first);
      Y.set(this.#tile(X.subarray(first * inputs, (first + count) * inputs), count, outputs), first * outputs);
    }
  }

  #tile(X: Float32Array, count: number, outputs: number): Float32Array {
    const { arena } = this.#runner;
    let values = X;
    for (const [i, { linear, at, steps }] of this.#parts.entries()) {
      if (linear !== undefined) {
        const sums = new Float32Array(count * linear.rows);
        linear.vectors(values, count, { values: sums, stride: linear.rows, first: 0 });
        values = sums;
      }
      if (steps.length === 0) continue;
      const next = this.#parts[i + 1];
      const length = values.length / count;
      const left = next?.linear?.columns ?? outputs;
      const worked = new Float32Array(count * left);
      for (let sample = 0; sample < count; sample++) {
        arena.f32(at, length).set(values.subarray(sample * length, (sample + 1) * length));
        for (const step of steps) step();
        worked.set(arena.f32(next?.from ?? this.#outputs, left), sample * left);
      }
      values = worked;
    }
    return values;
  }
}
