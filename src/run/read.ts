import type { TensorEntry } from "../archive/header.js";
import { drive } from "../decode/drive.js";
import type { Archive } from "../decode/index.js";
import { blockByteLength, take, walkRecord } from "../decode/record.js";
import { FormatError } from "../errors.js";
import { at, type Ptr, toPtr } from "../kernels/arena.js";
import { newRunner, type RunHead, recordReader } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import { DTYPES } from "../types.js";
import { type Lines, linesOf, panelsOf, type Run, type Shape } from "./lines.js";

/** Elements whose entries are made at a time. */
const SOME = 4096;

/** `entries` gives it, signed, where there are more than 256 values. */
const NO_CODES = -1;

/** u32 that `lay` keeps: columns, lines, panels, line, panel, start, next, count, centroids. */
const LAYING = 9;
const [START, NEXT, COUNT, CENTROIDS] = [5, 6, 7, 8];

/** A matrix with more values than a byte has codes for. */
export interface Dense extends Shape {
  readonly weights: Float32Array;
}

export interface ReadOptions {
  readonly variant?: Variant;
  readonly signal?: AbortSignal;
}

/**
 * Reads a tensor of the archive as a matrix: block by block, and of a tensor that has codes nothing dense is made. What reading takes in memory beside the result goes with it.
 *
 * @throws FormatError where the record is at fault
 */
export async function readMatrix(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Lines | Dense> {
  return (await readLines(archive, entry, shape, options)) ?? readDense(archive, entry, shape, options);
}

/** The tensor in order "rows"; undefined where it has more than 256 values. */
async function readLines(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Lines | undefined> {
  const { signal } = options;
  const runner = newRunner(options);
  const { arena, exports } = runner;
  const { rows, columns } = shape;
  const dtype = DTYPES.indexOf(entry.dtype);
  const rowLines = linesOf(shape, "rows");
  const columnLines = linesOf(shape, "columns");
  const laying = arena.alloc(4 * LAYING);
  const values = arena.alloc(exports.valuesBytes());
  const some = arena.alloc(4 * SOME);
  const pointers = arena.alloc(4 * (rowLines + 1));
  const counts = arena.alloc(4 * columnLines);
  const reader = recordReader(runner, toPtr(arena.top));
  arena.u8(values, exports.valuesBytes()).fill(0);
  arena.u32(counts, columnLines).fill(0);
  arena.u32(pointers, 1)[0] = 0;
  arena.u32(laying, LAYING).set([columns, rowLines, panelsOf(shape, "rows"), 0, 0, 0, 0, 0, 256]);
  const rowPanels = panelsOf(shape, "columns");

  const runs: Run[] = [];
  let codebook: Float32Array | undefined;
  const steps = walkRecord(reader, entry, function* (head, span) {
    const bytes = yield* take(span.offset, span.byteLength);
    const count = blockByteLength(head, span.index) / head.elementBytes;
    const run = reader.block(head, bytes, span.offset, span.seedCrc, count, (elements) => {
      if (span.index === 0 && head.sparse && exports.hasCodebook()) {
        codebook = Float32Array.from({ length: exports.centroids() }, (_, code) => exports.centroid(code, dtype));
        arena.u32(laying, LAYING)[CENTROIDS] = codebook.length;
      }
      return layBlock(head, elements, count, span.offset);
    });
    yield run;
  });

  /** The entries of the block that was just decoded; undefined where there are too many values. */
  function layBlock(head: RunHead, elements: Ptr, count: number, offset: number): Run | undefined {
    const most = elements === 0 ? exports.blockSurvivors() : count;
    const [indices, codes] = reader.room(2 * most, most);
    const before = arena.u32(laying, LAYING)[COUNT];
    const put = (from: Ptr, entries: number): void => {
      const placed = arena.u32(laying, LAYING)[COUNT] - before;
      if (
        placed + entries > most ||
        !exports.lay(from, entries, laying, pointers, counts, rowPanels, at(indices, 2 * placed), at(codes, placed))
      )
        throw new FormatError("CORRUPT", offset, "a block has a survivor outside the tensor, or a code without a centroid");
    };
    const sorted: Uint32Array[] = [];
    if (elements === 0) {
      for (;;) {
        const entries = exports.entries(dtype, values);
        if (entries === 0) break;
        if (entries === NO_CODES) return undefined;
        const from = toPtr(exports.pairs());
        if (exports.scanned()) sorted.push(arena.u32(from, entries).slice());
        else put(from, entries);
      }
    } else {
      for (let first = 0; first < count; first += SOME) {
        const length = Math.min(SOME, count - first);
        const entries = exports.elementEntries(at(elements, first * head.elementBytes), first, length, dtype, values, some);
        if (entries === NO_CODES) return undefined;
        put(some, entries);
      }
    }
    if (sorted.length > 0) {
      const all = new Uint32Array(sorted.reduce((sum, { length }) => sum + length, 0));
      let length = 0;
      for (const part of sorted) {
        all.set(part, length);
        length += part.length;
      }
      all.sort();
      for (let first = 0; first < all.length; first += SOME) {
        const part = all.subarray(first, first + SOME);
        arena.u32(some, part.length).set(part);
        put(some, part.length);
      }
    }
    const state = arena.u32(laying, LAYING);
    // The next block's places begin where this block's end: mod 2^32, as the kernel has it.
    state[START] -= count;
    state[NEXT] = 0;
    const placed = state[COUNT] - before;
    return { indices: arena.u16(indices, placed).slice(), codes: arena.u8(codes, placed).slice() };
  }

  for await (const run of drive(steps, archive.read, signal)) {
    if (run === undefined) return undefined;
    if (run.codes.length > 0) runs.push(run);
  }
  const state = arena.u32(laying, LAYING);
  const all = arena.u32(pointers, rowLines + 1);
  all.fill(state[COUNT], state[3] + 1);
  codebook ??= arena.f32(at(values, 16), Math.max(1, arena.u32(values, 1)[0]));
  return {
    rows,
    columns,
    order: "rows",
    pointers: all.slice(),
    runs,
    codebook: codebook.slice(),
    counts: arena.u32(counts, columnLines).slice(),
  };
}

/** The tensor in float32, whole. */
export async function readDense(archive: Archive, entry: TensorEntry, shape: Shape, options: ReadOptions): Promise<Dense> {
  const { arena, exports } = newRunner(options);
  const dtype = DTYPES.indexOf(entry.dtype);
  const elementBytes = entry.byteLength / (shape.rows * shape.columns);
  const weights = new Float32Array(shape.rows * shape.columns);
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
