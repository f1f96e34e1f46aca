// npm run build: the kernels, the bundles, the raw modules and the declarations, all under dist/.
// npm run build:wasm (--wasm): the kernels alone, under build/.

import { spawn } from "node:child_process";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { bundle } from "./bundle.mjs";
import { buildWasm, ROOT, WASM_MODULES } from "./wasm.mjs";

const DIST = path.join(ROOT, "dist");

async function copyWasm() {
  await mkdir(path.join(DIST, "wasm"), { recursive: true });
  await Promise.all(WASM_MODULES.map(({ file }) => copyFile(path.join(ROOT, file), path.join(DIST, "wasm", path.basename(file)))));
}

async function declarations() {
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const child = spawn(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
  if (status !== 0) throw new Error("tsc failed");
}

await buildWasm();
if (!process.argv.includes("--wasm")) {
  await rm(DIST, { recursive: true, force: true });
  await Promise.all([bundle("dist"), copyWasm()]);
  await declarations();
}
