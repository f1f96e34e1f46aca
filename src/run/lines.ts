import type { Ptr } from "../kernels/arena.js";
import { at } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";

// The run layout of a matrix with at most 256 different weights: 3 bytes a survivor, in one of two orders. assembly/run/lay.ts says it byte by byte.

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
const LINE = 65536;

/** Entries that are lent to the kernels at a time: they stay in the first-level cache, or not far from it. */
const SOME = 8192;

/** Entries that follow each other. */
export interface Run {
  readonly indices: Uint16Array;
  readonly codes: Uint8Array;
}

/** A matrix in the run layout, wherever its memory is. */
export interface Lines extends Shape {
  readonly order: Order;
  /** u32[lines + 1]: where each line begins among all entries; `panelsOf` lines to a row or column. */
  readonly pointers: Uint32Array;
  /** All entries, in the order of the lines. */
  readonly runs: readonly Run[];
  readonly codebook: Float32Array;
  /** Entries by the lines of the other order, where somebody has counted them. */
  readonly counts?: Uint32Array;
}

/** Where a matrix in the run layout stands in the memory of a runner. */
export interface LinesAt extends Shape {
  readonly order: Order;
  readonly pointers: Ptr;
  readonly indices: Ptr;
  readonly codes: Ptr;
  readonly codebook: Ptr;
  readonly panels: number;
  readonly survivors: number;
  readonly centroids: number;
}

/** Lines of each row, or of each column: as many as its length has 65,536 in it. */
export function panelsOf({ rows, columns }: Shape, order: Order): number {
  return Math.max(1, Math.ceil((order === "rows" ? columns : rows) / LINE));
}

export function linesOf(shape: Shape, order: Order): number {
  return (order === "rows" ? shape.rows : shape.columns) * panelsOf(shape, order);
}

/**
 * Lays a matrix out in a runner's memory, where it stays.
 *
 * @throws RangeError where the memory cannot grow so far
 */
export function layOut(runner: Runner, lines: Lines, order: Order): LinesAt {
  const { arena } = runner;
  const { rows, columns, codebook } = lines;
  const survivors = lines.pointers[lines.pointers.length - 1];
  const lineCount = linesOf(lines, order);
  const pointers = arena.alloc(4 * (lineCount + 1));
  const codes = arena.alloc(survivors);
  const indices = arena.alloc(2 * survivors);
  const book = arena.alloc(4 * codebook.length);
  arena.f32(book, codebook.length).set(codebook);
  const laid: LinesAt = {
    ...{ rows, columns, order, pointers, indices, codes, codebook: book },
    panels: panelsOf(lines, order),
    survivors,
    centroids: codebook.length,
  };
  if (order === lines.order) {
    arena.u32(pointers, lines.pointers.length).set(lines.pointers);
    let first = 0;
    for (const run of lines.runs) {
      arena.u16(at(indices, 2 * first), run.indices.length).set(run.indices);
      arena.u8(at(codes, first), run.codes.length).set(run.codes);
      first += run.codes.length;
    }
  } else turnInto(runner, lines, laid);
  return laid;
}

/** Sorts the entries of lines by their indices. */
function turnInto({ arena, exports }: Runner, lines: Lines, to: LinesAt): void {
  arena.scope(() => {
    const count = linesOf(lines, to.order);
    const pointers = arena.alloc(4 * lines.pointers.length);
    const indices = arena.alloc(2 * SOME);
    const codes = arena.alloc(SOME);
    arena.u32(pointers, lines.pointers.length).set(lines.pointers);
    const panels = panelsOf(lines, lines.order);
    // Where a line's next entry goes is kept where its end will be, which is there when all are placed.
    const next = at(to.pointers, 4);
    const ends = arena.u32(to.pointers, count + 1);
    if (lines.counts !== undefined) ends.set(lines.counts, 1);
    else {
      ends.fill(0);
      some(lines, (line, first, run) => {
        arena.u16(indices, SOME).set(run.indices);
        exports.countOther(pointers, panels, line, first, first + run.codes.length, indices, next, to.panels);
      });
    }
    let sum = 0;
    ends[0] = 0;
    for (let line = 1; line <= count; line++) {
      const entries = ends[line];
      ends[line] = sum;
      sum += entries;
    }
    some(lines, (line, first, run) => {
      arena.u16(indices, SOME).set(run.indices);
      arena.u8(codes, SOME).set(run.codes);
      const end = first + run.codes.length;
      exports.turn(pointers, panels, line, first, end, indices, codes, next, to.panels, to.indices, to.codes);
    });
  });
}

/** Some entries after the other, with the line of the first. */
function some({ pointers, runs }: Lines, use: (line: number, first: number, run: Run) => void): void {
  let line = 0;
  let entry = 0;
  for (const { indices, codes } of runs) {
    for (let from = 0; from < codes.length; from += SOME) {
      while (pointers[line + 1] <= entry) line++;
      const run = { indices: indices.subarray(from, from + SOME), codes: codes.subarray(from, from + SOME) };
      use(line, entry, run);
      entry += run.codes.length;
    }
  }
}

/** A matrix where it stands: views that hold until the memory grows. */
export function viewOf({ arena }: Runner, laid: LinesAt): Lines {
  const { rows, columns, order, pointers, indices, codes, codebook, survivors, centroids } = laid;
  return {
    ...{ rows, columns, order },
    pointers: arena.u32(pointers, linesOf(laid, order) + 1),
    runs: [{ indices: arena.u16(indices, survivors), codes: arena.u8(codes, survivors) }],
    codebook: arena.f32(codebook, centroids),
  };
}
