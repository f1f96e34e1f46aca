import { readFile } from "node:fs/promises";

/** Modules of bundles that are fetched: the decoder, and what runs layers. */
export const TEXT_WASM = /\b(decoder|runner\.\w+)\.wasm$/;

/**
 * A module as a string of one character for each byte, which takes a script less than base64 once it is compressed. Its lowest bytes, the most frequent, become letters: control characters would be escaped. `charset` keeps the
 * others as they are.
 */
const wasmText = {
  name: "wasm-text",
  setup(esbuild) {
    esbuild.onLoad({ filter: TEXT_WASM }, async ({ path }) => ({ contents: await textScript(path), loader: "js" }));
  },
};

/** The script that importing such a module gives. */
export async function textScript(path) {
  const bytes = await readFile(path);
  return `export default ${JSON.stringify(bytes.map((byte) => byte ^ 64).toString("latin1"))};`;
}

/** What every esbuild call here shares. Without `target` the binary loader emits `Uint8Array.fromBase64`, which Node 20 to 24 lack. */
export const bundling = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  packages: "external",
  loader: { ".wasm": "binary" },
  logLevel: "warning",
  plugins: [wasmText],
};

/** The kernels come to a thread compiled: it need not carry them. */
const noKernels = {
  name: "no-kernels",
  setup(esbuild) {
    esbuild.onLoad({ filter: /\.wasm$/ }, () => ({ contents: "", loader: "binary" }));
  },
};

/**
 * What the pool's threads run, and those that train a network, each in one small file of their own, which is found beside the bundle that asks for it. Each thread reads and compiles it anew: CommonJS and without a space it starts in
 * half the time.
 */
export const workerBundling = {
  ...bundling,
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  minify: true,
  packages: "bundle",
  platform: "node",
  plugins: [noKernels],
  entryPoints: { worker: "src/pipeline/worker.ts", "nn-worker": "src/nn/worker.ts" },
};

/** What the threads of layers run, in Node and wherever there are web workers. */
export const runWorkerBundling = {
  ...bundling,
  minify: true,
  platform: "neutral",
  plugins: [noKernels],
  entryPoints: { "run-worker": "src/run/worker.ts" },
};

/** What the threads run that time plain JavaScript, found as the pool's is: as it is written, as far as a bundle can. */
export const benchWorkerBundling = {
  ...workerBundling,
  minify: false,
  entryPoints: { "bench-javascript": "bench/node/javascript.ts", "bench-run": "bench/node/run-thread.ts" },
};
