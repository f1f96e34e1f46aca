import { createRequire } from "node:module";
import path from "node:path";

export const E2E: string = import.meta.dirname;
export const ROOT: string = path.resolve(E2E, "..");

/** A file of a package that is installed here. */
export function installed(name: string, file: string): string {
  return path.join(E2E, "node_modules", name, file);
}

/** The repository's own development tools are these tests' too. */
export const fromRoot: NodeJS.Require = createRequire(path.join(ROOT, "package.json"));
