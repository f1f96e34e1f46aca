import { inflateRaw } from "node:zlib";
import { constants, Inflate } from "pako";
import { deflated } from "../archive/zlib.js";
import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import { bytesSource, checkRange } from "./bytes-source.js";
import { crc32 } from "./crc32.js";
import type { ReadRange } from "./elements.js";
import type { ZipEntry } from "./zip.js";
import { STORED } from "./zip-fields.js";

/** A deflated member is inflated in one piece: numpy deflates only where it is asked to, and seldom large files. */
export const MAX_INFLATED_BYTES: number = 2 ** 31 - 1;

/** 256 bytes of deflate give at most a quarter of a megabyte, so that a bomb is put out early. */
const PREFIX_STEP = 256;

/** Most likely first: zlib's own default, then the extremes. */
const LEVELS = [6, 9, 1, 8, 7, 5, 4, 3, 2] as const;

function broken(entry: ZipEntry, detail: string): FormatError {
  return new FormatError("CORRUPT", entry.dataOffset, `${JSON.stringify(entry.name)}: ${detail}`);
}

/** @throws FormatError where `crc` is not the one that the directory gives. */
export function checkCrc(entry: ZipEntry, crc: number): void {
  if (crc !== entry.crc)
    throw new FormatError("CHECKSUM", entry.centralOffset + 16, `the CRC-32 of ${JSON.stringify(entry.name)} is another`);
}

/** Reads the beginning of a deflated member by range, inflating no more than is asked for. */
export function inflatedPrefix(source: Source, entry: ZipEntry): ReadRange {
  const stream = new Inflate({ raw: true, chunkSize: 16384 });
  let taken = 0;
  let prefix = new Uint8Array(0);
  stream.onData = (chunk) => {
    const more = chunk as Uint8Array;
    const joined = new Uint8Array(prefix.length + more.length);
    joined.set(prefix);
    joined.set(more, prefix.length);
    prefix = joined;
  };
  return async (offset, byteLength) => {
    while (prefix.length < offset + byteLength && taken < entry.compressedSize) {
      const step = Math.min(PREFIX_STEP, entry.compressedSize - taken);
      stream.push(await source.read(entry.dataOffset + taken, step), constants.Z_SYNC_FLUSH);
      if (stream.err !== constants.Z_OK) throw broken(entry, "not a deflate stream");
      taken += step;
    }
    if (prefix.length < offset + byteLength) throw broken(entry, `inflates to less than the ${entry.size} bytes announced`);
    return prefix.subarray(offset, offset + byteLength);
  };
}

/** The whole of a deflated member, its size and CRC-32 checked. */
export async function inflated(source: Source, entry: ZipEntry): Promise<Uint8Array> {
  const compressed = await source.read(entry.dataOffset, entry.compressedSize);
  const { buffer, engine } = await new Promise<{ buffer: Buffer; engine: { bytesWritten: number } }>((resolve, reject) => {
    const options = { maxOutputLength: Math.max(1, entry.size), chunkSize: 65536, info: true };
    // With `info` the callback gets the engine too, which the declarations leave out.
    inflateRaw(compressed, options, (error, result) => {
      if (!error) resolve(result as unknown as { buffer: Buffer; engine: { bytesWritten: number } });
      else if (/^Z_(DATA|BUF)_ERROR$|^ERR_BUFFER_TOO_LARGE$/.test((error as NodeJS.ErrnoException).code ?? ""))
        reject(broken(entry, error.message));
      else reject(error);
    });
  });
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  if (bytes.length !== entry.size) throw broken(entry, `inflates to ${bytes.length} bytes, not to ${entry.size}`);
  if (engine.bytesWritten !== entry.compressedSize) throw broken(entry, "the deflate stream ends before the member");
  checkCrc(entry, crc32(bytes));
  return bytes;
}

/**
 * The data of a member as a source of its own; the CRC-32 is checked where it is deflated. The zip's source stays open when it is closed.
 *
 * @param most bytes that it may have
 * @throws FormatError `LIMIT` where it has more
 */
export async function memberSource(source: Source, entry: ZipEntry, most: number = Number.MAX_SAFE_INTEGER): Promise<Source> {
  const { dataOffset, size, method } = entry;
  if (size > Math.min(most, method === STORED ? most : MAX_INFLATED_BYTES)) {
    throw new FormatError("LIMIT", entry.centralOffset + 24, `${JSON.stringify(entry.name)} has ${size} bytes`);
  }
  if (method !== STORED) return bytesSource(await inflated(source, entry));
  const { place } = source;
  return {
    byteLength: size,
    ...(place && { place: { fd: place.fd, offset: place.offset + dataOffset } }),
    read(offset: number, byteLength: number): Promise<Uint8Array> {
      checkRange(offset, byteLength, size);
      return source.read(dataOffset + offset, byteLength);
    },
    close: async () => undefined,
  };
}

/** The elements of a stored member, by range; its CRC-32 is checked whenever they are read through from 0 to the end. */
export function storedRange(source: Source, entry: ZipEntry, header: Uint8Array): ReadRange {
  const dataBytes = entry.size - header.length;
  let next = 0;
  let crc = 0;
  return async (offset, byteLength) => {
    const bytes = await source.read(entry.dataOffset + header.length + offset, byteLength);
    if (offset === 0) {
      next = 0;
      crc = crc32(header);
    }
    if (offset === next) {
      crc = crc32(bytes, crc);
      next += byteLength;
      if (next === dataBytes) checkCrc(entry, crc);
    }
    return bytes;
  };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The level at which zlib makes the member's own stream of `bytes`, or undefined: then another program made it. */
export async function deflateLevel(source: Source, entry: ZipEntry, bytes: Uint8Array): Promise<number | undefined> {
  const wanted = (await source.read(entry.dataOffset, entry.compressedSize)).slice();
  for (const level of LEVELS) {
    let at = 0;
    let same = true;
    for await (const chunk of deflated(single(bytes), level)) {
      same = chunk.length <= wanted.length - at && chunk.every((byte, i) => byte === wanted[at + i]);
      at += chunk.length;
      if (!same) break;
    }
    if (same && at === wanted.length) return level;
  }
  return undefined;
}
