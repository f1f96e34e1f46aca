import { gapAt, lastIsFiller, Sparse } from "../edge/block";
import { Head } from "../edge/head";
import { refuse } from "../edge/input";
import { LINE, otherOf } from "./line";

// Survivors of blocks in row-major order into the run layout (line.ts), by rows.

// Where laying is: u32 each, from the address `laying` on.

/** Columns of the matrix, its lines, and lines of a row. */
const COLUMNS: usize = 0;
const LINES: usize = 4;
const PANELS: usize = 8;
/** The line that was begun, its place in its row, and where it starts from the block's start, mod 2^32. */
const BEGUN: usize = 12;
const PANEL: usize = 16;
const START: usize = 20;
/** The least place that the next entry may have in the block. */
const NEXT: usize = 24;
/** Entries that were laid, in all. */
const COUNT: usize = 28;

/** Bytes at `laying`. */
export function layingBytes(): usize {
  return 32;
}

/**
 * Begins to lay a matrix out.
 *
 * Layout     laying    u32[8]          see above
 *            pointers  u32[lines + 1]  the first is written
 * Requires   1 <= columns <= 2^31 - 1; lines: `panels` to each row.
 */
export function beginLaying(laying: usize, columns: u32, lines: u32, panels: u32, pointers: usize): void {
  memory.fill(laying, 0, layingBytes());
  store<u32>(laying, columns, COLUMNS);
  store<u32>(laying, lines, LINES);
  store<u32>(laying, panels, PANELS);
  store<u32>(pointers, 0);
}

/** Entries that were laid, in all. */
export function laid(laying: usize): u32 {
  return load<u32>(laying, COUNT);
}

/** A block of `count` elements ends: the next one's places begin behind them. */
export function endBlock(laying: usize, count: u32): void {
  store<u32>(laying, load<u32>(laying, START) - count, START);
  store<u32>(laying, 0, NEXT);
}

/** The matrix ends: lines without an entry at its end end where the last one does. */
export function endLaying(laying: usize, pointers: usize): void {
  const lines = load<u32>(laying, LINES);
  for (let line = load<u32>(laying, BEGUN) + 1; line <= lines; line++) store<u32>(pointers + ((<usize>line) << 2), laid(laying));
}

// @ts-ignore: decorator
@inline
function widthOf(columns: u32, panel: u32): u32 {
  return min(<u32>LINE, columns - panel * <u32>LINE);
}

/** Passes over lines until the index, from the start of the line that was begun, is within one, and gives it there. Refuses what is after the last line. */
function nextLine(laying: usize, pointers: usize, index: u32, entries: u32): u32 {
  const columns = load<u32>(laying, COLUMNS);
  const lines = load<u32>(laying, LINES);
  const panels = load<u32>(laying, PANELS);
  let line = load<u32>(laying, BEGUN);
  let panel = load<u32>(laying, PANEL);
  let start = load<u32>(laying, START);
  let width = widthOf(columns, panel);
  do {
    line++;
    refuse(line >= lines);
    store<u32>(pointers + ((<usize>line) << 2), entries);
    start += width;
    index -= width;
    if (++panel == panels) panel = 0;
    width = widthOf(columns, panel);
  } while (index >= width);
  store<u32>(laying, line, BEGUN);
  store<u32>(laying, panel, PANEL);
  store<u32>(laying, start, START);
  return index;
}

// @ts-ignore: decorator
@inline
function beganWidth(laying: usize): u32 {
  return widthOf(load<u32>(laying, COLUMNS), load<u32>(laying, PANEL));
}

/** The count of the column at index 0 of the line that was begun. */
// @ts-ignore: decorator
@inline
function beganCounts(laying: usize, counts: usize, rowPanels: usize): usize {
  return otherOf(counts, load<u32>(laying, BEGUN) / load<u32>(laying, PANELS), load<u32>(laying, PANEL), rowPanels);
}

/**
 * Lays the survivors of the sparse block that was decoded last, which is in row-major order and has a codebook, straight from its gaps and codes.
 *
 * Layout     laying    u32[8]          see above
 *            pointers  u32[lines + 1]  by rows; those up to the last entry's line are written
 *            counts    u32[]           by the lines of order "columns", `rowPanels` of them to a column: entries are added
 *            indices   u16[], codes u8[]: of these entries; there is room for as many as the block has elements
 *
 * Refuses, as the decoder does, what is outside the block or the matrix; a code without a centroid was refused when the block was decoded.
 */
export function laySurvivors(laying: usize, pointers: usize, counts: usize, rowPanels: usize, indices: usize, codes: usize): void {
  if (Sparse.symbol == Sparse.end) return;
  // Most records have no escapes, and nothing to look for at each gap.
  if (Head.escape) layGaps(true, laying, pointers, counts, rowPanels, indices);
  else layGaps(false, laying, pointers, counts, rowPanels, indices);
  const survivors = Sparse.survivors;
  memory.copy(codes, Sparse.codes, survivors);
  store<u32>(laying, load<u32>(laying, COUNT) + survivors, COUNT);
}

// @ts-ignore: decorator
@inline
function layGaps(escape: bool, laying: usize, pointers: usize, counts: usize, rowPanels: usize, indices: usize): void {
  const end = Sparse.end;
  const filler: u32 = escape ? u32.MAX_VALUE : Head.gap;
  const exponent = escape ? Head.gap : <u32>8;
  const first = load<u32>(laying, COUNT);
  const stride = rowPanels << 2;
  let start = load<u32>(laying, START);
  let width = beganWidth(laying);
  let counted = beganCounts(laying, counts, rowPanels);
  let index: u32 = 0 - start;
  let to = indices;
  for (let at = Sparse.symbol; at < end; at++) {
    const gap = escape ? gapAt(at, exponent, start + index) : <u32>load<u8>(at);
    index += gap;
    if (index >= width) {
      index = nextLine(laying, pointers, index, first + <u32>((to - indices) >> 1));
      start = load<u32>(laying, START);
      width = beganWidth(laying);
      counted = beganCounts(laying, counts, rowPanels);
    }
    // What follows a filler is written too, and written over, instead of a branch.
    const survives: u32 = gap != filler ? 1 : 0;
    store<u16>(to, <u16>index);
    const count = counted + <usize>index * stride;
    store<u32>(count, load<u32>(count) + survives);
    index += survives;
    to += (<usize>survives) << 1;
  }
  refuse(to != indices + ((<usize>Sparse.survivors) << 1) || start + index > Sparse.count || lastIsFiller());
}

/**
 * Lays the next entries of a block.
 *
 * Layout     from      of codes u32[count]  place in the block << 8 | code; of weights u64[count]  place << 32 | bits (entries.ts); places ascending
 *            laying    u32[8]      see above
 *            pointers, counts, rowPanels  as `laySurvivors` has them
 *            indices   u16[count], weights  u8[count] or f32[count]: of these entries
 *
 * Refuses an entry that is outside the matrix, or not after the one before.
 */
export function layEntries(
  floats: bool,
  from: usize,
  count: usize,
  laying: usize,
  pointers: usize,
  counts: usize,
  rowPanels: usize,
  indices: usize,
  weights: usize,
): void {
  const first = load<u32>(laying, COUNT);
  const stride = rowPanels << 2;
  let start = load<u32>(laying, START);
  let next = load<u32>(laying, NEXT);
  let width = beganWidth(laying);
  let counted = beganCounts(laying, counts, rowPanels);
  for (let i: usize = 0; i < count; i++) {
    const place = floats ? load<u32>(from + (i << 3), 4) : load<u32>(from + (i << 2)) >> 8;
    refuse(place < next);
    next = place + 1;
    let index = place - start;
    if (index >= width) {
      index = nextLine(laying, pointers, index, first + <u32>i);
      start = load<u32>(laying, START);
      width = beganWidth(laying);
      counted = beganCounts(laying, counts, rowPanels);
    }
    store<u16>(indices + (i << 1), <u16>index);
    if (floats) store<u32>(weights + (i << 2), load<u32>(from + (i << 3)));
    else store<u8>(weights + i, load<u8>(from + (i << 2)));
    const to = counted + <usize>index * stride;
    store<u32>(to, load<u32>(to) + 1);
  }
  store<u32>(laying, next, NEXT);
  store<u32>(laying, first + <u32>count, COUNT);
}
