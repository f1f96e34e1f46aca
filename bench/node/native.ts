import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { NativeProcess, StartNative } from "../harness.js";
import type { NativeSpec } from "../kernels/task.js";

const run = promisify(execFile);

const COMPILERS = ["clang", "cc", "gcc"];

/** Contraction would round a product and a sum at once, and give other bits than WASM and JavaScript. */
const FLAGS = ["-std=c11", "-O3", "-march=native", "-ffp-contract=off"];

/** The native kernels, compiled. */
export interface NativeKernels {
  /** The compiler and how it was called. */
  readonly compiler: string;
  readonly start: StartNative;
  /** Removes the program. */
  close(): Promise<void>;
}

/** bench/native, beside this file or above it: bundles stand in dist/ or deeper. */
function sourceFolder(): string | undefined {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const there = path.join(folder, "bench/native");
    if (existsSync(path.join(there, "main.c"))) return there;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/** Compiles the native kernels; gives the reason where that cannot be done. */
export async function compileNative(): Promise<NativeKernels | string> {
  const folder = sourceFolder();
  if (folder === undefined) return "the C sources are not there";
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
        start: (spec) => startNative(program, target, spec),
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

let inputs = 0;

/** As bench/native/main.c reads it. */
async function writeInput(file: string, { numbers, inputs }: NativeSpec): Promise<void> {
  const arrays: ArrayBufferView[] = [Float64Array.from(numbers), ...inputs];
  const handle = await open(file, "w");
  try {
    await handle.writeFile(new Uint8Array(BigUint64Array.of(BigInt(arrays.length)).buffer));
    for (const { buffer, byteOffset, byteLength } of arrays) {
      await handle.writeFile(new Uint8Array(BigUint64Array.of(BigInt(byteLength)).buffer));
      await handle.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
      await handle.writeFile(new Uint8Array((16 - (byteLength % 16)) % 16));
    }
  } finally {
    await handle.close();
  }
}

async function startNative(program: string, folder: string, spec: NativeSpec): Promise<NativeProcess> {
  const file = path.join(folder, `${inputs++}.input`);
  await writeInput(file, spec);
  const child = spawn(program, [spec.kernel, file], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => reject(new Error(`the native program of ${spec.kernel} ended with ${signal ?? code}`)));
  });
  ended.catch(() => undefined);
  child.stdin.on("error", () => undefined); // how the program ended says more
  async function ask(line: string): Promise<string> {
    child.stdin.write(`${line}\n`);
    const answer = await Promise.race([answers.next(), ended]);
    return answer.done ? ended : answer.value;
  }
  return {
    run: async (calls) => Number(await ask(`run ${calls}`)) / 1e6,
    digest: () => ask("digest"),
    close() {
      child.removeAllListeners("exit");
      child.kill();
      rm(file, { force: true }).catch(() => undefined);
    },
  };
}
