import { existsSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../scripts/wasm.mjs";

const FOLDER: string = process.env["COPPICE_DATA"] ?? path.join(ROOT, "..", "shared", "data");

/**
 * The path of a real weight file or data set (`lenet/lenet-5.dense.safetensors`), undefined where this machine does not have it.
 *
 * @throws Error where it is missing and CI is set: there, no test may be left out.
 */
export function dataFile(name: string): string | undefined {
  const file = path.join(FOLDER, name);
  if (existsSync(file)) return file;
  if (process.env["CI"]) throw new Error(`CI is set, but ${file} is missing; COPPICE_DATA names the folder of the data`);
  return undefined;
}

/** For `context.skip` of a test whose data file is missing. */
export const NO_DATA = "no data: COPPICE_DATA names the folder";
