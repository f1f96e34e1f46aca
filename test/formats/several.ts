import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes files into a folder, and gives the path of the first. */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): string {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), bytes);
  }
  return path.join(folder, Object.keys(files)[0]);
}
