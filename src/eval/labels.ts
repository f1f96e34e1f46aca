import { FormatError } from "../errors.js";
import { bytesSource, openNpy } from "../formats/index.js";
import { NPY_MAGIC } from "../formats/npy.js";
import type { Input } from "../pipeline/api.js";
import { tensorByteLength } from "../types.js";
import { idxLength, idxNumbers, readIdx } from "./idx.js";
import { type FileOptions, readInput } from "./input-file.js";
import { isFloatValue, isValueDtype, numbersOf } from "./values.js";

/**
 * Labels in an IDX file or a .npy file of integers, in gzip or not.
 *
 * @throws FormatError where the file is at fault
 */
export async function readLabels(input: Input, options: FileOptions = {}): Promise<ArrayLike<number>> {
  const bytes = await readInput(input, options, idxLength);
  if (NPY_MAGIC.every((byte, i) => bytes[i] === byte)) return npyLabels(bytes);
  const idx = readIdx(bytes);
  if (idx.shape.length !== 1) throw new FormatError("UNSUPPORTED", 3, `an IDX file of labels has 1 axis, this one is [${idx.shape}]`);
  return idxNumbers(idx);
}

async function npyLabels(bytes: Uint8Array): Promise<ArrayLike<number>> {
  const { tensors, read } = await openNpy(bytesSource(bytes));
  const [{ dtype, shape }] = tensors;
  if (shape.length !== 1 || !isValueDtype(dtype) || isFloatValue(dtype))
    throw new FormatError("UNSUPPORTED", 0, `a .npy file of labels has integers and 1 axis, this one is ${dtype} [${shape}]`);
  return numbersOf({ data: (await read(0, 0, tensorByteLength(dtype, shape))).slice() }, dtype);
}
