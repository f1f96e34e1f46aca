import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import type { Parameter } from "./layer.js";

/**
 * Weights that move on behind the centroids that stand in their place: each by the gradient at its centroid (the straight-through estimator of Bengio, Léonard and Courville 2013). After each step a
 * weight takes the centroid that is nearest, and a centroid is the mean of the weights that took it.
 */
export class MovingWeights {
  readonly #engine: Engine;
  readonly #parameter: Parameter;
  /** f32[count], 0 for a pruned weight. */
  readonly #weights: Ptr;
  /** Where the survivors are. */
  readonly #survivors: Uint32Array;

  /** @param weights f32[count] in the engine's memory, which hold the weights as they are */
  constructor(engine: Engine, parameter: Parameter, weights: Ptr, mask: Uint8Array) {
    this.#engine = engine;
    this.#parameter = parameter;
    this.#weights = weights;
    this.#survivors = Uint32Array.from(mask.keys()).filter((i) => mask[i] !== 0);
  }

  /** A copy of the weights. */
  get weights(): Float32Array {
    return this.#engine.arena.f32(this.#weights, this.#parameter.count).slice();
  }

  /** What the optimizer is to move. */
  get parameter(): Parameter {
    return { ...this.#parameter, values: this.#weights };
  }

  /**
   * Gives each survivor its centroid.
   *
   * @param codes u8[count], which those of the survivors are written to
   * @param centroids f32[k], in ascending order, and so they stay. One that no weight takes stays as it is, and one whose mean is 0, which would prune.
   */
  settle(codes: Ptr, centroids: Ptr, k: number): void {
    const { arena } = this.#engine;
    const { values, count } = this.#parameter;
    const [weights, shown] = [arena.f32(this.#weights, count), arena.f32(values, count)];
    const [table, taken] = [arena.f32(centroids, k), arena.u8(codes, count)];
    const middles = Float64Array.from({ length: k - 1 }, (_, j) => (table[j] + table[j + 1]) / 2);
    const sums = new Float64Array(k);
    const counts = new Float64Array(k);
    for (const i of this.#survivors) {
      const weight = weights[i];
      let code = 0;
      while (code < middles.length && weight > middles[code]) code++;
      taken[i] = code;
      sums[code] += weight;
      counts[code]++;
    }
    for (let j = 0; j < k; j++) {
      const mean = Math.fround(sums[j] / counts[j]);
      if (counts[j] > 0 && mean !== 0) table[j] = mean;
    }
    for (const i of this.#survivors) shown[i] = table[taken[i]];
  }
}
