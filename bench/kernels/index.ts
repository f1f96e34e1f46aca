import { csrTasks } from "./csr.js";
import { gemmTasks } from "./gemm.js";
import { huffmanTasks } from "./huffman.js";
import { sharingTasks } from "./sharing.js";
import type { Task } from "./task.js";
import { weightTasks } from "./weights.js";

/** Every kernel that is measured. */
export const TASKS: readonly Task[] = [...huffmanTasks, ...weightTasks, ...sharingTasks, ...csrTasks, ...gemmTasks];

/** Tasks whose names have all words of one of the filters, whatever their case; all where there is no filter. */
export function tasksFor(filters: readonly string[]): readonly Task[] {
  if (filters.length === 0) return TASKS;
  const words = filters.map((filter) => filter.toLowerCase().split(/\s+/));
  return TASKS.filter(({ name }) => words.some((all) => all.every((word) => name.toLowerCase().includes(word))));
}
