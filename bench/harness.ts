import { Bench, type Task as TinyTask } from "tinybench";
import { newEngine } from "../src/kernels/engine.js";
import { hasSimd } from "../src/kernels/variant.js";
import type { Isolate } from "./isolate.js";
import { digest, type NativeSpec, type PreparedTask, type Runnable, type Task, timed } from "./kernels/task.js";

// Runs every form of a task in turn, round by round, so that what disturbs the machine disturbs all of them. tinybench takes the times.

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

/** A sample takes at least this long, in as many calls as that needs: a browser's clock steps by 0.1 ms or less. */
const SAMPLE_MS = 2;

/** A form is warm after so many calls and so long, by when V8 has compiled it for speed; or after the most. */
const WARM_CALLS = 40;
const WARM_MS = 150;
const MOST_WARM_MS = 1500;

/** What all samples of a form may take: one that takes long is measured less often. */
const MOST_MS = 15_000;

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

/** Warms a form up; gives the calls that make a sample long enough, and the rounds that it can be asked for. */
async function warmUp(form: Form, rounds: number): Promise<{ calls: number; rounds: number }> {
  let calls = 1;
  let best = Number.POSITIVE_INFINITY;
  let called = 0;
  for (let spent = 0; spent < MOST_WARM_MS && (called < WARM_CALLS || spent < WARM_MS); ) {
    const time = await form.time(calls);
    spent += Math.max(time, 0.01);
    called += calls;
    best = Math.min(best, time / calls);
    if (time < SAMPLE_MS / 2) calls *= 2;
  }
  calls = Math.max(1, Math.ceil(SAMPLE_MS / best));
  return { calls, rounds: Math.min(rounds, Math.max(1, Math.floor(MOST_MS / (best * calls)))) };
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
    const plans: { form: Form; calls: number; rounds: number; tiny: TinyTask; samples: number[] }[] = [];
    const refused: { form: string; reason: string }[] = [];
    const bench = new Bench({ time: 0, iterations: 1, warmup: false, throws: true });
    const results = new Map<Form, string>();
    for (const form of forms) {
      onProgress?.(`${task.name}: ${form.name} warms up`);
      const plan = await warmUp(form, rounds);
      bench.add(form.name, async () => ({ overriddenDuration: (await form.time(plan.calls)) / plan.calls }), { async: true });
      plans.push({ form, ...plan, tiny: bench.getTask(form.name) as TinyTask, samples: [] });
      if (form.note === undefined) results.set(form, await form.result());
      signal?.throwIfAborted();
    }
    const expected = agreed([...results.values()]);
    for (const { form } of plans) {
      if (form.note === undefined && results.get(form) !== expected)
        refused.push({ form: form.name, reason: "its output differs from that of the others" });
    }
    const trusted = plans.filter(({ form }) => refused.every((each) => each.form !== form.name));
    for (let round = 0; round < rounds; round++) {
      onProgress?.(`${task.name}: round ${round + 1} of ${rounds}`);
      // Each round begins with another form: none always comes after the same one.
      for (let i = 0; i < trusted.length; i++) {
        const plan = trusted[(round + i) % trusted.length];
        if (plan.samples.length >= plan.rounds) continue;
        plan.tiny.reset();
        await plan.tiny.run();
        const { result } = plan.tiny;
        if (result.state !== "completed") throw new Error(`${task.name}, ${plan.form.name}: ${result.state}`);
        plan.samples.push(result.latency.min);
        signal?.throwIfAborted();
      }
    }
    const reports: FormResult[] = [];
    for (const { form, samples } of trusted) reports.push({ form: form.name, ...summary(samples), samples, note: await form.note?.() });
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

function summary(samples: readonly number[]): { minimum: number; median: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return { minimum: sorted[0], median: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2 };
}
