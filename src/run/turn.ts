import { at, type Ptr } from "../kernels/arena.js";
import type { Runner } from "../kernels/runner.js";
import { type ColumnLines, LINE, linesOf, panelsOf, type RowLines, weightBytes } from "./lines.js";

// The run layout from one order into the other, from one runner's memory into another's.

/** Entries that are turned at a time: with what they are turned into they stay in the second-level cache. */
const RANGE = 1 << 17;

/** Each row has about so many entries of a range, or more: finding them takes as long as turning a few. */
const OF_ROW = 16;

/** Bytes of an entry of a column, and of a line's head. */
const CODE_BYTES = 3;
const WEIGHT_BYTES = 6;
const HEAD_BYTES = 4;

function copy(from: Runner, source: Ptr, to: Runner, target: Ptr, byteLength: number): void {
  to.arena.u8(target, byteLength).set(from.arena.u8(source, byteLength));
}

/** Sorts the entries of rows by their columns. Ranges of columns, whose entries follow each other, are turned beside the source and copied. */
export function turnIntoColumns(to: Runner, from: RowLines): ColumnLines {
  const { runner, rows, columns, survivors, codebook, indices, weights } = from;
  const { arena, exports } = runner;
  const floats = codebook === undefined;
  const [lines, panels] = [linesOf(from, "rows"), panelsOf(from, "rows")];
  const [columnLines, others] = [linesOf(from, "columns"), panelsOf(from, "columns")];
  const some = Math.max(RANGE, OF_ROW * rows);
  const byteLength = (floats ? WEIGHT_BYTES : CODE_BYTES) * survivors + HEAD_BYTES * columnLines;
  // Each growth of a memory costs the garbage collector's attention.
  to.arena.reserve(4 * (columnLines + 1) + byteLength);
  const pointers = to.arena.alloc(4 * (columnLines + 1));
  const entriesAt = to.arena.alloc(byteLength);
  let written = 0;
  arena.scope(() => {
    const starts = arena.alloc(4 * (columnLines + 1));
    const next = arena.alloc(4 * columnLines);
    const cursors = arena.alloc(4 * lines);
    if (from.counts === undefined) {
      arena.u32(starts, columnLines).fill(0);
      exports.countColumns(from.pointers, panels, lines, indices, starts, others);
    } else copy(runner, from.counts, runner, starts, 4 * columnLines);
    exports.startsOf(starts, columnLines);
    copy(runner, starts, runner, next, 4 * columnLines);
    copy(runner, from.pointers, runner, cursors, 4 * lines);
    for (let first = 0; first < columns; ) {
      const begins = arena.u32(starts, columnLines + 1);
      const placed = begins[first * others];
      const panel = Math.floor(first / LINE);
      const start = panel * LINE;
      const most = Math.min(columns, start + LINE);
      let end = first + 1;
      while (end < most && begins[(end + 1) * others] - placed <= some) end++;
      const entries = begins[end * others] - placed;
      const rangeLines = (end - first) * others;
      arena.scope(() => {
        const byteLength = (floats ? WEIGHT_BYTES : CODE_BYTES) * entries + HEAD_BYTES * rangeLines;
        const turned = arena.alloc(byteLength);
        const rangePointers = arena.alloc(4 * (rangeLines + 1));
        const turn = floats ? exports.turnFloats : exports.turnCodes;
        turn(
          ...([at(cursors, 4 * panel), at(from.pointers, 4 * (panel + 1)), panels, lines - panel, indices, weights] as const),
          ...([first - start, end - start, at(next, 4 * first * others), others, placed, turned] as const),
        );
        exports.headLines(floats, at(starts, 4 * first * others), rangeLines, turned, rangePointers, written);
        copy(runner, turned, to, at(entriesAt, written), byteLength);
        written += byteLength;
        copy(runner, rangePointers, to, at(pointers, 4 * first * others), 4 * (rangeLines + 1));
      });
      first = end;
    }
  });
  return { runner: to, order: "columns", rows, columns, survivors, codebook, pointers, entries: entriesAt, byteLength };
}

/** Sorts the entries of columns by their rows, all of them beside the source. */
export function turnIntoRows(to: Runner, from: ColumnLines): RowLines {
  const { runner, rows, columns, survivors, codebook, entries } = from;
  const { arena, exports } = runner;
  const floats = codebook === undefined;
  const [lines, panels] = [linesOf(from, "columns"), panelsOf(from, "columns")];
  const [rowLines, others] = [linesOf(from, "rows"), panelsOf(from, "rows")];
  const bytes = weightBytes(from) * survivors;
  to.arena.reserve(4 * (rowLines + 1) + 2 * survivors + bytes);
  const [pointers, indices, weights] = [4 * (rowLines + 1), 2 * survivors, bytes].map((byteLength) => to.arena.alloc(byteLength));
  arena.scope(() => {
    const next = arena.alloc(4 * (rowLines + 1));
    const [indicesHere, weightsHere] = [arena.alloc(2 * survivors), arena.alloc(bytes)];
    arena.u32(next, rowLines).fill(0);
    exports.countRows(floats, entries, panels, lines, next, others);
    exports.startsOf(next, rowLines);
    copy(runner, next, to, pointers, 4 * (rowLines + 1));
    exports.turnBack(floats, entries, panels, lines, next, others, indicesHere, weightsHere);
    copy(runner, indicesHere, to, indices, 2 * survivors);
    copy(runner, weightsHere, to, weights, bytes);
  });
  return { runner: to, order: "rows", rows, columns, survivors, codebook, pointers, indices, weights };
}
