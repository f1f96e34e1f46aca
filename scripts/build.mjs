// npm run build: the kernels, the bundles, the raw modules and the declarations, all under dist/.
// npm run build:wasm (--wasm): the kernels alone, under build/.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { bundling } from "./bundling.mjs";
import { buildWasm, ROOT, WASM_MODULES } from "./wasm.mjs";

const DIST = path.join(ROOT, "dist");

/** Entries for Node share chunks; `reference` stands here too and pulls nothing of Node in (test/house/imports.test.ts). */
const ENTRIES = {
  index: "src/index.ts",
  reference: "src/reference/index.ts",
  nn: "src/nn/index.ts",
  cli: "src/cli/main.ts",
  worker: "src/pipeline/worker.ts",
};

/** `FormatError` is one class, whichever entry a program caught it with: the other bundles take it from decode.js. */
const oneFormatError = {
  name: "one-format-error",
  setup(esbuild) {
    const file = path.join(ROOT, "src/errors.ts");
    esbuild.onResolve({ filter: /\/errors\.js$/ }, ({ resolveDir, path: specifier }) =>
      path.resolve(resolveDir, specifier).replace(/\.js$/, ".ts") === file
        ? { path: "./decode.js", external: true, sideEffects: false }
        : undefined,
    );
  },
};

async function bundle() {
  const options = { ...bundling, absWorkingDir: ROOT, outdir: "dist" };
  const entries = Object.entries(ENTRIES).filter(([name, file]) => name !== "worker" || existsSync(path.join(ROOT, file)));
  await Promise.all([
    // One self-contained file: an edge runtime wants a module to copy, not a folder.
    build({ ...options, platform: "neutral", packages: "bundle", entryPoints: { decode: "src/decode/index.ts" } }),
    build({
      ...options,
      platform: "node",
      splitting: true,
      chunkNames: "chunk-[hash]",
      entryPoints: Object.fromEntries(entries),
      plugins: [oneFormatError],
    }),
  ]);
  await chmod(path.join(DIST, "cli.js"), 0o755);
}

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
  await Promise.all([bundle(), copyWasm()]);
  await declarations();
}
