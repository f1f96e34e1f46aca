import { plainBytes } from "../check.js";
import { heard } from "../decode/drive.js";
import { type Archive, FormatError, type Header, type OpenOptions, open, readHeader, type Source } from "../decode/index.js";

/** Where an archive comes from: an address, what came from one, its bytes as they arrive or as they are, or what `open` gave. */
export type ArchiveSource =
  | string
  | URL
  | Response
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Uint8Array
  | ArrayBuffer
  | Archive;

type Bytes = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** Bytes that are held in one buffer of an archive that is arriving. */
const PIECE_BYTES: number = 2 ** 20;

/** Whether it was opened by the caller, who then closes it too. */
export function isArchive(source: ArchiveSource): source is Archive {
  return typeof (source as Archive | undefined)?.blocks === "function";
}

/**
 * Opens an archive, wherever it comes from. Of one that comes as a stream, tensors can be decoded as soon as their bytes are there; what came is held until it is closed.
 *
 * @throws TypeError where `source` is no such thing, or nothing could be fetched; FormatError where the archive is at fault; the reason of `options.signal`
 */
export async function archiveOf(source: ArchiveSource, options: OpenOptions = {}): Promise<Archive> {
  if (isArchive(source)) return source;
  if (source instanceof ArrayBuffer) return open(heldSource(new Uint8Array(source)), options);
  if (ArrayBuffer.isView(source)) return open(heldSource(source), options);
  const arriving = new ArrivingSource(await streamOf(source, options), options.signal);
  try {
    return await open(await arriving.begun(), options);
  } catch (error) {
    await arriving.close();
    throw error;
  }
}

async function streamOf(source: Exclude<ArchiveSource, Uint8Array | ArrayBuffer | Archive>, { signal }: OpenOptions): Promise<Bytes> {
  if (typeof source === "string" || source instanceof URL) return bodyOf(await fetch(source, { signal }));
  if (source !== null && typeof source === "object") {
    if ("getReader" in source || Symbol.asyncIterator in source) return source;
    if ("body" in source) return bodyOf(source);
  }
  throw new TypeError("source must be an address, a Response, a stream, bytes or an archive that was opened");
}

function bodyOf({ body, ok, status, url }: Response): ReadableStream<Uint8Array> {
  if (!ok || !body)
    throw new TypeError(`source must be an archive: ${url || "the response"} has status ${status}${ok ? " and no body" : ""}`);
  return body;
}

function heldSource(bytes: Uint8Array): Source {
  return {
    byteLength: bytes.length,
    read: async (offset, byteLength) => bytes.subarray(offset, offset + byteLength),
    close: async () => undefined,
  };
}

interface Chunks {
  next(): Promise<{ done?: boolean; value?: Uint8Array }>;
  close(): Promise<unknown>;
}

function chunksOf(stream: Bytes): Chunks {
  if ("getReader" in stream) {
    const reader = stream.getReader();
    return { next: () => reader.read(), close: () => reader.cancel() };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    close: async () => {
      // A stream of Node, whose iterator waits for a chunk before it hears of anything.
      (stream as { destroy?(): void }).destroy?.();
      await iterator.return?.();
    },
  };
}

/** An archive that is still arriving, by range: a reading waits until its bytes are there. */
class ArrivingSource implements Source {
  byteLength = Number.MAX_SAFE_INTEGER;
  readonly #chunks: Chunks;
  readonly #signal: AbortSignal | undefined;
  /** What came, `#length` bytes of it, in pieces that are all full but the last: one buffer that grows would be there twice each time that it does. */
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  #ended = false;

  constructor(stream: Bytes, signal?: AbortSignal) {
    this.#chunks = chunksOf(stream);
    this.#signal = signal;
  }

  /** Reads the header, which says how long the archive is. */
  async begun(): Promise<Source> {
    let header: Header | undefined;
    do {
      // A header of several pieces is joined for each try: their sum must not grow with their number.
      await this.#come(this.#length < PIECE_BYTES ? this.#length + 1 : 1.25 * this.#length);
      header = this.#header();
    } while (!header);
    this.byteLength = header.archiveByteLength;
    return this;
  }

  #header(): Header | undefined {
    try {
      return readHeader(this.#bytes(0, this.#length));
    } catch (error) {
      // At the end of what came there may be more; what is cut off within it stays so.
      if (error instanceof FormatError && error.code === "TRUNCATED" && error.offset >= this.#length && !this.#ended) return undefined;
      throw error;
    }
  }

  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    const end = offset + byteLength;
    // With its last byte comes that there are no more.
    await this.#come(end === this.byteLength ? end + 1 : end);
    if (this.#length < end) throw new FormatError("TRUNCATED", this.#length, "the archive is cut off");
    if (this.#length > this.byteLength) throw new FormatError("TRAILING", this.byteLength, "bytes are left after the archive");
    return this.#bytes(offset, end);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    // What the work came to is told, and not what comes of this.
    const closed = this.#chunks.close().catch(() => undefined);
    // A stream that stalls may not hear of it before its next chunk.
    if (!this.#signal?.aborted) await closed;
  }

  async #come(wanted: number): Promise<void> {
    while (this.#length < wanted && !this.#ended) {
      const { done, value } = await heard(() => this.#chunks.next(), this.#signal);
      if (done || !value) this.#ended = true;
      else this.#add(plainBytes(value, "a chunk of the stream"));
    }
  }

  #add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const room = this.#length % PIECE_BYTES;
      if (room === 0) this.#pieces.push(new Uint8Array(PIECE_BYTES));
      const part = chunk.subarray(at, at + PIECE_BYTES - room);
      this.#pieces[this.#pieces.length - 1].set(part, room);
      at += part.length;
      this.#length += part.length;
    }
  }

  /** Bytes that came: a view where they stand in one piece. */
  #bytes(offset: number, end: number): Uint8Array {
    const first = Math.floor(offset / PIECE_BYTES);
    const start = offset - first * PIECE_BYTES;
    if (start + end - offset <= PIECE_BYTES) return (this.#pieces[first] ?? new Uint8Array(0)).subarray(start, start + end - offset);
    const all = new Uint8Array(end - offset);
    for (let at = offset; at < end; ) {
      const piece = Math.floor(at / PIECE_BYTES);
      const part = this.#pieces[piece].subarray(at - piece * PIECE_BYTES, end - piece * PIECE_BYTES);
      all.set(part, at - offset);
      at += part.length;
    }
    return all;
  }
}
