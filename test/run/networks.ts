import type { Variant } from "../../src/kernels/variant.js";
import { convolutionOf, type Shape, shapesOf, sizeOf, windowsOf } from "../../src/network/shapes.js";
import type { BatchNormSpec, LayerSpec, NetworkSpec } from "../../src/network/spec.js";
import * as reference from "../../src/reference/run-network.js";
import { type Crafted, craftArchive, floats } from "../archive/craft.js";
import { Random } from "../random.js";
import { Expected, weightsOf } from "./expected.js";

// Networks with weights, and what they give in plain TypeScript.

export interface Subject {
  readonly spec: NetworkSpec;
  readonly archive: Uint8Array;
  readonly tensors: ReadonlyMap<string, Float32Array>;
  readonly variant?: Variant;
}

interface Made {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly coded: boolean;
}

/** The tensors of a layer; weights of so many values, of which so many are kept. */
function tensorsOf(layer: LayerSpec, seed: number, values: number): Made[] {
  const random = new Random(seed);
  if (layer.type === "batchnorm") {
    const shape = [layer.features];
    const make = (part: string, numbers: Float32Array): Made => ({ name: `${layer.name}.${part}`, shape, values: numbers, coded: false });
    const some = (around: number, deviation: number): Float32Array =>
      random.weights(layer.features, deviation).map((value) => value + around);
    const positive = some(1, 0.3).map(Math.abs);
    const statistics = [make("running_mean", some(0, 0.3)), make("running_var", positive)];
    return layer.affine === false ? statistics : [make("weight", some(1, 0.3)), make("bias", some(0, 0.3)), ...statistics];
  }
  if (layer.type !== "linear" && layer.type !== "conv2d") return [];
  const kernel = layer.type === "conv2d" ? convolutionOf(layer, [layer.in, 99, 99]).kernel : [];
  const shape = [layer.out, layer.type === "conv2d" ? layer.in / (layer.groups ?? 1) : layer.in, ...kernel];
  // As He has it, so that numbers stay as large from layer to layer.
  const weights = weightsOf(seed, sizeOf(shape), 0.4, values).map((weight) => weight * 20 * Math.sqrt((5 * layer.out) / sizeOf(shape)));
  const weight = { name: `${layer.name}.weight`, shape, values: weights, coded: true };
  if (layer.bias === false) return [weight];
  return [weight, { name: `${layer.name}.bias`, shape: [layer.out], values: random.weights(layer.out, 0.3), coded: false }];
}

/** @param values different weights of a layer, by its name; 12 where it is not there */
export function subjectOf(spec: NetworkSpec, seed = 1, values: Readonly<Record<string, number>> = {}): Subject {
  const made = spec.layers.flatMap((layer, i) => tensorsOf(layer, seed + i, ("name" in layer ? values[layer.name] : undefined) ?? 12));
  const records = made.map(({ name, shape, values: numbers, coded }): Crafted => {
    const few = new Set(numbers).size <= 256;
    if (coded && few) return { ...floats(name, shape, numbers), coding: "sparse", codebook: "listed", gapParameter: 9 };
    return { ...floats(name, shape, numbers), coding: "raw" };
  });
  return { spec, archive: craftArchive(records), tensors: new Map(made.map((tensor) => [tensor.name, tensor.values])) };
}

/** What a batch normalization multiplies with and adds. */
function affineOf(
  { name, features, epsilon = 1e-5 }: BatchNormSpec,
  tensors: Subject["tensors"],
): { scale: Float32Array; shift: Float32Array } {
  const at = (part: string, i: number, otherwise: number): number => tensors.get(`${name}.${part}`)?.[i] ?? otherwise;
  const scales = Array.from({ length: features }, (_, i) => at("weight", i, 1) / Math.sqrt(at("running_var", i, 1) + epsilon));
  return {
    scale: Float32Array.from(scales),
    shift: Float32Array.from(scales, (scale, i) => at("bias", i, 0) - at("running_mean", i, 0) * scale),
  };
}

/** What a network gives for a sample by src/reference alone, a batch normalization behind weights taken together with them; of layers without codes what their own bits are is left open. */
export function referenceRun({ spec, tensors }: Subject, x: Float32Array): Float32Array {
  const shapes = shapesOf(spec);
  let values = x;
  for (let i = 0; i < spec.layers.length; i++) {
    const layer = spec.layers[i];
    const shape = shapes[i];
    const next = spec.layers.slice(i + 1).find(({ type }) => type !== "dropout");
    if (layer.type === "linear" || layer.type === "conv2d") {
      const weights = tensors.get(`${layer.name}.weight`)!;
      const bias = tensors.get(`${layer.name}.bias`);
      const folded = next?.type === "batchnorm" ? affineOf(next, tensors) : undefined;
      const scale = folded?.scale;
      const after = folded === undefined ? bias : folded.shift.map((value, c) => shifted(next as BatchNormSpec, tensors, value, bias, c));
      const expected = new Expected(layer.out, weights.length / layer.out, weights);
      if (layer.type === "conv2d")
        values = reference.convolve(convolutionOf(layer, shape), expected.lines("rows"), expected.codebook, values, { scale, bias: after });
      else if (scale === undefined) values = expected.matvec("columns", values, bias);
      else values = expected.matvec("columns", values).map((value, c) => Math.fround(Math.fround(value * scale[c]) + after![c]));
      if (folded !== undefined) i = spec.layers.indexOf(next!);
    } else values = withoutWeights(layer, shape, values, tensors);
  }
  return values;
}

/** What a layer's bias becomes by a batch normalization behind it; rounded twice, as the loader does it. */
function shifted(spec: BatchNormSpec, tensors: Subject["tensors"], shift: number, bias: Float32Array | undefined, c: number): number {
  return bias === undefined ? shift : shift + bias[c] * affineOf(spec, tensors).scale[c];
}

function withoutWeights(layer: LayerSpec, shape: Shape, values: Float32Array, tensors: Subject["tensors"]): Float32Array {
  const [channels, height, width] = shape;
  switch (layer.type) {
    case "relu":
      return values.map((value) => (value < 0 ? 0 : value));
    case "maxpool2d":
      return reference.poolLargest(windowsOf(layer, shape), values);
    case "averagepool2d":
      return reference.poolMean(windowsOf(layer, shape), values);
    case "batchnorm": {
      const { scale, shift } = affineOf(layer, tensors);
      const plane = values.length / layer.features;
      return values.map((value, i) => Math.fround(value * scale[Math.floor(i / plane)]) + shift[Math.floor(i / plane)]);
    }
    case "localresponsenorm": {
      const { size, alpha = 1e-4, beta = 0.75, k = 1 } = layer;
      return reference.normalizeAcross({ channels, height, width }, { size, scale: alpha / size, beta, k }, values);
    }
    default:
      return values;
  }
}
