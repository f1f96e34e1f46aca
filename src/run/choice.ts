import type { Order, Shape } from "./lines.js";

// Which order of a matrix a call is worked in, by how many of its weights and of its activations are not 0. The unit of what follows is the time that an entry of a column takes; measured on AMD EPYC and Intel Xeon, within a third.

/** What looking at a column takes beside its entries. */
const COLUMN = 12;

/** An entry of a row, one vector; and what looking at a row takes. */
const ROW_ENTRY = 1.4;
const ROW = 8;

/** An entry of a row, vectors in lanes: with a tile, and with each vector in it. Then a row of a tile, and putting an activation into its lane. */
const TILE_ENTRY = 1.5;
const LANE_ENTRY = 0.15;
const TILE_ROW = 20;
const LANE = 0.5;

/** Turning an entry into the other order. */
const TURN_ENTRY = 16;

/** Activations that are looked at to say how many are not 0. */
const SAMPLE = 256;

export interface Counted extends Shape {
  readonly survivors: number;
}

/** What `n` vectors take by columns, of whose activations a part of `active` is not 0. */
function byColumns({ columns, survivors }: Counted, n: number, active: number): number {
  return n * active * (survivors + COLUMN * columns);
}

/** What they take by rows, `tile` vectors at a time. */
function byRows({ rows, columns, survivors }: Counted, n: number, tile: number): number {
  if (n === 1) return ROW_ENTRY * survivors + ROW * rows;
  return Math.ceil(n / tile) * (TILE_ENTRY * survivors + TILE_ROW * rows) + n * (LANE_ENTRY * survivors + LANE * columns);
}

/** How much faster `n` vectors are by rows than by columns; below 0 where they are slower. */
export function gainByRows(matrix: Counted, n: number, tile: number, active: number): number {
  return byColumns(matrix, n, active) - byRows(matrix, n, tile);
}

/** What turning a matrix into the other order takes. */
export function costOfTurning({ survivors, rows, columns }: Counted): number {
  return TURN_ENTRY * (survivors + rows + columns);
}

/** The order for single vectors of which half the activations are 0, as ReLU leaves them: by columns, unless these are short. */
export function orderForVectors(matrix: Counted): Order {
  return gainByRows(matrix, 1, 1, 0.5) > 0 ? "rows" : "columns";
}

/** The part of activations that is not 0, by a sample of them that is always the same. */
export function activeOf(x: Float32Array): number {
  // Odd, so that it does not keep to some columns of a batch.
  const step = Math.floor(x.length / SAMPLE) | 1;
  let [seen, active] = [0, 0];
  for (let i = step >> 1; i < x.length; i += step) {
    seen++;
    if (x[i] !== 0) active++;
  }
  return seen === 0 ? 0 : active / seen;
}
