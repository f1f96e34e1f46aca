import type { Core, RecordHead } from "../archive/core.js";
import type { TensorEntry } from "../archive/header.js";
import { CHECKSUM_BYTES, MAX_VARINT, mostBlockBytes } from "../archive/limits.js";
import { FormatError } from "../errors.js";

/** More than the longest head: a sorted codebook of 256 float64 takes 2.4 KiB, the code lengths of nine alphabets of 256 less than 5 KiB. */
export const MOST_HEAD_BYTES = 8192;
const MOST_VARINT_BYTES = 8;

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
  /** Bytes of the record after the block; none may be left after the last. */
  readonly bytesAfter: number;
}

/** Bytes of a block's elements. */
export function blockByteLength(head: RecordHead, index: number): number {
  return Math.min(head.blockElements, head.elements - index * head.blockElements) * head.elementBytes;
}

/**
 * Finds the blocks of a record, whose bytes only `use` looks at.
 *
 * @param use what is done for each block
 * @throws FormatError `CORRUPT`, `UNSUPPORTED`, `LIMIT` or `TRUNCATED` where the head or a length is at fault
 */
export function* walkRecord<Head extends RecordHead, T>(
  core: Core<Head>,
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
      let byte: number;
      byteLength = 0;
      do {
        if (read === bytes.length) throw new FormatError(read < MOST_VARINT_BYTES ? "TRUNCATED" : "CORRUPT", offset, BLOCK_LENGTH);
        byte = bytes[read++];
        byteLength += (byte & 127) * scale;
        scale *= 128;
      } while (byte > 127);
      if ((read > 1 && byte === 0) || byteLength > MAX_VARINT) throw new FormatError("CORRUPT", offset, BLOCK_LENGTH);
      seedCrc = core.crc32c(bytes.subarray(0, read), seedCrc);
      offset += read;
    }
    const bytesAfter = end - offset - byteLength;
    if (byteLength < CHECKSUM_BYTES || bytesAfter < 0) throw new FormatError("TRUNCATED", offset, `a block of ${byteLength} bytes`);
    if (byteLength > mostBlockBytes(Math.min(head.elements, head.blockElements), head.elementBytes))
      throw new FormatError("LIMIT", offset, `a block of ${byteLength} bytes`);
    yield* use(head, { index, offset, byteLength, seedCrc, bytesAfter });
    offset += byteLength;
    seedCrc = 0;
  } while (++index * head.blockElements < head.elements);
}

const BLOCK_LENGTH = "a block's length";

/**
 * Decodes one block, without the others of its record.
 *
 * @param bytes the archive's bytes from `span.offset` on, `span.byteLength` of them
 * @param out takes the block's elements, row-major: it has `blockByteLength` bytes. Nothing is written before the checksum was right; what it holds after an error is undefined
 * @param blank `out` holds zeros, which need not be written again
 * @throws FormatError `CHECKSUM`, `CORRUPT`, `LIMIT`, `TRUNCATED` or `TRAILING`
 */
export function decodeSpan<Head extends RecordHead>(
  core: Core<Head>,
  head: Head,
  span: BlockSpan,
  bytes: Uint8Array,
  out: Uint8Array,
  blank: boolean,
): void {
  const { index, offset, byteLength, bytesAfter } = span;
  core.decodeBlock(head, bytes, offset, span.seedCrc, out, blank);
  if (bytesAfter > 0 && (index + 1) * head.blockElements >= head.elements)
    throw new FormatError("TRAILING", offset + byteLength, `${bytesAfter} bytes are left after the last block`);
}
