// The decoder for edge runtimes: no dependency, nothing of Node.

import type { Header } from "../archive/header.js";
import { plainBytes } from "../check.js";
import { decoderCore } from "../kernels/decoder-core.js";
import type { Source, Tensor } from "../types.js";
import { type Archive, openWith } from "./archive.js";
import { type Bytes, decodeStreamWith, decodeWith } from "./decode.js";
import type { Block, BlockStreamOptions, DecodeOptions, OpenOptions } from "./options.js";

export { init } from "../kernels/decoder-core.js";
export * from "./public.js";

/**
 * Decodes an archive in memory.
 *
 * @param archive the bytes of a `.coppice` file
 * @returns its tensors in order: bytes little-endian, row-major
 * @throws FormatError where the archive is at fault; TypeError, RangeError where an argument is; the reason of `options.signal`
 */
export function decode(archive: Uint8Array, options?: DecodeOptions): Tensor[] {
  return decodeWith(decoderCore(), archive, options);
}

/**
 * Decodes an archive as its bytes arrive: each tensor is there as soon as its record is, or, with `blocks: true`, each block as soon as it is. The stream is cancelled
 * where it is not read to its end: after an error, an abort, or a `break` of the caller's loop.
 *
 * @param stream the bytes of a `.coppice` file in chunks of any size: a web ReadableStream, a Node stream, an async generator. A chunk is the decoder's until the next tensor or block
 * @throws FormatError where the archive is at fault, after the tensors that came before; TypeError, RangeError where an option is; the reason of `options.signal`; what the
 * stream fails with
 */
export function decodeStream(stream: Bytes, options: BlockStreamOptions): AsyncGenerator<Block, void, undefined>;
export function decodeStream(stream: Bytes, options?: DecodeOptions): AsyncGenerator<Tensor, void, undefined>;
export function decodeStream(stream: Bytes, options?: DecodeOptions | BlockStreamOptions): AsyncGenerator<Tensor | Block, void, undefined> {
  return decodeStreamWith(decoderCore(), stream, options);
}

/**
 * Opens an archive whose bytes are read by range: a file, HTTP range requests, a Blob. Only the header is read; `archive.tensor(entry)` reads one record.
 *
 * @throws FormatError where the archive is at fault; the reason of `options.signal`; what the source fails with
 */
export async function open(source: Source, options?: OpenOptions): Promise<Archive> {
  return openWith(decoderCore(), source, options);
}

/**
 * The header of an archive: its tensors with their shapes and where their records are.
 *
 * @param start the archive, or as much of it as its header takes; the header's `shell` is a view of it
 * @throws FormatError where the header is at fault, `TRUNCATED` where more bytes are needed
 */
export function readHeader(start: Uint8Array): Header {
  return decoderCore().readHeader(plainBytes(start, "start"));
}
