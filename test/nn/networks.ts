import type { NetworkSpec, Samples, Tensor } from "../../src/nn/index.js";
import { Random } from "../random.js";

/** Two hidden layers of awkward widths. */
export const SMALL: NetworkSpec = {
  layers: [
    { type: "linear", name: "fc1", in: 7, out: 13 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 13, out: 9 },
    { type: "relu" },
    { type: "linear", name: "fc3", in: 9, out: 5 },
  ],
};

/** Samples of a spec's widths, without a rule behind them. */
export function noise(count: number, inputs: number, classes: number, seed = 1): Samples {
  const random = new Random(seed);
  return { inputs: random.weights(count * inputs, 1), labels: Uint8Array.from({ length: count }, () => random.below(classes)) };
}

/** The elements of an F32 tensor. */
export function floats(tensor: Tensor): Float32Array {
  return new Float32Array(tensor.data.slice().buffer);
}

/** The logits of one sample in float64, from elements by name of tensor. */
function logits64(spec: NetworkSpec, elements: ReadonlyMap<string, Float64Array>, input: ArrayLike<number>): number[] {
  let x = Array.from(input);
  for (const layer of spec.layers) {
    if (layer.type === "relu") {
      x = x.map((value) => Math.max(0, value));
      continue;
    }
    const weight = elements.get(`${layer.name}.weight`)!;
    const bias = elements.get(`${layer.name}.bias`);
    x = Array.from({ length: layer.out }, (_, row) =>
      x.reduce((sum, value, column) => sum + value * weight[row * layer.in + column], bias?.[row] ?? 0),
    );
  }
  return x;
}

/** The mean cross-entropy in float64. */
export function loss64(spec: NetworkSpec, elements: ReadonlyMap<string, Float64Array>, { inputs, labels }: Samples): number {
  const width = inputs.length / labels.length;
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const logits = logits64(spec, elements, inputs.subarray(i * width, (i + 1) * width));
    sum += Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0)) - logits[labels[i]];
  }
  return sum / labels.length;
}
