import { checkInteger, checkNumber } from "../check.js";
import type { Tensor } from "../types.js";
import { Comparing, classesOf, largestOfRows, type OutputComparison } from "./compare.js";
import { closedShape, type Run, type RunnableModel, type Samples, type Signature, shownInputs, type ValueInfo } from "./types.js";
import { numbersOf, zeros } from "./values.js";

export interface EvaluateOptions {
  /** What the models are run on: of `readImages`, `readArrays`, `arraySamples`, `randomSamples`. */
  readonly samples: Samples;
  /** The class of each sample, from 0 on, in place of those that the samples bring. */
  readonly labels?: Uint8Array;
  /** For each output that goes into the next run, by its name, the input that takes it. The first time the input is what the samples have for it, or zeros. */
  readonly state?: Readonly<Record<string, string>>;
  /** Shapes of random inputs and of a state. An axis that the model leaves open is 1 unless it stands here, or the samples have an axis of that name. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Most samples in all. */
  readonly limit?: number;
  /** Most samples of a run, where the model leaves it open: 256 for images, all for arrays. */
  readonly batch?: number;
  /** The largest difference of an output's element that is still `ok`. */
  readonly tolerance?: number;
  /** The most percentage points of accuracy lost that are still `ok`. */
  readonly maxAccuracyDrop?: number;
  /** Stops the work between two runs. */
  readonly signal?: AbortSignal;
}

/** How often two models are right. */
export interface Accuracy {
  /** The output whose largest element is the class: the first that has a row of them for each sample. */
  readonly output: string;
  readonly samples: number;
  /** Of the first model, samples that it was right on; and of the second. */
  readonly before: number;
  readonly after: number;
}

/** What two models answer. */
export interface Evaluation {
  /** Nothing differs more than it may: true where no bound was given. */
  readonly ok: boolean;
  /** Samples that were run. */
  readonly samples: number;
  readonly outputs: readonly OutputComparison[];
  /** Where there are labels. */
  readonly accuracy?: Accuracy;
}

/**
 * Runs two models on the same samples, and compares what they answer.
 *
 * @param before the model as it was
 * @param after the same, out of an archive
 * @throws RangeError, TypeError where the samples or an option do not meet the models; the reason of `options.signal`; what a model fails with
 */
export async function evaluate(before: RunnableModel, after: RunnableModel, options: EvaluateOptions): Promise<Evaluation> {
  const { samples, state = {}, shapes = {}, limit = Infinity, batch, signal } = options;
  checkLimits(options);
  checkSame(before, after);
  const fed = checkState(before, state);
  const plan = samples.plan(before, { batch, limit, fed: new Set(fed.values()), shapes });
  const labels = options.labels ?? samples.labels;
  if (labels && labels.length !== plan.samples)
    throw new RangeError(`labels must be as many as the samples: there are ${labels.length} for ${plan.samples}`);
  if (!labels && options.maxAccuracyDrop !== undefined) throw new RangeError("maxAccuracyDrop must come with labels");

  const comparing = before.outputs.map((output) => new Comparing(output));
  const scoring = labels && new Scoring(labels);
  const states = [new Map<string, Tensor>(), new Map<string, Tensor>()];
  let done = 0;
  for (const run of plan.runs) {
    signal?.throwIfAborted();
    const results: (readonly Tensor[])[] = [];
    for (const [i, model] of [before, after].entries()) {
      const outputs = await model.run(inputsOf(model, run, states[i], shapes));
      for (const output of outputs) {
        const input = fed.get(output.name);
        if (input !== undefined) states[i].set(input, { ...output, name: input });
      }
      results.push(outputs);
    }
    for (const [i, output] of results[0].entries()) comparing[i].add(output, results[1][i], run.samples);
    scoring?.add(before.outputs, results, run.samples);
    done += run.samples;
  }
  if (done === 0) throw new RangeError("samples must be one at least");
  const outputs = comparing.map((one) => one.result());
  const accuracy = scoring?.result();
  return { ok: isOk(outputs, accuracy, options), samples: done, outputs, ...(accuracy && { accuracy }) };
}

function checkLimits({ limit, batch, tolerance, maxAccuracyDrop }: EvaluateOptions): void {
  if (limit !== undefined) checkInteger(limit, "limit", 1, Number.MAX_SAFE_INTEGER);
  if (batch !== undefined) checkInteger(batch, "batch", 1, Number.MAX_SAFE_INTEGER);
  if (tolerance !== undefined) checkNumber(tolerance, "tolerance", 0, Infinity);
  if (maxAccuracyDrop !== undefined) checkNumber(maxAccuracyDrop, "maxAccuracyDrop", 0, 100);
}

/** @throws RangeError where the two are not models of the same inputs and outputs */
function checkSame(before: Signature, after: Signature): void {
  for (const side of ["inputs", "outputs"] as const) {
    const [one, other] = [before, after].map((model) => shownInputs(model[side]));
    if (one !== other) throw new RangeError(`the models must have the same ${side}: the first has ${one}, the second ${other}`);
  }
}

/** The inputs that outputs feed, by those outputs. */
function checkState({ inputs, outputs }: Signature, state: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const fed = new Map(Object.entries(state));
  for (const [output, input] of fed) {
    if (!outputs.some(({ name }) => name === output))
      throw new RangeError(`state must name outputs of the model, ${shownInputs(outputs)}; got ${JSON.stringify(output)}`);
    if (!inputs.some(({ name }) => name === input))
      throw new RangeError(`state must feed inputs of the model, ${shownInputs(inputs)}; got ${JSON.stringify(input)}`);
  }
  if (new Set(fed.values()).size < fed.size) throw new RangeError("state must feed each input once");
  return fed;
}

/** What a model takes in a run, in the order of its inputs. */
function inputsOf(
  { inputs }: Signature,
  run: Run,
  state: ReadonlyMap<string, Tensor>,
  shapes: Readonly<Record<string, readonly number[]>>,
): Tensor[] {
  const lengths = openLengths(inputs, run);
  return inputs.map((input) => {
    const { name, dtype } = input;
    return state.get(name) ?? run.inputs.get(name) ?? zeros(name, dtype, closedShape(input, shapes, lengths));
  });
}

/** How long the axes are in a run that have a name. */
function openLengths(inputs: readonly ValueInfo[], run: Run): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const { name, shape } of inputs) {
    for (const [i, length] of run.inputs.get(name)?.shape.entries() ?? []) {
      const axis = shape[i];
      if (typeof axis === "string" && axis !== "") lengths.set(axis, length);
    }
  }
  return lengths;
}

/** Counts what two models are right on. */
class Scoring {
  readonly #labels: Uint8Array;
  #output: number | undefined;
  #name = "";
  #samples = 0;
  #right: [number, number] = [0, 0];

  constructor(labels: Uint8Array) {
    this.#labels = labels;
  }

  /** @throws RangeError where no output has classes, or too few */
  add(infos: readonly ValueInfo[], results: readonly (readonly Tensor[])[], samples: number): void {
    this.#output ??= results[0].findIndex((output) => classesOf(output, samples) !== undefined);
    const info = infos[this.#output];
    if (!info) throw new RangeError(`labels must have an output of [samples, classes] to go with, the model has ${shownInputs(infos)}`);
    this.#name = info.name;
    const labels = this.#labels.subarray(this.#samples, this.#samples + samples);
    for (const side of [0, 1]) {
      const output = results[side][this.#output];
      const classes = classesOf(output, samples);
      if (classes === undefined)
        throw new RangeError(
          `labels must go with an output of [samples, classes], ${JSON.stringify(info.name)} has become [${output.shape}]`,
        );
      const wrong = labels.findIndex((label) => label >= classes);
      if (wrong >= 0)
        throw new RangeError(
          `labels must be below ${classes}, the classes of ${JSON.stringify(info.name)}, got ${labels[wrong]} for sample ${this.#samples + wrong}`,
        );
      for (const [row, best] of largestOfRows(numbersOf(output, info.dtype), classes).entries())
        if (best === labels[row]) this.#right[side]++;
    }
    this.#samples += samples;
  }

  result(): Accuracy {
    const [before, after] = this.#right;
    return { output: this.#name, samples: this.#samples, before, after };
  }
}

function isOk(
  outputs: readonly OutputComparison[],
  accuracy: Accuracy | undefined,
  { tolerance = Infinity, maxAccuracyDrop }: EvaluateOptions,
): boolean {
  if (tolerance < Infinity && outputs.some(({ maxAbs }) => maxAbs > tolerance)) return false;
  if (!accuracy || maxAccuracyDrop === undefined) return true;
  // In samples, where nothing is rounded.
  return accuracy.before - accuracy.after <= (maxAccuracyDrop * accuracy.samples) / 100;
}
