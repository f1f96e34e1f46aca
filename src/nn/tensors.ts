import type { Dtype, Tensor } from "../types.js";

/** What a tensor has to be. */
export interface Wanted {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

/**
 * The bytes of tensors that are `wanted`, in that order.
 *
 * @param owner what `wanted` are the tensors of, for messages
 * @throws RangeError naming a tensor that is missing, stands twice, is not wanted, or has another dtype, shape or byte length
 */
export function bytesOfTensors(tensors: readonly Tensor[], wanted: readonly Wanted[], owner: string): Uint8Array[] {
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (given.size !== tensors.length) throw new RangeError("tensors must have names that stand once");
  const own = new Set(wanted.map(({ name }) => name));
  for (const { name } of tensors) if (!own.has(name)) throw new RangeError(`tensor ${JSON.stringify(name)} belongs to no ${owner}`);
  return wanted.map(({ name, dtype, shape, byteLength }) => {
    const tensor = given.get(name);
    if (tensor === undefined) throw new RangeError(`tensors must hold ${JSON.stringify(name)}`);
    if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join() || tensor.data.length !== byteLength) {
      throw new RangeError(
        `tensor ${name} must be ${dtype} [${shape}] in ${byteLength} bytes, got ${tensor.dtype} [${tensor.shape}] in ${tensor.data.length}`,
      );
    }
    return tensor.data;
  });
}
