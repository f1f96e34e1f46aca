import { checkFloat32, checkInteger, checkNumber } from "../check.js";
import type { Share } from "../codec/quantize.js";
import type { SoftTargets } from "../kernel-types.js";
import type { Ptr } from "../kernels/arena.js";
import type { LoadOptions, Variant } from "../kernels/variant.js";
import { checkSpec, type NetworkSpec } from "../network/spec.js";
import type { Tensor } from "../types.js";
import { Constraints } from "./constraints.js";
import { Crew } from "./crew.js";
import type { Values } from "./layer.js";
import type { Mask } from "./mask.js";
import { mix } from "./mix.js";
import { Network } from "./network.js";
import { checkStep, Optimizer, type StepOptions } from "./optimizer.js";
import type { Codebook, SharedWeights, ShareOptions } from "./shared.js";
import { bytesOfTensors } from "./tensors.js";

/** Samples with their classes. */
export interface Samples {
  /** f32[count][in], row-major. */
  readonly inputs: Float32Array;
  /** The class of each sample, an integer below the network's outputs. */
  readonly labels: ArrayLike<number>;
  /** What a teacher says of the samples, for training: cross-entropy with its softened classes is mixed into the loss (Hinton, Vinyals and Dean 2015). */
  readonly softTargets?: SoftTargets;
}

/** How a network begins. */
export interface NetworkOptions extends LoadOptions {
  /** Of the initial weights and of dropout: a u32, 1 unless given. */
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

/** More threads than any batch is worth. */
const MOST_THREADS = 64;

/** Samples that go through at a time where no gradient is taken: memory stays small, and matrices large enough to be fast. */
const EVALUATION_ROWS = 128;

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
  readonly #seed: number;
  readonly #network: Network;
  readonly #optimizer: Optimizer;
  readonly #constraints: Constraints;
  #crew: Crew | undefined;

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
    this.#seed = seed;
    this.#network = new Network(this.spec, seed, options);
    this.inputs = this.#network.inputs;
    this.outputs = this.#network.outputs;
    this.#optimizer = new Optimizer(this.#network.engine, this.#network.parameters);
    this.#constraints = new Constraints(this.#network.engine, this.#network.parameters, this.#optimizer);
  }

  /** The build of the engine that it runs on. */
  get variant(): Variant {
    return this.#network.engine.variant;
  }

  /** What the constructor takes, for JSON.stringify. */
  toJSON(): NetworkSpec {
    return this.spec;
  }

  /** A copy of the weights: F32, named as the layers' specs say, in their order. */
  tensors(): Tensor[] {
    return this.#network.values.map((values) => this.#tensor(values, values.values));
  }

  /**
   * Takes weights over, and forgets what the optimizer keeps, masks and codebooks. Either all tensors are taken or none.
   *
   * @throws RangeError naming a tensor that is missing, stands twice, belongs to no layer, or has another dtype, shape or byte length
   */
  load(tensors: readonly Tensor[]): void {
    const wanted = this.#network.values.map(({ name, shape, count }) => ({ name, dtype: "F32", shape, byteLength: 4 * count }) as const);
    const bytes = bytesOfTensors(tensors, wanted, "layer");
    for (const [i, { values, count }] of this.#network.values.entries()) this.#network.engine.arena.u8(values, 4 * count).set(bytes[i]);
    for (const { constraint } of this.#network.parameters) constraint?.free();
    this.#optimizer.reset();
  }

  /** Forgets what the optimizer keeps, and has it count its steps anew: for a phase of training in which Adam is to correct the bias of its means again, say once weights were shared. */
  resetOptimizer(): void {
    this.#optimizer.reset();
  }

  /**
   * A copy of what training needs beside the weights to go on with the same bits: `steps`, F64 [1], those done since weights were loaded or the optimizer changed, and F32, shaped as
   * the parameter, `PARAMETER.velocity` for SGD, or `PARAMETER.mean` and `PARAMETER.square` for Adam; of one that is shared, the first elements are
   * those of its centroids.
   */
  optimizerTensors(): Tensor[] {
    return this.#optimizer.tensors();
  }

  /**
   * Takes over what `optimizerTensors` gave; weights and constraints are loaded before it. Either all tensors are taken or none.
   *
   * @throws RangeError naming a tensor that is missing, stands twice, belongs to no parameter, or has another dtype, shape or byte length
   */
  loadOptimizer(tensors: readonly Tensor[]): void {
    this.#optimizer.load(tensors);
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
   * of the weights that share them; or, with `reassign`, the weights behind them.
   *
   * @throws TypeError or RangeError naming what is amiss; RangeError where weights are not finite
   */
  share(name: string, how: Share | Codebook, options: ShareOptions = {}): void {
    this.#constraints.share(name, how, options);
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
   * [centroids] and `NAME.rate` F64 []; `NAME.moving` F32, shaped as the tensor, where weights move behind their centroids.
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
      logits.set(this.#network.engine.arena.f32(ptr, rows * this.outputs), row * this.outputs);
    });
    return logits;
  }

  /** The classes u32[count] of inputs f32[count][inputs]: where the largest logit is, the first of equals. */
  predict(inputs: Float32Array): Uint32Array {
    const { arena, exports } = this.#network.engine;
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
    const { arena, exports } = this.#network.engine;
    const labels = this.checkSamples(samples);
    let correct = 0;
    let loss = 0;
    this.#inChunks(samples.inputs, (row, rows, logits) => {
      const out = arena.alloc(4 * rows);
      exports.argmax(logits, rows, this.outputs, out);
      for (const [i, found] of arena.u32(out, rows).entries()) if (found === labels[row + i]) correct++;
      loss += this.#network.loss(logits, logits, { labels: labels.subarray(row, row + rows), samples: rows, firstRow: row });
    });
    const count = labels.length;
    return { count, correct, accuracy: correct / count, loss: loss / count };
  }

  /**
   * One step of gradient descent on a batch; weight decay spares biases, centroids, and the weights of batch normalization.
   *
   * @param indices the number by which an error names each sample; its place in the batch unless given
   * @returns the mean loss of the batch before the step, in nats
   * @throws as `evaluate` does, and where a number of `how` or of the batch's soft targets is out of range; the weights are then as they were
   */
  step(batch: Samples, how: StepOptions, indices?: ArrayLike<number>): number {
    checkStep(how);
    this.#optimizer.prepare(how.type);
    const loss = this.#backward(batch, indices);
    for (const layer of this.#network.layers) layer.settle?.();
    this.#optimizer.step(how);
    return loss;
  }

  /** The mean loss of a batch in training, and its gradient as tensors that are named and shaped as the parameters. Throws as `step` does. */
  gradients(batch: Samples): { loss: number; tensors: Tensor[] } {
    const loss = this.#backward(batch);
    return { loss, tensors: this.#network.parameters.map((parameter) => this.#tensor(parameter, parameter.gradient)) };
  }

  /**
   * Divides batches among threads from now on, of which this is one; with 1 the others end. A gradient is the sum of the threads' gradients, in their order: the same bits in every run
   * with as many threads, for training and `gradients` alike. Batch normalization goes by each thread's own part of the batch, its running statistics by the first. In Node, and
   * wherever it has `node:worker_threads`.
   *
   * @throws TypeError or RangeError naming `threads`; Error where threads cannot be started
   */
  useThreads(threads: number): void {
    checkInteger(threads, "threads", 1, MOST_THREADS);
    this.#crew?.end();
    this.#crew = undefined;
    if (threads > 1) this.#crew = new Crew(this.#network, this.spec, threads);
  }

  /**
   * The labels of samples that fit this network.
   *
   * @throws TypeError or RangeError where samples, labels and soft targets do not meet, there are none, or a label is not a class, which it names
   */
  checkSamples({ inputs, labels, softTargets }: Samples, indices?: ArrayLike<number>): Uint32Array {
    const count = this.#count(inputs);
    if (count === 0) throw new RangeError("inputs must hold a sample");
    if (labels.length !== count) throw new RangeError(`labels must be as many as the samples, ${count}, got ${labels.length}`);
    if (softTargets !== undefined) this.#checkSoftTargets(softTargets, count);
    const classes = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      classes[i] = labels[i];
      // Only now the message: this runs once a sample and epoch.
      if (classes[i] !== labels[i] || classes[i] >= this.outputs)
        checkInteger(labels[i], `labels[${indices?.[i] ?? i}]`, 0, this.outputs - 1);
    }
    return classes;
  }

  #tensor({ name, shape, count }: Values, ptr: Ptr): Tensor {
    return { name, dtype: "F32", shape, data: this.#network.engine.arena.u8(ptr, 4 * count).slice() };
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
    const { arena } = this.#network.engine;
    const count = this.#count(inputs);
    for (let row = 0; row < count; row += EVALUATION_ROWS) {
      const rows = Math.min(EVALUATION_ROWS, count - row);
      arena.scope(() => {
        body(row, rows, this.#network.forward(inputs.subarray(row * this.inputs, (row + rows) * this.inputs)));
      });
    }
  }

  #checkSoftTargets({ logits, temperature, weight }: SoftTargets, rows: number): void {
    checkFloat32(logits, "softTargets.logits");
    if (logits.length !== rows * this.outputs) {
      throw new RangeError(`softTargets.logits must be ${rows} times ${this.outputs}, got ${logits.length}`);
    }
    checkNumber(temperature, "softTargets.temperature", 2 ** -20, 2 ** 20);
    checkNumber(weight, "softTargets.weight", 0, 1);
  }

  /** The mean loss; leaves the gradients beside the parameters. */
  #backward(batch: Samples, indices?: ArrayLike<number>): number {
    const labels = this.checkSamples(batch, indices);
    const key = mix(this.#seed, this.#optimizer.steps);
    const share = { ...batch, labels, samples: labels.length, firstRow: 0, key, indices };
    return (this.#crew === undefined ? this.#network.backward(share) : this.#crew.backward(share)) / labels.length;
  }
}
