import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./paths.ts";

const run = promisify(execFile);

async function modified(file: string): Promise<number> {
  return (await stat(path.join(ROOT, file)).catch(() => undefined))?.mtimeMs ?? 0;
}

/** Builds dist/ when it is older than a source of it. */
async function freshDist(): Promise<void> {
  const folders = ["src", "assembly", "scripts"];
  const listed = await Promise.all(
    folders.map(async (folder) => (await readdir(path.join(ROOT, folder), { recursive: true })).map((name) => path.join(folder, name))),
  );
  const newest = Math.max(...(await Promise.all([...listed.flat(), "asconfig.json", "package.json"].map(modified))));
  // The declarations are written last.
  if ((await modified("dist/types/index.d.ts")) < newest) await run("npm", ["run", "build"], { cwd: ROOT });
}

/**
 * A project as a user has it: what `npm pack` makes of the repository stands in node_modules, so that each runtime and each bundler finds its build by the package's own conditions. The dependencies do
 * not: the decoder has none.
 */
export async function makeProject(): Promise<string> {
  await freshDist();
  const folder = await mkdtemp(path.join(tmpdir(), "coppice-e2e-"));
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], { cwd: ROOT });
  // A list from npm up to 11, an object by package name after it.
  const [{ filename, version }] = Object.values(JSON.parse(stdout)) as { filename: string; version: string }[];
  const modules = path.join(folder, "node_modules");
  await mkdir(modules);
  await run("tar", ["-xzf", path.join(folder, filename), "-C", modules]);
  await rename(path.join(modules, "package"), path.join(modules, "coppice"));
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { coppice: version } }));
  return folder;
}
