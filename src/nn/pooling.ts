import type { Windows } from "../kernel-types.js";
import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { windowNumbers } from "../kernels/nn-images.js";
import { type Shape, windowsOf } from "../network/shapes.js";
import type { AveragePool2dSpec, MaxPool2dSpec } from "../network/spec.js";
import type { Layer } from "./layer.js";

export class MaxPool2d implements Layer {
  readonly parameters = [] as const;
  readonly #engine: Engine;
  readonly #windows: Windows;
  /** Where the largest were in the last forward pass. */
  #winners: Ptr;

  constructor(spec: MaxPool2dSpec, engine: Engine, shape: Shape) {
    this.#engine = engine;
    this.#windows = windowsOf(spec, shape);
    this.#winners = engine.arena.top as Ptr;
  }

  forward(inputs: Ptr, rows: number): Ptr {
    const { arena, exports } = this.#engine;
    const { channels, outHeight, outWidth } = this.#windows;
    const byteLength = 4 * rows * channels * outHeight * outWidth;
    const outputs = arena.alloc(byteLength);
    this.#winners = arena.alloc(byteLength);
    exports.maxPool(inputs, rows * channels, ...windowNumbers(this.#windows), outputs, this.#winners);
    return outputs;
  }

  backward(_inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr {
    if (!wanted) return gradient;
    const { channels, height, width, outHeight, outWidth } = this.#windows;
    const planes = rows * channels;
    const inputGradient = this.#engine.arena.alloc(4 * planes * height * width);
    this.#engine.exports.maxPoolGradient(gradient, this.#winners, planes, outHeight * outWidth, height * width, inputGradient);
    return inputGradient;
  }
}

export class AveragePool2d implements Layer {
  readonly parameters = [] as const;
  readonly #engine: Engine;
  readonly #windows: Windows;

  constructor(spec: AveragePool2dSpec, engine: Engine, shape: Shape) {
    this.#engine = engine;
    this.#windows = windowsOf(spec, shape);
  }

  forward(inputs: Ptr, rows: number): Ptr {
    const { channels, outHeight, outWidth } = this.#windows;
    const outputs = this.#engine.arena.alloc(4 * rows * channels * outHeight * outWidth);
    this.#engine.exports.averagePool(inputs, rows * channels, ...windowNumbers(this.#windows), outputs);
    return outputs;
  }

  backward(_inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr {
    if (!wanted) return gradient;
    const { channels, height, width } = this.#windows;
    const inputGradient = this.#engine.arena.alloc(4 * rows * channels * height * width);
    this.#engine.exports.averagePoolGradient(gradient, rows * channels, ...windowNumbers(this.#windows), inputGradient);
    return inputGradient;
  }
}
