import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../scripts/wasm.mjs";

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly file: string;
  readonly text: string;
  /** Relative specifiers as files of the repository, others as they stand. */
  readonly imports: readonly string[];
}

// `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`.
const IMPORT = /(?:^|[;}\s])(?:import|export)\s(?:[^"'`;()]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;

export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2]);
}

/** Every .ts file under `folder`, declarations left out. */
export function sourcesUnder(folder: string): SourceFile[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => path.posix.join(folder, name.split(path.sep).join("/")))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(ROOT, file), "utf8");
      const imports = importsOf(text).map((specifier) =>
        specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, ".ts") : specifier,
      );
      return { file, text, imports };
    });
}
