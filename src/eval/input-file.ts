import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { checkInteger, plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import { bytesSource, fileSource } from "../formats/index.js";
import type { Input } from "../pipeline/api.js";
import type { Source } from "../types.js";

/** How a file of images or labels is read. */
export interface FileOptions {
  /**
   * Most bytes that it may have, out of gzip where it is in it. Unless given, of a gzip file 1 GiB where its head names them, and 256 MiB where it does not: the training images of MNIST
   * take 47 MB, those of CIFAR-10 154 MB.
   */
  readonly maxBytes?: number;
}

const MOST_NAMED_BYTES = 2 ** 30;
const MOST_UNNAMED_BYTES = 2 ** 28;

const CHUNK_BYTES = 1 << 16;

/** Deflate makes of 258 bytes two bits at the least. */
const MOST_INFLATED = 1032;

/** @throws FormatError `LIMIT` where more bytes are to be held than may be */
export function checkHeld(bytes: number, most: number): void {
  if (bytes > most) throw new FormatError("LIMIT", 0, `${bytes} bytes are more than ${most}: set maxBytes to allow them`);
}

/**
 * The bytes of a small file, out of gzip where it is in it: of that no more is inflated than its head names.
 *
 * @param lengthOf the bytes that such a file has by its first ones; undefined where these do not say it, or are too few
 * @throws FormatError where the gzip file is broken, or there is more than there may be; what the system throws where the file cannot be read
 */
export async function readInput(
  input: Input,
  { maxBytes }: FileOptions,
  lengthOf: (head: Uint8Array) => number | undefined,
): Promise<Uint8Array> {
  if (maxBytes !== undefined) checkInteger(maxBytes, "maxBytes", 0, Number.MAX_SAFE_INTEGER);
  const source = typeof input === "string" ? await fileSource(input) : bytesSource(plainBytes(input, "input"));
  try {
    const [first, second] = await source.read(0, Math.min(2, source.byteLength));
    if (first === 0x1f && second === 0x8b) return await inflated(source, maxBytes, lengthOf);
    checkHeld(source.byteLength, maxBytes ?? Infinity);
    return await source.read(0, source.byteLength);
  } finally {
    await source.close();
  }
}

async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.byteLength; at += CHUNK_BYTES) yield await source.read(at, Math.min(CHUNK_BYTES, source.byteLength - at));
}

async function inflated(
  source: Source,
  maxBytes: number | undefined,
  lengthOf: (head: Uint8Array) => number | undefined,
): Promise<Uint8Array> {
  let whole = new Uint8Array(CHUNK_BYTES);
  let length = 0;
  let named: number | undefined;
  try {
    for await (const chunk of gunzipped(source)) {
      const end = length + chunk.length;
      if (named === undefined) checkHeld(end, maxBytes ?? MOST_UNNAMED_BYTES);
      else if (end > named) throw new FormatError("TRAILING", named, "more bytes behind the last element");
      if (end > whole.length) whole = grown(whole, Math.max(end, 2 * whole.length));
      whole.set(chunk, length);
      length = end;
      if (named !== undefined) continue;
      named = lengthOf(whole.subarray(0, length));
      if (named === undefined) continue;
      checkHeld(named, maxBytes ?? MOST_NAMED_BYTES);
      if (named > MOST_INFLATED * source.byteLength)
        throw new FormatError("TRUNCATED", length, `${named} bytes are named, more than a gzip file of ${source.byteLength} can have`);
      // Less than there is already is said with the place where it should end.
      if (named > whole.length) whole = grown(whole, named);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("Z_")) throw error;
    throw new FormatError(code === "Z_BUF_ERROR" ? "TRUNCATED" : "CORRUPT", 0, `a gzip file that does not inflate: ${message}`);
  }
  return whole.subarray(0, length);
}

function gunzipped(source: Source): AsyncIterable<Uint8Array> {
  // What goes wrong on the way is what reading throws.
  return pipeline(Readable.from(chunksOf(source)), createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined);
}

function grown(bytes: Uint8Array, byteLength: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(byteLength);
  larger.set(bytes);
  return larger;
}
