import { at } from "../kernels/arena.js";
import { newRunner, type Runner } from "../kernels/runner.js";
import type { Variant } from "../kernels/variant.js";
import { type Lines, panelsOf } from "./lines.js";
import type { Dense } from "./read.js";

/** Rows of a matrix by rows, in memory that can go to another thread. */
export interface Part {
  readonly rows: number;
  readonly columns: number;
  /** u32[lines + 1], from 0 on; u16[], u8[] of the entries. */
  readonly pointers: Uint32Array;
  readonly indices: Uint16Array;
  readonly codes: Uint8Array;
  readonly codebook: Float32Array;
}

/** A matrix cut into as many parts as there are threads, or rows: the first stays where it is. Parts of a matrix of codes have about as many survivors each, others as many rows. */
export function split(matrix: Lines | Dense, threads: number): { first: Lines | Dense; others: readonly (Part | Dense)[] } {
  const parts = Math.min(threads, matrix.rows);
  const ends = "weights" in matrix ? evenEnds(matrix.rows, parts) : survivorEnds(matrix, parts);
  const ranges = ends.slice(1).map((end, i) => [ends[i], end] as const);
  if ("weights" in matrix) {
    const { columns, weights } = matrix;
    const others = ranges.map(([start, end]) => ({ rows: end - start, columns, weights: weights.slice(start * columns, end * columns) }));
    return { first: { rows: ends[0], columns, weights: weights.subarray(0, ends[0] * columns) }, others };
  }
  const pointers = pointersOf(matrix);
  const survivors = pointers[ends[0] * panelsOf(matrix, "rows")];
  return {
    first: { ...matrix, rows: ends[0], survivors, counts: ends[0] < matrix.rows ? undefined : matrix.counts },
    others: ranges.map(([start, end]) => partOf(matrix, start, end)),
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

function partOf(lines: Lines, start: number, end: number): Part {
  const { columns, indices, codes, codebook, runner } = lines;
  const panels = panelsOf(lines, "rows");
  const pointers = pointersOf(lines).slice(start * panels, end * panels + 1);
  const [first] = pointers;
  const count = pointers[pointers.length - 1] - first;
  return {
    rows: end - start,
    columns,
    pointers: pointers.map((pointer) => pointer - first),
    indices: runner.arena.u16(at(indices, 2 * first), count).slice(),
    codes: runner.arena.u8(at(codes, first), count).slice(),
    codebook: codebook.slice(),
  };
}

/**
 * A part in the memory of a runner of its own.
 *
 * @throws RangeError where the memory cannot grow so far
 */
export function linesOfPart({ rows, columns, pointers, indices, codes, codebook }: Part, variant: Variant): Lines {
  const runner: Runner = newRunner({ variant });
  const { arena } = runner;
  const places = {
    pointers: arena.alloc(pointers.byteLength),
    indices: arena.alloc(indices.byteLength),
    codes: arena.alloc(codes.byteLength),
  };
  arena.u32(places.pointers, pointers.length).set(pointers);
  arena.u16(places.indices, indices.length).set(indices);
  arena.u8(places.codes, codes.length).set(codes);
  return { runner, rows, columns, order: "rows", ...places, survivors: codes.length, codebook };
}
