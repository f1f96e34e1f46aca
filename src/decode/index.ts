// The decoder for edge runtimes: no dependency, nothing of Node.

import { type Header, readHeader as readHeaderWith } from "../archive/header.js";
import { plainBytes } from "../check.js";
import { decoderKernels } from "../kernels/decoder-kernels.js";
import type { Source, Tensor } from "../types.js";
import { Archive, type DecodeOptions } from "./archive.js";
import { decodeStreamWith, decodeWith } from "./decode.js";
import type { TensorOptions } from "./destination.js";

export type { Header, TensorEntry } from "../archive/header.js";
export { FormatError, type FormatErrorCode } from "../errors.js";
export type { Dtype, Source, Tensor, TensorInfo } from "../types.js";
export type { Archive, DecodeOptions } from "./archive.js";
export type { TensorOptions } from "./destination.js";
export { type FileArchive, type FileInfo, files, type ToFileOptions, toFile } from "./file.js";
export type { BlockSpan } from "./record.js";

/**
 * Decodes an archive in memory.
 *
 * @param archive the bytes of a `.coppice` file
 * @returns its tensors in order: bytes little-endian, row-major
 * @throws FormatError where the archive is at fault; TypeError, RangeError where an argument is
 */
export function decode(archive: Uint8Array, options: DecodeOptions & TensorOptions = {}): Tensor[] {
  return decodeWith(decoderKernels(), archive, options);
}

/**
 * Decodes an archive as its bytes arrive: each tensor is there as soon as its record is.
 *
 * @param stream the bytes of a `.coppice` file in chunks of any size: a web ReadableStream, a Node stream, an async generator
 * @throws FormatError where the archive is at fault, after the tensors that came before; TypeError, RangeError where an option is
 */
export function decodeStream(
  stream: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
  options: DecodeOptions & TensorOptions = {},
): AsyncGenerator<Tensor, void, undefined> {
  if (stream === null || typeof stream !== "object")
    throw new TypeError("stream must be a stream of bytes: a response without a body has none");
  return decodeStreamWith(decoderKernels(), Symbol.asyncIterator in stream ? stream : readable(stream), options);
}

/** A web stream as an async iterable, for runtimes whose streams are not yet. */
async function* readable(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * Opens an archive whose bytes are read by range: a file, HTTP range requests, a Blob. Only the header is read; `archive.tensor(entry)` reads one record.
 *
 * @throws FormatError where the archive is at fault
 */
export function open(source: Source, options: DecodeOptions = {}): Promise<Archive> {
  return Archive.open(source, decoderKernels(), options);
}

/**
 * The header of an archive: its tensors with their shapes and where their records are.
 *
 * @param start the archive, or as much of it as its header takes
 * @throws FormatError where the header is at fault, `TRUNCATED` where more bytes are needed
 */
export function readHeader(start: Uint8Array): Header {
  return readHeaderWith(plainBytes(start, "start"), (bytes) => decoderKernels().crc32c(bytes));
}
