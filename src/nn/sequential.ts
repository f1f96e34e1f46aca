import { checkFloat32, checkInteger, checkNumber } from "../check.js";
import type { Share } from "../codec/quantize.js";
import { seededRandom } from "../codec/random.js";
import type { SgdStep } from "../kernel-types.js";
import type { Ptr } from "../kernels/arena.js";
import { lend } from "../kernels/encode-values.js";
import { type Engine, newEngine } from "../kernels/engine.js";
import type { LoadOptions, Variant } from "../kernels/variant.js";
import type { Tensor } from "../types.js";
import { Constraints } from "./constraints.js";
import { createLayers, type Layer, type Parameter } from "./layers.js";
import type { Mask } from "./mask.js";
import type { Codebook, SharedWeights } from "./shared.js";
import { checkSpec, type LinearSpec, type NetworkSpec } from "./spec.js";

/** Samples with their classes. */
export interface Samples {
  /** f32[count][in], row-major. */
  readonly inputs: Float32Array;
  /** The class of each sample, an integer below the network's outputs. */
  readonly labels: ArrayLike<number>;
}

/** How a network begins. */
export interface NetworkOptions extends LoadOptions {
  /** Of the initial weights: a u32, 1 unless given. */
  readonly seed?: number;
}

/** How well a network does on samples. */
export interface Evaluation {
  /** Samples. */
  readonly count: number;
  /** Samples whose largest logit, the first of equals, is that of their class. */
  readonly correct: number;
  /** correct / count. */
  readonly accuracy: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
}

/** Samples that go through at a time where no gradient is taken: memory stays small, and matrices large enough to be fast. */
const EVALUATION_ROWS = 512;

/**
 * A feed-forward network whose weights live in a WebAssembly memory of its own. All arithmetic is float32 in a fixed order: the same seed,
 * samples and options give the same bits in every run and in both builds of the engine.
 */
export class Sequential {
  readonly spec: NetworkSpec;
  /** Numbers of a sample. */
  readonly inputs: number;
  /** Classes. */
  readonly outputs: number;
  readonly #engine: Engine;
  readonly #layers: readonly Layer[];
  readonly #parameters: readonly Parameter[];
  readonly #constraints: Constraints;

  /**
   * Weights start from He's uniform initialisation, biases from 0.
   *
   * @throws TypeError or RangeError naming the layer or option that is amiss
   */
  constructor(spec: NetworkSpec, options: NetworkOptions = {}) {
    checkSpec(spec);
    const seed = options.seed ?? 1;
    checkInteger(seed, "seed", 0, 2 ** 32 - 1);
    this.spec = structuredClone(spec);
    const linear = this.spec.layers.filter((layer): layer is LinearSpec => layer.type === "linear");
    this.inputs = linear[0].in;
    this.outputs = linear[linear.length - 1].out;
    this.#engine = newEngine(options);
    this.#layers = createLayers(this.spec.layers, this.inputs, this.#engine, seededRandom(seed));
    this.#parameters = this.#layers.flatMap(({ parameters }) => parameters);
    this.#constraints = new Constraints(this.#engine, this.#parameters);
  }

  /** The build of the engine that it runs on. */
  get variant(): Variant {
    return this.#engine.variant;
  }

  /** What the constructor takes, for JSON.stringify. */
  toJSON(): NetworkSpec {
    return this.spec;
  }

  /** A copy of the weights: F32, named `LAYER.weight` [out, in] and `LAYER.bias` [out], in the order of the layers. */
  tensors(): Tensor[] {
    return this.#parameters.map((parameter) => this.#tensor(parameter, parameter.values));
  }

  /**
   * Takes weights over, and forgets the velocities, masks and codebooks. Either all tensors are taken or none.
   *
   * @throws RangeError naming a tensor that is missing, stands twice, belongs to no layer, or has another dtype, shape or byte length
   */
  load(tensors: readonly Tensor[]): void {
    const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    if (given.size !== tensors.length) throw new RangeError("tensors must have names that stand once");
    const own = new Set(this.#parameters.map(({ name }) => name));
    for (const { name } of tensors) if (!own.has(name)) throw new RangeError(`tensor ${JSON.stringify(name)} belongs to no layer`);
    for (const { name, shape, count } of this.#parameters) {
      const tensor = given.get(name);
      if (tensor === undefined) throw new RangeError(`tensors must hold ${JSON.stringify(name)}`);
      if (tensor.dtype !== "F32" || tensor.shape.join() !== shape.join() || tensor.data.length !== 4 * count) {
        throw new RangeError(
          `tensor ${name} must be F32 [${shape}] in ${4 * count} bytes, got ${tensor.dtype} [${tensor.shape}] in ${tensor.data.length}`,
        );
      }
    }
    const { arena } = this.#engine;
    for (const { name, count, values, velocity, constraint } of this.#parameters) {
      constraint?.free();
      arena.u8(values, 4 * count).set(given.get(name)!.data);
      arena.f32(velocity, count).fill(0);
    }
  }

  /**
   * Prunes a tensor, named as in `tensors`: by a mask, or by the rule of a recipe. What is pruned becomes 0 and stays 0 through training. Another mask takes the place of the
   * one before: what it keeps anew goes on from 0. Weights that were shared are on their own again.
   *
   * @throws TypeError or RangeError naming what is amiss; RangeError where a rule has to weigh weights that are not finite
   */
  mask(name: string, mask: Mask): void {
    this.#constraints.mask(name, mask);
  }

  /** The part of a tensor's weights that its mask keeps: 1 where none is set. */
  density(name: string): number {
    return this.#constraints.density(name);
  }

  /**
   * Shares the weights of a tensor, those pruned that are 0: by the rule of a recipe, or as a codebook has it. Training then moves the centroids, by the sum of the gradients
   * of the weights that share them.
   *
   * @param options.rate by what the learning rate is multiplied for the centroids, 0 or more; 1 unless given
   * @throws TypeError or RangeError naming what is amiss; RangeError where weights are not finite
   */
  share(name: string, how: Share | Codebook, options: { readonly rate?: number } = {}): void {
    this.#constraints.share(name, how, options.rate);
  }

  /** The codebook of a tensor that is shared, copied; undefined where it is not. */
  codebook(name: string): SharedWeights | undefined {
    return this.#constraints.codebook(name);
  }

  /**
   * Ends the training of codebooks: rounds centroids to float16 where that changes little, as an archive holds them. The tensors of a network that was finished so come out of an
   * archive, by a recipe that says `keepShared`, bit for bit.
   *
   * @param name of one tensor; of all that are shared, unless given
   * @throws RangeError where that tensor is not shared
   */
  finish(name?: string): void {
    this.#constraints.finish(name);
  }

  /**
   * Masks and codebooks, for a checkpoint beside `tensors`: `NAME.mask` U8 in the shape of the tensor, and where it is shared `NAME.codes`, U8 like it, `NAME.centroids` F32
   * [centroids] and `NAME.rate` F64 [].
   */
  constraints(): Tensor[] {
    return this.#constraints.tensors();
  }

  /**
   * Takes masks and codebooks over, in place of all that were set; to go on from a checkpoint, after its weights. Either all tensors are taken or none.
   *
   * @throws RangeError naming a tensor that stands twice, is none that `constraints` gives, is missing beside another, or is malformed
   */
  loadConstraints(tensors: readonly Tensor[]): void {
    this.#constraints.load(tensors);
  }

  /**
   * The logits f32[count][outputs] of inputs f32[count][inputs].
   *
   * @throws TypeError or RangeError where `inputs` is not a whole number of samples
   */
  forward(inputs: Float32Array): Float32Array {
    const logits = new Float32Array(this.#count(inputs) * this.outputs);
    this.#inChunks(inputs, (row, rows, ptr) => {
      logits.set(this.#engine.arena.f32(ptr, rows * this.outputs), row * this.outputs);
    });
    return logits;
  }

  /** The classes u32[count] of inputs f32[count][inputs]: where the largest logit is, the first of equals. */
  predict(inputs: Float32Array): Uint32Array {
    const { arena, exports } = this.#engine;
    const classes = new Uint32Array(this.#count(inputs));
    this.#inChunks(inputs, (row, rows, logits) => {
      const out = arena.alloc(4 * rows);
      exports.argmax(logits, rows, this.outputs, out);
      classes.set(arena.u32(out, rows), row);
    });
    return classes;
  }

  /**
   * Accuracy and mean loss.
   *
   * @throws TypeError or RangeError where samples and labels do not meet or a label is none; RangeError naming the sample whose loss is not finite
   */
  evaluate(samples: Samples): Evaluation {
    const { arena, exports } = this.#engine;
    const labels = this.checkSamples(samples);
    let correct = 0;
    let loss = 0;
    this.#inChunks(samples.inputs, (row, rows, logits) => {
      const out = arena.alloc(4 * rows);
      exports.argmax(logits, rows, this.outputs, out);
      for (const [i, found] of arena.u32(out, rows).entries()) if (found === labels[row + i]) correct++;
      loss += this.#loss(logits, labels.subarray(row, row + rows), logits, (i) => row + i);
    });
    const count = labels.length;
    return { count, correct, accuracy: correct / count, loss: loss / count };
  }

  /**
   * One step of gradient descent on a batch; weight decay spares biases and centroids.
   *
   * @param indices the number by which an error names each sample; its place in the batch unless given
   * @returns the mean loss of the batch before the step, in nats
   * @throws as `evaluate` does, and where a number of `how` is out of range; the weights are then as they were
   */
  step(batch: Samples, how: SgdStep, indices?: ArrayLike<number>): number {
    checkNumber(how.learningRate, "learningRate", 0, Number.MAX_VALUE);
    checkNumber(how.momentum, "momentum", 0, 1);
    checkNumber(how.weightDecay, "weightDecay", 0, Number.MAX_VALUE);
    const loss = this.#backward(batch, indices);
    for (const parameter of this.#parameters) {
      const { values, gradient, velocity, count, decays, rate = 1 } = parameter.constraint?.before() ?? parameter;
      this.#engine.exports.sgdStep(values, gradient, velocity, count, rate * how.learningRate, how.momentum, decays ? how.weightDecay : 0);
      parameter.constraint?.after();
    }
    return loss;
  }

  /** The mean loss of a batch, and its gradient as tensors that are named and shaped as the weights. Throws as `evaluate` does. */
  gradients(batch: Samples): { loss: number; tensors: Tensor[] } {
    const loss = this.#backward(batch);
    return { loss, tensors: this.#parameters.map((parameter) => this.#tensor(parameter, parameter.gradient)) };
  }

  /**
   * The labels of samples that fit this network.
   *
   * @throws TypeError or RangeError where samples and labels do not meet, there are none, or a label is not a class, which it names
   */
  checkSamples({ inputs, labels }: Samples, indices?: ArrayLike<number>): Uint32Array {
    const count = this.#count(inputs);
    if (count === 0) throw new RangeError("inputs must hold a sample");
    if (labels.length !== count) throw new RangeError(`labels must be as many as the samples, ${count}, got ${labels.length}`);
    const classes = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      classes[i] = labels[i];
      // Only now the message: this runs once a sample and epoch.
      if (classes[i] !== labels[i] || classes[i] >= this.outputs)
        checkInteger(labels[i], `labels[${indices?.[i] ?? i}]`, 0, this.outputs - 1);
    }
    return classes;
  }

  #tensor({ name, shape, count }: Parameter, ptr: Ptr): Tensor {
    return { name, dtype: "F32", shape, data: this.#engine.arena.u8(ptr, 4 * count).slice() };
  }

  #count(inputs: Float32Array): number {
    checkFloat32(inputs, "inputs");
    if (inputs.length % this.inputs !== 0) {
      throw new RangeError(`inputs must be a multiple of ${this.inputs} numbers, as a sample has, got ${inputs.length}`);
    }
    return inputs.length / this.inputs;
  }

  /** Calls `body` with the logits of some rows at a time, within a scope. */
  #inChunks(inputs: Float32Array, body: (row: number, rows: number, logits: Ptr) => void): void {
    const { arena } = this.#engine;
    const count = this.#count(inputs);
    for (let row = 0; row < count; row += EVALUATION_ROWS) {
      const rows = Math.min(EVALUATION_ROWS, count - row);
      arena.scope(() => {
        let ptr = lend(arena, inputs.subarray(row * this.inputs, (row + rows) * this.inputs));
        for (const layer of this.#layers) ptr = layer.forward(ptr, rows);
        body(row, rows, ptr);
      });
    }
  }

  /** The sum of the losses, and in `gradient`, which may be `logits`, the gradient of their mean. */
  #loss(logits: Ptr, labels: Uint32Array, gradient: Ptr, nameOf: (i: number) => number): number {
    const { arena, exports } = this.#engine;
    const rows = labels.length;
    const losses = arena.alloc(4 * rows);
    exports.softmaxCrossEntropy(logits, lend(arena, labels), rows, this.outputs, gradient, losses);
    let sum = 0;
    for (const [i, loss] of arena.f32(losses, rows).entries()) {
      if (!Number.isFinite(loss)) {
        throw new RangeError(
          `the loss of sample ${nameOf(i)} is ${loss}: its inputs or the weights are not finite, or the learning rate is too high`,
        );
      }
      sum += loss;
    }
    return sum;
  }

  /** The mean loss; leaves the gradients beside the parameters. */
  #backward(batch: Samples, indices?: ArrayLike<number>): number {
    const { arena } = this.#engine;
    const labels = this.checkSamples(batch, indices);
    const rows = labels.length;
    return arena.scope(() => {
      const between = [lend(arena, batch.inputs)];
      for (const [i, layer] of this.#layers.entries()) between.push(layer.forward(between[i], rows));
      let gradient = arena.alloc(4 * rows * this.outputs);
      const loss = this.#loss(between[this.#layers.length], labels, gradient, (i) => indices?.[i] ?? i);
      for (let i = this.#layers.length - 1; i >= 0; i--) {
        gradient = this.#layers[i].backward(between[i], between[i + 1], gradient, rows, i > 0);
      }
      return loss / rows;
    });
  }
}
