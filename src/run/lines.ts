import type { Ptr } from "../kernels/arena.js";
import { at } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";

// The run layout of a matrix with at most 256 different weights: 3 bytes a survivor, in one of two orders. assembly/run/line.ts says it byte by byte.

/**
 * - `columns`  for each input the rows of its survivors and their codes: an input that is 0 costs nothing
 * - `rows`     for each output the columns of its survivors and their codes: many vectors at a time
 */
export type Order = "columns" | "rows";

export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/** Entries of a line have indices below it. */
export const LINE = 65536;

/** Entries that are turned at a time: with what they are turned into they stay in the second-level cache. */
const RANGE = 1 << 18;

/** Each line has about so many entries of a range, or more: finding the line takes as long as turning a few. */
const OF_LINE = 16;

/** Where a matrix in the run layout stands in the memory of a runner. */
export interface Lines extends Shape {
  readonly runner: Runner;
  readonly order: Order;
  /** u32[lines + 1]: where each line begins among all entries; `panelsOf` lines to a row or column. */
  readonly pointers: Ptr;
  /** u16[survivors] */
  readonly indices: Ptr;
  /** u8[survivors] */
  readonly codes: Ptr;
  readonly survivors: number;
  readonly codebook: Float32Array;
  /** u32[]: entries by the lines of the other order, where somebody has counted them. */
  readonly counts?: Ptr;
}

/** The same in arrays, which can go to another thread. */
export interface LineArrays extends Shape {
  readonly order: Order;
  readonly pointers: Uint32Array;
  readonly indices: Uint16Array;
  readonly codes: Uint8Array;
  readonly codebook: Float32Array;
}

/** Lines of each row, or of each column: as many as its length has 65,536 in it. */
export function panelsOf(shape: Shape, order: Order): number {
  return Math.max(1, Math.ceil(lengthOf(shape, order) / LINE));
}

export function linesOf(shape: Shape, order: Order): number {
  return countOf(shape, order) * panelsOf(shape, order);
}

/** Rows, or columns. */
function countOf({ rows, columns }: Shape, order: Order): number {
  return order === "rows" ? rows : columns;
}

/** Weights of each row, or of each column. */
function lengthOf({ rows, columns }: Shape, order: Order): number {
  return order === "rows" ? columns : rows;
}

/**
 * Lays a matrix out in a runner's memory, where it stays, and takes no more of it than that. The runner where it stood must be another one, whose memory may grow; arrays are in the order that is asked for.
 *
 * @throws RangeError where a memory cannot grow so far
 */
export function layOut(runner: Runner, from: Lines | LineArrays, order: Order): Lines {
  const { arena } = runner;
  const { rows, columns, codebook } = from;
  const survivors = "runner" in from ? from.survivors : from.codes.length;
  const count = linesOf(from, order) + 1;
  // Each growth of a memory costs the garbage collector's attention.
  arena.reserve(4 * count + 3 * survivors);
  const pointers = arena.alloc(4 * count);
  const codes = arena.alloc(survivors);
  const indices = arena.alloc(2 * survivors);
  const laid: Lines = { runner, rows, columns, order, pointers, indices, codes, survivors, codebook };
  if ("runner" in from && from.order !== order) turnInto(from, laid);
  else {
    const arrays = "runner" in from ? viewsOf(from) : from;
    arena.u32(pointers, count).set(arrays.pointers);
    arena.u16(indices, survivors).set(arrays.indices);
    arena.u8(codes, survivors).set(arrays.codes);
  }
  return laid;
}

/** What stands in a runner's memory: views that hold until the memory grows. */
export function viewsOf({ runner, rows, columns, order, pointers, indices, codes, survivors, codebook }: Lines): LineArrays {
  const { arena } = runner;
  return {
    ...{ rows, columns, order, codebook },
    pointers: arena.u32(pointers, linesOf({ rows, columns }, order) + 1),
    indices: arena.u16(indices, survivors),
    codes: arena.u8(codes, survivors),
  };
}

function copy(from: Runner, source: Ptr, to: Runner, target: Ptr, byteLength: number): void {
  to.arena.u8(target, byteLength).set(from.arena.u8(source, byteLength));
}

/** Sorts the entries of lines by their indices. Ranges of them, which follow each other in the other order, are turned beside the source and copied. */
function turnInto(from: Lines, to: Lines): void {
  const { runner, order, pointers, indices, codes } = from;
  const { arena, exports } = runner;
  const [lines, panels] = [linesOf(from, order), panelsOf(from, order)];
  const [otherLines, others] = [linesOf(from, to.order), panelsOf(from, to.order)];
  const length = lengthOf(from, order);
  const some = Math.max(RANGE, OF_LINE * countOf(from, order));
  arena.scope(() => {
    const next = arena.alloc(4 * (otherLines + 1));
    const cursors = arena.alloc(4 * lines);
    const counted = from.counts;
    if (counted === undefined) {
      arena.u32(next, otherLines).fill(0);
      exports.countOther(pointers, panels, lines, indices, next, others);
    } else copy(runner, counted, runner, next, 4 * otherLines);
    exports.startsOf(next, otherLines);
    copy(runner, next, to.runner, to.pointers, 4 * (otherLines + 1));
    copy(runner, pointers, runner, cursors, 4 * lines);
    for (let first = 0; first < length; ) {
      const starts = to.runner.arena.u32(to.pointers, otherLines + 1);
      const placed = starts[first * others];
      const panel = Math.floor(first / LINE);
      const start = panel * LINE;
      const most = Math.min(length, start + LINE);
      let end = first + 1;
      while (end < most && starts[(end + 1) * others] - placed <= some) end++;
      const entries = starts[end * others] - placed;
      arena.scope(() => {
        const turned = arena.alloc(4 * entries);
        const toIndices = arena.alloc(2 * entries);
        const toCodes = arena.alloc(entries);
        exports.turnRange(
          ...([at(cursors, 4 * panel), at(pointers, 4 * (panel + 1)), panels, lines - panel, indices, codes] as const),
          ...([first - start, end - start, at(next, 4 * first * others), others, placed, turned, entries, toIndices, toCodes] as const),
        );
        copy(runner, toIndices, to.runner, at(to.indices, 2 * placed), 2 * entries);
        copy(runner, toCodes, to.runner, at(to.codes, placed), entries);
      });
      first = end;
    }
  });
}
