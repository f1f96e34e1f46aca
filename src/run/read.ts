import type { TensorEntry } from "../archive/header.js";
import { drive } from "../decode/drive.js";
import type { Archive } from "../decode/index.js";
import { blockByteLength, take, walkRecord } from "../decode/record.js";
import { FormatError } from "../errors.js";
import { type Arena, at, type Ptr, toPtr } from "../kernels/arena.js";
import { type Runner, recordReader } from "../kernels/runner.js";
import { DTYPES } from "../types.js";
import { linesOf, panelsOf, type RowLines, type Shape } from "./lines.js";

/** Elements whose entries are made at a time. */
const SOME = 4096;

/** `entries` and `elementEntries` give it, signed, where there are more than 256 values. */
const NO_CODES = -1;

/** Instead of a table of values: entries are of weights. */
const NO_VALUES = 0 as Ptr;

/** Bytes of a survivor in float32, and of a weight where all are stored. */
const SURVIVOR_BYTES = 6;
const DENSE_BYTES = 4;

/** A matrix in float32, every weight of it. */
export interface Dense extends Shape {
  /** f32[rows][columns] */
  readonly dense: Float32Array;
}

export interface ReadOptions {
  /** Whose memory is read in, one tensor after the other: a program may have no more than some hundred. */
  readonly runner: Runner;
  readonly signal?: AbortSignal;
}

/** Where a line starts is counted from a block on mod 2^32: of more weights two places would look alike. */
const MOST_WEIGHTS = 2 ** 32;

/**
 * Reads a tensor of the archive by rows, block by block, and makes nothing dense. The rows stay in the memory that was read in.
 *
 * @throws FormatError where the record is at fault, `LIMIT` where it has more than 2^32 weights
 */
export async function readRows(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<RowLines> {
  const lines = await readLines(archive, entry, shape, options);
  return "rows" in lines ? lines : readFloats(archive, entry, shape, options);
}

/**
 * Reads a tensor of the archive as a matrix: by rows, unless it has more than 256 different values and takes less memory dense.
 *
 * @throws FormatError where the record is at fault, `LIMIT` where it has more than 2^32 weights
 */
export async function readMatrix(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<RowLines | Dense> {
  const lines = await readLines(archive, entry, shape, options);
  if ("rows" in lines) return lines;
  // What is not stored as survivors is dense, most often, and what is hardly ever.
  if (lines.sparse) {
    const floats = await readFloats(archive, entry, shape, options);
    return isDense(floats.survivors, shape) ? readDense(archive, entry, shape, options) : floats;
  }
  const found = await readDense(archive, entry, shape, options);
  let survivors = 0;
  for (const weight of found.dense) if (weight !== 0) survivors++;
  return isDense(survivors, shape) ? found : readFloats(archive, entry, shape, options);
}

function isDense(survivors: number, { rows, columns }: Shape): boolean {
  return SURVIVOR_BYTES * survivors > DENSE_BYTES * rows * columns;
}

async function readFloats(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<RowLines> {
  const lines = await readLines(archive, entry, shape, options, true);
  if ("rows" in lines) return lines;
  throw new Error("weights in float32 have no codes to run out of");
}

/** What to throw for what was thrown: what a file says of a tensor may be more than there is memory for, which is its fault, and not the caller's. */
export function lackOf({ name, recordOffset }: TensorEntry, error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new FormatError("LIMIT", recordOffset, `there is no memory for ${JSON.stringify(name)}: ${error.message}`);
}

function withinMemory<T>(entry: TensorEntry, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw lackOf(entry, error);
  }
}

/** Indices and weights at the end of a runner's memory, with room for more. */
class Room {
  readonly #arena: Arena;
  readonly #weightBytes: number;
  readonly indices: Ptr;
  #entries = 0;

  constructor(arena: Arena, bytes: number) {
    this.#arena = arena;
    this.#weightBytes = bytes;
    this.indices = arena.alloc(0);
  }

  /** u8[entries] or f32[entries], behind u16[entries]. */
  get weights(): Ptr {
    return at(this.indices, 2 * this.#entries);
  }

  /** Makes room for so many entries, the first `laid` of which are there. Twice as much as there was, or more, so that all copies together are no more than the last. */
  grow(laid: number, entries: number): void {
    if (entries <= this.#entries) return;
    const before = this.weights - this.indices;
    // Even: words in float32 are to be aligned.
    this.#entries = 2 * Math.ceil(Math.max(2 * this.#entries, entries) / 2);
    const byteLength = (2 + this.#weightBytes) * this.#entries;
    this.#arena.alloc(at(this.indices, byteLength) - this.#arena.top);
    this.#arena.u8(this.indices, byteLength).copyWithin(2 * this.#entries, before, before + this.#weightBytes * laid);
  }
}

/** Why there are no lines: more than 256 values, in a record of survivors or of all elements. */
interface TooMany {
  readonly sparse: boolean;
}

/** The tensor in order "rows", of codes where it has no more than 256 values; `floats`: of weights in float32. */
async function readLines(
  archive: Archive,
  entry: TensorEntry,
  shape: Shape,
  options: ReadOptions,
  floats = false,
): Promise<RowLines | TooMany> {
  const { rows, columns } = shape;
  if (rows * columns > MOST_WEIGHTS)
    throw new FormatError(
      "LIMIT",
      entry.recordOffset,
      `${JSON.stringify(entry.name)} has more than ${MOST_WEIGHTS} weights, which no layer can have`,
    );
  const { runner } = options;
  const { arena, exports } = runner;
  const mark = arena.top;
  const dtype = DTYPES.indexOf(entry.dtype);
  const lines = linesOf(shape, "rows");
  const laying = arena.alloc(exports.layingBytes());
  const table = arena.alloc(exports.valuesBytes());
  const values = floats ? NO_VALUES : table;
  const some = arena.alloc(8 * SOME);
  const pointers = withinMemory(entry, () => arena.alloc(4 * (lines + 1)));
  const columnLines = linesOf(shape, "columns");
  const counts = withinMemory(entry, () => arena.alloc(4 * columnLines));
  arena.u32(counts, columnLines).fill(0);
  const rowPanels = panelsOf(shape, "columns");
  const bytes = floats ? 4 : 1;
  const room = new Room(arena, bytes);
  const reader = recordReader(runner);
  arena.u8(table, exports.valuesBytes()).fill(0);
  exports.beginLaying(laying, columns, lines, panelsOf(shape, "rows"), pointers);

  let codebook: Float32Array | undefined;
  let sparse = false;
  const steps = walkRecord(reader, entry, function* (head, span) {
    sparse = head.sparse;
    const block = yield* take(span.offset, span.byteLength);
    const count = blockByteLength(head, span.index) / head.elementBytes;
    const laid = exports.laid(laying) >>> 0;
    // A survivor takes about a byte of the archive: most tensors are laid out without being moved.
    const likely = head.sparse ? Math.min(entry.recordByteLength + head.blockElements, head.elements) : 0;
    withinMemory(entry, () => room.grow(laid, Math.max(likely, laid + count)));
    yield reader.block(head, block, span.offset, span.seedCrc, count, (elements) => {
      if (!floats && exports.straight()) {
        codebook ??= Float32Array.from({ length: exports.centroids() }, (_, code) => exports.centroid(code, dtype));
        exports.laySurvivors(laying, pointers, counts, rowPanels, at(room.indices, 2 * laid), at(room.weights, laid));
      } else if (!(elements === 0 ? laySparse() : layElements(elements, count, head.elementBytes))) return false;
      exports.endBlock(laying, count);
      return true;
    });
  });

  function lay(from: Ptr, count: number): void {
    const laid = exports.laid(laying) >>> 0;
    const [indices, weights] = [at(room.indices, 2 * laid), at(room.weights, bytes * laid)];
    exports.layEntries(floats, from, count, laying, pointers, counts, rowPanels, indices, weights);
  }

  /** Lays the sparse block that was just decoded; false where there are too many values. */
  function laySparse(): boolean {
    const parts: (Uint32Array | BigUint64Array)[] = [];
    for (;;) {
      const count = exports.entries(dtype, values);
      if (count === NO_CODES) return false;
      if (count === 0) break;
      const from = toPtr(exports.pairs());
      if (exports.scanned()) parts.push(entriesAt(from, count).slice());
      else lay(from, count);
    }
    // Places are the upper bits of entries.
    for (const part of sorted(parts)) {
      entriesAt(some, part.length).set(part as BigUint64Array & Uint32Array);
      lay(some, part.length);
    }
    return true;
  }

  function entriesAt(ptr: Ptr, count: number): Uint32Array | BigUint64Array {
    return floats ? new BigUint64Array(exports.memory.buffer, ptr, count) : arena.u32(ptr, count);
  }

  /** Lays the elements of a block that are not zero; false where there are too many values. */
  function layElements(elements: Ptr, count: number, elementBytes: number): boolean {
    for (let first = 0; first < count; first += SOME) {
      const length = Math.min(SOME, count - first);
      const entries = exports.elementEntries(at(elements, first * elementBytes), first, length, dtype, values, some);
      if (entries === NO_CODES) return false;
      lay(some, entries);
    }
    return true;
  }

  for await (const laid of drive(steps, archive.read, options.signal)) {
    if (laid) continue;
    arena.release(mark);
    return { sparse };
  }
  exports.endLaying(laying, pointers);
  if (!floats) codebook ??= arena.f32(at(table, 16), Math.max(1, arena.u32(table, 1)[0])).slice();
  const survivors = exports.laid(laying) >>> 0;
  return { runner, rows, columns, order: "rows", survivors, codebook, pointers, indices: room.indices, weights: room.weights, counts };
}

/** All entries of a block in order, some at a time. */
function* sorted(parts: readonly (Uint32Array | BigUint64Array)[]): Generator<Uint32Array | BigUint64Array> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = parts[0] instanceof BigUint64Array ? new BigUint64Array(length) : new Uint32Array(length);
  let placed = 0;
  for (const part of parts) {
    all.set(part as BigUint64Array & Uint32Array, placed);
    placed += part.length;
  }
  all.sort();
  for (let first = 0; first < length; first += SOME) yield all.subarray(first, first + SOME);
}

/** The tensor in float32, whole. */
export async function readDense(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Dense> {
  const { arena, exports } = options.runner;
  const dtype = DTYPES.indexOf(entry.dtype);
  const elementBytes = entry.byteLength / (shape.rows * shape.columns);
  const dense = withinMemory(entry, () => new Float32Array(shape.rows * shape.columns));
  let first = 0;
  for await (const block of archive.blocks(entry, { signal: options.signal })) {
    const count = block.length / elementBytes;
    arena.scope(() => {
      const elements = arena.alloc(block.length);
      const floats = arena.alloc(4 * count);
      arena.u8(elements, block.length).set(block);
      exports.elementFloats(elements, count, dtype, floats);
      dense.set(arena.f32(floats, count), first);
    });
    first += count;
  }
  return { ...shape, dense };
}
