// node scripts/run.mjs FILE.ts [ARGUMENT...]: runs a TypeScript file of this repository, .wasm imports included.

import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { bundling } from "./bundling.mjs";
import { freshWasm, ROOT } from "./wasm.mjs";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node scripts/run.mjs FILE.ts [ARGUMENT...]\n");
  process.exit(2);
}

await freshWasm();
const folder = path.join(ROOT, "build/run");
await mkdir(folder, { recursive: true });
const outfile = path.join(folder, `${path.basename(file, ".ts")}.${process.pid}.mjs`);
try {
  await build({ ...bundling, platform: "node", sourcemap: "inline", entryPoints: [path.resolve(file)], outfile });
  process.argv = [process.argv[0], path.resolve(file), ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(outfile, { force: true });
}
