import type { Ptr } from "../kernels/arena.js";
import type { Engine } from "../kernels/engine.js";
import { onlyRuns, type Shape, sizeOf } from "../network/shapes.js";
import type { LayerSpec } from "../network/spec.js";
import { Conv2d } from "./convolution.js";
import type { Layer, Pass } from "./layer.js";
import { Linear } from "./linear.js";
import { mix } from "./mix.js";
import { BatchNorm } from "./normalization.js";
import { AveragePool2d, MaxPool2d } from "./pooling.js";

class Relu implements Layer {
  readonly parameters = [] as const;
  readonly #engine: Engine;
  readonly #width: number;

  constructor(engine: Engine, width: number) {
    this.#engine = engine;
    this.#width = width;
  }

  /** In place: no layer needs its own outputs for its gradient but ReLU, which only asks where they are above 0, and no layer after it makes them so or ceases to. */
  forward(inputs: Ptr, rows: number): Ptr {
    this.#engine.exports.relu(inputs, rows * this.#width);
    return inputs;
  }

  backward(_inputs: Ptr, outputs: Ptr, gradient: Ptr, rows: number): Ptr {
    this.#engine.exports.reluGradient(outputs, gradient, rows * this.#width);
    return gradient;
  }
}

class Dropout implements Layer {
  readonly parameters = [] as const;
  readonly #engine: Engine;
  readonly #width: number;
  readonly #rate: number;
  readonly #place: number;
  #key = 0;

  /** `place` tells the layers of a network apart. */
  constructor(engine: Engine, width: number, rate: number, place: number) {
    this.#engine = engine;
    this.#width = width;
    this.#rate = rate;
    this.#place = place;
  }

  /** In place, like ReLU: an element that it drops has no gradient any more, and no other changes its sign. */
  forward(inputs: Ptr, rows: number, pass?: Pass): Ptr {
    if (pass === undefined) return inputs;
    // As if the whole batch passed.
    this.#key = (mix(pass.key, this.#place) + pass.firstRow * this.#width) % 2 ** 32;
    this.#drop(inputs, rows);
    return inputs;
  }

  backward(_inputs: Ptr, _outputs: Ptr, gradient: Ptr, rows: number): Ptr {
    this.#drop(gradient, rows);
    return gradient;
  }

  #drop(values: Ptr, rows: number): void {
    this.#engine.exports.dropout(values, rows * this.#width, this.#key, Math.floor(this.#rate * 2 ** 32), 1 / (1 - this.#rate));
  }
}

/** The bytes of images are in the order of the flat numbers. */
class Flatten implements Layer {
  readonly parameters = [] as const;

  forward(inputs: Ptr): Ptr {
    return inputs;
  }

  backward(_inputs: Ptr, _outputs: Ptr, gradient: Ptr): Ptr {
    return gradient;
  }
}

function createLayer(spec: LayerSpec, place: number, shape: Shape, engine: Engine, random: () => number): Layer {
  switch (spec.type) {
    case "linear":
      return new Linear(spec, engine, random);
    case "conv2d":
      return new Conv2d(spec, engine, shape, random);
    case "maxpool2d":
      return new MaxPool2d(spec, engine, shape);
    case "averagepool2d":
      return new AveragePool2d(spec, engine, shape);
    case "batchnorm":
      return new BatchNorm(spec, engine, shape);
    case "relu":
      return new Relu(engine, sizeOf(shape));
    case "flatten":
      return new Flatten();
    case "dropout":
      return new Dropout(engine, sizeOf(shape), spec.rate, place);
    case "localresponsenorm":
      throw onlyRuns(spec, place);
  }
}

/** The layers of a network, their parameters initialised from `random` in order; `shapes` is what comes to each. */
export function createLayers(specs: readonly LayerSpec[], shapes: readonly Shape[], engine: Engine, random: () => number): Layer[] {
  return specs.map((spec, i) => createLayer(spec, i, shapes[i], engine, random));
}
