import { runTask } from "./harness.js";
import { TASKS, tasksFor } from "./kernels/index.js";
import { startJavaScript } from "./node/isolate.js";
import { thisMachine } from "./node/machine.js";
import { compileNative } from "./node/native.js";
import { type BenchDocument, type ReportedTask, reported } from "./report.js";

// The benchmark on Node: `npm run bench`, and dist/bench.js, which `coppice bench` loads.

export { chart } from "./chart.js";
export { tasksFor } from "./kernels/index.js";
export { documentMarkdown, documentText } from "./report.js";
export { benchRun, layerNames, RUN_ROUNDS } from "./run/bench.js";
export { runChart } from "./run/chart.js";
export { agreed, type RunDocument } from "./run/document.js";
export { layersFor } from "./run/layers.js";
export { runMarkdown, runText } from "./run/report.js";
export { benchNetworks, networkNames, networksAgreed, type WholeDocument } from "./whole/bench.js";
export { networksFor } from "./whole/networks.js";
export { networksChart, networksMarkdown, networksText } from "./whole/report.js";
export type { BenchDocument };

export interface BenchOptions {
  /** Parts of the names of tasks; all unless given. */
  readonly filters?: readonly string[];
  /** How often each form is measured. */
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

export const ROUNDS = 25;

export function taskNames(): string[] {
  return TASKS.map(({ name }) => name);
}

/** @throws RangeError where no task has such a name */
export async function bench({ filters = [], rounds = ROUNDS, signal, onProgress }: BenchOptions = {}): Promise<BenchDocument> {
  const tasks = tasksFor(filters);
  if (tasks.length === 0) throw new RangeError(`no kernel is called ${filters.join(" or ")}; there are: ${taskNames().join("; ")}`);
  onProgress?.("compiling the native kernels");
  const native = await compileNative();
  const machine = thisMachine(typeof native === "string" ? `left out, ${native}` : native.compiler);
  try {
    const results: ReportedTask[] = [];
    const startNative = typeof native === "string" ? undefined : native.start;
    const options = { rounds, startNative, startJavaScript, signal, onProgress };
    for (const task of tasks) results.push(reported(await runTask(task, options)));
    return { machine, rounds, tasks: results };
  } finally {
    if (typeof native !== "string") await native.close();
  }
}
