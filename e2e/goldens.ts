import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Found } from "./inside/found.ts";
import { ROOT } from "./paths.ts";

const FOLDER = path.join(ROOT, "test/golden");

function json<T>(...name: string[]): T {
  return JSON.parse(readFileSync(path.join(FOLDER, ...name), "utf8")) as T;
}

const golden = Object.entries(json<Record<string, { tensors: Found[]; files: { path: string; sha256: string }[] }>>("expected.json"));
const bad = Object.entries(json<Record<string, { code: string; shell?: true }>>("bad", "expected.json"));

/** What each archive holds; of those that the golden files know by their file alone, no tensor is known. */
export const TENSORS: Readonly<Record<string, readonly Found[]>> = Object.fromEntries(golden.map(([name, { tensors }]) => [name, tensors]));

export const FILES: Readonly<Record<string, string>> = Object.fromEntries(
  golden.filter(([, { files }]) => files.length === 1).map(([name, { files }]) => [name, files[0].sha256]),
);

/** What a broken archive is refused with. Where the shell alone is broken, its tensors are to be had. */
export const REFUSALS: Readonly<Record<string, string>> = Object.fromEntries(
  bad.map(([name, { code, shell }]) => [`bad/${name}`, shell ? "accepted" : code]),
);

/** Writes a module that holds all archives as bytes, by name, where a bundler reads `.coppice` files. */
export function writeGoldens(file: string): void {
  const names = [...Object.keys(TENSORS), ...Object.keys(REFUSALS)];
  const there = ["", "bad"].flatMap((folder) =>
    readdirSync(path.join(FOLDER, folder))
      .filter((name) => name.endsWith(".coppice"))
      .map((name) => path.posix.join(folder, name)),
  );
  if (there.sort().join() !== names.toSorted().join()) throw new Error("the golden archives are not those that are expected");
  const imports = names.map((name, i) => `import a${i} from ${JSON.stringify(path.join(FOLDER, name))};`);
  const entries = names.map((name, i) => `${JSON.stringify(name)}: a${i}`);
  writeFileSync(file, `${imports.join("\n")}\nexport default { ${entries.join(", ")} };\n`);
}
