import type { ReportedTask } from "../report.js";

/** To the worker: what to measure. */
export interface Wanted {
  readonly filters: readonly string[];
  readonly rounds: number;
}

/** From the worker: what it is at, and what it has measured. */
export type News =
  | { readonly kind: "step"; readonly text: string }
  | { readonly kind: "task"; readonly task: ReportedTask }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly text: string };
