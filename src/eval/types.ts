import type { Tensor } from "../types.js";
import type { Shapes } from "./shapes.js";
import type { ValueDtype } from "./values.js";

/** An input or an output of a model. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: ValueDtype;
  /** Of each axis its length, or its name where the model leaves it open; `""` where it has no name. */
  readonly shape: readonly (number | string)[];
}

/** What a model takes and gives. */
export interface Signature {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}

/** A model that can be run. */
export interface RunnableModel extends Signature {
  /** The outputs for some inputs, in the order of `outputs`. */
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]>;
  /** Frees what the model holds. */
  release(): Promise<void>;
}

/** What goes into a model at once. */
export interface Run {
  /** By name; an input that a state feeds may be among them, for the first run. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** How many samples these are. */
  readonly samples: number;
}

export interface RunPlan {
  /** Samples that there are, whether they are all run or not. */
  readonly samples: number;
  readonly runs: Iterable<Run>;
}

export interface RunOptions {
  /** Most samples of a run, where the model leaves it open. */
  readonly batch?: number;
  /** Most samples in all. */
  readonly limit: number;
  /** The inputs that an output of the run before feeds. */
  readonly fed: ReadonlySet<string>;
  /** Shapes of inputs that are not given. An axis that the model leaves open is 1 unless it stands here. */
  readonly shapes: Shapes;
}

/** What models are run on. */
export interface Samples {
  /** The class of each sample, where the file says it. */
  readonly labels?: ArrayLike<number>;
  /**
   * The runs of such a model.
   *
   * @throws RangeError where the samples do not meet it; FormatError where a file that they come from is at fault
   */
  plan(model: Signature, options: RunOptions): RunPlan | Promise<RunPlan>;
}

/** A shape for a message: `[n, 1, 28, 28]`, an axis that is open and has no name as `?`. */
export function shownShape(shape: readonly (number | string)[]): string {
  return `[${shape.map((axis) => (axis === "" ? "?" : axis)).join(", ")}]`;
}

/** An input for a message: `"image" F32 [n, 1, 28, 28]`. */
export function shownInput({ name, dtype, shape }: { name: string; dtype: string; shape: readonly (number | string)[] }): string {
  return `${JSON.stringify(name)} ${dtype} ${shownShape(shape)}`;
}

/** Inputs for a message. */
export function shownInputs(inputs: readonly ValueInfo[]): string {
  return inputs.map(shownInput).join(", ") || "none";
}

/** Whether a shape has the rank of an open one, and the lengths that it fixes. */
export function meets(shape: readonly number[], open: readonly (number | string)[]): boolean {
  return shape.length === open.length && open.every((axis, i) => typeof axis === "string" || axis === shape[i]);
}

/**
 * The input that takes what has no name of its own.
 *
 * @param wanted its name, where the caller says it
 * @throws RangeError where there is no such input, or it is not clear which
 */
export function oneInput(inputs: readonly ValueInfo[], fed: ReadonlySet<string>, wanted: string | undefined): ValueInfo {
  const free = inputs.filter(({ name }) => !fed.has(name));
  if (wanted === undefined) {
    if (free.length === 1) return free[0];
    throw new RangeError(`input must name one of the model's inputs: ${shownInputs(free)}`);
  }
  const found = inputs.find(({ name }) => name === wanted);
  if (!found) throw new RangeError(`input must be one of the model's: ${shownInputs(inputs)}; got ${JSON.stringify(wanted)}`);
  return found;
}
