import type { FormResult, TaskResult } from "./harness.js";

// What a run of the benchmark says: one document, as JSON, as text for a terminal, and as Markdown.

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  /** `node v20.20.2, V8 11.3`, or what a browser calls itself. */
  readonly runtime: string;
  /** The compiler of the native form, or why there is none. */
  readonly native: string;
}

/** Times faster than another form: by the least and by the median time of each. */
export interface Ratio {
  readonly minimum: number;
  readonly median: number;
}

export interface ReportedForm extends FormResult {
  /** Units and bytes, read and written, in a second: by the least and the median time. */
  readonly perSecond: Ratio;
  readonly gigabytesPerSecond: Ratio;
  readonly timesC?: Ratio;
  readonly timesJavaScript?: Ratio;
}

export interface ReportedTask extends Omit<TaskResult, "forms"> {
  readonly forms: readonly ReportedForm[];
}

export interface BenchDocument {
  readonly machine: Machine;
  readonly rounds: number;
  readonly tasks: readonly ReportedTask[];
}

export function reported(result: TaskResult): ReportedTask {
  const named = (name: string): FormResult | undefined => result.forms.find(({ form }) => form === name);
  const [native, javaScript] = [named("C"), named("JavaScript")];
  const rate = (amount: number, { minimum, median }: FormResult): Ratio => ({ minimum: amount / minimum, median: amount / median });
  return {
    ...result,
    forms: result.forms.map((form) => ({
      ...form,
      perSecond: rate(1e3 * result.count, form),
      gigabytesPerSecond: rate(result.bytes / 1e6, form),
      timesC: native && { minimum: native.minimum / form.minimum, median: native.median / form.median },
      timesJavaScript: javaScript && { minimum: javaScript.minimum / form.minimum, median: javaScript.median / form.median },
    })),
  };
}

export function machineLines({ cpu, cores, system, runtime, native }: Machine): string[] {
  return [`${cpu}, ${cores} ${cores === 1 ? "core" : "cores"}, ${system}`, runtime, `native C: ${native}`];
}

/** Three digits: 1,234  123  12.3  1.23. */
export function threeDigits(value: number): string {
  if (value >= 999.5) return Math.round(value).toLocaleString("en-US");
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function ratioText(ratio: Ratio | undefined): string {
  return ratio ? `${threeDigits(ratio.minimum)} (${threeDigits(ratio.median)})` : "-";
}

/** Lines of a table for a terminal: the first column to the left, numbers to the right. */
export function aligned(rows: readonly (readonly string[])[], gap: string, leastWidth: (column: number) => number = () => 0): string[] {
  const widths = rows[0].map((_, i) => Math.max(leastWidth(i), ...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(gap));
}

export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [heads, heads.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`);
}

/** Heads of the columns of `rowOf`. */
export const HEADS: readonly string[] = ["form", "ms", "median", "M/s", "median", "GB/s", "of C", "of JS"];

export function rowOf(form: ReportedForm): string[] {
  return [
    form.form,
    threeDigits(form.minimum),
    threeDigits(form.median),
    threeDigits(form.perSecond.minimum / 1e6),
    threeDigits(form.perSecond.median / 1e6),
    threeDigits(form.gigabytesPerSecond.minimum),
    ratioText(form.timesC),
    ratioText(form.timesJavaScript),
  ];
}

/** One line above the table of a task. */
export function taskTitle({ task, input, count, unit }: ReportedTask): string {
  return `${task}: ${count.toLocaleString("en-US")} ${unit}, ${input}`;
}

const EXPLANATION = [
  "ms: the least of all rounds; M/s: millions of units in a second;",
  "GB/s: bytes read and written; of C, of JS: how many times as fast as C is, or",
  "JavaScript, by the least times (and by the medians).",
];

/** For a terminal. */
export function documentText({ machine, rounds, tasks }: BenchDocument): string {
  const lines = [...machineLines(machine), `${rounds} rounds, forms in turn.`, ...EXPLANATION];
  for (const task of tasks) lines.push("", ...taskText(task));
  return lines.join("\n");
}

function taskText(task: ReportedTask): string[] {
  // Tables of one width, as far as they can be, and within 80 columns.
  const rows = aligned([HEADS, ...task.forms.map(rowOf)], "  ", (column) => (column === 0 ? 11 : 4));
  return [
    taskTitle(task),
    ...rows.map((row) => `  ${row}`),
    ...task.forms.filter(({ note }) => note !== undefined).map(({ form, note }) => `  ${form}: ${note}`),
    ...task.refused.map(({ form, reason }) => `  ${form} is left out: ${reason}`),
  ];
}

export function documentMarkdown({ machine, rounds, tasks }: BenchDocument): string {
  const lines = [...machineLines(machine).map((line) => `- ${line}`), `- ${rounds} rounds, forms in turn`, "", EXPLANATION.join(" ")];
  for (const task of tasks) {
    lines.push("", `**${taskTitle(task)}**`, "", ...markdownTable(HEADS, task.forms.map(rowOf)));
    for (const { form, note } of task.forms) if (note !== undefined) lines.push("", `${form}: ${note}.`);
    for (const { form, reason } of task.refused) lines.push("", `${form} is left out: ${reason}.`);
  }
  return `${lines.join("\n")}\n`;
}
