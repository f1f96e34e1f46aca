import type { Core, RecordHead } from "../archive/core.js";
import type { TensorEntry } from "../archive/header.js";
import { mostBlockBytes } from "../archive/limits.js";
import { CHECKSUM_BYTES, MOST_HEAD_BYTES, MOST_VARINT_BYTES } from "../archive/sizes.js";
import { FormatError } from "../errors.js";

/** Bytes of the archive that decoding goes on with. It takes fewer for the archive's end. */
export type Need = [offset: number, byteLength: number];

/** Decoding, wherever the bytes come from: it asks for some, again and again, never going back before an offset that it asked for, and gives results in between. */
export type Steps<T> = Generator<Need | T, void, Uint8Array>;

/**
 * Bytes of a record.
 *
 * @throws FormatError `TRUNCATED` where there are fewer
 */
export function* take(offset: number, byteLength: number): Generator<Need, Uint8Array, Uint8Array> {
  const bytes = yield [offset, byteLength];
  if (bytes.length < byteLength) throw new FormatError("TRUNCATED", offset + bytes.length, "a record is cut off");
  return bytes;
}

/** Where a block of a record is, and what decoding it alone takes beside the record's head. It holds numbers only: a thread can send it to another. */
export interface BlockSpan {
  /** Blocks of the record before it. */
  readonly index: number;
  /** Where the block begins in the archive: after its length, where the record has several. */
  readonly offset: number;
  /** Bytes of the block, its checksum included. */
  readonly byteLength: number;
  /** CRC-32C of what the block's checksum covers before the block: the record's head, the block's length. */
  readonly seedCrc: number;
}

/** Bytes of a block's elements. */
export function blockByteLength(head: RecordHead, index: number): number {
  return Math.min(head.blockElements, head.elements - index * head.blockElements) * head.elementBytes;
}

/**
 * Finds the blocks of a record, whose bytes only `use` looks at.
 *
 * @param use what is done for each block
 * @throws FormatError `CORRUPT`, `UNSUPPORTED`, `LIMIT` or `TRUNCATED` where the head or a length is at fault, `TRAILING` where bytes are left after the last block
 */
export function* walkRecord<Head extends RecordHead, T>(
  core: Pick<Core<Head>, "readHead" | "crc32c">,
  entry: TensorEntry,
  use: (head: Head, span: BlockSpan) => Steps<T>,
): Steps<T> {
  let offset = entry.recordOffset;
  const end = offset + entry.recordByteLength;
  const start = yield* take(offset, Math.min(MOST_HEAD_BYTES, end - offset));
  const head = core.readHead(start, entry);
  let seedCrc = core.crc32c(start.subarray(0, head.byteLength));
  offset += head.byteLength;
  let index = 0;
  do {
    let byteLength = end - offset;
    if (head.elements > head.blockElements) {
      const bytes = yield* take(offset, Math.min(MOST_VARINT_BYTES, byteLength));
      let read = 0;
      let scale = 1;
      let byte: number; // undefined after the last, which leaves NaN
      byteLength = 0;
      do {
        byte = bytes[read++];
        byteLength += (byte % 128) * scale;
        scale *= 128;
      } while (byte > 127);
      if ((read > 1 && byte === 0) || !Number.isSafeInteger(byteLength)) {
        const code = byte === undefined && read <= MOST_VARINT_BYTES ? "TRUNCATED" : "CORRUPT";
        throw new FormatError(code, offset, "a block's length");
      }
      seedCrc = core.crc32c(bytes.subarray(0, read), seedCrc);
      offset += read;
    }
    if (byteLength < CHECKSUM_BYTES || byteLength > end - offset) throw new FormatError("TRUNCATED", offset, "a block's length");
    if (byteLength > mostBlockBytes(Math.min(head.elements, head.blockElements), head.elementBytes))
      throw new FormatError("LIMIT", offset, "a block's length");
    yield* use(head, { index, offset, byteLength, seedCrc });
    offset += byteLength;
    seedCrc = 0;
  } while (++index * head.blockElements < head.elements);
  if (offset < end) throw trailing(offset);
}

export function trailing(offset: number): FormatError {
  return new FormatError("TRAILING", offset, "bytes are left");
}
