import { concat } from "../archive/bytes.js";
import type { Core } from "../archive/core.js";
import { plainBytes } from "../check.js";
import type { Tensor } from "../types.js";
import { archiveSteps } from "./archive.js";
import { collect, drive, heard } from "./drive.js";
import type { Block, BlockStreamOptions, DecodeOptions } from "./options.js";
import type { Need } from "./record.js";

/** A web ReadableStream, a Node stream, an async generator. */
export type Bytes = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** Every tensor of an archive in memory, in order. */
export function decodeWith(core: Core, archive: Uint8Array, options: DecodeOptions = {}): Tensor[] {
  const all = plainBytes(archive, "archive");
  return collect(archiveSteps(core, options, all.length), all, options.signal) as Tensor[];
}

/**
 * Each tensor of an archive as soon as its bytes have arrived, or each block.
 *
 * @throws TypeError where `stream` is none
 */
export function decodeStreamWith(core: Core, stream: Bytes, options: BlockStreamOptions): AsyncGenerator<Block, void, undefined>;
export function decodeStreamWith(core: Core, stream: Bytes, options?: DecodeOptions): AsyncGenerator<Tensor, void, undefined>;
export function decodeStreamWith(
  core: Core,
  stream: Bytes,
  options?: DecodeOptions | BlockStreamOptions,
): AsyncGenerator<Tensor | Block, void, undefined>;
export function decodeStreamWith(
  core: Core,
  stream: Bytes,
  options: DecodeOptions | BlockStreamOptions = {},
): AsyncGenerator<Tensor | Block, void, undefined> {
  if (stream === null || typeof stream !== "object")
    throw new TypeError("stream must be a stream of bytes: a response without a body has none");
  return streamed(core, stream, options);
}

async function* streamed(
  core: Core,
  stream: Bytes,
  options: DecodeOptions | BlockStreamOptions,
): AsyncGenerator<Tensor | Block, void, undefined> {
  const { signal } = options;
  const chunks = chunksOf(stream);
  let held: Uint8Array = new Uint8Array(0);
  /** Where `held` begins in the archive. */
  let base = 0;
  const read = async (...[offset, byteLength]: Need): Promise<Uint8Array> => {
    const parts = [held.subarray(offset - base)];
    base = offset;
    let [{ length }] = parts;
    while (length < byteLength) {
      const { done, value } = await heard(async () => chunks.next(), signal);
      if (done) break;
      const chunk = plainBytes(value, "a chunk of the stream");
      parts.push(chunk);
      length += chunk.length;
    }
    held = parts.length > 1 ? concat(parts) : parts[0];
    return held.subarray(0, byteLength);
  };
  try {
    yield* drive(archiveSteps(core, options), read, signal);
  } finally {
    const closed = close(stream, chunks, signal);
    // A stream that stalls may not hear of it before its next chunk.
    if (!signal?.aborted) await closed;
  }
}

type Chunks = Pick<AsyncIterator<Uint8Array, unknown>, "next"> & { return?(): PromiseLike<unknown> };

/** A web stream's iterator, where there is one, would wait for the chunk that it was asked for before it cancels the stream: its reader does not. */
function chunksOf(stream: Bytes): Chunks {
  if (!("getReader" in stream)) return stream[Symbol.asyncIterator]();
  const reader = stream.getReader();
  return { next: () => reader.read() as Promise<IteratorResult<Uint8Array, undefined>>, return: () => reader.cancel() };
}

/** Lets go of a stream. What decoding came to is told, and not what comes of this. */
async function close(stream: Bytes & { destroy?(): void }, chunks: Chunks, signal: AbortSignal | undefined): Promise<void> {
  try {
    if (signal?.aborted) stream.destroy?.(); // of Node, whose iterator waits, too
    await chunks.return?.();
  } catch {}
}
