import { type BlockErrors, blockErrors, errorsOf, type TensorErrors } from "../codec/errors.js";
import type { WorkOptions } from "../decode/options.js";
import type { EncodeKernels } from "../kernel-types.js";
import { type Dtype, type OpenModel, tensorByteLength } from "../types.js";
import type { PlannedArchive } from "./archive.js";
import { Meter } from "./progress.js";

/** One tensor of a model beside what its archive gives back. */
export interface TensorComparison extends TensorErrors {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The archive says that every bit is the same. */
  readonly exact: boolean;
}

/** A model beside its archive. */
export interface Comparison {
  /** Nothing is missing, nothing is added, and every tensor that the archive calls exact is. */
  readonly ok: boolean;
  /** Names that only the model has, or the archive has with another dtype or shape. */
  readonly missing: readonly string[];
  /** Names that only the archive has. */
  readonly added: readonly string[];
  /** Those that both have, in the order of the model. */
  readonly tensors: readonly TensorComparison[];
}

/** Compares a model with its archive, tensor by tensor, by name. */
export async function verifyArchive(
  model: OpenModel,
  archive: PlannedArchive,
  kernels: EncodeKernels,
  options: WorkOptions = {},
): Promise<Comparison> {
  const sizes = model.tensors.map(({ dtype, shape }) => tensorByteLength(dtype, shape));
  const meter = new Meter(
    sizes.reduce((sum, size) => sum + size, 0),
    options,
  );
  const entries = new Map(archive.header.tensors.map((entry) => [entry.name, entry]));
  const missing: string[] = [];
  const tensors: TensorComparison[] = [];
  for (const [index, { name, dtype, shape }] of model.tensors.entries()) {
    const entry = entries.get(name);
    entries.delete(name);
    if (entry === undefined || entry.dtype !== dtype || entry.shape.join() !== shape.join()) {
      missing.push(name);
      meter.add(name, sizes[index]);
      continue;
    }
    const { exact } = await archive.plan(entry);
    const blocks = meter.blocks(name, archive.blocks(entry));
    tensors.push({ name, dtype, shape, exact, ...errorsOf(dtype, await compared(kernels, model, index, blocks)) });
  }
  const added = [...entries.keys()];
  const ok = missing.length === 0 && added.length === 0 && tensors.every(({ exact, identical }) => identical || !exact);
  return { ok, missing, added, tensors };
}

/** What each block lost. */
async function compared(
  kernels: EncodeKernels,
  model: OpenModel,
  index: number,
  blocks: AsyncIterable<Uint8Array>,
): Promise<BlockErrors[]> {
  const { dtype } = model.tensors[index];
  const found: BlockErrors[] = [];
  let at = 0;
  for await (const after of blocks) {
    found.push(blockErrors(kernels, dtype, await model.read(index, at, after.length), after));
    at += after.length;
  }
  return found;
}
