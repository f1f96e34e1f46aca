import { at } from "../kernels/arena.js";
import { newRunner } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import { layOut } from "./lay-out.js";
import { type LineArrays, linesOf, type Order, panelsOf, type RowLines, viewsOf, weightBytes } from "./lines.js";
import type { Dense } from "./read.js";
import { type Layout, ordersOf } from "./share.js";

/** Rows of a matrix in memory that can go to another thread: laid out already, in each order that the thread has, so that it needs no second memory for it. */
export type Part = readonly LineArrays[] | Dense;

/**
 * A matrix cut into as many parts as there are threads, or rows: the first stays where it is. Parts of a sparse matrix have about as many survivors each, of a dense one as many rows.
 *
 * @throws RangeError where a memory cannot grow so far
 */
export function split(
  matrix: RowLines | Dense,
  threads: number,
  { layout, variant }: { readonly layout: Layout; readonly variant: Variant },
): { first: RowLines | Dense; others: readonly Part[] } {
  const parts = Math.min(threads, matrix.rows);
  const ends = "dense" in matrix ? evenEnds(matrix.rows, parts) : survivorEnds(matrix, parts);
  const ranges = ends.slice(1).map((end, i) => [ends[i], end] as const);
  if ("dense" in matrix) {
    const { columns, dense } = matrix;
    const others = ranges.map(([start, end]) => ({ rows: end - start, columns, dense: dense.slice(start * columns, end * columns) }));
    return { first: { rows: ends[0], columns, dense: dense.subarray(0, ends[0] * columns) }, others };
  }
  return {
    first: rowsOf(matrix, 0, ends[0]),
    others: ranges.map(([start, end]) => {
      const rows = rowsOf(matrix, start, end);
      return ordersOf(layout, rows).map((order) => arraysOf(rows, order, variant));
    }),
  };
}

function evenEnds(rows: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.round(((i + 1) * rows) / parts));
}

/** Each part has a row, at least. */
function survivorEnds(lines: RowLines, parts: number): number[] {
  const pointers = lines.runner.arena.u32(lines.pointers, linesOf(lines, "rows") + 1);
  const panels = panelsOf(lines, "rows");
  const ends: number[] = [];
  for (let part = 1, row = 0; part < parts; part++) {
    const most = lines.rows - (parts - part);
    const wanted = (part * lines.survivors) / parts;
    do row++;
    while (row < most && pointers[row * panels] < wanted);
    ends.push(row);
  }
  return lines.survivors === 0 ? evenEnds(lines.rows, parts) : [...ends, lines.rows];
}

/** Some of the rows, whose entries stay where they are. */
function rowsOf(lines: RowLines, start: number, end: number): RowLines {
  const { arena } = lines.runner;
  const panels = panelsOf(lines, "rows");
  const pointers = arena.u32(lines.pointers, linesOf(lines, "rows") + 1).slice(start * panels, end * panels + 1);
  const [first] = pointers;
  const pointersHere = arena.alloc(pointers.byteLength);
  arena.u32(pointersHere, pointers.length).set(pointers.map((pointer) => pointer - first));
  return {
    ...lines,
    rows: end - start,
    pointers: pointersHere,
    indices: at(lines.indices, 2 * first),
    weights: at(lines.weights, weightBytes(lines) * first),
    survivors: pointers[pointers.length - 1] - first,
    counts: start === 0 && end === lines.rows ? lines.counts : undefined,
  };
}

function arraysOf(lines: RowLines, order: Order, variant: Variant): LineArrays {
  const { pointers, codebook, parts, ...rest } = viewsOf(order === "rows" ? lines : layOut(newRunner({ variant }), lines, order));
  return { ...rest, pointers: pointers.slice(), codebook: codebook?.slice(), parts: parts.map((part) => part.slice()) };
}

/** What a part stands in, codebooks left out. */
export function buffersOf(part: Part): ArrayBuffer[] {
  const arrays = "dense" in part ? [part.dense] : part.flatMap(({ pointers, parts }) => [pointers, ...parts]);
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
