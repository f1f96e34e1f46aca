// coppice/onnxruntime, where it is not for Node: onnxruntime-web loads the model of an archive.

import { type OnnxRuntime, type Session, type SessionOptions, sessionOf } from "./session.js";
import type { ArchiveSource } from "./source.js";

export type { OnnxFileOptions } from "./onnx-files.js";
export type { OnnxRuntime, Session, SessionOptions } from "./session.js";
export type { ArchiveSource } from "./source.js";

async function load(): Promise<OnnxRuntime<never>> {
  // Its types are there only where it is installed; a bundler sees the name alone.
  return import("onnxruntime-web" as string);
}

/**
 * A session of onnxruntime-web for the ONNX model in an archive, which may be arriving yet. The model's bytes are held once, and the archive's until the model is made; data
 * that the model has in files beside it goes in by `externalData`.
 *
 * @param source an address, a Response, a stream, bytes, or what `open` of coppice/decode gave
 * @returns what `InferenceSession.create` gives
 * @throws FormatError where the archive is at fault, or its model no ONNX; TypeError, RangeError where an argument is; the reason of `options.signal`; what onnxruntime fails with
 */
export function createSession<S = Session>(source: ArchiveSource, options: SessionOptions<S> = {}): Promise<S> {
  return sessionOf(source, options, load);
}
