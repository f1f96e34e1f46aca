import type { Tensor, TensorInfo } from "../types.js";
import {
  meets,
  type Run,
  type RunOptions,
  type RunPlan,
  type Samples,
  type Signature,
  shownInput,
  shownInputs,
  type ValueInfo,
} from "./types.js";
import { bytesOf, isValueDtype, numbersOf, type ValueDtype } from "./values.js";

/** An array and the input that takes it. */
export interface Given<A extends TensorInfo> {
  readonly input: ValueInfo;
  readonly array: A;
}

/** How arrays go into a model, which their names and shapes say. */
interface ArrayPlan<A extends TensorInfo> {
  readonly samples: number;
  /** What the model takes of them. */
  readonly given: readonly Given<A>[];
  /**
   * The runs.
   *
   * @param tensors the arrays of `given`, in their order
   * @throws RangeError where an element is none that the input takes
   */
  runs(tensors: readonly Tensor[]): Iterable<Run>;
}

/**
 * Arrays as samples; those that are called like an output are left alone. An array with an axis more than its input, the first, is a run for each of its elements; what is not, is the same
 * in every run. Where there is none like that, the first axis of the arrays is that of the samples: they go in together, unless `batch` or an axis that the model fixes says otherwise.
 */
export function arraySamples(arrays: readonly Tensor[]): Samples {
  return {
    plan(model: Signature, options: RunOptions): RunPlan {
      const { samples, given, runs } = planArrays(arrays, model, options);
      return { samples, runs: runs(given.map(({ array }) => array)) };
    },
  };
}

/** @throws RangeError where the arrays do not meet the model */
export function planArrays<A extends TensorInfo>(arrays: readonly A[], model: Signature, options: RunOptions): ArrayPlan<A> {
  const given = matched(arrays, model, options.fed);
  const stepped = given.filter(({ input, array }) => array.shape.length === input.shape.length + 1);
  if (stepped.length > 0) return steps(given, stepped, options.limit);
  if (options.fed.size > 0)
    throw new RangeError("inputs must have an array with a first axis of steps, one more than its input has, where there is a state");
  return rows(given, options);
}

/** @throws RangeError where an array has no input, or an input no array that meets it */
function matched<A extends TensorInfo>(arrays: readonly A[], { inputs, outputs }: Signature, fed: ReadonlySet<string>): Given<A>[] {
  const left = new Map(arrays.map((array) => [array.name, array]));
  const given: Given<A>[] = [];
  for (const input of inputs) {
    const array = left.get(input.name);
    left.delete(input.name);
    if (array) {
      checkMeets(array, input);
      given.push({ input, array });
    } else if (!fed.has(input.name))
      throw new RangeError(`inputs must have an array for the model's ${shownInput(input)}; there is ${shownNames(arrays)}`);
  }
  for (const { name } of outputs) left.delete(name);
  if (left.size > 0) throw new RangeError(`inputs must be the model's, ${shownInputs(inputs)}; there is ${shownNames([...left.values()])}`);
  return given;
}

function shownNames(arrays: readonly TensorInfo[]): string {
  return arrays.map(shownInput).join(", ") || "none";
}

/** @throws RangeError where the array's shape is none that the input takes, or its dtype has no numbers */
function checkMeets(array: TensorInfo, input: ValueInfo): void {
  const { dtype, shape } = array;
  const { length } = input.shape;
  const one = shape.slice(shape.length - length);
  const [lead] = input.shape;
  const rowsFit = length > 0 && typeof lead === "number" && shape[0] % lead === 0 && meets(one.slice(1), input.shape.slice(1));
  if (!(meets(one, input.shape) && shape.length <= length + 1) && !(rowsFit && shape.length === length))
    throw new RangeError(`inputs must meet the model's ${shownInput(input)}; there is ${shownInput(array)}`);
  if (!isValueDtype(dtype))
    throw new RangeError(`inputs must have elements that become those of ${shownInput(input)}; there is ${shownInput(array)}`);
}

/** @throws RangeError where an element is none that the input has */
function converted(array: Tensor, input: ValueInfo): Tensor {
  const { name, dtype, shape } = array;
  if (dtype === input.dtype) return array;
  return { name, dtype: input.dtype, shape, data: bytesOf(numbersOf(array, dtype as ValueDtype), input.dtype, JSON.stringify(name)) };
}

/** The `count` elements of the first axis from `first` on. */
function part({ name, dtype, shape, data }: Tensor, first: number, count: number, keepAxis: boolean): Tensor {
  const rest = shape.slice(1);
  const bytes = shape[0] === 0 ? 0 : data.length / shape[0];
  return { name, dtype, shape: keepAxis ? [count, ...rest] : rest, data: data.subarray(first * bytes, (first + count) * bytes) };
}

/** @throws RangeError where the arrays have first axes that differ */
function commonLength(given: readonly Given<TensorInfo>[]): number {
  const [{ array: one }, ...others] = given;
  const other = others.find(({ array }) => array.shape[0] !== one.shape[0]);
  if (other) throw new RangeError(`inputs must have as many samples each; there is ${shownNames([one, other.array])}`);
  return one.shape[0];
}

/** `slice` gives what a run has of an array that is in `varying`; the others are the same in all. */
function planOf<A extends TensorInfo>(
  samples: number,
  given: readonly Given<A>[],
  varying: readonly Given<A>[],
  count: number,
  samplesOf: (run: number) => number,
  slice: (array: Tensor, run: number) => Tensor,
): ArrayPlan<A> {
  return {
    samples,
    given,
    runs(tensors) {
      const arrays = given.map(({ input }, i) => converted(tensors[i], input));
      return {
        *[Symbol.iterator]() {
          for (let run = 0; run < count; run++) {
            const inputs = given.map((one, i) => (varying.includes(one) ? slice(arrays[i], run) : arrays[i]));
            yield { inputs: new Map(inputs.map((tensor) => [tensor.name, tensor])), samples: samplesOf(run) };
          }
        },
      };
    },
  };
}

function steps<A extends TensorInfo>(given: readonly Given<A>[], stepped: readonly Given<A>[], limit: number): ArrayPlan<A> {
  const samples = commonLength(stepped);
  const one = (array: Tensor, run: number): Tensor => part(array, run, 1, false);
  return planOf(samples, given, stepped, Math.min(samples, limit), () => 1, one);
}

function rows<A extends TensorInfo>(given: readonly Given<A>[], { batch = Infinity, limit }: RunOptions): ArrayPlan<A> {
  const fixed = given.filter(({ input, array }) => typeof input.shape[0] === "number" && array.shape[0] !== input.shape[0]);
  const open = given.filter(({ input }) => typeof input.shape[0] === "string");
  const varying = [...fixed, ...open];
  if (varying.length === 0)
    return planOf(
      1,
      given,
      [],
      Math.min(1, limit),
      () => 1,
      (array) => array,
    );
  const samples = commonLength(varying);
  const most = Math.min(samples, limit);
  const [wanted = Math.max(1, Math.min(batch, most)), ...others] = new Set(fixed.map(({ input }) => input.shape[0] as number));
  if (others.length > 0 || (fixed.length > 0 && most % wanted !== 0))
    throw new RangeError(`inputs must fill the model's ${shownInputs(fixed.map(({ input }) => input))}; there are ${most} samples`);
  const size = (run: number): number => Math.min(wanted, most - run * wanted);
  return planOf(samples, given, varying, Math.ceil(most / wanted), size, (array, run) => part(array, run * wanted, size(run), true));
}
