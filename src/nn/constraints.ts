import { checkNumber } from "../check.js";
import type { Share } from "../codec/quantize.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Engine } from "../kernels/engine.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import type { Tensor } from "../types.js";
import { Constraint } from "./constraint.js";
import { constraintTensors, readConstraints } from "./constraint-tensors.js";
import type { Parameter } from "./layer.js";
import { type Mask, maskOf } from "./mask.js";
import type { Optimizer } from "./optimizer.js";
import { archivedCentroids, type Codebook, checkOrder, type SharedWeights, type ShareOptions, sharedOf } from "./shared.js";

/** What holds of the parameters of a network: the methods of `Sequential` say what these do. */
export class Constraints {
  readonly #engine: Engine;
  readonly #parameters: readonly Parameter[];
  readonly #optimizer: Optimizer;

  constructor(engine: Engine, parameters: readonly Parameter[], optimizer: Optimizer) {
    this.#engine = engine;
    this.#parameters = parameters;
    this.#optimizer = optimizer;
  }

  mask(name: string, mask: Mask): void {
    const parameter = this.#find(name);
    const kept = maskOf(this.#kernels, this.#values(parameter), mask);
    this.#of(parameter).prune(kept);
  }

  density(name: string): number {
    const { constraint, count } = this.#find(name);
    return (constraint?.survivors ?? count) / count;
  }

  share(name: string, how: Share | Codebook, { rate, reassign = false }: ShareOptions): void {
    const parameter = this.#find(name);
    if (rate !== undefined) checkNumber(rate, "rate", 0, Number.MAX_VALUE);
    if (typeof reassign !== "boolean") throw new TypeError("reassign must be true or false");
    if (reassign && rate !== undefined)
      throw new TypeError("rate must not stand beside reassign, with which no centroid has a learning rate");
    const values = this.#values(parameter);
    const shared = sharedOf(this.#kernels, values, how);
    if (reassign) checkOrder(shared.centroids);
    this.#of(parameter).share(shared, rate ?? 1, reassign ? values.map((value, i) => shared.mask[i] * value) : undefined);
  }

  codebook(name: string): SharedWeights | undefined {
    return this.#find(name).constraint?.shared;
  }

  finish(name?: string): void {
    const finished = name === undefined ? this.#parameters : [this.#find(name)];
    for (const { constraint } of finished) {
      const shared = constraint?.shared;
      if (shared) constraint!.move(archivedCentroids(this.#kernels, shared.centroids));
      else if (name !== undefined) throw new RangeError(`tensor ${JSON.stringify(name)} must be shared before it is finished`);
    }
  }

  tensors(): Tensor[] {
    return constraintTensors(this.#parameters);
  }

  load(tensors: readonly Tensor[]): void {
    const read = readConstraints(this.#parameters, tensors);
    for (const parameter of this.#parameters) {
      const found = read.get(parameter);
      if (!found) parameter.constraint?.free();
      else if (found.shared) this.#of(parameter).share(found.shared, found.rate, found.moving);
      else this.#of(parameter).prune(found.mask);
    }
  }

  get #kernels(): EncodeKernels {
    return engineKernels({ variant: this.#engine.variant });
  }

  #find(name: string): Parameter {
    const found = this.#parameters.find((parameter) => parameter.name === name);
    if (!found) throw new RangeError(`tensor ${JSON.stringify(name)} belongs to no layer`);
    return found;
  }

  #of(parameter: Parameter): Constraint {
    parameter.constraint ??= new Constraint(this.#engine, parameter, this.#optimizer);
    return parameter.constraint;
  }

  #values({ values, count }: Parameter): Float32Array {
    return this.#engine.arena.f32(values, count).slice();
  }
}
