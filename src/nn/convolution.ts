import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { type ConvolutionPlan, convolveAt, inputGradientAt, padAt, planConvolution, weightGradientAt } from "../kernels/nn-convolution.js";
import { convolutionOf, type Shape, sizeOf } from "../network/shapes.js";
import type { Conv2dSpec } from "../network/spec.js";
import { createParameter, initialise, type Layer, type Parameter } from "./layer.js";

export class Conv2d implements Layer {
  readonly parameters: readonly Parameter[];
  readonly #engine: Engine;
  readonly #plan: ConvolutionPlan;
  readonly #inputs: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;
  /** The inputs of the last forward pass with their padding. */
  #padded: Ptr | undefined;

  constructor(spec: Conv2dSpec, engine: Engine, shape: Shape, random: () => number) {
    this.#engine = engine;
    const convolution = convolutionOf(spec, shape);
    this.#plan = planConvolution(engine.arena, convolution);
    this.#inputs = sizeOf(shape);
    const weightShape = [spec.out, spec.in / convolution.groups, ...convolution.kernel];
    this.#weight = createParameter(engine, `${spec.name}.weight`, weightShape);
    this.#bias = spec.bias === false ? undefined : createParameter(engine, `${spec.name}.bias`, [spec.out]);
    this.parameters = this.#bias === undefined ? [this.#weight] : [this.#weight, this.#bias];
    initialise(engine, this.#weight, this.#plan.taps, random);
  }

  forward(inputs: Ptr, rows: number): Ptr {
    const { shape, places } = this.#plan;
    const padded = padAt(this.#engine, this.#plan, inputs, rows);
    this.#padded = padded;
    const outputs = this.#engine.arena.alloc(4 * rows * shape.out * places);
    convolveAt(this.#engine, this.#plan, padded, this.#weight.values, this.#bias?.values, rows, outputs);
    return outputs;
  }

  backward(inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr {
    const { arena, exports } = this.#engine;
    const { shape, places } = this.#plan;
    weightGradientAt(this.#engine, this.#plan, this.#padded ?? inputs, gradient, rows, this.#weight.gradient);
    if (this.#bias !== undefined) exports.planeSums(gradient, rows, shape.out, places, this.#bias.gradient);
    if (!wanted) return gradient;
    const inputGradient = arena.alloc(4 * rows * this.#inputs);
    inputGradientAt(this.#engine, this.#plan, gradient, this.#weight.values, rows, inputGradient);
    return inputGradient;
  }
}
