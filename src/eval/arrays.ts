import { FormatError } from "../errors.js";
import { bytesSource, fileSource, openModel } from "../formats/index.js";
import type { Input } from "../pipeline/api.js";
import { type Tensor, tensorByteLength } from "../types.js";
import {
  meets,
  oneInput,
  type Run,
  type RunOptions,
  type RunPlan,
  type Samples,
  type Signature,
  shownInput,
  shownInputs,
  type ValueInfo,
} from "./types.js";
import { bytesOf, isValueDtype, numbersOf } from "./values.js";

/** How arrays go into a model. */
export interface ArrayOptions {
  /** The input that takes the array of a .npy file; it need not be said of a model with one. */
  readonly input?: string;
}

const FORMATS: ReadonlySet<string> = new Set(["npy", "npz", "safetensors"]);

/**
 * The arrays of a .npy, .npz or safetensors file, whose names are those of the model's inputs.
 *
 * @throws FormatError where the file is at fault
 */
export async function readArrays(input: Input, options: ArrayOptions = {}): Promise<Samples> {
  const source = typeof input === "string" ? await fileSource(input) : bytesSource(input);
  try {
    const { format, tensors, read } = await openModel(source);
    if (!FORMATS.has(format)) throw new FormatError("UNSUPPORTED", 0, `inputs are .npy, .npz or safetensors files, this is ${format}`);
    const arrays: Tensor[] = [];
    for (const [i, { name, dtype, shape }] of tensors.entries())
      arrays.push({ name, dtype, shape, data: (await read(i, 0, tensorByteLength(dtype, shape))).slice() });
    return format === "npy" ? namelessSamples(arrays[0], options.input) : arraySamples(arrays);
  } finally {
    await source.close();
  }
}

function namelessSamples(array: Tensor, input: string | undefined): Samples {
  return {
    plan: (model, options) => arraySamples([{ ...array, name: oneInput(model.inputs, options.fed, input).name }]).plan(model, options),
  };
}

/** An array and the input that takes it. */
interface Given {
  readonly input: ValueInfo;
  readonly array: Tensor;
}

/**
 * Arrays as samples; those that are called like an output are left alone. An array with an axis more than its input, the first, is a run for each of its elements; what is not, is the same
 * in every run. Where there is none like that, the first axis of the arrays is that of the samples: they go in together, unless `batch` or an axis that the model fixes says otherwise.
 */
export function arraySamples(arrays: readonly Tensor[]): Samples {
  return {
    plan(model: Signature, options: RunOptions): RunPlan {
      const given = matched(arrays, model, options.fed);
      const stepped = given.filter(({ input, array }) => array.shape.length === input.shape.length + 1);
      if (stepped.length > 0) return steps(given, stepped, options.limit);
      if (options.fed.size > 0)
        throw new RangeError("inputs must have an array with a first axis of steps, one more than its input has, where there is a state");
      return rows(given, options);
    },
  };
}

/** @throws RangeError where an array has no input, or an input no array that meets it */
function matched(arrays: readonly Tensor[], { inputs, outputs }: Signature, fed: ReadonlySet<string>): Given[] {
  const left = new Map(arrays.map((array) => [array.name, array]));
  const given: Given[] = [];
  for (const input of inputs) {
    const array = left.get(input.name);
    left.delete(input.name);
    if (array) given.push({ input, array: converted(array, input) });
    else if (!fed.has(input.name))
      throw new RangeError(`inputs must have an array for the model's ${shownInput(input)}; there is ${shownNames(arrays)}`);
  }
  for (const { name } of outputs) left.delete(name);
  if (left.size > 0) throw new RangeError(`inputs must be the model's, ${shownInputs(inputs)}; there is ${shownNames([...left.values()])}`);
  return given;
}

function shownNames(arrays: readonly Tensor[]): string {
  return arrays.map(shownInput).join(", ") || "none";
}

/** @throws RangeError where the array's shape or elements are none that the input takes */
function converted(array: Tensor, input: ValueInfo): Tensor {
  const { name, dtype, shape } = array;
  const { length } = input.shape;
  const one = shape.slice(shape.length - length);
  const [lead] = input.shape;
  const rowsFit = length > 0 && typeof lead === "number" && shape[0] % lead === 0 && meets(one.slice(1), input.shape.slice(1));
  if (!(meets(one, input.shape) && shape.length <= length + 1) && !(rowsFit && shape.length === length))
    throw new RangeError(`inputs must meet the model's ${shownInput(input)}; there is ${shownInput(array)}`);
  if (dtype === input.dtype) return array;
  if (!isValueDtype(dtype))
    throw new RangeError(`inputs must have elements that become those of ${shownInput(input)}; there is ${shownInput(array)}`);
  return { name, dtype: input.dtype, shape, data: bytesOf(numbersOf(array, dtype), input.dtype, JSON.stringify(name)) };
}

/** The `count` elements of the first axis from `first` on. */
function part({ name, dtype, shape, data }: Tensor, first: number, count: number, keepAxis: boolean): Tensor {
  const rest = shape.slice(1);
  const bytes = shape[0] === 0 ? 0 : data.length / shape[0];
  return { name, dtype, shape: keepAxis ? [count, ...rest] : rest, data: data.subarray(first * bytes, (first + count) * bytes) };
}

/** @throws RangeError where the arrays have first axes that differ */
function commonLength(given: readonly Given[]): number {
  const [{ array: one }, ...others] = given;
  const other = others.find(({ array }) => array.shape[0] !== one.shape[0]);
  if (other) throw new RangeError(`inputs must have as many samples each; there is ${shownNames([one, other.array])}`);
  return one.shape[0];
}

function runsOf(
  given: readonly Given[],
  varying: readonly Given[],
  count: number,
  samplesOf: (run: number) => number,
  slice: (array: Tensor, run: number) => Tensor,
): Iterable<Run> {
  return {
    *[Symbol.iterator]() {
      for (let run = 0; run < count; run++) {
        const tensors = given.map((one) => (varying.includes(one) ? slice(one.array, run) : one.array));
        yield { inputs: new Map(tensors.map((tensor) => [tensor.name, tensor])), samples: samplesOf(run) };
      }
    },
  };
}

function steps(given: readonly Given[], stepped: readonly Given[], limit: number): RunPlan {
  const samples = commonLength(stepped);
  return {
    samples,
    runs: runsOf(
      given,
      stepped,
      Math.min(samples, limit),
      () => 1,
      (array, run) => part(array, run, 1, false),
    ),
  };
}

function rows(given: readonly Given[], { batch = Infinity, limit }: RunOptions): RunPlan {
  const fixed = given.filter(({ input, array }) => typeof input.shape[0] === "number" && array.shape[0] !== input.shape[0]);
  const open = given.filter(({ input }) => typeof input.shape[0] === "string");
  const varying = [...fixed, ...open];
  if (varying.length === 0)
    return {
      samples: 1,
      runs: runsOf(
        given,
        [],
        Math.min(1, limit),
        () => 1,
        (array) => array,
      ),
    };
  const samples = commonLength(varying);
  const most = Math.min(samples, limit);
  const [wanted = Math.max(1, Math.min(batch, most)), ...others] = new Set(fixed.map(({ input }) => input.shape[0] as number));
  if (others.length > 0 || (fixed.length > 0 && most % wanted !== 0))
    throw new RangeError(`inputs must fill the model's ${shownInputs(fixed.map(({ input }) => input))}; there are ${most} samples`);
  const size = (run: number): number => Math.min(wanted, most - run * wanted);
  return {
    samples,
    runs: runsOf(given, varying, Math.ceil(most / wanted), size, (array, run) => part(array, run * wanted, size(run), true)),
  };
}
