import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { multiplyAt } from "../kernels/nn.js";
import type { Constraint } from "./constraint.js";
import type { LayerSpec, LinearSpec } from "./spec.js";

/** A tensor that training changes. It stays in the network's memory, with its gradient and its velocity: f32[count] each. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly values: Ptr;
  readonly gradient: Ptr;
  readonly velocity: Ptr;
  /** Weight decay is for weights, not for biases. */
  readonly decays: boolean;
  /** By what the learning rate is multiplied; 1 unless given. */
  readonly rate?: number;
  /** What holds of it through training. */
  constraint?: Constraint;
}

/** A layer at work. What it allocates lies in the scope that its caller opened. */
export interface Layer {
  readonly parameters: readonly Parameter[];
  /** The outputs f32[rows][out] for inputs f32[rows][in], which it may overwrite. */
  forward(inputs: Ptr, rows: number): Ptr;
  /**
   * The gradients of the parameters, and of the inputs where they are `wanted`, from what `forward` took and gave and the gradient of the
   * latter, which it may overwrite. What is not wanted comes as any address.
   */
  backward(inputs: Ptr, outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr;
}

/** A parameter of zeros. */
export function newParameter(engine: Engine, name: string, shape: readonly number[], decays: boolean): Parameter {
  const count = shape.reduce((product, axis) => product * axis, 1);
  const [values, gradient, velocity] = [0, 0, 0].map(() => engine.arena.alloc(4 * count));
  for (const ptr of [values, gradient, velocity]) engine.arena.f32(ptr, count).fill(0);
  return { name, shape, count, values, gradient, velocity, decays };
}

class Linear implements Layer {
  readonly parameters: readonly Parameter[];
  readonly #engine: Engine;
  readonly #in: number;
  readonly #out: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;

  /** He's initialisation for ReLU: weights uniform within sqrt(6 / in), biases 0. A square root is all it takes, so all machines agree on it. */
  constructor(spec: LinearSpec, engine: Engine, random: () => number) {
    this.#engine = engine;
    this.#in = spec.in;
    this.#out = spec.out;
    this.#weight = newParameter(engine, `${spec.name}.weight`, [spec.out, spec.in], true);
    this.#bias = spec.bias === false ? undefined : newParameter(engine, `${spec.name}.bias`, [spec.out], false);
    this.parameters = this.#bias === undefined ? [this.#weight] : [this.#weight, this.#bias];
    const limit = Math.sqrt(6 / spec.in);
    const values = engine.arena.f32(this.#weight.values, this.#weight.count);
    for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * limit;
  }

  forward(inputs: Ptr, rows: number): Ptr {
    const engine = this.#engine;
    const outputs = engine.arena.alloc(4 * rows * this.#out);
    multiplyAt(engine, { m: rows, n: this.#out, k: this.#in, transposedB: true }, inputs, this.#weight.values, outputs);
    if (this.#bias !== undefined) engine.exports.addBias(outputs, this.#bias.values, rows, this.#out);
    return outputs;
  }

  backward(inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number, wanted: boolean): Ptr {
    const engine = this.#engine;
    multiplyAt(engine, { m: this.#out, n: this.#in, k: rows, transposedA: true }, gradient, inputs, this.#weight.gradient);
    if (this.#bias !== undefined) engine.exports.columnSums(gradient, rows, this.#out, this.#bias.gradient);
    if (!wanted) return gradient;
    const inputGradient = engine.arena.alloc(4 * rows * this.#in);
    multiplyAt(engine, { m: rows, n: this.#in, k: this.#out }, gradient, this.#weight.values, inputGradient);
    return inputGradient;
  }
}

class Relu implements Layer {
  readonly parameters: readonly Parameter[] = [];
  readonly #engine: Engine;
  readonly #width: number;

  constructor(engine: Engine, width: number) {
    this.#engine = engine;
    this.#width = width;
  }

  /** In place: no layer needs its own outputs for its gradient but ReLU, and the outputs of ReLU after it are the same. */
  forward(inputs: Ptr, rows: number): Ptr {
    this.#engine.exports.relu(inputs, rows * this.#width);
    return inputs;
  }

  backward(_inputs: Ptr, outputs: Ptr, gradient: Ptr, rows: number): Ptr {
    this.#engine.exports.reluGradient(outputs, gradient, rows * this.#width);
    return gradient;
  }
}

/** The layers of a network, their parameters initialised from `random` in order. `inputs` is the width of the first. */
export function createLayers(specs: readonly LayerSpec[], inputs: number, engine: Engine, random: () => number): Layer[] {
  let width = inputs;
  return specs.map((spec) => {
    if (spec.type === "relu") return new Relu(engine, width);
    width = spec.out;
    return new Linear(spec, engine, random);
  });
}
