import { seededRandom } from "../codec/random.js";
import type { SoftTargets } from "../kernel-types.js";
import type { Ptr } from "../kernels/arena.js";
import { lend } from "../kernels/encode-values.js";
import { type Engine, newEngine } from "../kernels/engine.js";
import type { LoadOptions } from "../kernels/variant.js";
import { checkRoom, shapesOf, sizeOf } from "../network/shapes.js";
import type { NetworkSpec } from "../network/spec.js";
import type { Layer, Parameter, Values } from "./layer.js";
import { createLayers } from "./layers.js";

/** The samples of a batch that one thread takes. */
export interface Share {
  readonly inputs: Float32Array;
  /** Classes of the network. */
  readonly labels: Uint32Array;
  readonly softTargets?: SoftTargets;
  /** Samples of the whole batch: the gradient is that of their mean loss. */
  readonly samples: number;
  /** The place of its first sample in the batch. */
  readonly firstRow: number;
  /** u32: what is left to chance in this step depends on it. */
  readonly key: number;
  /** The numbers by which errors name the samples of the batch; their places unless given. */
  readonly indices?: ArrayLike<number>;
}

/** A network at work in the memory of an engine of its own. Nothing that it is given is checked here. */
export class Network {
  readonly engine: Engine;
  /** Numbers of a sample. */
  readonly inputs: number;
  /** Classes. */
  readonly outputs: number;
  readonly layers: readonly Layer[];
  readonly parameters: readonly Parameter[];
  /** All tensors, in the order of the layers. */
  readonly values: readonly Values[];

  constructor(spec: NetworkSpec, seed: number, options: LoadOptions) {
    const shapes = shapesOf(spec);
    checkRoom(spec);
    this.inputs = sizeOf(shapes[0]);
    this.outputs = sizeOf(shapes[shapes.length - 1]);
    this.engine = newEngine(options);
    this.layers = createLayers(spec.layers, shapes, this.engine, seededRandom(seed));
    this.parameters = this.layers.flatMap(({ parameters }) => parameters);
    this.values = this.layers.flatMap(({ parameters, statistics = [] }) => [...parameters, ...statistics]);
  }

  /** The logits of some samples, in the scope that its caller opened. */
  forward(inputs: Float32Array): Ptr {
    let ptr = lend(this.engine.arena, inputs);
    for (const layer of this.layers) ptr = layer.forward(ptr, inputs.length / this.inputs);
    return ptr;
  }

  /**
   * The sum of the losses, and in `gradient`, which may be `logits` where there is no teacher, the gradient of their share of the batch's mean.
   *
   * @throws RangeError naming the first sample whose loss is not finite
   */
  loss(logits: Ptr, gradient: Ptr, { labels, softTargets, samples, firstRow, indices }: Omit<Share, "inputs" | "key">): number {
    const { arena, exports } = this.engine;
    const rows = labels.length;
    const losses = arena.alloc(4 * rows);
    exports.softmaxCrossEntropy(logits, lend(arena, labels), rows, this.outputs, samples, gradient, losses);
    if (softTargets !== undefined) {
      const { temperature, weight } = softTargets;
      const teacher = lend(arena, softTargets.logits);
      const scratch = arena.alloc(16 * this.outputs);
      exports.mixSoftTargets(logits, teacher, rows, this.outputs, samples, temperature, weight, gradient, losses, scratch);
    }
    let sum = 0;
    for (const [i, loss] of arena.f32(losses, rows).entries()) {
      if (!Number.isFinite(loss)) {
        const name = indices?.[firstRow + i] ?? firstRow + i;
        throw new RangeError(
          `the loss of sample ${name} is ${loss}: its inputs or the weights are not finite, or the learning rate is too high`,
        );
      }
      sum += loss;
    }
    return sum;
  }

  /** The sum of a share's losses in training; leaves the gradients beside the parameters. Throws as `loss` does. */
  backward(share: Share): number {
    const { arena } = this.engine;
    const rows = share.labels.length;
    const first = this.layers.findIndex(({ parameters }) => parameters.length > 0);
    return arena.scope(() => {
      const between = [lend(arena, share.inputs)];
      for (const [i, layer] of this.layers.entries()) between.push(layer.forward(between[i], rows, share));
      let gradient = arena.alloc(4 * rows * this.outputs);
      const loss = this.loss(between[this.layers.length], gradient, share);
      for (let i = this.layers.length - 1; i >= first && first >= 0; i--) {
        gradient = this.layers[i].backward(between[i], between[i + 1], gradient, rows, i > first);
      }
      return loss;
    });
  }
}
