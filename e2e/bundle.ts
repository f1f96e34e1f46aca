import path from "node:path";
import type { BuildOptions, Plugin } from "esbuild";
import { E2E, fromRoot } from "./paths.ts";
import type { Program } from "./runtimes/runtime.ts";

const { build } = fromRoot("esbuild") as typeof import("esbuild");

export interface BundleOptions {
  /** How calls come in: `inside/serve-${serve}.ts`. */
  readonly serve: "lines" | "fetch" | "global" | "messages";
  readonly options: BuildOptions;
}

/** Finds the files that a program names by specifiers of its own, and the package from where its user stands. */
function resolving({ project, files = {} }: Program): Plugin {
  return {
    name: "resolving",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^given:/ }, ({ path: specifier }) => ({ path: files[specifier.slice("given:".length)] }));
      onResolve({ filter: /^coppice\// }, ({ path: specifier, kind, pluginData }) =>
        pluginData === "from the project" ? undefined : resolve(specifier, { kind, resolveDir: project, pluginData: "from the project" }),
      );
    },
  };
}

/** A program and how calls come in, as one file in the project: its name. */
export async function bundle(program: Program, { serve, options }: BundleOptions): Promise<string> {
  const { project, entry } = program;
  const name = `${path.basename(entry, ".ts")}-${serve}-${(options.conditions ?? ["own"])[0]}.mjs`;
  const file = path.join(project, name);
  await build({
    stdin: {
      contents: `import { commands } from ${JSON.stringify(path.join(E2E, entry))};
        import { serve } from ${JSON.stringify(path.join(E2E, `inside/serve-${serve}.ts`))};
        ${options.format === "iife" ? "" : "export default "}serve(commands);`,
      resolveDir: project,
    },
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
    tsconfigRaw: "{}",
    loader: { ".coppice": "binary" },
    absWorkingDir: project,
    outfile: file,
    ...options,
    plugins: [resolving(program), ...(options.plugins ?? [])],
  });
  return file;
}
