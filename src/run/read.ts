import type { TensorEntry } from "../archive/header.js";
import { drive } from "../decode/drive.js";
import type { Archive } from "../decode/index.js";
import { blockByteLength, take, walkRecord } from "../decode/record.js";
import { FormatError } from "../errors.js";
import { type Arena, at, type Ptr, toPtr } from "../kernels/arena.js";
import { newRunner, recordReader } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import { DTYPES } from "../types.js";
import { type Lines, linesOf, panelsOf, type Shape } from "./lines.js";

/** Elements whose entries are made at a time. */
const SOME = 4096;

/** `entries` and `elementEntries` give it, signed, where there are more than 256 values. */
const NO_CODES = -1;

/** A matrix with more values than a byte has codes for. */
export interface Dense extends Shape {
  readonly weights: Float32Array;
}

export interface ReadOptions {
  readonly variant?: Variant;
  readonly signal?: AbortSignal;
}

/** Where a line starts is counted from a block on mod 2^32: of more weights two places would look alike. */
const MOST_WEIGHTS = 2 ** 32;

/**
 * Reads a tensor of the archive as a matrix: block by block, and of a tensor that has codes nothing dense is made. What reading takes in memory beside the result goes with it.
 *
 * @throws FormatError where the record is at fault, `LIMIT` where it has more than 2^32 weights
 */
export async function readMatrix(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Lines | Dense> {
  if (shape.rows * shape.columns > MOST_WEIGHTS)
    throw new FormatError(
      "LIMIT",
      entry.recordOffset,
      `${JSON.stringify(entry.name)} has more than ${MOST_WEIGHTS} weights, which no layer can have`,
    );
  return (await readLines(archive, entry, shape, options)) ?? readDense(archive, entry, shape, options);
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

/** Indices and codes at the end of a runner's memory, with room for more. */
class Room {
  readonly #arena: Arena;
  readonly indices: Ptr;
  #entries = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    this.indices = arena.alloc(0);
  }

  /** u8[entries], behind u16[entries]. */
  get codes(): Ptr {
    return at(this.indices, 2 * this.#entries);
  }

  /** Makes room for so many entries, the first `laid` of which are there. Twice as much as there was, or more, so that all copies together are no more than the last. */
  grow(laid: number, entries: number): void {
    if (entries <= this.#entries) return;
    const before = this.codes;
    this.#entries = Math.max(2 * this.#entries, entries);
    const byteLength = 3 * this.#entries;
    this.#arena.alloc(at(this.indices, byteLength) - this.#arena.top);
    this.#arena.u8(this.indices, byteLength).copyWithin(2 * this.#entries, before - this.indices, before - this.indices + laid);
  }
}

/** The tensor in order "rows"; undefined where it has more than 256 values. */
async function readLines(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Lines | undefined> {
  const runner = newRunner(options);
  const { arena, exports } = runner;
  const { rows, columns } = shape;
  const dtype = DTYPES.indexOf(entry.dtype);
  const lines = linesOf(shape, "rows");
  const laying = arena.alloc(exports.layingBytes());
  const values = arena.alloc(exports.valuesBytes());
  const some = arena.alloc(4 * SOME);
  const pointers = withinMemory(entry, () => arena.alloc(4 * (lines + 1)));
  const columnLines = linesOf(shape, "columns");
  const counts = withinMemory(entry, () => arena.alloc(4 * columnLines));
  arena.u32(counts, columnLines).fill(0);
  const rowPanels = panelsOf(shape, "columns");
  const room = new Room(arena);
  const reader = recordReader(runner);
  arena.u8(values, exports.valuesBytes()).fill(0);
  exports.beginLaying(laying, columns, lines, panelsOf(shape, "rows"), pointers);

  let codebook: Float32Array | undefined;
  const steps = walkRecord(reader, entry, function* (head, span) {
    const bytes = yield* take(span.offset, span.byteLength);
    const count = blockByteLength(head, span.index) / head.elementBytes;
    const laid = exports.laid(laying) >>> 0;
    // A survivor takes about a byte of the archive: most tensors are laid out without being moved.
    const likely = head.sparse ? Math.min(entry.recordByteLength + head.blockElements, head.elements) : 0;
    withinMemory(entry, () => room.grow(laid, Math.max(likely, laid + count)));
    yield reader.block(head, bytes, span.offset, span.seedCrc, count, (elements) => {
      if (exports.straight()) {
        codebook ??= Float32Array.from({ length: exports.centroids() }, (_, code) => exports.centroid(code, dtype));
        exports.laySurvivors(laying, pointers, counts, rowPanels, at(room.indices, 2 * laid), at(room.codes, laid));
      } else if (!(elements === 0 ? laySparse() : layElements(elements, count, head.elementBytes))) return false;
      exports.endBlock(laying, count);
      return true;
    });
  });

  function lay(from: Ptr, count: number): void {
    const laid = exports.laid(laying) >>> 0;
    exports.layEntries(from, count, laying, pointers, counts, rowPanels, at(room.indices, 2 * laid), at(room.codes, laid));
  }

  /** Lays the sparse block that was just decoded; false where there are too many values. */
  function laySparse(): boolean {
    const parts: Uint32Array[] = [];
    for (;;) {
      const count = exports.entries(dtype, values);
      if (count === NO_CODES) return false;
      if (count === 0) break;
      const from = toPtr(exports.pairs());
      if (exports.scanned()) parts.push(arena.u32(from, count).slice());
      else lay(from, count);
    }
    const sorted = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let length = 0;
    for (const part of parts) {
      sorted.set(part, length);
      length += part.length;
    }
    sorted.sort();
    for (let first = 0; first < sorted.length; first += SOME) {
      const part = sorted.subarray(first, first + SOME);
      arena.u32(some, part.length).set(part);
      lay(some, part.length);
    }
    return true;
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

  for await (const laid of drive(steps, archive.read, options.signal)) if (!laid) return undefined;
  exports.endLaying(laying, pointers);
  return {
    ...{ runner, rows, columns, order: "rows", pointers, indices: room.indices, codes: room.codes },
    survivors: exports.laid(laying) >>> 0,
    counts,
    codebook: codebook ?? arena.f32(at(values, 16), Math.max(1, arena.u32(values, 1)[0])).slice(),
  };
}

/** The tensor in float32, whole. */
export async function readDense(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Dense> {
  const { arena, exports } = newRunner(options);
  const dtype = DTYPES.indexOf(entry.dtype);
  const elementBytes = entry.byteLength / (shape.rows * shape.columns);
  const weights = withinMemory(entry, () => new Float32Array(shape.rows * shape.columns));
  let first = 0;
  for await (const block of archive.blocks(entry, { signal: options.signal })) {
    const count = block.length / elementBytes;
    arena.scope(() => {
      const elements = arena.alloc(block.length);
      const floats = arena.alloc(4 * count);
      arena.u8(elements, block.length).set(block);
      exports.elementFloats(elements, count, dtype, floats);
      weights.set(arena.f32(floats, count), first);
    });
    first += count;
  }
  return { ...shape, weights };
}
