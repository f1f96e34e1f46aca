import type { Ptr } from "../kernels/arena.js";
import { lend } from "../kernels/encode-values.js";
import type { Engine } from "../kernels/engine.js";
import { type Shape, sizeOf } from "../network/shapes.js";
import type { BatchNormSpec } from "../network/spec.js";
import { createParameter, createValues, type Layer, type Parameter, type Pass, type Values } from "./layer.js";

export class BatchNorm implements Layer {
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Values[];
  readonly #engine: Engine;
  readonly #features: number;
  readonly #plane: number;
  readonly #epsilon: number;
  readonly #momentum: number;
  /** f64[features][2] of the last pass of training: mean and variance. */
  readonly #moments: Ptr;
  /** Elements of a feature in it. */
  #count = 0;

  constructor(spec: BatchNormSpec, engine: Engine, shape: Shape) {
    this.#engine = engine;
    this.#features = spec.features;
    this.#plane = sizeOf(shape) / spec.features;
    this.#epsilon = spec.epsilon ?? 1e-5;
    this.#momentum = spec.momentum ?? 0.1;
    this.#moments = engine.arena.alloc(16 * spec.features);
    this.parameters =
      spec.affine === false
        ? []
        : [
            createParameter(engine, `${spec.name}.weight`, [spec.features], 1),
            createParameter(engine, `${spec.name}.bias`, [spec.features], 0),
          ];
    this.statistics = [
      createValues(engine, `${spec.name}.running_mean`, [spec.features], 0),
      createValues(engine, `${spec.name}.running_var`, [spec.features], 1),
    ];
  }

  /** Not in place: the gradient needs the inputs. */
  forward(inputs: Ptr, rows: number, pass?: Pass): Ptr {
    const { arena, exports } = this.#engine;
    const outputs = arena.alloc(4 * rows * this.#features * this.#plane);
    if (pass !== undefined) {
      this.#count = rows * this.#plane;
      exports.batchMoments(inputs, rows, this.#features, this.#plane, this.#moments);
    }
    const by = new Float32Array(3 * this.#features);
    const [means, variances] = pass === undefined ? this.#running() : this.#batch();
    const [weights, biases] = this.parameters.map(({ values, count }) => arena.f32(values, count));
    for (let c = 0; c < this.#features; c++) {
      by[3 * c] = means(c);
      by[3 * c + 1] = (weights?.[c] ?? 1) / Math.sqrt(variances(c) + this.#epsilon);
      by[3 * c + 2] = biases?.[c] ?? 0;
    }
    exports.normalize(inputs, rows, this.#features, this.#plane, lend(arena, by), outputs);
    return outputs;
  }

  backward(inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr {
    const { arena, exports } = this.#engine;
    const sums = arena.alloc(16 * this.#features);
    exports.momentGradients(inputs, gradient, rows, this.#features, this.#plane, this.#moments, sums);
    const by = new Float32Array(4 * this.#features);
    const [means, variances] = this.#batch();
    const totals = arena.f64(sums, 2 * this.#features);
    const [weights] = this.parameters.map(({ values, count }) => arena.f32(values, count));
    const [weightGradient, biasGradient] = this.parameters.map((parameter) => arena.f32(parameter.gradient, parameter.count));
    for (let c = 0; c < this.#features; c++) {
      const inverse = 1 / Math.sqrt(variances(c) + this.#epsilon);
      const slope = (weights?.[c] ?? 1) * inverse;
      const [sum, product] = [totals[2 * c], totals[2 * c + 1]];
      if (weightGradient !== undefined) weightGradient[c] = product * inverse;
      if (biasGradient !== undefined) biasGradient[c] = sum;
      by.set([means(c), slope, (-slope * inverse * inverse * product) / this.#count, (-slope * sum) / this.#count], 4 * c);
    }
    if (wanted) exports.normalizeGradient(inputs, gradient, rows, this.#features, this.#plane, lend(arena, by));
    return gradient;
  }

  /** The running variance takes the unbiased one, as PyTorch's does; a single element has none. */
  settle(): void {
    const [means, variances] = this.#batch();
    const [mean, variance] = this.statistics.map(({ values, count }) => this.#engine.arena.f32(values, count));
    const unbiased = this.#count / Math.max(1, this.#count - 1);
    for (let c = 0; c < this.#features; c++) {
      mean[c] = (1 - this.#momentum) * mean[c] + this.#momentum * means(c);
      variance[c] = (1 - this.#momentum) * variance[c] + this.#momentum * unbiased * variances(c);
    }
  }

  #batch(): [mean: (c: number) => number, variance: (c: number) => number] {
    const moments = this.#engine.arena.f64(this.#moments, 2 * this.#features);
    return [(c) => moments[2 * c], (c) => moments[2 * c + 1]];
  }

  #running(): [mean: (c: number) => number, variance: (c: number) => number] {
    const [mean, variance] = this.statistics.map(({ values, count }) => this.#engine.arena.f32(values, count));
    return [(c) => mean[c], (c) => variance[c]];
  }
}
