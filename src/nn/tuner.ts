import { checkBytes, checkFloat32, checkInteger } from "../check.js";
import type { Share } from "../codec/quantize.js";
import { bytesOf } from "../kernels/encode-values.js";
import { type Engine, loadEngine, newEngine } from "../kernels/engine.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import { nnKernels } from "../kernels/nn.js";
import type { LoadOptions } from "../kernels/variant.js";
import { Constraint } from "./constraint.js";
import { createParameter, type Parameter } from "./layer.js";
import { type AdamOptions, checkStep, Optimizer, type SgdOptions, type StepOptions } from "./optimizer.js";
import { archivedCentroids, type Codebook, MOST_CENTROIDS, sharedOf } from "./shared.js";

// Masks and shared weights for gradients that come from elsewhere.

/**
 * Sets the gradients of pruned weights to 0, in place.
 *
 * @param mask 0 for a pruned weight
 * @throws TypeError or RangeError where the arrays are of another kind, or of different lengths
 */
export function maskGradient(outGradient: Float32Array, mask: Uint8Array): void {
  checkFloat32(outGradient, "outGradient");
  checkBytes(mask, "mask");
  if (mask.length !== outGradient.length) throw new RangeError(`mask must have ${outGradient.length} elements, got ${mask.length}`);
  nnKernels(loadEngine()).maskValues(outGradient, mask);
}

/**
 * The gradient of each of `centroids` centroids: the sum of the gradients of the weights that have its code (Deep Compression, equation 3), in float64, rounded at the end.
 *
 * @param centroids 1 to 256
 * @throws TypeError or RangeError where the arrays are of another kind, or of different lengths, or a code is not below `centroids`
 */
export function aggregateGradient(gradient: Float32Array, codes: Uint8Array, centroids: number): Float32Array {
  checkFloat32(gradient, "gradient");
  checkBytes(codes, "codes");
  checkInteger(centroids, "centroids", 1, MOST_CENTROIDS);
  if (codes.length !== gradient.length) throw new RangeError(`codes must have ${gradient.length} elements, got ${codes.length}`);
  const stray = codes.findIndex((code) => code >= centroids);
  if (stray >= 0) throw new RangeError(`codes[${stray}] must be below the ${centroids} centroids, got ${codes[stray]}`);
  return engineKernels().codebookGradient(gradient, codes, centroids);
}

/** How centroids follow their gradient. */
export type TunerStep = AdamOptions | (Pick<SgdOptions, "type" | "learningRate"> & Partial<Pick<SgdOptions, "momentum">>);

/** Of a tensor of up to 256 different values, as it comes out of an archive, every value is its own centroid. */
const DEFAULT_SHARE: Share = { centroids: MOST_CENTROIDS };

/**
 * Fine-tunes shared weights by gradients of any framework: it gives the weights, the framework the gradient by them, and `step` moves the centroids. Weights that
 * are 0 are pruned and stay 0. The weights live in a WebAssembly memory of their own.
 */
export class CodebookTuner {
  readonly #engine: Engine;
  readonly #weights: Parameter;
  readonly #constraint: Constraint;
  readonly #optimizer: Optimizer;

  /**
   * @param start weights to share, as `share` says, or weights that are shared
   * @param options.share the rule of a recipe; at most 256 centroids unless given
   * @throws TypeError or RangeError naming what is amiss; RangeError where weights are not finite
   */
  constructor(start: Float32Array | Codebook, options: LoadOptions & { readonly share?: Share } = {}) {
    const given = start instanceof Float32Array;
    if (!given) checkBytes(start?.codes, "codes");
    const values = given ? start : new Float32Array(start.codes.length);
    const shared = sharedOf(engineKernels(options), values, given ? (options.share ?? DEFAULT_SHARE) : start);
    this.#engine = newEngine(options);
    this.#weights = createParameter(this.#engine, "weights", [values.length]);
    this.#optimizer = new Optimizer(this.#engine, [this.#weights]);
    this.#constraint = new Constraint(this.#engine, this.#weights, this.#optimizer);
    this.#weights.constraint = this.#constraint;
    this.#constraint.share(shared, 1);
  }

  /** The number of each weight's centroid, copied; 0 for a pruned weight too. */
  get codes(): Uint8Array {
    return this.#constraint.shared!.codes;
  }

  /** A copy of the centroids. */
  get centroids(): Float32Array {
    return this.#constraint.shared!.centroids;
  }

  /** 0 for a pruned weight and 1 for any other, copied. */
  get mask(): Uint8Array {
    return this.#constraint.mask!;
  }

  /** A copy of the weights as they are now. */
  weights(): Float32Array {
    return this.#engine.arena.f32(this.#weights.values, this.#weights.count).slice();
  }

  /**
   * A step of gradient descent by the gradient of the loss by each weight; weight decay spares centroids. The momentum of SGD is 0 unless given.
   *
   * @throws TypeError or RangeError naming what is amiss
   */
  step(gradient: Float32Array, how: TunerStep): void {
    checkFloat32(gradient, "gradient");
    const step: StepOptions = how.type === "adam" ? how : { momentum: 0, weightDecay: 0, ...how };
    checkStep(step);
    const { gradient: at, count } = this.#weights;
    if (gradient.length !== count) throw new RangeError(`gradient must have ${count} elements, got ${gradient.length}`);
    this.#optimizer.prepare(step.type);
    this.#engine.arena.u8(at, 4 * count).set(bytesOf(gradient));
    this.#optimizer.step(step);
  }

  /** Rounds the centroids to float16 where that changes little, as an archive of float32 tensors holds them. */
  finish(): void {
    this.#constraint.move(archivedCentroids(engineKernels({ variant: this.#engine.variant }), this.centroids));
  }
}
