import type { Core } from "../archive/core.js";
import { type Header, PREAMBLE_BYTES, type TensorEntry } from "../archive/header.js";
import { checkInteger, checkNumber, plainBytes } from "../check.js";
import { FormatError } from "../errors.js";
import type { Source, Tensor } from "../types.js";
import { drive } from "./drive.js";
import type { Block, BlockOptions, OpenOptions, TensorOptions } from "./options.js";
import { type Need, type Steps, trailing } from "./record.js";
import { checkCeiling, type RecordOptions, tensorSteps } from "./tensor.js";

const LEAST_CEILING = 2 ** 28;
const CEILING_RATIO = 1024;

/** Most bytes that the tensors may have: what the caller says, or else what so many bytes of an archive are likely to carry. */
export function ceiling(archiveByteLength: number, { maxBytes }: OpenOptions): number {
  if (maxBytes === undefined) return Math.max(LEAST_CEILING, CEILING_RATIO * archiveByteLength);
  checkNumber(maxBytes, "maxBytes", 0, Infinity);
  return maxBytes;
}

function denseByteLength({ tensors }: Header): number {
  return tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/**
 * Reads the header.
 *
 * @param byteLength of the archive; left out where only the archive itself says it
 * @throws FormatError where the header is wrong, the archive shorter or longer than it says, or the tensors larger than `maxBytes`
 */
export function* headerSteps(core: Core, options: OpenOptions, byteLength?: number): Generator<Need, Header, Uint8Array> {
  const all = byteLength ?? Infinity;
  const most = ceiling(all, options);
  const checkEnd = (end: number): void => {
    if (end > all) throw new FormatError("TRUNCATED", all, "the archive is cut off");
  };
  const end = core.headerEnd(yield [0, Math.min(PREAMBLE_BYTES, all)]);
  checkEnd(end);
  const start = yield [0, end];
  const header = core.readHeader(start.slice(), byteLength); // its shell is kept
  const { archiveByteLength } = header;
  checkEnd(archiveByteLength);
  if (byteLength !== undefined && archiveByteLength < byteLength) throw trailing(archiveByteLength);
  checkCeiling(denseByteLength(header), most);
  return header;
}

/** Decodes an archive: its tensors, or their blocks, in order. See `headerSteps`. */
export function* archiveSteps(core: Core, options: OpenOptions & RecordOptions, byteLength?: number): Steps<Tensor | Block> {
  const header = yield* headerSteps(core, options, byteLength);
  const totalBytes = denseByteLength(header);
  // How long a stream is, it only says itself: without a ceiling of the caller's, what came in bounds what goes out.
  const most = byteLength === undefined ? (bytes: number) => ceiling(bytes, options) : undefined;
  let doneBytes = 0;
  for (const entry of header.tensors) {
    yield* tensorSteps(core, entry, options, totalBytes, doneBytes, most);
    doneBytes += entry.byteLength;
  }
  const { archiveByteLength } = header;
  if (most && (yield [archiveByteLength, 1]).length > 0) throw trailing(archiveByteLength);
}

/**
 * An archive that was opened: its tensors, read one by one. `entry` is one of `header.tensors`. One reading goes on at a time where the source's `read` lends a view until the next.
 */
export interface Archive {
  /** Its tensors with their shapes and where their records are. */
  readonly header: Header;
  /** Most bytes that the tensors may have in all, and a template of the shell. */
  readonly maxBytes: number;
  /**
   * A tensor whole: `data` has `entry.byteLength` bytes, little-endian and row-major.
   *
   * @throws FormatError where its record is at fault, `LIMIT` where this runtime cannot allocate it; TypeError, RangeError where `into` gives another buffer than it should
   */
  tensor(entry: TensorEntry, options?: TensorOptions): Promise<Tensor>;
  /**
   * The blocks of a tensor: little-endian elements, at most 2^20 of them in a block, that make the row-major tensor one after another. Each came with a right checksum, and is the
   * caller's: a new one, or what `into` gave.
   *
   * @throws FormatError where the record is at fault, after the blocks that came before; TypeError, RangeError where `into` gives another buffer than it should
   */
  blocks(entry: TensorEntry, options?: BlockOptions): AsyncGenerator<Uint8Array, void, undefined>;
  /** Bytes of the archive as they stand in it, or as many as there are; a view may hold until the next reading only. */
  read(offset: number, byteLength: number): Promise<Uint8Array>;
  /** Closes the source. */
  close(): Promise<void>;
}

/** Bytes of a source: no more than were asked for. */
export function readerOf(source: Source): (...need: Need) => Promise<Uint8Array> {
  return async (offset, byteLength) => plainBytes(await source.read(offset, byteLength), "what the source reads").subarray(0, byteLength);
}

/** Opens an archive: see `headerSteps`. The records are read when they are asked for. */
export async function openWith(core: Core, source: Source, options: OpenOptions = {}): Promise<Archive> {
  const { byteLength } = source;
  checkInteger(byteLength, "source.byteLength", 0, Number.MAX_SAFE_INTEGER);
  const read = readerOf(source);
  const decoded = (entry: TensorEntry, record: RecordOptions) => drive(tensorSteps(core, entry, record), read, record.signal);
  const opened = drive(openSteps(core, options, byteLength), read, options.signal);
  return {
    header: (await opened.next()).value as Header,
    maxBytes: ceiling(byteLength, options),
    tensor: async (entry, record) => (await decoded(entry, { ...record, blocks: false }).next()).value as Tensor,
    async *blocks(entry, record) {
      for await (const { data } of decoded(entry, { ...record, blocks: true })) yield data;
    },
    read,
    close: () => source.close(),
  };
}

function* openSteps(core: Core, options: OpenOptions, byteLength: number): Steps<Header> {
  yield yield* headerSteps(core, options, byteLength);
}
