// The bundles: everything of the package but its declarations and the raw modules.

import { chmod, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { build } from "esbuild";
import { benchWorkerBundling, bundling, runWorkerBundling, workerBundling } from "./bundling.mjs";
import { carriedPako, PAKO_BANNER, writePakoLicense } from "./carried-pako.mjs";
import { ROOT } from "./wasm.mjs";

/** Entries for Node share chunks; `reference` stands here too and pulls nothing of Node in (test/house/imports.test.ts). */
const ENTRIES = {
  index: "src/index.ts",
  reference: "src/reference/index.ts",
  nn: "src/nn/index.ts",
  eval: "src/eval/index.ts",
  train: "src/train/index.ts",
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

/**
 * The other bundles take from decode.js `FormatError`, which is one class whichever entry, and under whichever condition, a program caught it with, and `toFile`, which carries pako there. A bundler takes
 * no more of decode.js than that.
 */
const fromDecode = {
  name: "from-decode",
  setup(esbuild) {
    const files = ["src/errors.ts", "src/decode/file.ts"].map((file) => path.join(ROOT, file));
    esbuild.onResolve({ filter: /\/(errors|file)\.js$/ }, ({ resolveDir, path: specifier }) =>
      files.includes(path.resolve(resolveDir, specifier).replace(/\.js$/, ".ts"))
        ? { path: "./decode.js", external: true, sideEffects: false }
        : undefined,
    );
  },
};

/** What loads models into other runtimes, or runs their layers, decodes with the one decoder of a program: the one under the same condition. */
const besideDecode = (file) => ({
  name: "beside-decode",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\/decode\/index\.js$/ }, () => ({ path: file, external: true, sideEffects: false }));
  },
});

/** `coppice bench run` measures the bundle that users run layers with. */
const besideRun = {
  name: "beside-run",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\/src\/run\/index\.js$/ }, () => ({ path: "./run.js", external: true, sideEffects: false }));
  },
};

/** Workers and edge functions compile no bytes: their decoder imports the module that stands beside it, in the words that their bundler knows. */
const wasmBeside = (query = "") => ({
  name: "wasm-beside",
  setup(esbuild) {
    esbuild.onResolve({ filter: /\.wasm$/ }, ({ path: specifier }) => ({
      path: `./wasm/${path.basename(specifier)}${query}`,
      external: true,
    }));
  },
});

/** Writes the bundles into a folder of the repository; the modules must be there. */
export async function bundle(folder) {
  const options = { ...bundling, absWorkingDir: ROOT, outdir: folder };
  const decoding = { ...options, platform: "neutral" };
  const onEdge = (query) => ({ ...decoding, plugins: [fromDecode, wasmBeside(query)] });
  await mkdir(path.join(ROOT, folder), { recursive: true });
  await Promise.all([
    // One self-contained file: an edge runtime wants a module to copy, not a folder.
    build({
      ...decoding,
      banner: { js: PAKO_BANNER },
      entryPoints: { decode: "src/decode/index.ts" },
      plugins: [...options.plugins, carriedPako],
    }),
    build({ ...onEdge(), entryPoints: { "decode.workerd": "src/decode/index.ts" } }),
    // Next.js compiles what is asked for as a module, and refuses a .wasm that is not.
    build({ ...onEdge("?module"), entryPoints: { "decode.edge-light": "src/decode/index.ts" } }),
    build({
      ...options,
      platform: "neutral",
      entryPoints: { run: "src/run/index.ts" },
      plugins: [...options.plugins, besideDecode("./decode.js"), fromDecode],
    }),
    ...[
      ["workerd", ""],
      ["edge-light", "?module"],
    ].map(([runtime, query]) =>
      build({
        ...decoding,
        entryPoints: { [`run.${runtime}`]: "src/run/index.ts" },
        plugins: [besideDecode(`./decode.${runtime}.js`), fromDecode, wasmBeside(query)],
      }),
    ),
    build({
      ...options,
      platform: "neutral",
      entryPoints: { tfjs: "src/runtime/tfjs.ts", transformers: "src/runtime/transformers.ts" },
      plugins: [besideDecode("./decode.js"), fromDecode],
    }),
    build({
      ...options,
      platform: "neutral",
      entryPoints: { onnxruntime: "src/runtime/onnxruntime.ts" },
      plugins: [besideDecode("./decode.js"), fromDecode],
    }),
    build({
      ...options,
      platform: "node",
      entryPoints: { "onnxruntime.node": "src/runtime/node/onnxruntime.ts" },
      plugins: [besideDecode("./decode.js"), fromDecode],
    }),
    writePakoLicense(path.join(ROOT, folder, "pako.LICENSE")),
    build({
      ...options,
      platform: "node",
      splitting: true,
      chunkNames: "chunk-[hash]",
      entryPoints: ENTRIES,
      plugins: [...options.plugins, fromDecode, besideRun, carried],
    }),
    build({ ...workerBundling, absWorkingDir: ROOT, outdir: folder }),
    build({ ...runWorkerBundling, absWorkingDir: ROOT, outdir: folder }),
    build({ ...benchWorkerBundling, absWorkingDir: ROOT, outdir: folder }),
  ]);
  await chmod(path.join(ROOT, folder, "cli.js"), 0o755);
}
