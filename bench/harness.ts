import { newEngine } from "../src/kernels/engine.js";
import { hasSimd } from "../src/kernels/variant.js";
import type { Isolate } from "./isolate.js";
import { digest, type NativeSpec, type PreparedTask, type Runnable, type Task, timed } from "./kernels/task.js";
import { type Plan, summary, takeTurns, warmUp } from "./turns.js";

// Prepares every form of a task, holds them to the same bits, and has them take turns.

/** A kernel as a program of its own. */
export interface NativeProcess {
  /** Runs the kernel `calls` times; gives the milliseconds of all. */
  run(calls: number): Promise<number>;
  digest(): Promise<string>;
  close(): void;
}

/** Starts a native program; where there is none, `bench/node/native.ts` says why. */
export type StartNative = (spec: NativeSpec) => Promise<NativeProcess>;

export interface RunOptions {
  /** How often each form is measured. */
  readonly rounds: number;
  readonly startNative?: StartNative;
  /** Starts an isolate in which no memory has grown: this one is that of the engines. */
  readonly startJavaScript: () => Isolate;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export interface FormResult {
  readonly form: string;
  /** Milliseconds of a run: the least, the median, and what was measured. */
  readonly minimum: number;
  readonly median: number;
  readonly samples: readonly number[];
  /** What a form that goes another way says of its result. */
  readonly note?: string;
}

export interface TaskResult {
  readonly task: string;
  readonly input: string;
  readonly unit: Task["unit"];
  readonly count: number;
  readonly bytes: number;
  readonly forms: readonly FormResult[];
  /** Forms that gave something else than the others, and are not reported. */
  readonly refused: readonly { readonly form: string; readonly reason: string }[];
}

interface Form {
  readonly name: string;
  /** Milliseconds of `calls` runs. */
  readonly time: (calls: number) => number | Promise<number>;
  readonly result: () => Promise<string>;
  /** For a form whose bits are its own. */
  readonly note?: () => Promise<string>;
  readonly close?: () => void;
}

function wasmForm(name: string, runnable: Runnable): Form {
  return { name, time: (calls) => timed(runnable, calls), result: async () => digest(runnable.outputs()) };
}

/** Puts the forms of a task into `forms`, of which some may be open when another one fails. */
async function openForms(forms: Form[], prepared: PreparedTask, startNative: StartNative | undefined, isolate: Isolate): Promise<void> {
  if (startNative) {
    const native = await startNative(prepared.native);
    forms.push({ name: "C", time: native.run, result: native.digest, close: native.close });
  }
  if (hasSimd()) forms.push(wasmForm("WASM SIMD", prepared.wasm(newEngine({ variant: "simd" }))));
  forms.push(wasmForm("WASM scalar", prepared.wasm(newEngine({ variant: "scalar" }))));
  const result = (): Promise<string> => isolate.digest();
  forms.push({ name: "JavaScript", time: (calls) => isolate.time("js", calls), result });
  const { other } = prepared;
  if (other) forms.push({ name: other.name, time: (calls) => isolate.time("other", calls), result, note: () => isolate.note() });
}

/** What most forms gave; of two that are as many, what comes first. */
function agreed(results: readonly string[]): string {
  const votes = (result: string): number => results.filter((other) => other === result).length;
  return results.reduce((most, result) => (votes(result) > votes(most) ? result : most));
}

export async function runTask(task: Task, { rounds, startNative, startJavaScript, signal, onProgress }: RunOptions): Promise<TaskResult> {
  onProgress?.(`${task.name}: inputs`);
  const forms: Form[] = [];
  const isolate = startJavaScript();
  try {
    // Both at a time.
    const [, prepared] = await Promise.all([isolate.prepare(task.name), Promise.resolve().then(() => task.prepare())]);
    await openForms(forms, prepared, startNative, isolate);
    const plans: Plan<Form>[] = [];
    const refused: { form: string; reason: string }[] = [];
    const results = new Map<Form, string>();
    for (const form of forms) {
      onProgress?.(`${task.name}: ${form.name} warms up`);
      plans.push(await warmUp(form, rounds));
      if (form.note === undefined) results.set(form, await form.result());
      signal?.throwIfAborted();
    }
    const expected = agreed([...results.values()]);
    for (const { form } of plans) {
      if (form.note === undefined && results.get(form) !== expected)
        refused.push({ form: form.name, reason: "its output differs from that of the others" });
    }
    const trusted = plans.filter(({ form }) => refused.every((each) => each.form !== form.name));
    const samples = await takeTurns(trusted, { signal, onProgress: (text) => onProgress?.(`${task.name}: ${text}`) });
    const reports: FormResult[] = [];
    for (const [i, { form }] of trusted.entries())
      reports.push({ form: form.name, ...summary(samples[i]), samples: samples[i], note: await form.note?.() });
    return {
      task: task.name,
      input: task.input,
      unit: task.unit,
      count: prepared.count,
      bytes: prepared.bytes,
      forms: reports,
      refused,
    };
  } finally {
    isolate.close();
    for (const form of forms) form.close?.();
  }
}
