import type { TensorEntry } from "../archive/header.js";
import { type TensorErrors, tensorErrors } from "../codec/errors.js";
import type { Archive } from "../decode/archive.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Dtype, OpenModel } from "../types.js";

/** One tensor of a model beside what its archive gives back. */
export interface TensorComparison extends TensorErrors {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The archive says that every bit is the same. */
  readonly exact: boolean;
}

export interface Comparison {
  /** Nothing is missing, nothing is added, and every tensor that the archive calls exact is. */
  readonly ok: boolean;
  /** Names that only the model has, or the archive has with another dtype or shape. */
  readonly missing: readonly string[];
  /** Names that only the archive has. */
  readonly added: readonly string[];
  readonly tensors: readonly TensorComparison[];
}

/** Compares a model with its archive, tensor by tensor, by name. */
export async function verifyArchive(model: OpenModel, archive: Archive, kernels: EncodeKernels): Promise<Comparison> {
  const entries = new Map(archive.header.tensors.map((entry) => [entry.name, entry]));
  const missing: string[] = [];
  const tensors: TensorComparison[] = [];
  for (const [index, { name, dtype, shape }] of model.tensors.entries()) {
    const entry = entries.get(name);
    entries.delete(name);
    if (entry === undefined || entry.dtype !== dtype || entry.shape.join() !== shape.join()) {
      missing.push(name);
      continue;
    }
    const { exact } = (await archive.head(entry)).plan;
    tensors.push({ name, dtype, shape, exact, ...(await tensorErrors(kernels, dtype, pairs(model, index, archive, entry))) });
  }
  const added = [...entries.keys()];
  const ok = missing.length === 0 && added.length === 0 && tensors.every(({ exact, identical }) => identical || !exact);
  return { ok, missing, added, tensors };
}

async function* pairs(model: OpenModel, index: number, archive: Archive, entry: TensorEntry): AsyncGenerator<[Uint8Array, Uint8Array]> {
  let at = 0;
  for await (const after of archive.blocks(entry)) {
    yield [await model.read(index, at, after.length), after];
    at += after.length;
  }
}
