import { execFile, fork, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type * as Coppice from "../../src/index.js";
import type { Recipe, Tensor } from "../../src/index.js";

// How the parts of bench/files.ts measure: programs from outside, and the library in a process of its own.

/** The package as `npm run build` makes it, under the folder in which npm runs scripts. */
export const DIST: string = path.resolve("dist");
export const CLI: string = path.join(DIST, "cli.js");

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
export const least = (values: readonly number[]): number => Math.min(...values);

export interface Ran {
  readonly seconds: number;
  /** Peak memory in bytes, by GNU time; undefined where it is not there. */
  readonly peak?: number;
  readonly stdout: string;
}

/** Runs a program to its end; what it prints is kept unless it goes to the null device. */
export async function timed(command: string, args: readonly string[], to: "keep" | "ignore" = "ignore"): Promise<Ran> {
  const start = process.hrtime.bigint();
  const child = spawn(command, args, { stdio: ["ignore", to === "keep" ? "pipe" : "ignore", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text) => {
    stdout += text;
  });
  child.stderr?.on("data", (text) => {
    stderr += text;
  });
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
  const kilobytes = /Maximum resident set size \(kbytes\): (\d+)/.exec(stderr)?.[1];
  return { seconds, peak: kilobytes === undefined ? undefined : 1024 * Number(kilobytes), stdout };
}

export const coppice = (...args: string[]): Promise<Ran> => timed(process.execPath, [CLI, ...args]);

/** The same under GNU time, for its peak memory. */
export const coppiceWithPeak = (...args: string[]): Promise<Ran> => timed("/usr/bin/time", ["-v", process.execPath, CLI, ...args]);

/** MB/s that `zstd -b -d` says of a file in memory: the last figure before the file's name. */
export async function zstdMemoryRate(file: string): Promise<number> {
  const { stdout, stderr } = await promisify(execFile)("zstd", ["-b", "-d", "-i3", file]);
  const rates = [...`${stdout}${stderr}`.matchAll(/([\d.]+) MB\/s/g)].map(([, rate]) => Number(rate));
  return Math.max(...rates);
}

/** What the process of its own does: answers each message with milliseconds. */
export type Job =
  /** With `into`, from the second run on into the buffers of the first. */
  | { readonly kind: "decode"; readonly archive: string; readonly into: boolean }
  | { readonly kind: "compress"; readonly model: string; readonly recipe: Recipe };

/** The library in a process of its own: `once` gives the milliseconds of a run, of which the first is a fresh start. */
export function inOwnProcess(job: Job): { once(): Promise<number>; close(): void } {
  const child = fork(fileURLToPath(import.meta.url), ["--job", JSON.stringify(job)]);
  const ended = new Promise<never>((_, reject) => child.on("exit", (code) => reject(new Error(`the measured process ended with ${code}`))));
  ended.catch(() => undefined);
  return {
    once: () => Promise.race([ended, new Promise<number>((resolve) => child.once("message", resolve) && child.send("once"))]),
    close: () => void child.kill(),
  };
}

/** Tensors of a safetensors file, as views of its bytes. */
function tensorsOf(file: string): Tensor[] {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { shape: number[]; data_offsets: [number, number] }>;
  return Object.entries(header).map(
    ([
      name,
      {
        shape,
        data_offsets: [from, to],
      },
    ]) => ({
      name,
      dtype: "F32",
      shape,
      data: new Uint8Array(bytes.buffer, bytes.byteOffset + start + from, to - from).slice(),
    }),
  );
}

/** The part of this file that runs in the process of its own. */
export async function serveJob(job: Job): Promise<void> {
  const { compress, decode } = (await import(pathToFileURL(path.join(DIST, "index.js")).href)) as typeof Coppice;
  const archive = job.kind === "decode" ? new Uint8Array(readFileSync(job.archive)) : new Uint8Array(0);
  const tensors = job.kind === "compress" ? tensorsOf(job.model) : [];
  const held = new Map<string, Uint8Array>();
  process.on("message", async () => {
    const start = performance.now();
    if (job.kind === "decode") {
      const decoded = decode(archive, held.size > 0 ? { into: ({ name }) => held.get(name) as Uint8Array } : {});
      if (job.into) for (const { name, data } of decoded) held.set(name, data);
    }
    if (job.kind === "compress") await compress(tensors, { recipe: job.recipe, threads: 1 });
    process.send?.(performance.now() - start);
  });
}
