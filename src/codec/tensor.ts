import { elementsOf } from "../archive/record.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Dtype, TensorInfo } from "../types.js";
import { type ReadRange, tensorBlocks } from "./blocks.js";
import { type EncodedRecord, encodeRecord, type TensorWork } from "./encode.js";
import type { TensorError } from "./errors.js";
import { Part, type PartOptions, type PartWork } from "./part.js";
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

/** A tensor of which one part is all. */
export function wholeWork(tensor: TensorInfo, part: Part, emit?: TensorWork["emit"]): TensorWork {
  return { ...elementsOf(tensor), parts: [part], emit, dense: () => part.dense(0) };
}

/** A tensor of several blocks, whose parts may be elsewhere. */
export function dividedWork(tensor: TensorInfo, parts: readonly PartWork[], emit?: TensorWork["emit"]): TensorWork {
  return { ...elementsOf(tensor), parts, emit, dense: () => Promise.reject(new Error("a tensor of several blocks is nowhere whole")) };
}

/**
 * Compresses one tensor in this thread: prune, share and round as `treatment` says, then the smallest record that holds the result exactly.
 *
 * @param emit takes the record's pieces as they are written: of a tensor of several blocks only, as a smaller one may be written again
 */
export function encodeTensor(
  kernels: EncodeKernels,
  tensor: TensorInfo,
  read: ReadRange,
  treatment: Treatment,
  options: PartOptions = {},
  emit?: TensorWork["emit"],
): Promise<EncodedTensor> {
  const part = new Part(kernels, tensor.dtype, tensorBlocks(tensor, read), options);
  return encodeWork(kernels, tensor.dtype, wholeWork(tensor, part, emit), treatment);
}

/** As `encodeTensor`, wherever the tensor's parts are. */
export async function encodeWork(kernels: EncodeKernels, dtype: Dtype, work: TensorWork, treatment: Treatment): Promise<EncodedTensor> {
  const { contexts = "small" } = treatment;
  const { exact, note, error, shared } = await quantize(kernels, dtype, work, treatment);
  const record = await encodeRecord(kernels, dtype, work, { exact, contexts }, shared);
  if (exact) return { ...record, exact, note };
  if (work.elements <= COMPARE_UP_TO) {
    await Promise.all(work.parts.map((part) => part.restore()));
    const whole = await encodeRecord(kernels, dtype, work, { exact: true, contexts });
    if (whole.byteLength <= record.byteLength) return { ...whole, exact: true, note: "kept exact: that is not larger" };
  }
  return { ...record, exact, error };
}
