import { concat } from "../archive/bytes.js";
import { type Header, headerEnd, PREAMBLE_BYTES, readHeader as readHeaderWith, type TensorEntry } from "../archive/header.js";
import { checkBytes, plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { DecodeKernels } from "../kernel-types.js";
import type { Tensor } from "../types.js";
import { beyondCeiling, ceiling, checkCeiling, checkLength, type DecodeOptions } from "./archive.js";
import { Destination, type TensorOptions } from "./destination.js";
import { blockByteLength, decodeOneBlock, RecordWalk } from "./record.js";

/** Every tensor of an archive in memory, in order, with the kernels given. */
export function decodeWith(kernels: DecodeKernels, archive: Uint8Array, options: DecodeOptions & TensorOptions = {}): Tensor[] {
  const all = plainBytes(archive, "archive");
  const header = readHeaderWith(all, (bytes) => kernels.crc32c(bytes), all.length);
  checkLength(header, all.length);
  checkCeiling(header.tensors, ceiling(all.length, options));
  return header.tensors.map((entry) => {
    const record = all.subarray(entry.recordOffset, entry.recordOffset + entry.recordByteLength);
    return decodeRecord(kernels, entry, record, options);
  });
}

/** The tensor of a record that is in memory whole. */
export function decodeRecord(kernels: DecodeKernels, entry: TensorEntry, record: Uint8Array, options: TensorOptions = {}): Tensor {
  const destination = new Destination(entry, true, options);
  const walk = new RecordWalk(kernels, entry);
  while (!walk.done) {
    const span = walk.step(record.subarray(walk.position, walk.position + walk.need));
    if (span === undefined) continue;
    const start = span.offset - entry.recordOffset;
    const bytes = record.subarray(start, start + span.byteLength);
    const room = destination.room(walk.plan, span.index);
    decodeOneBlock(kernels, walk.plan, span, bytes, room, destination.blank);
  }
  return destination.finish();
}

/** Bytes as they arrive, taken off in pieces of known length. */
class Arrivals {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  /** Bytes taken off before `#held`. */
  offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** At least `byteLength` bytes, or all there are. */
  async peek(byteLength: number): Promise<Uint8Array> {
    if (this.#held.length >= byteLength) return this.#held;
    const parts = [this.#held];
    let length = this.#held.length;
    while (length < byteLength) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      checkBytes(value, "a chunk of the stream");
      parts.push(value);
      length += value.length;
    }
    this.#held = concat(parts);
    return this.#held;
  }

  async take(byteLength: number, what: string): Promise<Uint8Array> {
    const held = await this.peek(byteLength);
    if (held.length < byteLength) throw new FormatError("TRUNCATED", this.offset + held.length, `${what} is cut off`);
    this.skip(byteLength);
    return held.subarray(0, byteLength);
  }

  skip(byteLength: number): void {
    this.#held = this.#held.subarray(byteLength);
    this.offset += byteLength;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Each tensor of an archive as soon as its bytes have arrived, with the kernels given. */
export async function* decodeStreamWith(
  kernels: DecodeKernels,
  chunks: AsyncIterable<Uint8Array>,
  options: DecodeOptions & TensorOptions = {},
): AsyncGenerator<Tensor, void, undefined> {
  const arrivals = new Arrivals(chunks);
  try {
    const header = await readArriving(kernels, arrivals);
    if (options.maxBytes !== undefined) checkCeiling(header.tensors, ceiling(0, options));
    // How long the archive is, it only says itself: without a ceiling of the caller's, what came in bounds what goes out.
    let total = 0;
    const count = (byteLength: number): void => {
      total += byteLength;
      const most = ceiling(arrivals.offset, options);
      if (total > most) throw beyondCeiling(most);
    };
    for (const entry of header.tensors) yield await decodeArriving(kernels, arrivals, entry, count, options);
    const left = await arrivals.peek(1);
    if (left.length > 0) throw new FormatError("TRAILING", arrivals.offset, "bytes are left after the last record");
  } finally {
    await arrivals.close();
  }
}

async function readArriving(kernels: DecodeKernels, arrivals: Arrivals): Promise<Header> {
  const end = headerEnd((await arrivals.peek(PREAMBLE_BYTES)).slice(0, PREAMBLE_BYTES));
  return readHeaderWith((await arrivals.take(end, "header")).slice(), (bytes) => kernels.crc32c(bytes));
}

async function decodeArriving(
  kernels: DecodeKernels,
  arrivals: Arrivals,
  entry: TensorEntry,
  count: (byteLength: number) => void,
  options: TensorOptions,
): Promise<Tensor> {
  const destination = new Destination(entry, false, options);
  const what = `the record of ${entry.name}`;
  const walk = new RecordWalk(kernels, entry);
  while (!walk.done) {
    const { need, position } = walk;
    const held = await arrivals.peek(need);
    if (held.length < need) throw new FormatError("TRUNCATED", arrivals.offset + held.length, `${what} is cut off`);
    const span = walk.step(held.subarray(0, need));
    if (span === undefined) {
      arrivals.skip(walk.position - position);
      continue;
    }
    arrivals.skip(span.offset - arrivals.offset);
    const bytes = await arrivals.take(span.byteLength, what);
    count(blockByteLength(walk.plan, span.index));
    const room = destination.room(walk.plan, span.index);
    decodeOneBlock(kernels, walk.plan, span, bytes, room, destination.blank);
  }
  return destination.finish();
}
