import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { SETTLE_SCRATCH_BYTES } from "../kernels/nn.js";
import type { Parameter } from "./layer.js";

/** Room in the engine's memory for what moves behind centroids. */
export interface MovingRoom {
  /** f32[count], 0 for a pruned weight. */
  readonly weights: Ptr;
  /** u32[count], where the survivors are. */
  readonly survivors: Ptr;
}

/**
 * Weights that move on behind the centroids that stand in their place: each by the gradient at its centroid (the straight-through estimator of Bengio, Léonard and Courville 2013). After each step a
 * weight takes the centroid that is nearest, and a centroid is the mean of the weights that took it.
 */
export class MovingWeights {
  readonly #engine: Engine;
  readonly #parameter: Parameter;
  readonly #room: MovingRoom;
  readonly #survivors: number;

  /** @param weights as they are, 0 for a pruned one */
  constructor(engine: Engine, parameter: Parameter, room: MovingRoom, weights: Float32Array, mask: Uint8Array) {
    const survivors = Uint32Array.from(mask.keys()).filter((i) => mask[i] !== 0);
    this.#engine = engine;
    this.#parameter = parameter;
    this.#room = room;
    this.#survivors = survivors.length;
    engine.arena.f32(room.weights, weights.length).set(weights);
    engine.arena.u32(room.survivors, survivors.length).set(survivors);
  }

  /** A copy of the weights. */
  get weights(): Float32Array {
    return this.#engine.arena.f32(this.#room.weights, this.#parameter.count).slice();
  }

  /** What the optimizer is to move. */
  get parameter(): Parameter {
    return { ...this.#parameter, values: this.#room.weights };
  }

  /**
   * Gives each survivor its centroid.
   *
   * @param codes u8[count], which those of the survivors are written to
   * @param centroids f32[k], which never descend, and so it stays: two may be alike, of which the lower takes weights up to it and the upper those above. One that no weight takes stays as it is, and one whose mean is 0, which would prune.
   */
  settle(codes: Ptr, centroids: Ptr, k: number): void {
    const { arena, exports } = this.#engine;
    const { weights, survivors } = this.#room;
    arena.scope(() => {
      const scratch = arena.alloc(SETTLE_SCRATCH_BYTES);
      exports.settleWeights(weights, survivors, this.#survivors, centroids, k, scratch, codes, this.#parameter.values);
    });
  }
}
