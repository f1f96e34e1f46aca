import { checkInteger, checkNumber } from "../check.js";
import type { Tensor } from "../types.js";
import { Comparing, type OutputComparison } from "./compare.js";
import { type Accuracy, checkLabels, Scoring } from "./scoring.js";
import { checkShapes, checkUsed, closedShape, type Shapes } from "./shapes.js";
import { type Run, type RunnableModel, type Samples, type Signature, shownInputs, type ValueInfo } from "./types.js";
import { zeros } from "./values.js";

export interface EvaluateOptions {
  /** What the models are run on: of `readImages`, `readArrays`, `arraySamples`, `randomSamples`. */
  readonly samples: Samples;
  /** The class of each sample, from 0 on, in place of those that the samples bring. */
  readonly labels?: ArrayLike<number>;
  /** For each output that goes into the next run, by its name, the input that takes it. The first time the input is what the samples have for it, or zeros. */
  readonly state?: Readonly<Record<string, string>>;
  /** Shapes of random inputs and of a state. An axis that the model leaves open is 1 unless it stands here, or the samples have an axis of that name. */
  readonly shapes?: Shapes;
  /** Most samples in all. */
  readonly limit?: number;
  /** Most samples of a run, where the model leaves it open: 256 for images, all for arrays. */
  readonly batch?: number;
  /** The largest difference of an output's element that is still `ok`. */
  readonly tolerance?: number;
  /** The most percentage points of accuracy lost that are still `ok`. */
  readonly maxAccuracyDrop?: number;
  /** Called after each run with the samples that were run, and all there are to run. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work between two runs. */
  readonly signal?: AbortSignal;
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
  const { samples, state = {}, shapes = {}, limit = Infinity, batch, onProgress, signal } = options;
  checkLimits(options);
  checkSame(before, after);
  checkShapes(shapes, before.inputs);
  const fed = checkState(before, state);
  const plan = await samples.plan(before, { batch, limit, fed: new Set(fed.values()), shapes });
  const labels = options.labels ?? samples.labels;
  if (labels) checkLabels(labels);
  if (labels && labels.length !== plan.samples)
    throw new RangeError(`labels must be as many as the samples: there are ${labels.length} for ${plan.samples}`);
  if (!labels && options.maxAccuracyDrop !== undefined) throw new RangeError("maxAccuracyDrop must come with labels");

  const comparing = before.outputs.map((output) => new Comparing(output));
  const scoring = labels && new Scoring(labels);
  const states = [new Map<string, Tensor>(), new Map<string, Tensor>()];
  let done = 0;
  for (const run of plan.runs) {
    signal?.throwIfAborted();
    checkUsed(shapes, run.inputs);
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
    onProgress?.(done, Math.min(plan.samples, limit));
  }
  if (done === 0) throw new RangeError("samples must be one at least");
  const outputs = comparing.map((one) => one.result());
  if (outputs.every(({ elements, identical }) => elements === 0 && identical))
    throw new RangeError("samples must be such that the models answer them: no output has an element to compare");
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
function inputsOf({ inputs }: Signature, run: Run, state: ReadonlyMap<string, Tensor>, shapes: Shapes): Tensor[] {
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
