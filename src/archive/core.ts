import { FormatError } from "../errors.js";
import type { DecodeKernels, RecordPlan } from "../kernel-types.js";
import { ByteReader } from "./bytes.js";
import { type Header, headerEnd, readHeader, type TensorEntry } from "./header.js";
import { readRecordHead } from "./record.js";
import { CHECKSUM_BYTES } from "./sizes.js";

// Who understands an archive's bytes: the decoder fetches them, and says where elements go.

/** What the decoder must know of a record's head. */
export interface RecordHead {
  /** Bytes that the head takes in the record. */
  readonly byteLength: number;
  /** Elements of the tensor. */
  readonly elements: number;
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** Elements of each block but the last. */
  readonly blockElements: number;
  /** Decoding writes the survivors alone: the rest must hold zeros before. */
  readonly sparse: boolean;
}

/** Understands the bytes of an archive. Those that it is given are lent: it keeps none. */
export interface Core<Head extends RecordHead = RecordHead> {
  /**
   * Bytes from the archive's start to the first record.
   *
   * @param start the archive's first `PREAMBLE_BYTES` bytes, or all of it where it is shorter
   * @throws FormatError `MAGIC`, `VERSION`, `CORRUPT`, `LIMIT` or `TRUNCATED`
   */
  headerEnd(start: Uint8Array): number;
  /**
   * The header. Its shell may be a view of `start`.
   *
   * @param start the archive's first `headerEnd` bytes, or more
   * @param archiveByteLength bytes that there are, where that is known: records beyond them may be refused before they take memory
   * @throws FormatError of every code but `TRAILING`
   */
  readHeader(start: Uint8Array, archiveByteLength?: number): Header;
  /**
   * Its checksum is not looked at: that covers the first block, too.
   *
   * @param start the record's first 8192 bytes, or all of a shorter one
   * @throws FormatError `CORRUPT`, `UNSUPPORTED`, or `TRUNCATED` where `start` ends within the head
   */
  readHead(start: Uint8Array, entry: TensorEntry): Head;
  /** CRC-32C of `bytes`; `seed` is the CRC-32C of the bytes before them. */
  crc32c(bytes: Uint8Array, seed?: number): number;
  /**
   * Decodes one block into row-major elements. Nothing is written before the checksum was right; what `out` holds after an error is undefined.
   *
   * @param block the block with its checksum, at least the bytes of that
   * @param offset where it begins in the archive
   * @param seedCrc CRC-32C of what the checksum covers before the block
   * @param out takes all of the block's elements, and nothing else
   * @param blank `out` holds zeros, which need not be written again
   * @throws FormatError `CHECKSUM`, `CORRUPT`, `LIMIT`, `TRUNCATED` or `TRAILING`
   */
  decodeBlock(head: Head, block: Uint8Array, offset: number, seedCrc: number, out: Uint8Array, blank: boolean): void;
}

/** A record's plan, and what its head takes. It holds numbers and bytes only: a thread can send it to another. */
export interface PlannedHead extends RecordPlan, RecordHead {}

/** Understands an archive's bytes in TypeScript, and has kernels decode the blocks. */
export function coreOf(kernels: DecodeKernels): Core<PlannedHead> {
  return {
    headerEnd,
    readHeader: (start, archiveByteLength) => readHeader(start, (bytes) => kernels.crc32c(bytes), archiveByteLength),
    readHead(start, entry) {
      const bytes = new ByteReader(start, entry.recordOffset);
      const plan = readRecordHead(bytes, entry, entry.recordByteLength);
      return { ...plan, byteLength: bytes.position, sparse: plan.coding === "sparse" };
    },
    crc32c: (bytes, seed) => kernels.crc32c(bytes, seed),
    decodeBlock(head, block, offset, seedCrc, out, blank) {
      const bytes = new ByteReader(block, offset);
      const coded = bytes.take(block.length - CHECKSUM_BYTES, "block");
      const at = bytes.offset;
      if (bytes.u32("checksum") !== kernels.crc32c(coded, seedCrc))
        throw new FormatError("CHECKSUM", at, "a block's checksum does not match");
      kernels.decodeRowMajor(head, coded, offset, out, blank);
    },
  };
}
