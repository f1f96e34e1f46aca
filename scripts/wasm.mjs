// Compiles the kernels: the engine and the runner for two targets of asconfig.json, and the decoder, which has to run everywhere and be small, for one.

import { spawn } from "node:child_process";
import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

export const WASM_MODULES = [
  { entry: "decoder", target: "small", file: "build/decoder.wasm" },
  { entry: "engine", target: "scalar", file: "build/engine.scalar.wasm" },
  { entry: "engine", target: "simd", file: "build/engine.simd.wasm" },
  { entry: "runner", target: "scalar", file: "build/runner.scalar.wasm" },
  { entry: "runner", target: "simd", file: "build/runner.simd.wasm" },
];

const ASC = path.join(path.dirname(createRequire(import.meta.url).resolve("assemblyscript/package.json")), "bin/asc.js");

/** Beside the target and renamed at the end: whoever reads a module meanwhile sees the old one or the new one. */
async function compile({ entry, target, file }) {
  const temporary = file.replace(/\.wasm$/, `.${process.pid}.tmp.wasm`);
  const args = [ASC, `assembly/${entry}.ts`, "--target", target, "--outFile", temporary];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "inherit", "pipe"] });
  // Binaryen says so whenever its last pass before convergence was no smaller; it means nothing for the module.
  child.stderr.on("data", (text) => process.stderr.write(String(text).replace(/^Last converge was suboptimal\.\n/gm, "")));
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  if (status !== 0) throw new Error(`asc failed on assembly/${entry}.ts, target ${target}`);
  await rename(path.join(ROOT, temporary), path.join(ROOT, file));
}

export async function buildWasm() {
  await mkdir(path.join(ROOT, "build"), { recursive: true });
  await Promise.all(WASM_MODULES.map(compile));
}

async function modified(file) {
  return (await stat(path.join(ROOT, file)).catch(() => undefined))?.mtimeMs ?? 0;
}

/** Compiles only when a module is missing or older than a source. */
export async function freshWasm() {
  const sources = (await readdir(path.join(ROOT, "assembly"), { recursive: true })).map((name) => path.join("assembly", name));
  const newest = Math.max(...(await Promise.all([...sources, "asconfig.json"].map(modified))));
  const oldest = Math.min(...(await Promise.all(WASM_MODULES.map(({ file }) => modified(file)))));
  if (oldest < newest) await buildWasm();
}
