// npm run demo [-- MODEL]: a network that was pruned and shared in training reads digits out of its archive; then a model, the dense network that one came from unless another is named, goes there and
// back on the command line of dist/, with what that costs and saves.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(path.dirname(process.argv[1]), "..");
const CLI = path.join(ROOT, "dist/cli.js");
const DENSE = path.join(ROOT, "examples/models/lenet-300-100.safetensors");
const TRAINED = path.join(ROOT, "examples/models/lenet-300-100.coppice");
const READER = path.join(ROOT, "examples/edge/node.js");
const DRAWINGS = [3, 7].map((digit) => path.relative(process.cwd(), path.join(ROOT, `examples/edge/digits/${digit}.txt`)));

const model = process.argv[2] ?? DENSE;
const folder = mkdtempSync(path.join(tmpdir(), "coppice-demo-"));
const archive = path.join(folder, "demo.coppice");
const regrown = path.join(folder, "regrown");

/** Runs a program in front of the reader. */
function show(title: string, program: string, ...args: readonly string[]): void {
  const shown = args.map((arg) => (path.isAbsolute(arg) ? path.basename(arg) : arg));
  console.log(`\n$ ${title} ${shown.join(" ")}`);
  const { status, error } = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${title} ${args[0]} ended with exit code ${status}`);
}

function coppice(...args: readonly string[]): void {
  show("coppice", CLI, ...args);
}

function bytes(file: string): string {
  return `${statSync(file).size.toLocaleString("en-US")} bytes`;
}

try {
  if (!existsSync(CLI)) throw new Error("dist/cli.js is not there: run npm run build");
  console.log("LeNet-300-100, pruned, shared and fine-tuned by npm run reproduce, and two digits that it reads out of its archive:");
  coppice("inspect", TRAINED);
  show("node examples/edge/node.js", READER, TRAINED, ...DRAWINGS);

  console.log("\nThe same without any training:");
  coppice("compress", model, "--preset", "paper", "-o", archive);
  coppice("decompress", archive, "-o", regrown);
  coppice("verify", model, archive);
  if (statSync(regrown).size !== statSync(model).size) throw new Error("the model that came back has another size");

  console.log(`\nmodel    ${bytes(model)}\narchive  ${bytes(archive)}\nregrown  ${bytes(regrown)}`);
  const ratio = statSync(model).size / statSync(archive).size;
  console.log(
    `\nShown: an archive that is read from as it is; and ${path.basename(model)} pruned, shared and coded to 1/${ratio.toFixed(1)} of its bytes, and grown back into a file of its format.`,
  );
} catch (error) {
  console.error(`demo: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
