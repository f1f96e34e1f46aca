import { shapesOf } from "../../src/network/shapes.js";
import type { LayerSpec, NetworkSpec } from "../../src/run/index.js";
import type { TensorInfo } from "../../src/types.js";

// The network that an archive most likely holds, by the shapes of its tensors alone.

/** Pixels along a side of what it reads. */
export const SIDE = 28;

const DIGITS = 10;

/** What the page needs to read digits: the archive, and the network that is in it. */
export interface Reader {
  readonly archive: Uint8Array;
  readonly spec: NetworkSpec;
}

/** A layer of weights, where they have a bias beside them. */
function layerOf({ name, dtype, shape }: TensorInfo, tensors: readonly TensorInfo[]): LayerSpec | undefined {
  const layer = name.replace(/\.weight$/, "");
  const bias = tensors.find((other) => other.name === `${layer}.bias`);
  if (layer === name || dtype !== "F32" || bias?.dtype !== "F32" || bias.shape.join() !== String(shape[0])) return undefined;
  const [out, inputs, ...kernel] = shape;
  if (kernel.length === 0) return { type: "linear", name: layer, in: inputs, out };
  if (kernel.length !== 2) return undefined;
  return { type: "conv2d", name: layer, in: inputs, out, kernel: [kernel[0], kernel[1]] };
}

/**
 * LeNets: convolutions, each with pooling of 2 x 2 behind it, and linear layers with ReLU between them. Undefined where the tensors are no such network that takes 28 x 28 pixels and tells ten digits apart.
 */
export function specOf(tensors: readonly TensorInfo[]): NetworkSpec | undefined {
  const layers: LayerSpec[] = [];
  let flat = false;
  for (const tensor of tensors) {
    if (tensor.shape.length === 1) continue;
    const layer = layerOf(tensor, tensors);
    if (layer === undefined || (flat && layer.type === "conv2d")) return undefined;
    if (layer.type === "conv2d") layers.push(layer, { type: "maxpool2d", kernel: 2, ceil: true });
    else layers.push({ type: flat ? "relu" : "flatten" }, layer);
    flat = layer.type === "linear";
  }
  const spec: NetworkSpec = { input: [1, SIDE, SIDE], layers };
  try {
    const shapes = shapesOf(spec);
    return flat && shapes[shapes.length - 1][0] === DIGITS ? spec : undefined;
  } catch {
    // Layers that do not meet.
    return undefined;
  }
}

/** The most likely digit. */
export function best(likely: Float32Array): number {
  return likely.reduce((most, value, digit) => (value > likely[most] ? digit : most), 0);
}
