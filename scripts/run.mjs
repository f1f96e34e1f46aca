// node scripts/run.mjs FILE.ts [ARGUMENT...]: runs a TypeScript file of this repository, .wasm imports included.

import { rmSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { benchWorkerBundling, bundling, runWorkerBundling, workerBundling } from "./bundling.mjs";
import { freshWasm, ROOT } from "./wasm.mjs";

const RUNS = path.join(ROOT, "build/run");

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node scripts/run.mjs FILE.ts [ARGUMENT...]\n");
  process.exit(2);
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** What runs left behind that could not take it away: each has its folder, named by its process. */
async function clearStale() {
  const stale = (await readdir(RUNS)).filter((name) => !/^[1-9]\d*$/.test(name) || !isRunning(Number(name)));
  await Promise.all(stale.map((name) => rm(path.join(RUNS, name), { recursive: true, force: true })));
}

await freshWasm();
await mkdir(RUNS, { recursive: true });
await clearStale();
const outdir = path.join(RUNS, String(process.pid));
process.on("exit", () => rmSync(outdir, { recursive: true, force: true }));
await Promise.all([
  build({ ...bundling, platform: "node", sourcemap: "inline", entryPoints: { main: path.resolve(file) }, outdir }),
  build({ ...workerBundling, absWorkingDir: ROOT, outdir }),
  build({ ...runWorkerBundling, absWorkingDir: ROOT, outdir }),
  build({ ...benchWorkerBundling, absWorkingDir: ROOT, outdir }),
]);
process.argv = [process.argv[0], path.resolve(file), ...args];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(path.join(outdir, "main.js")).href);
