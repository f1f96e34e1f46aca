import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Plugin } from "esbuild";
import { bundle } from "../bundle.ts";
import { type Answer, resultOf } from "../inside/commands.ts";
import { installed } from "../paths.ts";
import type { Runtime } from "./runtime.ts";

const WORKERD = installed("@cloudflare/workerd-linux-64", "bin/workerd");

/** A server that listens on a port of its own choice. */
export interface Served {
  /** The system's number of its process. */
  readonly pid: number | undefined;
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts workerd with a configuration that has a socket named http. */
export async function serveWorkerd(config: string, ...args: readonly string[]): Promise<Served> {
  // On the control descriptor it says which port the system gave it.
  const options = ["serve", "--socket-addr=http=127.0.0.1:0", "--control-fd=3", ...args, config];
  const child = spawn(WORKERD, options, { cwd: path.dirname(config), stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, "exit");
  };
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number };
    if (event === "listen") return { pid: child.pid, origin: `http://127.0.0.1:${port}`, close };
  }
  throw new Error(`workerd ended with exit code ${child.exitCode}`);
}

/** The modules beside a bundle that it imports. */
function wasmModules(found: Map<string, string>): Plugin {
  return {
    name: "wasm-modules",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path: specifier, resolveDir }) => {
        const name = path.basename(specifier);
        found.set(name, path.resolve(resolveDir, specifier));
        return { path: `./${name}`, external: true };
      });
    },
  };
}

function configOf(file: string, modules: ReadonlyMap<string, string>): string {
  const wasm = [...modules].map(([name, from]) => `, (name = "${name}", wasm = embed "${path.relative(path.dirname(file), from)}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "main", esModule = embed "${path.basename(file)}")${wasm.join("")}],
    compatibilityDate = "2026-10-01"
  )),
  # Programs may fetch from servers of this machine.
  (name = "internet", network = (allow = ["private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
}

export const workerd: Runtime = {
  name: "workerd",
  says: /^workerd$/,
  async start(program) {
    const modules = new Map<string, string>();
    const file = await bundle(program, {
      serve: "fetch",
      options: { conditions: ["workerd", "worker"], plugins: [wasmModules(modules)] },
    });
    const { modules: wanted = 1 } = program;
    if (modules.size !== wanted) throw new Error(`this bundle for workerd imports ${modules.size} .wasm modules, not ${wanted}`);
    const config = `${file}.capnp`;
    await writeFile(config, configOf(file, modules));
    const { pid, origin, close } = await serveWorkerd(config);
    return {
      pid,
      async call(name, argument) {
        const response = await fetch(origin, { method: "POST", body: JSON.stringify({ name, argument }) });
        if (!response.ok) throw new Error(`workerd answered with status ${response.status}: ${await response.text()}`);
        return resultOf((await response.json()) as Answer);
      },
      close,
    };
  },
};
