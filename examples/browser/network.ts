import type { Tensor, TensorInfo } from "../../src/types.js";

// A network of linear layers with ReLU between them, as it comes out of an archive, in plain JavaScript.

/** Pixels along a side of what it reads. */
export const SIDE = 28;

const DIGITS = 10;

export interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** f32[outputs][inputs] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Places in `tensors` of each layer's weight and bias; undefined where they are no network that takes 28 x 28 pixels and tells ten digits apart. */
export function layersIn(tensors: readonly TensorInfo[]): { weight: number; bias: number }[] | undefined {
  const found: { weight: number; bias: number }[] = [];
  let width = SIDE * SIDE;
  for (const [weight, { name, dtype, shape }] of tensors.entries()) {
    if (shape.length === 1) continue;
    const bias = tensors.findIndex((other) => other.name === name.replace(/weight$/, "bias") && other.name !== name);
    const fits = dtype === "F32" && shape.length === 2 && shape[1] === width && bias >= 0;
    if (!fits || tensors[bias].dtype !== "F32" || tensors[bias].shape.join() !== String(shape[0])) return undefined;
    found.push({ weight, bias });
    width = shape[0];
  }
  return found.length > 0 && width === DIGITS ? found : undefined;
}

export function layerOf(weight: Tensor, bias: Tensor): Layer {
  const floats = ({ data }: Tensor): Float32Array => new Float32Array(data.slice().buffer);
  const [outputs, inputs] = weight.shape;
  return { name: weight.name.replace(/\.?weight$/, ""), inputs, outputs, weight: floats(weight), bias: floats(bias) };
}

/** How likely the image shows each digit. */
export function read(layers: readonly Layer[], image: Float32Array): Float32Array {
  let values = image;
  for (const [i, { inputs, outputs, weight, bias }] of layers.entries()) {
    const out = new Float32Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o];
      for (let at = o * inputs, k = 0; k < inputs; k++) sum += weight[at + k] * values[k];
      out[o] = i < layers.length - 1 ? Math.max(0, sum) : sum;
    }
    values = out;
  }
  const largest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const parts = values.map((value) => Math.exp(value - largest));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}

/** The most likely digit. */
export function best(likely: Float32Array): number {
  return likely.reduce((most, value, digit) => (value > likely[most] ? digit : most), 0);
}
