// The bundles: everything of the package but its declarations and the raw modules.

import { chmod } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { benchWorkerBundling, bundling, workerBundling } from "./bundling.mjs";
import { ROOT } from "./wasm.mjs";

/** Entries for Node share chunks; `reference` stands here too and pulls nothing of Node in (test/house/imports.test.ts). */
const ENTRIES = {
  index: "src/index.ts",
  reference: "src/reference/index.ts",
  nn: "src/nn/index.ts",
  cli: "src/cli/main.ts",
  bench: "bench/entry.ts",
};

/** What only `coppice bench` needs comes with it, and is no dependency of the package. */
const carried = {
  name: "carried",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^tinybench$/ }, ({ path: name }) => ({ path: createRequire(import.meta.url).resolve(name) }));
  },
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

/** Workers and edge functions compile no bytes: their decoder imports the module that stands beside it. */
const wasmBeside = {
  name: "wasm-beside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\.wasm$/ }, ({ path: specifier }) => ({
      path: `./wasm/${path.basename(specifier)}`,
      external: true,
    }));
  },
};

/** Writes the bundles into a folder of the repository; the modules must be there. */
export async function bundle(folder) {
  const options = { ...bundling, absWorkingDir: ROOT, outdir: folder };
  await Promise.all([
    // One self-contained file: an edge runtime wants a module to copy, not a folder.
    build({ ...options, platform: "neutral", packages: "bundle", entryPoints: { decode: "src/decode/index.ts" } }),
    build({ ...options, platform: "neutral", entryPoints: { "decode.workerd": "src/decode/index.ts" }, plugins: [wasmBeside] }),
    build({
      ...options,
      platform: "node",
      splitting: true,
      chunkNames: "chunk-[hash]",
      entryPoints: ENTRIES,
      plugins: [...options.plugins, oneFormatError, carried],
    }),
    build({ ...workerBundling, absWorkingDir: ROOT, outdir: folder }),
    build({ ...benchWorkerBundling, absWorkingDir: ROOT, outdir: folder }),
  ]);
  await chmod(path.join(ROOT, folder, "cli.js"), 0o755);
}
