// coppice/onnxruntime for Node: onnxruntime-node loads the model of an archive.

import { fileURLToPath } from "node:url";
import { open } from "../../decode/index.js";
import { fileSource } from "../../formats/source.js";
import { type OnnxRuntime, type Session, type SessionOptions, sessionOf } from "../session.js";
import type { ArchiveSource } from "../source.js";
import { loadRuntime } from "./runtime.js";

export type { OnnxFileOptions } from "../onnx-files.js";
export type { OnnxRuntime, Session, SessionOptions } from "../session.js";
export type { ArchiveSource } from "../source.js";
export { MissingPackageError } from "./runtime.js";

/** The path of a file, where `source` names one; other addresses are fetched. */
function pathOf(source: ArchiveSource): string | undefined {
  if (source instanceof URL) return source.protocol === "file:" ? fileURLToPath(source) : undefined;
  if (typeof source !== "string") return undefined;
  if (source.startsWith("file:")) return fileURLToPath(source);
  return /^[a-z][a-z\d+.-]+:/i.test(source) ? undefined : source;
}

/**
 * A session of onnxruntime-node for the ONNX model in an archive. The model's bytes are held once; of a file the archive's are read as they are needed. Data that the model has in files
 * beside it goes in by `externalData`.
 *
 * @param source a path, an address, a Response, a stream, bytes, or what `open` of coppice/decode gave
 * @returns what `InferenceSession.create` gives
 * @throws FormatError where the archive is at fault, or its model no ONNX; MissingPackageError without onnxruntime-node; TypeError, RangeError where an argument is wrong; the
 * reason of `options.signal`; what the system throws where a file cannot be read; what onnxruntime fails with
 */
export async function createSession<S = Session>(source: ArchiveSource, options: SessionOptions<S> = {}): Promise<S> {
  const load = async (): Promise<OnnxRuntime<never>> => (await loadRuntime()) as unknown as OnnxRuntime<never>;
  const path = pathOf(source);
  if (path === undefined) return sessionOf(source, options, load);
  const file = await fileSource(path);
  try {
    return await sessionOf(await open(file, options), options, load);
  } finally {
    await file.close();
  }
}
