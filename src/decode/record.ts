import { ByteReader } from "../archive/bytes.js";
import type { TensorEntry } from "../archive/header.js";
import { CHECKSUM_BYTES } from "../archive/limits.js";
import { blockCount, readRecordHead } from "../archive/record.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels, RecordPlan } from "../kernel-types.js";

/** More than the longest head: a sorted codebook of 256 float64 takes 2.4 KiB, the code lengths of nine alphabets of 256 less than 5 KiB. */
const MOST_HEAD_BYTES = 8192;
const MOST_VARINT_BYTES = 8;

/**
 * Decodes the record of one tensor, block after block, out of bytes that may come from anywhere.
 *
 * A step needs the next `need` bytes of the record, from where the last one stopped, and says with `consumed` how many it took. It gives a block
 * when it has one, in row-major order. No byte of a block is handed out before its checksum was right.
 */
export class RecordDecoder {
  readonly #kernels: DecodeKernels;
  readonly #entry: TensorEntry;
  #plan: RecordPlan | undefined;
  #blocks = 0;
  /** Byte length of the next block, once it is known. */
  #blockByteLength: number | undefined;
  /** Bytes of the record that were taken. */
  #position = 0;
  /** Checksum of the record's bytes since the last one. */
  #crc = 0;

  constructor(kernels: DecodeKernels, entry: TensorEntry) {
    this.#kernels = kernels;
    this.#entry = entry;
  }

  /** What the record's head says, after the first step. */
  get plan(): RecordPlan | undefined {
    return this.#plan;
  }

  /** Bytes of the record taken so far. */
  get consumed(): number {
    return this.#position;
  }

  /** All blocks were handed out. */
  get done(): boolean {
    return this.#plan !== undefined && this.#blocks === blockCount(this.#plan);
  }

  /** Bytes that the next step must be given. */
  get need(): number {
    if (this.#blockByteLength !== undefined) return this.#blockByteLength;
    return Math.min(this.#left, this.#plan === undefined ? MOST_HEAD_BYTES : MOST_VARINT_BYTES);
  }

  get #left(): number {
    return this.#entry.recordByteLength - this.#position;
  }

  /** @throws FormatError of any code but `MAGIC`, `VERSION`, `DUPLICATE` */
  step(bytes: Uint8Array): Uint8Array | undefined {
    const reader = new ByteReader(bytes, this.#entry.recordOffset + this.#position);
    if (this.#plan === undefined) {
      this.#plan = readRecordHead(reader, this.#entry, this.#entry.recordByteLength);
      this.#take(bytes.subarray(0, reader.position));
      if (blockCount(this.#plan) === 1) this.#expect(this.#left);
      return undefined;
    }
    if (this.#blockByteLength === undefined) {
      const byteLength = reader.varint("block length");
      this.#take(bytes.subarray(0, reader.position));
      this.#expect(byteLength);
      return undefined;
    }
    return this.#decodeBlock(this.#plan, reader, this.#blockByteLength);
  }

  #take(bytes: Uint8Array): void {
    this.#crc = this.#kernels.crc32c(bytes, this.#crc);
    this.#position += bytes.length;
  }

  #expect(byteLength: number): void {
    const at = this.#entry.recordOffset + this.#position;
    if (byteLength < CHECKSUM_BYTES || byteLength > this.#left) throw new FormatError("TRUNCATED", at, `a block of ${byteLength} bytes`);
    this.#blockByteLength = byteLength;
  }

  #decodeBlock(plan: RecordPlan, reader: ByteReader, byteLength: number): Uint8Array {
    const offset = reader.offset;
    const coded = reader.take(byteLength - CHECKSUM_BYTES, "block");
    this.#take(coded);
    if (reader.u32("checksum") !== this.#crc) throw new FormatError("CHECKSUM", offset + coded.length, "a block's checksum does not match");
    this.#position += CHECKSUM_BYTES;
    this.#crc = 0;
    this.#blockByteLength = undefined;

    const elements = Math.min(plan.blockElements, plan.elements - this.#blocks * plan.blockElements);
    const out = new Uint8Array(elements * plan.elementBytes);
    this.#kernels.decodeBlock(plan, coded, offset, out);
    this.#blocks++;
    if (this.done && this.#left > 0) {
      throw new FormatError("TRAILING", this.#entry.recordOffset + this.#position, `${this.#left} bytes are left after the last block`);
    }
    if (plan.scan === 0) return out;
    const rowMajor = new Uint8Array(out.length);
    this.#kernels.unscan(out, plan.elementBytes, plan.axes, plan.scan, rowMajor);
    return rowMajor;
  }
}
