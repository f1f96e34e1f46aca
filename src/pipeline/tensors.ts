import { checkInteger, checkOneOf, plainBytes } from "../check.js";
import { rolesOf } from "../formats/recurrent.js";
import { DTYPES, type OpenModel, type Tensor, tensorByteLength } from "../types.js";

/**
 * Tensors in memory as a model without files: its archive has no shell.
 *
 * @throws TypeError, RangeError naming the tensor
 */
export function tensorsModel(tensors: readonly Tensor[]): OpenModel {
  const names = new Set<string>();
  const data: Uint8Array[] = [];
  let total = 0;
  for (const [i, tensor] of tensors.entries()) {
    const title = `tensors[${i}]`;
    if (typeof tensor.name !== "string") throw new TypeError(`${title}.name must be a string`);
    if (/\p{Surrogate}/u.test(tensor.name))
      throw new RangeError(`${title}.name must be well-formed Unicode, got ${JSON.stringify(tensor.name)}`);
    if (names.has(tensor.name)) throw new RangeError(`${title}.name must be unique, got ${JSON.stringify(tensor.name)}`);
    names.add(tensor.name);
    checkOneOf(tensor.dtype, `${title}.dtype`, DTYPES);
    if (!Array.isArray(tensor.shape)) throw new TypeError(`${title}.shape must be an array`);
    for (const axis of tensor.shape) checkInteger(axis, `${title}.shape`, 0, Number.MAX_SAFE_INTEGER);
    data.push(plainBytes(tensor.data, `${title}.data`));
    const byteLength = byteLengthOf(tensor, title);
    if (tensor.data.length !== byteLength) {
      throw new RangeError(
        `${title}.data must have ${byteLength} bytes, as ${tensor.dtype} [${tensor.shape}] says, got ${tensor.data.length}`,
      );
    }
    total += byteLength;
  }
  return {
    format: "tensors",
    byteLength: total,
    tensors,
    role: rolesOf(tensors),
    read: async (tensor, offset, byteLength) => data[tensor].subarray(offset, offset + byteLength),
    templates: async () => [],
    close: async () => undefined,
  };
}

function byteLengthOf({ dtype, shape }: Tensor, title: string): number {
  try {
    return tensorByteLength(dtype, shape);
  } catch (error) {
    throw new RangeError(`${title}.shape must give whole bytes, less than 2^53 of them`, { cause: error });
  }
}
