import { execFile } from "node:child_process";
import { mkdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./paths.ts";

const run = promisify(execFile);
const FOLDER = path.join(ROOT, "build/e2e");

async function compressed(name: string, model: string, ...args: readonly string[]): Promise<string> {
  const archive = path.join(FOLDER, `${name}.coppice`);
  await run("node", ["dist/cli.js", "compress", "--force", model, ...args, "-o", archive], { cwd: ROOT });
  return archive;
}

async function there(name: string): Promise<string | undefined> {
  const archive = path.join(FOLDER, `${name}.coppice`);
  return (await stat(archive).catch(() => undefined)) && archive;
}

/** An archive of a published network's shape, by its name in bench/make-model.ts; made where it is not there. */
export async function networkArchive(name: string): Promise<string> {
  const found = await there(name);
  if (found) return found;
  const model = path.join(FOLDER, `${name}.safetensors`);
  const recipe = path.join(FOLDER, `${name}.json`);
  await mkdir(FOLDER, { recursive: true });
  await run("node", ["scripts/run.mjs", "bench/make-model.ts", name, "-o", model, "--recipe", recipe], { cwd: ROOT });
  const archive = await compressed(name, model, "--recipe", recipe);
  await rm(model);
  return archive;
}

/** The archive of LeNet-300-100, which the project has trained itself. */
export async function lenetArchive(): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  return (await there("lenet")) ?? compressed("lenet", "examples/models/lenet-300-100.safetensors", "--preset", "paper");
}
