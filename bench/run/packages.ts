import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { foundAbove } from "../node/native.js";

export interface FoundPackage {
  /** Its main file, as `require` takes it. */
  readonly file: string;
  readonly version: string;
}

/** A package, where the project in the current folder has it, this package, or the end-to-end tests of the repository. */
export function findPackage(name: string): FoundPackage | undefined {
  for (const place of [path.resolve("package.json"), import.meta.url, foundAbove("e2e/package.json")]) {
    if (place === undefined) continue;
    try {
      const file = createRequire(place).resolve(name);
      const folder = file.slice(0, file.lastIndexOf(name) + name.length);
      return { file, version: JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).version };
    } catch {
      // The next one may have it.
    }
  }
  return undefined;
}
