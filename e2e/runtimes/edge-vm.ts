import path from "node:path";
import type { Plugin } from "esbuild";
import { bundle } from "../bundle.ts";
import { E2E, installed } from "../paths.ts";
import { runLines } from "./lines.ts";
import type { Runtime } from "./runtime.ts";

// An edge VM has no modules: who bundles for it compiles each .wasm beforehand and hands it in as a global. It comes from another realm then, so `instanceof WebAssembly.Module` is false in there.

const GLOBAL = "wasmOf";
const HOST = path.join(E2E, "runtimes/edge-vm-host.ts");

function wasmGlobals(found: Map<string, string>): Plugin {
  return {
    name: "wasm-globals",
    setup({ onResolve, onLoad }) {
      // As Next.js asks for it.
      onResolve({ filter: /\.wasm\?module$/ }, ({ path: specifier, resolveDir }) => {
        const file = path.resolve(resolveDir, specifier.replace(/\?module$/, ""));
        found.set(path.basename(file), file);
        return { path: path.basename(file), namespace: "wasm-global" };
      });
      onLoad({ filter: /./, namespace: "wasm-global" }, ({ path: name }) => ({
        contents: `export default globalThis.${GLOBAL}[${JSON.stringify(name)}];`,
      }));
    },
  };
}

export const edgeVm: Runtime = {
  name: "edge VM",
  says: /^edge-runtime$/,
  async start(program) {
    const found = new Map<string, string>();
    const file = await bundle(program, {
      serve: "global",
      options: { conditions: ["edge-light"], format: "iife", plugins: [wasmGlobals(found)] },
    });
    const { modules: wanted = 1 } = program;
    if (found.size !== wanted) throw new Error(`this bundle for the edge VM imports ${found.size} .wasm modules, not ${wanted}`);
    const modules = [...found].map(([name, from]) => `${name}=${from}`);
    return runLines([installed("node-24", "bin/node"), HOST, GLOBAL, file, ...modules], program.project);
  },
};
