import { access, writeFile } from "node:fs/promises";
import type { BenchDocument } from "../../bench/entry.js";
import { UsageError } from "./usage.js";

/** The benchmark is a bundle of its own, of which no other command reads a byte. */
type Benchmark = typeof import("../../bench/entry.js");

export interface BenchFlags {
  readonly rounds?: number;
  readonly markdown?: string;
  readonly svg?: string;
  readonly list?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export interface Benched {
  readonly document: BenchDocument;
  /** For people. */
  readonly text: string;
  /** All forms of every kernel gave the same. */
  readonly agreed: boolean;
}

function loadBenchmark(): Promise<Benchmark> {
  return import(new URL("./bench.js", import.meta.url).href);
}

/** Names of what can be measured. */
export async function benchNames(): Promise<string[]> {
  return (await loadBenchmark()).taskNames();
}

/** `coppice bench`: the kernels as WASM, as JavaScript and as native C, on this machine. */
export async function benchCommand(
  filters: readonly string[],
  { rounds, markdown, svg, force }: BenchFlags,
  signal: AbortSignal,
  onProgress: ((text: string) => void) | undefined,
): Promise<Benched> {
  const { bench, chart, documentMarkdown, documentText, tasksFor } = await loadBenchmark();
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1))
    throw new UsageError(`--rounds must be an integer of 1 or more, got ${rounds}`);
  if (tasksFor(filters).length === 0) throw new UsageError(`no kernel is called ${filters.join(" or ")}; --list shows their names`);
  // Before minutes are spent, not after.
  for (const path of [markdown, svg]) {
    if (path !== undefined && !force && (await exists(path))) throw new UsageError(`${path} exists; --force overwrites it`);
  }
  const document = await bench({ filters, rounds, signal, onProgress });
  if (markdown !== undefined) await writeFile(markdown, documentMarkdown(document));
  if (svg !== undefined) await writeFile(svg, chart(document));
  return { document, text: documentText(document), agreed: document.tasks.every(({ refused }) => refused.length === 0) };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
