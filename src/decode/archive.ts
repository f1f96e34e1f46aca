import { type Header, headerEnd, PREAMBLE_BYTES, readHeader, type TensorEntry } from "../archive/header.js";
import { checkNumber, plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels, RecordPlan } from "../kernel-types.js";
import type { Source, Tensor } from "../types.js";
import { Destination, type TensorOptions } from "./destination.js";
import { type BlockSpan, blockByteLength, decodeOneBlock, RecordWalk } from "./record.js";

/** What a caller allows an archive to ask for. */
export interface DecodeOptions {
  /**
   * Most bytes that the tensors may have in all. Unless given, 1024 times the archive's bytes, and 256 MiB for a small one: a file that claims more
   * than it is likely to carry is refused before anything is allocated.
   */
  readonly maxBytes?: number;
}

const LEAST_CEILING = 2 ** 28;
const CEILING_RATIO = 1024;

/** Most bytes that the tensors may have: what the caller says, or else what so many bytes of an archive are likely to carry. */
export function ceiling(archiveByteLength: number, { maxBytes }: DecodeOptions): number {
  if (maxBytes === undefined) return Math.max(LEAST_CEILING, CEILING_RATIO * archiveByteLength);
  checkNumber(maxBytes, "maxBytes", 0, Number.POSITIVE_INFINITY);
  return maxBytes;
}

/** @throws FormatError `LIMIT` where the tensors have more than `most` bytes */
export function checkCeiling(tensors: readonly TensorEntry[], most: number): void {
  let total = 0;
  for (const tensor of tensors) {
    total += tensor.byteLength;
    if (total > most) throw beyondCeiling(most);
  }
}

export function beyondCeiling(most: number): FormatError {
  return new FormatError("LIMIT", 0, `the tensors have more than ${most} bytes; set maxBytes to allow them`);
}

async function read(source: Source, offset: number, byteLength: number): Promise<Uint8Array> {
  return plainBytes(await source.read(offset, byteLength), "what the source reads");
}

/**
 * An archive that was opened: its tensors, read one by one. `entry` is one of `header.tensors`. One reading goes on at a time where the source's `read` lends a view until the next.
 */
export class Archive {
  /** Its tensors with their shapes and where their records are. */
  readonly header: Header;
  /** Most bytes that the tensors may have in all, and a template of the shell. */
  readonly maxBytes: number;
  readonly #source: Source;
  readonly #kernels: DecodeKernels;

  private constructor(source: Source, kernels: DecodeKernels, header: Header, maxBytes: number) {
    this.maxBytes = maxBytes;
    this.#source = source;
    this.#kernels = kernels;
    this.header = header;
  }

  /**
   * Reads the header; the records are read when they are asked for.
   *
   * @throws FormatError where the header is wrong, the archive shorter or longer than it says, or the tensors larger than `maxBytes`
   */
  static async open(source: Source, kernels: DecodeKernels, options: DecodeOptions = {}): Promise<Archive> {
    const end = headerEnd(await read(source, 0, Math.min(PREAMBLE_BYTES, source.byteLength)));
    if (end > source.byteLength) throw new FormatError("TRUNCATED", source.byteLength, `the header ends at byte ${end}`);
    const start = (await read(source, 0, end)).slice(); // the header's shell is kept
    const header = readHeader(start, (bytes) => kernels.crc32c(bytes), source.byteLength);
    checkLength(header, source.byteLength);
    const maxBytes = ceiling(source.byteLength, options);
    checkCeiling(header.tensors, maxBytes);
    return new Archive(source, kernels, header, maxBytes);
  }

  /**
   * What the head of a tensor's record says, and how many bytes the head has. Its checksum is not looked at: that covers the first block, too.
   *
   * @throws FormatError where the head is at fault
   */
  async head(entry: TensorEntry): Promise<{ plan: RecordPlan; byteLength: number }> {
    const walk = new RecordWalk(this.#kernels, entry);
    walk.step(await this.bytes(entry.recordOffset, walk.need));
    return { plan: walk.plan, byteLength: walk.headByteLength };
  }

  /**
   * What the head of a tensor's record says, and where its blocks are, for a caller that decodes them with `decodeOneBlock`, in any order or in other threads. Of a record
   * of several blocks the lengths are read, when `spans` is asked for the next; of one block, only the head.
   *
   * @throws FormatError where the head is at fault; from `spans`, where a length is. What the checksums say, `decodeOneBlock` looks at
   */
  async layout(entry: TensorEntry): Promise<{ plan: RecordPlan; spans: AsyncGenerator<BlockSpan, void, undefined> }> {
    const walk = new RecordWalk(this.#kernels, entry);
    const first = walk.step(await this.bytes(entry.recordOffset, walk.need));
    return { plan: walk.plan, spans: this.#walk(entry, walk, first) };
  }

  async *#walk(entry: TensorEntry, walk: RecordWalk, first?: BlockSpan): AsyncGenerator<BlockSpan, void, undefined> {
    if (first !== undefined) yield first;
    while (!walk.done) {
      const span = walk.step(await this.bytes(entry.recordOffset + walk.position, walk.need));
      if (span !== undefined) yield span;
    }
  }

  /** Bytes of the archive, which the source may lend only until it is read from again. There may be fewer where it is cut off. */
  async bytes(offset: number, byteLength: number): Promise<Uint8Array> {
    return read(this.#source, offset, byteLength);
  }

  /**
   * The blocks of a tensor: little-endian elements, at most 2^20 of them in a block, that make the row-major tensor one after another. Each is the caller's, and came with a right checksum.
   *
   * @throws FormatError where the record is at fault, after the blocks that came before
   */
  async *blocks(entry: TensorEntry): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const { plan, span, bytes } of this.#spans(entry)) {
      const block = new Uint8Array(blockByteLength(plan, span.index));
      decodeOneBlock(this.#kernels, plan, span, bytes, block, true);
      yield block;
    }
  }

  /**
   * A tensor whole: `data` has `entry.byteLength` bytes, little-endian and row-major.
   *
   * @throws FormatError where its record is at fault, `LIMIT` where this runtime cannot allocate it; TypeError, RangeError where `into` gives another buffer than it should
   */
  async tensor(entry: TensorEntry, options: TensorOptions = {}): Promise<Tensor> {
    const destination = new Destination(entry, true, options);
    for await (const { plan, span, bytes } of this.#spans(entry)) {
      const room = destination.room(plan, span.index);
      decodeOneBlock(this.#kernels, plan, span, bytes, room, destination.blank);
    }
    return destination.finish();
  }

  async *#spans(entry: TensorEntry): AsyncGenerator<{ plan: RecordPlan; span: BlockSpan; bytes: Uint8Array }, void, undefined> {
    const { plan, spans } = await this.layout(entry);
    for await (const span of spans) yield { plan, span, bytes: await this.bytes(span.offset, span.byteLength) };
  }

  /** Closes the source. */
  close(): Promise<void> {
    return this.#source.close();
  }
}

/** @throws FormatError `TRUNCATED` or `TRAILING` where the archive is not as long as its header says */
export function checkLength(header: Header, byteLength: number): void {
  const said = header.archiveByteLength;
  if (said > byteLength) throw new FormatError("TRUNCATED", byteLength, `the archive has ${byteLength} of ${said} bytes`);
  if (said < byteLength) throw new FormatError("TRAILING", said, `${byteLength - said} bytes are left after the last record`);
}
