import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { createParameter, type Parameter } from "./layer.js";
import { type MovingRoom, MovingWeights } from "./moving.js";
import type { Optimizer } from "./optimizer.js";
import { MOST_CENTROIDS, type SharedWeights } from "./shared.js";

/**
 * What holds of a parameter through training. Pruned weights stay 0: so do their gradients, and what the optimizer keeps of them. Shared weights stay alike: the optimizer moves
 * their centroids in their stead, each by the sum of the gradients of its weights (Deep Compression, equation 3), or the weights behind them.
 *
 * Lives in the memory of its parameter, and gives none of it back: a parameter has one for good, which may constrain nothing.
 */
export class Constraint {
  readonly #engine: Engine;
  readonly #parameter: Parameter;
  readonly #optimizer: Optimizer;
  /** u8[count], 0 for a pruned weight. */
  readonly #mask: Ptr;
  #masked = false;
  /** u8[count], anything below the number of centroids for pruned weights, and room for the most centroids, once the parameter was shared. */
  #codes: Ptr | undefined;
  #room: Parameter | undefined;
  /** The centroids, while it is shared. */
  #centroids: Parameter | undefined;
  /** Room for weights that move behind their centroids, once there were some. */
  #behind: MovingRoom | undefined;
  #moving: MovingWeights | undefined;

  /** Allocates: not within a scope of the arena. */
  constructor(engine: Engine, parameter: Parameter, optimizer: Optimizer) {
    this.#engine = engine;
    this.#parameter = parameter;
    this.#optimizer = optimizer;
    this.#mask = engine.arena.alloc(parameter.count);
  }

  /** A copy of the mask; undefined where none is set. */
  get mask(): Uint8Array | undefined {
    return this.#masked ? this.#engine.arena.u8(this.#mask, this.#parameter.count).slice() : undefined;
  }

  /** The weights that are kept; all, where no mask is set. */
  get survivors(): number {
    const { count } = this.#parameter;
    return this.#masked ? this.#engine.arena.u8(this.#mask, count).reduce((sum, kept) => sum + kept, 0) : count;
  }

  /** Copies of codes, 0 for pruned weights, centroids and mask; undefined where the weights are not shared. */
  get shared(): SharedWeights | undefined {
    if (!this.#centroids) return undefined;
    const { arena } = this.#engine;
    const { count, values } = this.#centroids;
    const mask = this.mask!;
    const codes = arena.u8(this.#codes!, mask.length).map((code, i) => (mask[i] === 0 ? 0 : code));
    return { codes, centroids: arena.f32(values, count).slice(), mask };
  }

  /** By what the learning rate is multiplied for the centroids. */
  get rate(): number {
    return this.#centroids?.rate ?? 1;
  }

  /** Of weights that move behind their centroids, a copy; undefined where it is the centroids that move. */
  get moving(): Float32Array | undefined {
    return this.#moving?.weights;
  }

  /** Nothing is pruned or shared any more; the weights stay as they are. */
  free(): void {
    if (this.#centroids) this.#optimizer.forget(this.#parameter);
    this.#masked = false;
    this.#centroids = undefined;
    this.#moving = undefined;
  }

  /** Prunes what `mask` has 0 for, and frees the rest, of which the optimizer keeps nothing where it was pruned or shared before. */
  prune(mask: Uint8Array): void {
    const { arena, exports } = this.#engine;
    const { values, count } = this.#parameter;
    this.free();
    arena.u8(this.#mask, count).set(mask);
    this.#masked = true;
    exports.maskValues(values, this.#mask, count);
    this.#optimizer.forget(this.#parameter, this.#mask);
  }

  /**
   * Prunes and shares. Allocates: not within a scope of the arena.
   *
   * @param moving weights that are to move behind their centroids, which then never descend; 0 for a pruned one
   */
  share({ codes, centroids, mask }: SharedWeights, rate: number, moving?: Float32Array): void {
    const { arena } = this.#engine;
    const { name, count } = this.#parameter;
    this.prune(mask);
    this.#codes ??= arena.alloc(count);
    this.#room ??= createParameter(this.#engine, `${name}.centroids`, [MOST_CENTROIDS]);
    // The gradient of a pruned weight adds 0 to any sum: dealt over all of them, no addition waits for the one before.
    arena.u8(this.#codes, count).set(codes.map((code, i) => (mask[i] === 0 ? i % centroids.length : code)));
    this.#optimizer.forget(this.#parameter);
    this.#centroids = { ...this.#room, shape: [centroids.length], count: centroids.length, rate };
    this.move(centroids);
    if (moving === undefined || centroids.length === 0) return;
    this.#behind ??= { weights: arena.alloc(4 * count), survivors: arena.alloc(4 * count) };
    this.#moving = new MovingWeights(this.#engine, this.#parameter, this.#behind, moving, mask);
  }

  /** Gives the weights other centroids, as many as before. */
  move(centroids: Float32Array): void {
    this.#engine.arena.f32(this.#centroids!.values, centroids.length).set(centroids);
    this.#spread();
  }

  /** What the optimizer is to update with the gradient that the parameter has now: the parameter itself, its centroids, or the weights behind them. */
  before(): Parameter {
    const { arena, exports } = this.#engine;
    const { gradient, count } = this.#parameter;
    if (this.#masked) exports.maskValues(gradient, this.#mask, count);
    const centroids = this.#centroids;
    if (!centroids) return this.#parameter;
    if (this.#moving) return this.#moving.parameter;
    arena.scope(() => {
      const sums = arena.alloc(8 * MOST_CENTROIDS);
      exports.codebookGradient(gradient, this.#codes!, count, centroids.count, sums, centroids.gradient);
    });
    return centroids;
  }

  /** After the update. A pruned weight whose gradient and velocity are 0 was left at 0 by it. */
  after(): void {
    if (!this.#centroids) return;
    if (this.#moving) this.#moving.settle(this.#codes!, this.#centroids.values, this.#centroids.count);
    else this.#spread();
  }

  /** Gives the weights the centroids of their codes. */
  #spread(): void {
    const { values, count } = this.#parameter;
    this.#engine.exports.spreadCentroids(this.#codes!, this.#mask, count, this.#centroids!.values, values);
  }
}
