import type { Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";
import { type LineArrays, type Lines, type Order, type RowLines, viewsOf } from "./lines.js";
import { turnIntoColumns, turnIntoRows } from "./turn.js";

/**
 * Lays a matrix out in a runner's memory, where it stays, and takes no more of it than that. The runner where it stood must be another one, whose memory may grow; arrays are in the order that is asked for.
 *
 * @throws RangeError where a memory cannot grow so far
 */
export function layOut(runner: Runner, from: Lines | LineArrays, order: "rows"): RowLines;
export function layOut(runner: Runner, from: Lines | LineArrays, order: Order): Lines;
export function layOut(runner: Runner, from: Lines | LineArrays, order: Order): Lines {
  if ("runner" in from && from.order !== order) return from.order === "rows" ? turnIntoColumns(runner, from) : turnIntoRows(runner, from);
  const { rows, columns, survivors, codebook, pointers, parts } = "runner" in from ? viewsOf(from) : from;
  const { arena } = runner;
  // Each growth of a memory costs the garbage collector's attention.
  arena.reserve(parts.reduce((sum, { length }) => sum + length, pointers.byteLength));
  const lines = { runner, rows, columns, survivors, codebook, pointers: lendBytes(runner, pointers) };
  if (order === "rows") {
    const [indices, weights] = parts.map((part) => lendBytes(runner, part));
    return { ...lines, order, indices, weights };
  }
  const [entries] = parts;
  return { ...lines, order, entries: lendBytes(runner, entries), byteLength: entries.length };
}

function lendBytes({ arena }: Runner, { buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Ptr {
  const ptr = arena.alloc(byteLength);
  arena.u8(ptr, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
  return ptr;
}
