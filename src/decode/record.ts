import { ByteReader } from "../archive/bytes.js";
import type { TensorEntry } from "../archive/header.js";
import { CHECKSUM_BYTES } from "../archive/limits.js";
import { blockCount, readRecordHead } from "../archive/record.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels, RecordPlan } from "../kernel-types.js";

/** More than the longest head: a sorted codebook of 256 float64 takes 2.4 KiB, the code lengths of nine alphabets of 256 less than 5 KiB. */
const MOST_HEAD_BYTES = 8192;
const MOST_VARINT_BYTES = 8;

/** Where a block of a record is, and what decoding it alone takes beside the record's plan. It holds numbers only: a thread can send it to another. */
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
export function blockByteLength(plan: RecordPlan, index: number): number {
  return Math.min(plan.blockElements, plan.elements - index * plan.blockElements) * plan.elementBytes;
}

/**
 * Decodes one block, without the others of its record.
 *
 * @param bytes the archive's bytes from `span.offset` on, `span.byteLength` of them
 * @param out takes the block's elements, row-major: it has `blockByteLength` bytes. Nothing is written before the checksum was right; what it holds after an error is undefined
 * @param blank `out` holds zeros, which need not be written again
 * @throws FormatError `TRUNCATED`, `CHECKSUM`, `CORRUPT`, `LIMIT` or `TRAILING`
 */
export function decodeOneBlock(
  kernels: DecodeKernels,
  plan: RecordPlan,
  span: BlockSpan,
  bytes: Uint8Array,
  out: Uint8Array,
  blank = false,
): void {
  const reader = new ByteReader(bytes, span.offset);
  const coded = reader.take(span.byteLength - CHECKSUM_BYTES, "block");
  const at = reader.offset;
  if (reader.u32("checksum") !== kernels.crc32c(coded, span.seedCrc))
    throw new FormatError("CHECKSUM", at, "a block's checksum does not match");
  kernels.decodeRowMajor(plan, coded, span.offset, out, blank);
  if (span.index === blockCount(plan) - 1 && span.bytesAfter > 0)
    throw new FormatError("TRAILING", span.offset + span.byteLength, `${span.bytesAfter} bytes are left after the last block`);
}

/**
 * Finds the blocks of a record, out of bytes that may come from anywhere.
 *
 * A step needs the next `need` bytes of the record, from `position` on. It gives a block when it has found one; `position` is then after the block, whose bytes it does
 * not look at.
 */
export class RecordWalk {
  readonly #kernels: DecodeKernels;
  readonly #entry: TensorEntry;
  #plan: RecordPlan | undefined;
  #headByteLength = 0;
  #blocks = 0;
  #position = 0;
  /** Checksum of the bytes that were read since the last block. */
  #crc = 0;

  constructor(kernels: DecodeKernels, entry: TensorEntry) {
    this.#kernels = kernels;
    this.#entry = entry;
  }

  /** What the record's head says. There is one after the first step. */
  get plan(): RecordPlan {
    return this.#plan as RecordPlan;
  }

  /** Bytes of the record's head, after the first step. */
  get headByteLength(): number {
    return this.#headByteLength;
  }

  /** Bytes of the record that were read or passed over. */
  get position(): number {
    return this.#position;
  }

  /** All blocks were found. */
  get done(): boolean {
    return this.#plan !== undefined && this.#blocks === blockCount(this.#plan);
  }

  /** Bytes that the next step must be given. */
  get need(): number {
    return Math.min(this.#left, this.#plan === undefined ? MOST_HEAD_BYTES : MOST_VARINT_BYTES);
  }

  get #left(): number {
    return this.#entry.recordByteLength - this.#position;
  }

  /** @throws FormatError of any code but `MAGIC`, `VERSION`, `DUPLICATE` */
  step(bytes: Uint8Array): BlockSpan | undefined {
    const reader = new ByteReader(bytes, this.#entry.recordOffset + this.#position);
    if (this.#plan === undefined) {
      this.#plan = readRecordHead(reader, this.#entry, this.#entry.recordByteLength);
      this.#headByteLength = reader.position;
      this.#read(bytes, reader.position);
      return blockCount(this.#plan) === 1 ? this.#pass(this.#left) : undefined;
    }
    const byteLength = reader.varint("block length");
    this.#read(bytes, reader.position);
    return this.#pass(byteLength);
  }

  #read(bytes: Uint8Array, byteLength: number): void {
    this.#crc = this.#kernels.crc32c(bytes.subarray(0, byteLength), this.#crc);
    this.#position += byteLength;
  }

  #pass(byteLength: number): BlockSpan {
    const offset = this.#entry.recordOffset + this.#position;
    if (byteLength < CHECKSUM_BYTES || byteLength > this.#left)
      throw new FormatError("TRUNCATED", offset, `a block of ${byteLength} bytes`);
    this.#position += byteLength;
    const span = { index: this.#blocks++, offset, byteLength, seedCrc: this.#crc, bytesAfter: this.#left };
    this.#crc = 0;
    return span;
  }
}
