import { access, writeFile } from "node:fs/promises";
import type { BenchDocument, RunDocument, WholeDocument } from "../../bench/entry.js";
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
  readonly document: BenchDocument | RunDocument | WholeDocument;
  /** For people. */
  readonly text: string;
  /** All forms of every kernel, layer, or network gave the same. */
  readonly agreed: boolean;
}

function loadBenchmark(): Promise<Benchmark> {
  return import(new URL("./bench.js", import.meta.url).href);
}

/** Names of what can be measured. */
export async function benchNames(): Promise<string[]> {
  return (await loadBenchmark()).taskNames();
}

export async function benchRunNames(): Promise<string[]> {
  return (await loadBenchmark()).layerNames();
}

export async function benchNetworksNames(): Promise<string[]> {
  return (await loadBenchmark()).networkNames();
}

/** `coppice bench`: the kernels as WASM, as JavaScript and as native C, on this machine. */
export async function benchCommand(
  filters: readonly string[],
  flags: BenchFlags,
  signal: AbortSignal,
  onProgress: ((text: string) => void) | undefined,
): Promise<Benched> {
  const { bench, chart, documentMarkdown, documentText, tasksFor } = await loadBenchmark();
  if (tasksFor(filters).length === 0) throw unknown("kernel", filters);
  await checkFlags(flags);
  const document = await bench({ filters, rounds: flags.rounds, signal, onProgress });
  await writeFiles(
    flags,
    () => documentMarkdown(document),
    () => chart(document),
  );
  return { document, text: documentText(document), agreed: document.tasks.every(({ refused }) => refused.length === 0) };
}

/** `coppice bench run`: whole layers in the forms that there are for them on this machine. */
export async function benchRunCommand(
  filters: readonly string[],
  flags: BenchFlags,
  signal: AbortSignal,
  onProgress: ((text: string) => void) | undefined,
): Promise<Benched> {
  const { agreed, benchRun, layersFor, runChart, runMarkdown, runText } = await loadBenchmark();
  if (layersFor(filters).length === 0) throw unknown("layer", filters);
  await checkFlags(flags);
  const document = await benchRun({ filters, rounds: flags.rounds, signal, onProgress });
  await writeFiles(
    flags,
    () => runMarkdown(document),
    () => runChart(document),
  );
  return { document, text: runText(document), agreed: agreed(document) };
}

/** `coppice bench networks`: whole networks in the forms that there are for them on this machine. */
export async function benchNetworksCommand(
  filters: readonly string[],
  flags: BenchFlags,
  signal: AbortSignal,
  onProgress: ((text: string) => void) | undefined,
): Promise<Benched> {
  const { benchNetworks, networksAgreed, networksChart, networksFor, networksMarkdown, networksText } = await loadBenchmark();
  if (networksFor(filters).length === 0) throw unknown("network", filters);
  await checkFlags(flags);
  const document = await benchNetworks({ filters, rounds: flags.rounds, signal, onProgress });
  await writeFiles(
    flags,
    () => networksMarkdown(document),
    () => networksChart(document),
  );
  return { document, text: networksText(document), agreed: networksAgreed(document) };
}

const unknown = (what: string, filters: readonly string[]): UsageError =>
  new UsageError(`no ${what} is called ${filters.join(" or ")}; --list shows their names`);

/** Before minutes are spent, not after. */
async function checkFlags({ rounds, markdown, svg, force }: BenchFlags): Promise<void> {
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1))
    throw new UsageError(`--rounds must be an integer of 1 or more, got ${rounds}`);
  for (const path of [markdown, svg]) {
    if (path !== undefined && !force && (await exists(path))) throw new UsageError(`${path} exists; --force overwrites it`);
  }
}

async function writeFiles({ markdown, svg }: BenchFlags, tables: () => string, chart: () => string): Promise<void> {
  if (markdown !== undefined) await writeFile(markdown, tables());
  if (svg !== undefined) await writeFile(svg, chart());
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
