import { readFile } from "node:fs/promises";
import path from "node:path";
import { EdgeVM } from "@edge-runtime/vm";
import type { Plugin } from "esbuild";
import { bundle } from "../bundle.ts";
import { type Answer, resultOf } from "../inside/commands.ts";
import type { Runtime } from "./runtime.ts";

// An edge VM has no modules: who bundles for it compiles each .wasm beforehand and hands it in as a global. It comes from another realm then, so `instanceof WebAssembly.Module` is false in there.

const GLOBAL = "wasmOf";

function wasmGlobals(found: Map<string, string>): Plugin {
  return {
    name: "wasm-globals",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm$/ }, ({ path: specifier, resolveDir }) => {
        const file = path.resolve(resolveDir, specifier);
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
    if (found.size !== 1) throw new Error(`a bundle for the edge VM imports one .wasm module, this one ${found.size}`);
    const compiled: Record<string, WebAssembly.Module> = {};
    for (const [name, from] of found) compiled[name] = await WebAssembly.compile(new Uint8Array(await readFile(from)));
    // Neither eval nor compiling WebAssembly is allowed inside, as on the hosts that it stands for.
    const vm = new EdgeVM({
      codeGeneration: { strings: false, wasm: false },
      extend: (context) => Object.assign(context, { [GLOBAL]: compiled }),
    });
    vm.evaluate(await readFile(file, "utf8"));
    return {
      async call(name, argument) {
        // The argument goes in, and the answer comes out, as text: nothing of one realm reaches the other.
        const asked = `call(${JSON.stringify(name)}, ${JSON.stringify(argument ?? null)}).then(JSON.stringify)`;
        return resultOf(JSON.parse(await vm.evaluate<Promise<string>>(asked)) as Answer);
      },
      close: async () => {},
    };
  },
};
