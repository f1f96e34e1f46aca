import type { TensorEntry } from "../../archive/header.js";
import type { Archive } from "../../decode/index.js";
import type { BatchNormSpec } from "../../network/spec.js";
import { isFloatDtype } from "../../types.js";
import { type ReadOptions, readDense } from "../read.js";
import type { Stage } from "./stages.js";

/** What comes after the sums of a layer that has weights, for each of its outputs. */
export interface After {
  readonly scale?: Float32Array;
  readonly bias?: Float32Array;
}

/** What a batch normalization does: value * scale + shift, f32[features] each. */
export interface Affine {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** The tensor of an archive that a layer needs. @throws RangeError naming both where it is missing, or has another shape, or is not of floats */
export function entryFor({ header }: Archive, title: string, name: string, shape: readonly number[]): TensorEntry {
  const entry = header.tensors.find((tensor) => tensor.name === name);
  const fail = (reason: string): never => {
    throw new RangeError(`${title} needs the tensor ${JSON.stringify(name)}${reason}`);
  };
  if (entry === undefined) return fail(", which the archive does not have");
  if (!isFloatDtype(entry.dtype)) fail(` of floats, which the archive has in ${entry.dtype}`);
  if (entry.shape.length !== shape.length || entry.shape.some((axis, i) => axis !== shape[i]))
    fail(` of shape [${shape}], which has [${entry.shape}] in the archive`);
  return entry;
}

/** The weights of a layer that has some, unread. */
export function weightsFor(archive: Archive, { layer, title }: Stage): TensorEntry | undefined {
  if (layer.type === "linear") return entryFor(archive, title, `${layer.name}.weight`, [layer.out, layer.in]);
  if (layer.type !== "conv2d") return undefined;
  const { kernel, groups = 1 } = layer;
  const sides = typeof kernel === "number" ? [kernel, kernel] : kernel;
  return entryFor(archive, title, `${layer.name}.weight`, [layer.out, layer.in / groups, ...sides]);
}

/** The bias of a layer that has one, unread. */
export function biasFor(archive: Archive, { layer, title }: Stage): TensorEntry | undefined {
  if ((layer.type !== "linear" && layer.type !== "conv2d") || layer.bias === false) return undefined;
  return entryFor(archive, title, `${layer.name}.bias`, [layer.out]);
}

/** The tensors of a batch normalization, unread: weight and bias where it has them, mean and variance. */
export function normFor(archive: Archive, title: string, { name, features, affine }: BatchNormSpec): (TensorEntry | undefined)[] {
  const entry = (part: string): TensorEntry => entryFor(archive, title, `${name}.${part}`, [features]);
  const [weight, bias] = affine === false ? [undefined, undefined] : [entry("weight"), entry("bias")];
  return [weight, bias, entry("running_mean"), entry("running_var")];
}

/** f32[length] of a tensor; undefined for none. */
async function numbersOf(archive: Archive, entry: TensorEntry | undefined, options: ReadOptions): Promise<Float32Array | undefined> {
  if (entry === undefined) return undefined;
  return (await readDense(archive, entry, { rows: entry.shape[0], columns: 1 }, options)).dense;
}

/** What a batch normalization does, from its tensors: worked out in float64, rounded to float32 once. */
export async function affineOf(archive: Archive, title: string, spec: BatchNormSpec, options: ReadOptions): Promise<Affine> {
  const numbers: (Float32Array | undefined)[] = [];
  // One after the other: a source may lend one buffer for all that it reads.
  for (const entry of normFor(archive, title, spec)) numbers.push(await numbersOf(archive, entry, options));
  const [weight, bias, mean, variance] = numbers;
  const { features, epsilon = 1e-5 } = spec;
  const scales = Float64Array.from({ length: features }, (_, i) => (weight?.[i] ?? 1) / Math.sqrt((variance?.[i] ?? 1) + epsilon));
  return {
    scale: Float32Array.from(scales),
    shift: Float32Array.from(scales, (scale, i) => (bias?.[i] ?? 0) - (mean?.[i] ?? 0) * scale),
  };
}

/** What comes after a layer's sums: its bias, and the batch normalization that follows it. */
export async function afterOf(archive: Archive, stage: Stage, options: ReadOptions): Promise<After> {
  const bias = await numbersOf(archive, biasFor(archive, stage), options);
  const { norm, normTitle = "" } = stage;
  if (norm === undefined) return { bias };
  const { scale, shift } = await affineOf(archive, normTitle, norm, options);
  return { scale, bias: bias === undefined ? shift : shift.map((value, i) => value + bias[i] * scale[i]) };
}
