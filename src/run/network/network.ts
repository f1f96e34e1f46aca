import { checkInteger } from "../../check.js";
import { type Shape, sizeOf } from "../../network/shapes.js";
import type { LayerSpec } from "../../network/spec.js";
import type { Share } from "../share.js";
import { checkApart, checkVector } from "../vectors.js";
import type { Course } from "./course.js";

/** A layer as it runs; batch normalization and ReLU behind a layer that has weights are done with it. */
export interface NetworkLayer {
  readonly type: LayerSpec["type"];
  readonly name?: string;
  /** What goes out: [numbers], or [channels, height, width]. */
  readonly shape: readonly number[];
  /** Weights of the dense tensor, biases not counted, and those of them that are stored. */
  readonly weights: number;
  readonly survivors: number;
  /** How the weights stand in memory once they are loaded: survivors by "columns" or "rows", or "dense", all of them in float32; undefined of a layer without weights. */
  readonly layout?: Share["layout"];
}

export interface NetworkParts {
  readonly course: Course;
  readonly layers: readonly NetworkLayer[];
  readonly input: Shape;
  readonly output: Shape;
}

/**
 * A sequential network that runs from the sparse, shared form of its weights. All of it is in memories of its own, and goes with them. Calls are synchronous.
 */
export class Network {
  /** What a sample is: [numbers], or [channels, height, width]. */
  readonly inputShape: readonly number[];
  /** Numbers of a sample. */
  readonly inputs: number;
  /** Numbers that come out. */
  readonly outputs: number;
  readonly layers: readonly NetworkLayer[];
  #parts: NetworkParts | undefined;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
    this.inputShape = [...parts.input];
    this.inputs = sizeOf(parts.input);
    this.outputs = sizeOf(parts.output);
    this.layers = parts.layers;
  }

  /** Bytes of memory that the network has: weights, activations and the kernels' own. */
  get byteLength(): number {
    return this.#live().course.byteLength;
  }

  /**
   * The outputs of one sample.
   *
   * @param x f32[inputs]: images by channels, rows, columns
   * @param y f32[outputs]; a new array unless given
   * @returns y
   * @throws TypeError, RangeError naming the argument where it is no Float32Array, has another length or was detached, or where x and y share memory; nothing is written then
   */
  run(x: Float32Array, y: Float32Array = new Float32Array(this.outputs)): Float32Array {
    const parts = this.#live();
    checkVector(x, "x", this.inputs);
    checkVector(y, "y", this.outputs);
    checkApart(x, "x", y, "y");
    parts.course.one(x, y);
    return y;
  }

  /**
   * The outputs of `n` samples: convolutions one after the other, linear layers sixteen at a time where that is faster.
   *
   * @param X f32[n][inputs]
   * @param Y f32[n][outputs]; a new array unless given
   * @returns Y
   * @throws TypeError, RangeError naming the argument, as `run` does; TypeError where n is no integer
   */
  runBatch(X: Float32Array, n: number, Y?: Float32Array): Float32Array {
    const parts = this.#live();
    const { inputs, outputs } = this;
    checkInteger(n, "n", 0, Math.floor((2 ** 32 - 1) / Math.max(inputs, outputs)));
    checkVector(X, "X", n * inputs);
    const out = Y ?? new Float32Array(n * outputs);
    checkVector(out, "Y", n * outputs);
    checkApart(X, "X", out, "Y");
    if (n > 0) parts.course.many(X, n, out);
    return out;
  }

  /** Lets its memory go. Nothing can be asked of the network after it. */
  dispose(): void {
    this.#parts = undefined;
  }

  #live(): NetworkParts {
    if (this.#parts === undefined) throw new TypeError("the network was disposed");
    return this.#parts;
  }
}
