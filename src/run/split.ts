import { at } from "../kernels/arena.js";
import { newRunner } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import { type LineArrays, type Lines, layOut, type Order, panelsOf, viewsOf } from "./lines.js";
import type { Dense } from "./read.js";
import { type Layout, ordersOf } from "./share.js";

/** Rows of a matrix in memory that can go to another thread: laid out already, in each order that the thread has, so that it needs no second memory for it. */
export type Part = readonly LineArrays[] | Dense;

/**
 * A matrix cut into as many parts as there are threads, or rows: the first stays where it is. Parts of a matrix of codes have about as many survivors each, others as many rows.
 *
 * @throws RangeError where a memory cannot grow so far
 */
export function split(
  matrix: Lines | Dense,
  threads: number,
  { layout, variant }: { readonly layout: Layout; readonly variant: Variant },
): { first: Lines | Dense; others: readonly Part[] } {
  const parts = Math.min(threads, matrix.rows);
  const ends = "weights" in matrix ? evenEnds(matrix.rows, parts) : survivorEnds(matrix, parts);
  const ranges = ends.slice(1).map((end, i) => [ends[i], end] as const);
  if ("weights" in matrix) {
    const { columns, weights } = matrix;
    const others = ranges.map(([start, end]) => ({ rows: end - start, columns, weights: weights.slice(start * columns, end * columns) }));
    return { first: { rows: ends[0], columns, weights: weights.subarray(0, ends[0] * columns) }, others };
  }
  return {
    first: rowsOf(matrix, 0, ends[0]),
    others: ranges.map(([start, end]) => {
      const rows = rowsOf(matrix, start, end);
      return ordersOf(layout).map((order) => arraysOf(rows, order, variant));
    }),
  };
}

function evenEnds(rows: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.round(((i + 1) * rows) / parts));
}

/** Each part has a row, at least. */
function survivorEnds(lines: Lines, parts: number): number[] {
  const pointers = pointersOf(lines);
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

function pointersOf(lines: Lines): Uint32Array {
  return lines.runner.arena.u32(lines.pointers, lines.rows * panelsOf(lines, "rows") + 1);
}

/** Some of the rows, whose entries stay where they are. */
function rowsOf(lines: Lines, start: number, end: number): Lines {
  const { arena } = lines.runner;
  const panels = panelsOf(lines, "rows");
  const pointers = pointersOf(lines).slice(start * panels, end * panels + 1);
  const [first] = pointers;
  const pointersHere = arena.alloc(pointers.byteLength);
  arena.u32(pointersHere, pointers.length).set(pointers.map((pointer) => pointer - first));
  return {
    ...lines,
    rows: end - start,
    pointers: pointersHere,
    indices: at(lines.indices, 2 * first),
    codes: at(lines.codes, first),
    survivors: pointers[pointers.length - 1] - first,
    counts: start === 0 && end === lines.rows ? lines.counts : undefined,
  };
}

function arraysOf(lines: Lines, order: Order, variant: Variant): LineArrays {
  const laid = order === "rows" ? lines : layOut(newRunner({ variant }), lines, order);
  const { pointers, indices, codes, codebook, ...rest } = viewsOf(laid);
  return { ...rest, pointers: pointers.slice(), indices: indices.slice(), codes: codes.slice(), codebook: codebook.slice() };
}

/** What a part stands in, codebooks left out. */
export function buffersOf(part: Part): ArrayBuffer[] {
  const arrays = "weights" in part ? [part.weights] : part.flatMap(({ pointers, indices, codes }) => [pointers, indices, codes]);
  return arrays.map(({ buffer }) => buffer as ArrayBuffer);
}
