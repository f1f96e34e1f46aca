import type { EncodeKernels } from "../kernel-types.js";
import type { TensorInfo } from "../types.js";
import { type Blocks, tensorBlocks } from "./blocks.js";
import { type EncodedRecord, encodeRecord } from "./encode.js";
import { equalBytes, type TensorError, tensorErrors } from "./errors.js";
import { quantize, type Treatment } from "./quantize.js";

/** A tensor, compressed. */
export interface EncodedTensor extends EncodedRecord {
  /** Decoding gives the tensor's bytes back. */
  readonly exact: boolean;
  /** Why a treatment that was asked for was not given. */
  readonly note?: string;
  /** What was lost; undefined for an exact tensor. */
  readonly error?: TensorError;
}

/** Below this many elements a lossy record is compared with an exact one, and the smaller taken: what was lost must have gained something. */
const COMPARE_UP_TO = 1 << 12;

/** Compresses one tensor: prune and share as `treatment` says, then the smallest record that holds the result exactly. */
export async function encodeTensor(
  kernels: EncodeKernels,
  tensor: TensorInfo,
  read: (offset: number, byteLength: number) => Promise<Uint8Array>,
  treatment: Treatment,
): Promise<EncodedTensor> {
  const { contexts = "small" } = treatment;
  const source = tensorBlocks(tensor, read);
  const quantized = await quantize(kernels, tensor.dtype, source, treatment);
  const { blocks, note } = quantized;
  const exact = quantized.exact || (await sameBytes(source, blocks));
  const record = await encodeRecord(kernels, tensor.dtype, blocks, { exact, contexts });
  if (exact) return { ...record, exact, note };
  if (source.elements <= COMPARE_UP_TO) {
    const whole = await encodeRecord(kernels, tensor.dtype, source, { exact: true, contexts });
    if (whole.byteLength <= record.byteLength) return { ...whole, exact: true, note: "kept exact: that is not larger" };
  }
  const { maxAbs, rmse, snr } = await tensorErrors(kernels, tensor.dtype, pairs(source, blocks));
  return { ...record, exact, error: { maxAbs, rmse, snr } };
}

async function sameBytes(a: Blocks, b: Blocks): Promise<boolean> {
  for (let i = 0; i < a.count; i++) if (!equalBytes(await a.read(i), await b.read(i))) return false;
  return true;
}

async function* pairs(a: Blocks, b: Blocks): AsyncGenerator<[Uint8Array, Uint8Array]> {
  for (let i = 0; i < a.count; i++) yield [await a.read(i), await b.read(i)];
}
