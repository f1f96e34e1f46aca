import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { multiplyAt } from "../kernels/nn.js";
import type { LinearSpec } from "../network/spec.js";
import { createParameter, initialise, type Layer, type Parameter } from "./layer.js";

export class Linear implements Layer {
  readonly parameters: readonly Parameter[];
  readonly #engine: Engine;
  readonly #in: number;
  readonly #out: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter | undefined;

  constructor(spec: LinearSpec, engine: Engine, random: () => number) {
    this.#engine = engine;
    this.#in = spec.in;
    this.#out = spec.out;
    this.#weight = createParameter(engine, `${spec.name}.weight`, [spec.out, spec.in]);
    this.#bias = spec.bias === false ? undefined : createParameter(engine, `${spec.name}.bias`, [spec.out]);
    this.parameters = this.#bias === undefined ? [this.#weight] : [this.#weight, this.#bias];
    initialise(engine, this.#weight, spec.in, random);
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
