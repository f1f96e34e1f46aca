import { checkInteger } from "../check.js";
import type { Crew } from "./crew.js";
import type { Order } from "./lines.js";
import type { Share } from "./share.js";
import { checkApart, checkVector } from "./vectors.js";

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
  #share: Share | Crew | undefined;

  constructor(share: Share | Crew) {
    this.#share = share;
    this.inputs = share.columns;
    this.outputs = share.rows;
    this.weights = share.rows * share.columns;
    this.survivors = share.survivors;
  }

  /** Survivors of each weight. */
  get density(): number {
    return this.weights === 0 ? 0 : this.survivors / this.weights;
  }

  /** How the survivors stand in memory now; "dense" where all weights do, since there are more than 256 different ones and most of them survive. */
  get layout(): Order | "both" | "dense" {
    return this.#live().layout;
  }

  /** Threads that work, the calling one among them: as many as were asked for, or 1 where this runtime has no threads that share memory. */
  get threads(): number {
    const share = this.#live();
    return "threads" in share ? share.threads : 1;
  }

  /** Bytes of memory that the layer has now, all of its kernels' memory included, and what its threads share; what a thread takes of its own, some 15 MB in Node, is not in it. */
  get byteLength(): number {
    return this.#live().byteLength;
  }

  /**
   * y = W x + b. By columns, an input that is 0 costs nothing. Each output is its bias and then its products, by ascending inputs, each sum rounded to float32: unless a number is not finite the order does not show in it.
   *
   * @param x f32[inputs]
   * @param y f32[outputs]
   * @throws TypeError, RangeError naming the argument where it is no Float32Array, has another length or was detached, or where x and y share memory; nothing is written then
   */
  matvec(x: Float32Array, y: Float32Array): void {
    const share = this.#live();
    checkVector(x, "x", this.inputs);
    checkVector(y, "y", this.outputs);
    checkApart(x, "x", y, "y");
    share.vector(x, y);
  }

  /**
   * Y = X Wᵀ + b: `n` vectors, in the order that is faster by how many weights and inputs are 0. A layer whose layout is "auto" has one order at a time; where calls would be faster in the other it is laid out anew, which takes
   * about as long as loading it did, as soon as they have lost as much.
   *
   * @param X f32[n][inputs]
   * @param Y f32[n][outputs]
   * @throws TypeError, RangeError naming the argument, as `matvec` does; TypeError where n is no integer
   */
  matmul(X: Float32Array, n: number, Y: Float32Array): void {
    const share = this.#live();
    checkInteger(n, "n", 0, 2 ** 31 - 1);
    const { inputs, outputs } = this;
    checkVector(X, "X", n * inputs);
    checkVector(Y, "Y", n * outputs);
    checkApart(X, "X", Y, "Y");
    share.vectors(X, n, { values: Y, stride: outputs, first: 0 });
  }

  /** Lets its memory go, and ends its threads. Nothing can be asked of the layer after it. */
  dispose(): void {
    const share = this.#share;
    this.#share = undefined;
    if (share !== undefined && "threads" in share) share.end();
  }

  #live(): Share | Crew {
    if (this.#share === undefined) throw new TypeError("the layer was disposed");
    return this.#share;
  }
}
