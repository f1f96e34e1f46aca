import { isModelPath, pathInFile } from "../archive/paths.js";
import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import { quoted } from "./quoted.js";

// Models of several files: one names the others.

/** A file that the model's first one names. */
export interface NamedFile {
  /** As it is known: what stands in the first file, without `./` before it. */
  readonly path: string;
  /** Where it is named, for errors. */
  readonly offset: number;
}

/** What opens files beside a model; undefined where there are none. */
export type Beside = ((path: string) => Promise<Source>) | undefined;

/** @throws FormatError `CORRUPT` where the path is not one into the model's folder */
export function namedFile(text: string, offset: number): NamedFile {
  const path = text.replace(/^(?:\.\/)+/, "");
  if (!isModelPath(path)) throw new FormatError("CORRUPT", offset, `the path ${quoted(text)} does not stay in the model's folder`);
  return { path, offset };
}

/**
 * What the first file of a model is called in its archive: its own name, where that can be.
 *
 * @throws FormatError `DUPLICATE`, `CORRUPT` where the names of all files cannot be in one folder
 */
export function firstPath(name: string | undefined, usual: string, others: readonly NamedFile[]): string {
  const last = name?.split(/[\\/]/).at(-1) ?? "";
  const first = isModelPath(last) ? last : usual;
  const paths = new Set([first]);
  for (const { path, offset } of others) {
    if (paths.has(path)) throw new FormatError("DUPLICATE", offset, `the file ${quoted(path)} is named twice`);
    paths.add(path);
  }
  const inner = pathInFile(paths);
  if (inner !== undefined) {
    const { offset } = others.find(({ path }) => path === inner) as NamedFile;
    throw new FormatError("CORRUPT", offset, `${quoted(inner)} is in another file`);
  }
  return first;
}

/**
 * Opens a file that is named.
 *
 * @throws FormatError where it is named, of what opening it throws; `UNSUPPORTED` where nothing is beside
 */
export async function openNamed(beside: Beside, { path, offset }: NamedFile): Promise<Source> {
  if (!beside) throw new FormatError("UNSUPPORTED", offset, `the model has other files, as ${quoted(path)}: open it by its path`);
  try {
    return await beside(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.code, offset, detailOf(error));
  }
}

/** What is wrong with another file, told of the model: the offset is that in the file. */
export function inFile(error: unknown, path: string): unknown {
  return error instanceof FormatError ? new FormatError(error.code, error.offset, `${quoted(path)}: ${detailOf(error)}`) : error;
}

function detailOf({ message }: FormatError): string {
  return message.slice(message.indexOf(": ") + 2);
}
