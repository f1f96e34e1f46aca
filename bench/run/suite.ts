import { type Plan, summary, takeTurns, warmUp } from "../turns.js";
import type { Form, Offer } from "./form.js";
import { BATCHES, type Csr, type Feed, feedOf, type Subject } from "./layers.js";

// One layer in all forms: opened once, held to the same outputs for each batch size, and timed in turn.

export interface FormTimes {
  readonly form: string;
  /** Microseconds of a sample: the least, the median, and what was measured. */
  readonly minimum: number;
  readonly median: number;
  readonly samples: readonly number[];
}

/** A form without times, and why. */
export interface Without {
  readonly form: string;
  readonly reason: string;
}

export interface BatchResult {
  readonly batch: number;
  readonly forms: readonly FormTimes[];
  /** Forms whose outputs differ. */
  readonly refused: readonly Without[];
}

export interface SuiteResult {
  readonly batches: readonly BatchResult[];
  readonly leftOut: readonly Without[];
}

export interface SuiteOptions {
  /** How often each form is measured. */
  readonly rounds: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** What an output may be away from its value, as a part of the largest: forms add in orders of their own, and round to float32 on the way. */
export const TOLERANCE = 1e-4;

/** What the layer gives, its sums in float64. */
export function exactOutputs({ starts, columns, values }: Csr, inputs: number, { x }: Pick<Feed, "x">): Float64Array {
  const rows = starts.length - 1;
  const outputs = new Float64Array((x.length / inputs) * rows);
  for (let to = 0, from = 0; to < outputs.length; from += inputs)
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = starts[row]; i < starts[row + 1]; i++) sum += values[i] * x[from + columns[i]];
      outputs[to++] = sum;
    }
  return outputs;
}

/** Why a form's outputs are not what they should be; undefined where they are. */
export function disagreement(outputs: Float32Array, exact: Float64Array): string | undefined {
  if (outputs.length !== exact.length) return `it gives ${outputs.length} outputs, not ${exact.length}`;
  const most = TOLERANCE * exact.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  // Not `>`, which a NaN would pass.
  const at = outputs.findIndex((value, i) => !(Math.abs(value - exact[i]) <= most));
  return at < 0 ? undefined : `its output ${at} is ${outputs[at]}, not ${exact[at]}`;
}

/** Opens all forms that there are. */
async function opened(offers: readonly Offer[], subject: Subject, forms: Form[], { signal, onProgress }: SuiteOptions): Promise<Without[]> {
  const leftOut: Without[] = [];
  for (const { name, open } of offers) {
    onProgress?.(`${subject.layer.name}: ${name}`);
    const form = await open(subject);
    if (typeof form === "string") leftOut.push({ form: name, reason: form });
    else forms.push(form);
    signal?.throwIfAborted();
  }
  return leftOut;
}

async function runBatch({ layer, csr }: Subject, batch: number, forms: readonly Form[], options: SuiteOptions): Promise<BatchResult> {
  const { rounds, signal } = options;
  const say = (text: string): void => options.onProgress?.(`${layer.name}, batch ${batch}: ${text}`);
  const feed = feedOf(layer, batch);
  const exact = exactOutputs(csr, layer.inputs, feed);
  const plans: Plan<Form>[] = [];
  const refused: Without[] = [];
  for (const form of forms) {
    say(`${form.name} warms up`);
    await form.feed(feed);
    await form.time(feed.count);
    const reason = disagreement(await form.outputs(), exact);
    if (reason === undefined) plans.push(await warmUp(form, rounds));
    else refused.push({ form: form.name, reason });
    signal?.throwIfAborted();
  }
  const turns = await takeTurns(plans, { signal, onProgress: say });
  const results = plans.map(({ form }, i): FormTimes => {
    const samples = turns[i].map((milliseconds) => (1e3 * milliseconds) / batch);
    return { form: form.name, ...summary(samples), samples };
  });
  return { batch, forms: results, refused };
}

export async function runLayer(subject: Subject, offers: readonly Offer[], options: SuiteOptions): Promise<SuiteResult> {
  const forms: Form[] = [];
  try {
    const leftOut = await opened(offers, subject, forms, options);
    const batches: BatchResult[] = [];
    for (const batch of BATCHES) batches.push(await runBatch(subject, batch, forms, options));
    return { batches, leftOut };
  } finally {
    for (const form of forms) await form.close();
  }
}
