// npm run demo [-- MODEL]: a model there and back on the command line of dist/, with what it costs and what it saves.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(path.dirname(process.argv[1]), "..");
const CLI = path.join(ROOT, "dist/cli.js");
const EXAMPLE = path.join(ROOT, "examples/models/lenet-300-100.safetensors");

const model = process.argv[2] ?? EXAMPLE;
const folder = mkdtempSync(path.join(tmpdir(), "coppice-demo-"));
const archive = path.join(folder, "demo.coppice");
const regrown = path.join(folder, "regrown");

/** Runs `coppice` in front of the reader. */
function coppice(...args: readonly string[]): void {
  const shown = args.map((arg) => (path.isAbsolute(arg) ? path.basename(arg) : arg));
  console.log(`\n$ coppice ${shown.join(" ")}`);
  const { status, error } = spawnSync(process.execPath, [CLI, ...args], { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`coppice ${args[0]} ended with exit code ${status}`);
}

function bytes(file: string): string {
  return `${statSync(file).size.toLocaleString("en-US")} bytes`;
}

try {
  if (!existsSync(CLI)) throw new Error("dist/cli.js is not there: run npm run build");
  coppice("compress", model, "--preset", "paper", "-o", archive);
  coppice("decompress", archive, "-o", regrown);
  coppice("verify", model, archive);
  if (statSync(regrown).size !== statSync(model).size) throw new Error("the model that came back has another size");

  console.log(`\nmodel    ${bytes(model)}\narchive  ${bytes(archive)}\nregrown  ${bytes(regrown)}`);
  const ratio = statSync(model).size / statSync(archive).size;
  console.log(
    `\nShown: ${path.basename(model)} pruned, shared and coded to 1/${ratio.toFixed(1)} of its bytes, and grown back into a file of its format.`,
  );
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
