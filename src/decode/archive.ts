import { type Header, headerEnd, PREAMBLE_BYTES, readHeader, type TensorEntry } from "../archive/header.js";
import { checkNumber, plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels, RecordPlan } from "../kernel-types.js";
import type { Source, Tensor } from "../types.js";
import { RecordDecoder } from "./record.js";

export interface DecodeOptions {
  /**
   * Most bytes that the tensors may have in all. Unless given, 1024 times the archive's bytes, and 256 MiB for a small one: a file that claims more
   * than it is likely to carry is refused before anything is allocated.
   */
  readonly maxBytes?: number;
}

const LEAST_CEILING = 2 ** 28;
const CEILING_RATIO = 1024;

/** @throws RangeError, TypeError on a wrong ceiling; FormatError `LIMIT` where the tensors have more bytes */
export function checkCeiling(tensors: readonly TensorEntry[], archiveByteLength: number, options: DecodeOptions): void {
  const { maxBytes } = options;
  if (maxBytes !== undefined) checkNumber(maxBytes, "maxBytes", 0, Number.POSITIVE_INFINITY);
  const ceiling = maxBytes ?? Math.max(LEAST_CEILING, CEILING_RATIO * archiveByteLength);
  let total = 0;
  for (const tensor of tensors) {
    total += tensor.byteLength;
    if (total > ceiling) throw new FormatError("LIMIT", 0, `the tensors have more than ${ceiling} bytes; set maxBytes to allow them`);
  }
}

/** A zero-filled buffer of a tensor's bytes, which the runtime may be unable to give. */
export function allocate(byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch {
    throw new FormatError("LIMIT", 0, `a tensor of ${byteLength} bytes cannot be allocated here`);
  }
}

async function read(source: Source, offset: number, byteLength: number): Promise<Uint8Array> {
  return plainBytes(await source.read(offset, byteLength), "what the source reads");
}

/** An archive that was opened: its tensors, read one by one. */
export class Archive {
  readonly header: Header;
  readonly #source: Source;
  readonly #kernels: DecodeKernels;

  private constructor(source: Source, kernels: DecodeKernels, header: Header) {
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
    const header = readHeader(start, (bytes) => kernels.crc32c(bytes));
    checkLength(header, source.byteLength);
    checkCeiling(header.tensors, source.byteLength, options);
    return new Archive(source, kernels, header);
  }

  /** What the head of a tensor's record says, and how many bytes it has. */
  async head(entry: TensorEntry): Promise<{ plan: RecordPlan; byteLength: number }> {
    const decoder = new RecordDecoder(this.#kernels, entry);
    decoder.step(await read(this.#source, entry.recordOffset, decoder.need));
    return { plan: decoder.plan as RecordPlan, byteLength: decoder.consumed };
  }

  /** The blocks of a tensor, in row-major order one after another. */
  async *blocks(entry: TensorEntry): AsyncGenerator<Uint8Array, void, undefined> {
    const decoder = new RecordDecoder(this.#kernels, entry);
    while (!decoder.done) {
      const block = decoder.step(await read(this.#source, entry.recordOffset + decoder.consumed, decoder.need));
      if (block !== undefined) yield block;
    }
  }

  /** A tensor whole. */
  async tensor(entry: TensorEntry): Promise<Tensor> {
    const data = allocate(entry.byteLength);
    let at = 0;
    for await (const block of this.blocks(entry)) {
      data.set(block, at);
      at += block.length;
    }
    return { name: entry.name, dtype: entry.dtype, shape: entry.shape, data };
  }

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
