import { CommanderError } from "commander";
import type { WorkOptions } from "../index.js";
import type { Benched, BenchFlags } from "./bench.js";
import { hearInterrupts, type Interrupted } from "./interrupt.js";
import { type Actions, commandLine } from "./program.js";
import type { ProgressBar } from "./progress.js";
import { PIPE_CLOSED, writeError, writeOut } from "./stdio.js";
import { canDraw, colorsFor, roomOf } from "./streams.js";

// Each command comes with the library when it is asked for: `coppice --help` needs neither.

const USAGE = 2;

const signal = hearInterrupts();
let exitCode = 0;
let help = "";

/** Numbers that JSON has no word for are left out: the SNR of a tensor that lost nothing is infinite. */
function json(value: unknown): string {
  return `${JSON.stringify(value, (_, field) => (typeof field === "number" && !Number.isFinite(field) ? undefined : field), 2)}\n`;
}

const actions: Actions = {
  async compress(model, flags) {
    const { compressCommand } = await import("./compress.js");
    const { destination, report } = await watched(flags, (onProgress) => compressCommand(model, flags, signal, onProgress));
    const output = destination.kind === "stdout" ? undefined : destination.path;
    if (flags.json) return writeOut(json({ ...report, output }));
    if (flags.quiet) return;
    const { reportTable } = await import("./report-table.js");
    const stream = output === undefined ? process.stderr : process.stdout;
    const table = reportTable(report, roomOf(stream), colorsFor(stream));
    if (output === undefined) return writeError(table.trimEnd());
    await writeOut(table);
    await wrote(output, report.file.bytes);
  },

  async decompress(archive, flags) {
    const { decompressCommand } = await import("./decompress.js");
    const result = await watched(flags, (onProgress) => decompressCommand(archive, flags, signal, onProgress));
    if (flags.json) return writeOut(json(result));
    if (flags.quiet) return;
    for (const { path, bytes } of result.files) await wrote(path, bytes);
  },

  async inspect(archive, flags) {
    const { inspectCommand } = await import("./inspect.js");
    const report = await watched(flags, (onProgress) => inspectCommand(archive, flags, signal, onProgress));
    if (flags.json) return writeOut(json(report));
    if (flags.quiet) return;
    const { reportTable } = await import("./report-table.js");
    await writeOut(reportTable(report, roomOf(process.stdout), colorsFor(process.stdout)));
  },

  async verify(model, archive, flags) {
    const { verifyCommand } = await import("./verify.js");
    const comparison = await watched(flags, (onProgress) => verifyCommand(model, archive, flags, signal, onProgress));
    if (!comparison.ok) exitCode = 1;
    if (flags.json) return writeOut(json(comparison));
    if (flags.quiet) return;
    const { comparisonTable } = await import("./comparison-table.js");
    await writeOut(comparisonTable(comparison, roomOf(process.stdout), colorsFor(process.stdout)));
  },

  async eval(before, after, flags) {
    const { evalCommand } = await import("./eval.js");
    const evaluation = await counted(flags, (onProgress) => evalCommand(before, after, flags, signal, onProgress));
    if (!evaluation.ok) exitCode = 1;
    if (flags.json) return writeOut(json(evaluation));
    if (flags.quiet) return;
    const { evalTable } = await import("./eval-table.js");
    const bounded = flags.tolerance !== undefined || flags.maxAccuracyDrop !== undefined;
    await writeOut(evalTable(evaluation, bounded, roomOf(process.stdout), colorsFor(process.stdout)));
  },

  async train(flags) {
    const { trainCommand } = await import("./train.js");
    const { watchTraining } = await import("./train-watch.js");
    const { listeners, stop } = watchTraining(flags);
    const { report, files } = await trainCommand(flags, signal, listeners).then(
      (outcome) => stop(false).then(() => outcome), // a signal may have come too late to stop anything
      (error) => stop(signal.aborted).then(() => Promise.reject(error)),
    );
    if (flags.json) return writeOut(json({ ...report, files }));
    if (flags.quiet) return;
    const { trainTable } = await import("./train-table.js");
    await writeOut(trainTable(report, roomOf(process.stdout), colorsFor(process.stdout)));
    for (const { path, bytes } of files) await wrote(path, bytes);
  },

  async bench(kernels, flags) {
    const { benchCommand, benchNames } = await import("./bench.js");
    if (flags.list) return listed(await benchNames(), flags);
    await measured(flags, (step) => benchCommand(kernels, flags, signal, step));
  },

  async benchRun(layers, flags) {
    const { benchRunCommand, benchRunNames } = await import("./bench.js");
    if (flags.list) return listed(await benchRunNames(), flags);
    await measured(flags, (step) => benchRunCommand(layers, flags, signal, step));
  },

  async benchNetworks(networks, flags) {
    const { benchNetworksCommand, benchNetworksNames } = await import("./bench.js");
    if (flags.list) return listed(await benchNetworksNames(), flags);
    await measured(flags, (step) => benchNetworksCommand(networks, flags, signal, step));
  },
};

function listed(names: readonly string[], flags: BenchFlags): Promise<void> {
  return writeOut(flags.json ? json(names) : `${names.join("\n")}\n`);
}

/** A benchmark, which says on the terminal what it is at. */
async function measured(flags: BenchFlags, work: (onProgress: ((text: string) => void) | undefined) => Promise<Benched>): Promise<void> {
  const step = canDraw() ? (text: string) => void process.stderr.write(`\r\x1b[K${text}`) : undefined;
  const { document, text, agreed } = await work(step).finally(() => step?.(""));
  if (!agreed) exitCode = 1;
  await writeOut(flags.json ? json(document) : `${text}\n`);
}

interface Watched {
  readonly quiet?: boolean;
}

/** `work` on bytes with a bar on the terminal. */
function watched<T>(flags: Watched, work: (onProgress: WorkOptions["onProgress"]) => Promise<T>): Promise<T> {
  return withBar(flags, (bar) => work(bar?.update));
}

/** `work` on samples with a bar on the terminal. */
function counted<T>(flags: Watched, work: (onProgress: ProgressBar["count"] | undefined) => Promise<T>): Promise<T> {
  return withBar(flags, (bar) => work(bar?.count));
}

/** `work` with a bar, where there is a terminal for it; it is gone when `work` ends. */
async function withBar<T>({ quiet }: Watched, work: (bar: ProgressBar | undefined) => Promise<T>): Promise<T> {
  const bar = canDraw() && !quiet ? (await import("./progress.js")).progressBar() : undefined;
  try {
    return await work(bar);
  } finally {
    bar?.stop();
  }
}

async function wrote(path: string, bytes: number): Promise<void> {
  const { exactCount, printable } = await import("./text.js");
  await writeError(`wrote ${printable(path)}, ${exactCount(bytes)} bytes`);
}

/** What is wrong with the command line, as commander says it, in one line. */
function usageSentence({ code, message }: CommanderError): string {
  const sentence = message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  return `${sentence}; coppice --help shows ${code === "commander.unknownCommand" ? "the commands" : "how it is used"}`;
}

/** Says what went wrong, where there is someone to hear it, and gives the exit code. */
export async function fail(error: unknown): Promise<number> {
  if ((error as NodeJS.ErrnoException).code === "EPIPE") return PIPE_CLOSED;
  if (signal.aborted) return (signal.reason as Interrupted).exitCode;
  if (process.env["COPPICE_DEBUG"]) await writeError((error as Error).stack ?? String(error));
  const { explain } = await import("./explain.js");
  const failure = explain(error);
  await writeError(`${colorsFor(process.stderr).red("coppice:")} ${failure.sentence}`);
  return failure.exitCode;
}

/** The text of --help and --version. */
function hear(text: string): void {
  help += text;
}

/** Does what the command line asks for, and gives the exit code. */
export async function run(): Promise<number> {
  try {
    await commandLine(actions, hear).parseAsync();
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error);
    if (error.exitCode === 0) return writeOut(help).then(() => 0, fail);
    if (error.code === "commander.help") {
      await writeError(help.trimEnd());
      return USAGE;
    }
    await writeError(`${colorsFor(process.stderr).red("coppice:")} ${usageSentence(error)}`);
    return USAGE;
  }
}
