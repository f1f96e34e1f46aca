import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { NativeSpec } from "../kernels/task.js";
import { type Program, startProgram } from "./program.js";

const run = promisify(execFile);

const COMPILERS = ["clang", "cc", "gcc"];

/** Contraction would round a product and a sum at once, and give other bits than WASM and JavaScript. */
const FLAGS = ["-std=c11", "-O3", "-march=native", "-ffp-contract=off"];

/** The native kernels, compiled. */
export interface NativeKernels {
  /** The compiler and how it was called. */
  readonly compiler: string;
  readonly start: (spec: NativeSpec) => Promise<Program>;
  /** Removes the program. */
  close(): Promise<void>;
}

/** What of this repository or package stands beside this file or above it: bundles stand in dist/ or deeper. */
export function foundAbove(name: string): string | undefined {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const there = path.join(folder, name);
    if (existsSync(there)) return there;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** Compiles the native kernels; gives the reason where that cannot be done. */
export async function compileNative(): Promise<NativeKernels | string> {
  const main = foundAbove("bench/native/main.c");
  if (main === undefined) return "the C sources are not there";
  const folder = path.dirname(main);
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => path.join(folder, name));
  const target = await mkdtemp(path.join(tmpdir(), "coppice-bench-"));
  const program = path.join(target, "bench");
  const failures: string[] = [];
  for (const compiler of COMPILERS) {
    try {
      await run(compiler, [...FLAGS, ...sources, "-o", program, "-lm"]);
      const { stdout } = await run(compiler, ["--version"]);
      return {
        compiler: `${stdout.split("\n")[0]}, ${FLAGS.join(" ")}`,
        start: (spec) => startProgram([program], target, spec),
        close: () => rm(target, { recursive: true, force: true }),
      };
    } catch (error) {
      const { code, stderr } = error as { code?: string; stderr?: string };
      if (code !== "ENOENT") failures.push(`${compiler}: ${(stderr ?? String(error)).split("\n")[0]}`);
    }
  }
  await rm(target, { recursive: true, force: true });
  return failures.length > 0 ? `no compiler could build them (${failures.join("; ")})` : `there is no compiler (${COMPILERS.join(", ")})`;
}
