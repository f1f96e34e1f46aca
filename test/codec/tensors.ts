import { coreOf } from "../../src/archive/core.js";
import { elementsOf } from "../../src/archive/record.js";
import { type Blocks, tensorBlocks } from "../../src/codec/blocks.js";
import { type EncodedRecord, type EncodeOptions, encodeRecord } from "../../src/codec/encode.js";
import { Part } from "../../src/codec/part.js";
import { wholeWork } from "../../src/codec/tensor.js";
import { collect } from "../../src/decode/drive.js";
import { tensorSteps } from "../../src/decode/tensor.js";
import type { DecodeKernels, EncodeKernels } from "../../src/kernel-types.js";
import { type Dtype, type Tensor, tensorByteLength } from "../../src/types.js";
import { AWKWARD, type Random } from "../random.js";

/** How a tensor's elements are filled. */
export const FILLINGS = ["zeros", "constant", "shared", "sparse", "sparse shared", "awkward", "noise", "smooth"] as const;
export type Filling = (typeof FILLINGS)[number];

export const SHAPES: readonly (readonly number[])[] = [[], [0], [1], [7], [3, 0, 2], [16, 9], [4, 3, 5, 5], [2, 300], [513]];

/** Elements of a filling, of any dtype: what matters is how their bits are distributed. */
export function filled(random: Random, dtype: Dtype, shape: readonly number[], filling: Filling): Uint8Array {
  const { elementBytes } = elementsOf({ name: "", dtype, shape });
  const data = new Uint8Array(tensorByteLength(dtype, shape));
  const table = random.bytes(elementBytes * (1 + random.below(filling === "constant" ? 1 : 256)));
  const density = random.unit() * 0.4;
  for (let at = 0; at < data.length; at += elementBytes) {
    const element = data.subarray(at, at + elementBytes);
    if (filling === "zeros") continue;
    if (filling.startsWith("sparse") && !random.chance(density)) continue;
    if (filling === "awkward") element.set(awkward(random, elementBytes));
    else if (filling === "smooth") element[elementBytes - 1] = Math.round(128 + random.normal(4));
    else if (filling === "noise" || filling === "sparse") element.set(random.bytes(elementBytes));
    else {
      const entry = random.below(table.length / elementBytes) * elementBytes;
      element.set(table.subarray(entry, entry + elementBytes));
    }
  }
  return data;
}

/** The bits of NaNs, infinities, zeros with a sign and subnormals, at the width of an element. */
function awkward(random: Random, elementBytes: number): Uint8Array {
  const value = AWKWARD[random.below(AWKWARD.length)];
  if (elementBytes === 8) return new Uint8Array(Float64Array.of(value).buffer);
  if (elementBytes === 4) return new Uint8Array(Float32Array.of(value).buffer);
  return new Uint8Array(Float32Array.of(value).buffer).subarray(4 - elementBytes);
}

export const EXACT: EncodeOptions = { exact: true, contexts: "small" };

/** A tensor's record, in one piece. */
export async function recordOf(
  kernels: EncodeKernels,
  tensor: Tensor,
  options: EncodeOptions = EXACT,
): Promise<{ bytes: Uint8Array; encoded: EncodedRecord }> {
  const encoded = await encodeRecord(kernels, tensor.dtype, wholeWork(tensor, partOf(kernels, tensor)), options);
  return { bytes: new Uint8Array(Buffer.concat(encoded.pieces)), encoded };
}

export function partOf(kernels: EncodeKernels, tensor: Tensor): Part {
  return new Part(kernels, tensor.dtype, blocksOf(tensor));
}

export function blocksOf(tensor: Tensor): Blocks {
  // Views at odd addresses, as a source may lend them.
  const lent = new Uint8Array(tensor.data.length + 1);
  lent.set(tensor.data, 1);
  return tensorBlocks(tensor, async (offset, byteLength) => lent.subarray(1 + offset, 1 + offset + byteLength));
}

/** What a record gives back. */
export function decodedOf(kernels: DecodeKernels, tensor: Tensor, record: Uint8Array): Uint8Array {
  const { name, dtype, shape } = tensor;
  const entry = { name, dtype, shape, byteLength: tensor.data.length, recordOffset: 0, recordByteLength: record.length };
  return collect(tensorSteps(coreOf(kernels), entry, {}), record)[0].data;
}
