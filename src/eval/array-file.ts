import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { bytesSource, fileSource, openModel } from "../formats/index.js";
import type { Input } from "../pipeline/api.js";
import { dtypeBits, elementCount, type OpenModel, type Tensor, type TensorInfo, tensorByteLength } from "../types.js";
import { type Given, planArrays } from "./arrays.js";
import { checkHeld } from "./input-file.js";
import { oneInput, type RunOptions, type RunPlan, type Samples, type Signature } from "./types.js";

/** How arrays go into a model. */
export interface ArrayOptions {
  /** The input that takes the array of a .npy file; it need not be said of a model with one. The arrays of other files have names. */
  readonly input?: string;
  /** Most bytes that the arrays which are used may have in all, in the file and as the model takes them: unless given, 1 GiB, or the file's own where it has more. */
  readonly maxBytes?: number;
}

const FORMATS: ReadonlySet<string> = new Set(["npy", "npz", "safetensors"]);

/** A deflated array of zeros takes a thousandth of itself in a file. */
const USUAL_MOST_BYTES = 2 ** 30;

/**
 * The arrays of a .npy, .npz or safetensors file, whose names are those of the model's inputs. Of the file nothing but names and shapes is read until a model is
 * there to take them, and then only what it takes: a file that is named by its path has to be there until then.
 *
 * @throws FormatError where the file is at fault, also out of `plan`
 */
export async function readArrays(input: Input, options: ArrayOptions = {}): Promise<Samples> {
  if (options.maxBytes !== undefined) checkInteger(options.maxBytes, "maxBytes", 0, Number.MAX_SAFE_INTEGER);
  await withArrays(input, async ({ format }) => {
    if (format !== "npy" && options.input !== undefined)
      throw new RangeError(`input must be left out, as the arrays of a ${format} file have names`);
  });
  return { plan: (model, run) => withArrays(input, (file) => planFile(file, model, run, options)) };
}

/** @throws FormatError where the file is at fault, or none of arrays */
async function withArrays<T>(input: Input, work: (file: OpenModel) => Promise<T>): Promise<T> {
  const source = typeof input === "string" ? await fileSource(input) : bytesSource(input);
  try {
    const file = await openModel(source);
    const { format } = file;
    if (!FORMATS.has(format)) throw new FormatError("UNSUPPORTED", 0, `inputs are .npy, .npz or safetensors files, this is ${format}`);
    return await work(file);
  } finally {
    await source.close();
  }
}

/** An array that is still in its file. */
interface Stored extends TensorInfo {
  readonly index: number;
}

async function planFile(file: OpenModel, model: Signature, options: RunOptions, { input, maxBytes }: ArrayOptions): Promise<RunPlan> {
  const stored: readonly Stored[] = file.tensors.map(({ name, dtype, shape }, index) => ({
    name: file.format === "npy" ? oneInput(model.inputs, options.fed, input).name : name,
    dtype,
    shape,
    index,
  }));
  const plan = planArrays(stored, model, options);
  const bytes = plan.given.reduce((sum, given) => sum + heldBytes(given), 0);
  checkHeld(bytes, maxBytes ?? Math.max(USUAL_MOST_BYTES, file.byteLength));
  const tensors: Tensor[] = [];
  for (const { array } of plan.given) {
    const { name, dtype, shape, index } = array;
    tensors.push({ name, dtype, shape, data: (await file.read(index, 0, tensorByteLength(dtype, shape))).slice() });
  }
  return { samples: plan.samples, runs: plan.runs(tensors) };
}

/** Bytes of an array as it is stored, or as the model takes it where those are more. */
function heldBytes({ input, array: { dtype, shape } }: Given<Stored>): number {
  return (elementCount(shape) * Math.max(dtypeBits(dtype), dtypeBits(input.dtype))) / 8;
}
