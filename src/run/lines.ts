import type { Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";

// The run layout of a matrix, in one of two orders: at most 3 bytes a survivor where there are at most 256 different weights, else 6. assembly/run/line.ts says it byte by byte.

/**
 * - `columns`  for each input the rows of its survivors and their weights: an input that is 0 costs nothing
 * - `rows`     for each output the columns of its survivors and their weights: many vectors at a time
 */
export type Order = "columns" | "rows";

export interface Shape {
  readonly rows: number;
  readonly columns: number;
}

/** Entries of a line have indices below it. */
export const LINE = 65536;

/** What a matrix in the memory of a runner has in either order. */
interface Laid extends Shape {
  readonly runner: Runner;
  readonly survivors: number;
  /** Undefined where there are more than 256 different weights, which stand in float32 then. */
  readonly codebook?: Float32Array;
  /** u32[lines + 1]: where each line begins; `panelsOf` lines to a row or column. */
  readonly pointers: Ptr;
}

export interface RowLines extends Laid {
  readonly order: "rows";
  /** u16[survivors] */
  readonly indices: Ptr;
  /** u8[survivors], or f32[survivors] */
  readonly weights: Ptr;
  /** u32[]: entries by the lines of columns, where somebody has counted them. */
  readonly counts?: Ptr;
}

export interface ColumnLines extends Laid {
  readonly order: "columns";
  readonly entries: Ptr;
  /** Bytes of the entries. */
  readonly byteLength: number;
}

export type Lines = RowLines | ColumnLines;

/** The same in arrays, which can go to another thread. */
export interface LineArrays extends Shape {
  readonly order: Order;
  readonly survivors: number;
  readonly codebook?: Float32Array;
  readonly pointers: Uint32Array;
  /** Of rows their indices and weights, of columns their entries. */
  readonly parts: readonly Uint8Array[];
}

/** Lines of each row, or of each column: as many as its length has 65,536 in it. */
export function panelsOf({ rows, columns }: Shape, order: Order): number {
  return Math.max(1, Math.ceil((order === "rows" ? columns : rows) / LINE));
}

export function linesOf(shape: Shape, order: Order): number {
  return (order === "rows" ? shape.rows : shape.columns) * panelsOf(shape, order);
}

/** Bytes of a weight of order "rows". */
export function weightBytes({ codebook }: Pick<Laid, "codebook">): 1 | 4 {
  return codebook === undefined ? 4 : 1;
}

/** What stands in a runner's memory: views that hold until the memory grows. */
export function viewsOf(lines: Lines): LineArrays {
  const { runner, rows, columns, order, survivors, codebook, pointers } = lines;
  const { arena } = runner;
  const parts =
    lines.order === "rows"
      ? [arena.u8(lines.indices, 2 * survivors), arena.u8(lines.weights, weightBytes(lines) * survivors)]
      : [arena.u8(lines.entries, lines.byteLength)];
  return { ...{ rows, columns, order, survivors, codebook, parts }, pointers: arena.u32(pointers, linesOf(lines, order) + 1) };
}
