import { checkNumber } from "../check.js";
import type { Dtype, Tensor } from "../types.js";
import type { Parameter } from "./layer.js";
import { checkedCodebook, checkOrder, type SharedWeights } from "./shared.js";

// Masks and codebooks as tensors of a checkpoint.

/** What a checkpoint holds of a parameter. */
export interface ReadConstraint {
  readonly mask: Uint8Array;
  readonly shared?: SharedWeights;
  readonly rate: number;
  /** Weights that move behind their centroids. */
  readonly moving?: Float32Array;
}

const KINDS = ["mask", "codes", "centroids", "rate", "moving"] as const;
type Kind = (typeof KINDS)[number];

function tensor(name: string, dtype: Dtype, shape: readonly number[], array: ArrayBufferView): Tensor {
  return { name, dtype, shape, data: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}

/** As `Sequential.constraints` says. */
export function constraintTensors(parameters: readonly Parameter[]): Tensor[] {
  return parameters.flatMap(({ name, shape, constraint }) => {
    const mask = constraint?.mask;
    if (!mask) return [];
    const tensors = [tensor(`${name}.mask`, "U8", shape, mask)];
    const { shared, moving } = constraint;
    if (!shared) return tensors;
    return [
      ...tensors,
      tensor(`${name}.codes`, "U8", shape, shared.codes),
      tensor(`${name}.centroids`, "F32", [shared.centroids.length], shared.centroids),
      tensor(`${name}.rate`, "F64", [], Float64Array.of(constraint.rate)),
      ...(moving ? [tensor(`${name}.moving`, "F32", shape, moving)] : []),
    ];
  });
}

/**
 * The constraints in tensors.
 *
 * @throws RangeError as `Sequential.loadConstraints` says
 */
export function readConstraints(parameters: readonly Parameter[], tensors: readonly Tensor[]): Map<Parameter, ReadConstraint> {
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (given.size !== tensors.length) throw new RangeError("tensors must have names that stand once");
  const own = new Set(parameters.flatMap(({ name }) => KINDS.map((kind) => `${name}.${kind}`)));
  for (const { name } of tensors)
    if (!own.has(name)) throw new RangeError(`tensor ${JSON.stringify(name)} is no mask or codebook of a layer`);
  const read = new Map<Parameter, ReadConstraint>();
  for (const parameter of parameters) {
    const found = readConstraint(parameter, given);
    if (found) read.set(parameter, found);
  }
  return read;
}

function readConstraint({ name, shape, count }: Parameter, given: ReadonlyMap<string, Tensor>): ReadConstraint | undefined {
  const [mask, ...shared] = KINDS.map((kind) => given.get(`${name}.${kind}`));
  if ([mask, ...shared].every((tensor) => tensor === undefined)) return undefined;
  const take = (kind: Kind, dtype: Dtype, wanted: readonly number[]): Uint8Array<ArrayBuffer> => {
    const tensor = given.get(`${name}.${kind}`);
    if (!tensor) throw new RangeError(`tensors must hold ${JSON.stringify(`${name}.${kind}`)} beside others of ${name}`);
    const byteLength = wanted.reduce((product, axis) => product * axis, BYTES[kind]);
    if (tensor.dtype !== dtype || tensor.shape.join() !== wanted.join() || tensor.data.length !== byteLength) {
      throw new RangeError(
        `tensor ${tensor.name} must be ${dtype} [${wanted}] in ${byteLength} bytes, got ${tensor.dtype} [${tensor.shape}] in ${tensor.data.length}`,
      );
    }
    return tensor.data.slice() as Uint8Array<ArrayBuffer>;
  };
  const kept = take("mask", "U8", shape).map((byte) => (byte === 0 ? 0 : 1));
  if (shared.every((tensor) => tensor === undefined)) return { mask: kept, rate: 1 };
  const codes = take("codes", "U8", shape);
  const centroids = new Float32Array(take("centroids", "F32", [(given.get(`${name}.centroids`)?.data.length ?? 0) / 4]).buffer);
  const [rate] = new Float64Array(take("rate", "F64", []).buffer);
  try {
    checkNumber(rate, "rate", 0, Number.MAX_VALUE);
    const codebook = checkedCodebook({ codes, centroids, mask: kept }, count);
    if (!given.has(`${name}.moving`)) return { mask: kept, shared: codebook, rate };
    checkOrder(centroids);
    return { mask: kept, shared: codebook, rate, moving: new Float32Array(take("moving", "F32", shape).buffer) };
  } catch (error) {
    throw new RangeError(`the codebook of ${name}: ${(error as Error).message}`);
  }
}

const BYTES: Readonly<Record<Kind, number>> = { mask: 1, codes: 1, centroids: 4, rate: 8, moving: 4 };
