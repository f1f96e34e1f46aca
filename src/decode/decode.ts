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
  return collect(archiveSteps(core, { ...options, blocks: false }, all.length), all, options.signal) as Tensor[];
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
  const given = stream as Given;
  if (!given?.getReader && !given?.[Symbol.asyncIterator]) throw new TypeError("stream must be a stream of bytes");
  return streamed(core, given, options);
}

/** A stream of any kind; only those of Node can be destroyed. */
type Given = AsyncIterable<Uint8Array> & Partial<Pick<ReadableStream<Uint8Array>, "getReader">> & { destroy?(): void };

async function* streamed(
  core: Core,
  stream: Given,
  options: DecodeOptions | BlockStreamOptions,
): AsyncGenerator<Tensor | Block, void, undefined> {
  const { signal } = options;
  // The iterator of a web stream, where there is one, would wait for a chunk that it was asked for before it cancels: the reader does not.
  const reader = stream.getReader?.();
  const chunks = reader
    ? { next: () => reader.read(), return: () => reader.cancel().finally(() => reader.releaseLock()) }
    : stream[Symbol.asyncIterator]();
  /** Bytes that came, `length` of them, and room for more. */
  let held: Uint8Array = new Uint8Array(0);
  let length = 0;
  /** Where `held` begins in the archive. */
  let base = 0;
  const read = async (...[offset, byteLength]: Need): Promise<Uint8Array> => {
    held = held.subarray(offset - base);
    length -= offset - base;
    base = offset;
    while (length < byteLength) {
      const { done, value } = await heard(async () => chunks.next(), signal);
      if (done) break;
      const chunk = plainBytes(value, "a chunk of the stream");
      if (!length) held = chunk;
      else {
        if (length + chunk.length > held.length) {
          const larger = new Uint8Array(2 * length + chunk.length);
          larger.set(held.subarray(0, length));
          held = larger;
        }
        held.set(chunk, length);
      }
      length += chunk.length;
    }
    return held.subarray(0, Math.min(length, byteLength));
  };
  const close = async (): Promise<void> => {
    if (signal?.aborted) stream.destroy?.(); // a Node stream, whose iterator waits, too
    await chunks.return?.();
  };
  try {
    yield* drive(archiveSteps(core, options), read, signal);
  } finally {
    // What decoding came to is told, and not what comes of this.
    const closed = close().catch(() => undefined);
    // A stream that stalls may not hear of it before its next chunk.
    if (!signal?.aborted) await closed;
  }
}
