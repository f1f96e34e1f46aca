import { entryBytes, HEAD_BYTES, LINE, otherOf, weightBytes } from "./line";

// The run layout (line.ts) from rows to columns, a range of columns at a time. An entry of a range goes to the line of its index.

/** Lines whose entries are read ahead of the one that is worked on: they are far from each other, and each would be waited for. */
const AHEAD: u32 = 8;

/**
 * Counts entries by their lines of order "columns".
 *
 * Layout     pointers  u32[lines + 1], indices u16[]: order "rows", `panels` lines to a row
 *            counts    u32[]  by the lines of columns, `others` to a column: added to
 */
export function countColumns(pointers: usize, panels: usize, lines: usize, indices: usize, counts: usize, others: usize): void {
  const stride = others << 2;
  let entry = indices + ((<usize>load<u32>(pointers)) << 1);
  for (let line: usize = 0; line < lines; line++) {
    const end = indices + ((<usize>load<u32>(pointers + (line << 2), 4)) << 1);
    const to = otherOf(counts, line / panels, line % panels, others);
    for (; entry < end; entry += 2) {
      const at = to + <usize>load<u16>(entry) * stride;
      store<u32>(at, load<u32>(at) + 1);
    }
  }
}

/**
 * Where lines begin, from how many entries they have, in place.
 *
 * Layout     counts  u32[lines + 1]  the last is written, and not read
 */
export function startsOf(counts: usize, lines: usize): void {
  let sum: u32 = 0;
  for (let at = counts; at < counts + (lines << 2); at += 4) {
    const count = load<u32>(at);
    store<u32>(at, sum);
    sum += count;
  }
  store<u32>(counts + (lines << 2), sum);
}

/**
 * Puts the entries of a range into the order of columns, stably: the indices of each line ascend.
 *
 * Layout     cursors  u32[lines]   of each line the first entry that is in the range, or after it; behind the range afterwards
 *            ends     u32[lines]   where lines end: pointers + 4
 *            step     u32          lines from one to the next that has the range in it: its panels
 *            indices  u16[], weights u8[]: order "rows"
 *            next     u32[(end - first) * others]  by the lines of columns: where its first entry goes, counted from `base`; where it ends afterwards
 *            turned   the lines of the range but for their heads, each entry loose: see line.ts
 * Requires   first <= end <= 65,536, both from the start of a line; the entries of a line before its cursor are before `first`; `others`: panels of order "columns".
 */
export function turnCodes(
  cursors: usize,
  ends: usize,
  step: u32,
  lines: u32,
  indices: usize,
  weights: usize,
  first: u32,
  end: u32,
  next: usize,
  others: usize,
  base: u32,
  turned: usize,
): void {
  turn(false, cursors, ends, step, lines, indices, weights, first, end, next, others, base, turned);
}

/** The same of weights in float32. */
export function turnFloats(
  cursors: usize,
  ends: usize,
  step: u32,
  lines: u32,
  indices: usize,
  weights: usize,
  first: u32,
  end: u32,
  next: usize,
  others: usize,
  base: u32,
  turned: usize,
): void {
  turn(true, cursors, ends, step, lines, indices, weights, first, end, next, others, base, turned);
}

// @ts-ignore: decorator
@inline
function turn(
  floats: bool,
  cursors: usize,
  ends: usize,
  step: u32,
  lines: u32,
  indices: usize,
  weights: usize,
  first: u32,
  end: u32,
  next: usize,
  others: usize,
  base: u32,
  turned: usize,
): void {
  const stride = others << 2;
  // This may be below 0: sums of addresses are taken mod 2^32.
  const to0 = next - <usize>first * stride;
  let ahead: u32 = 0;
  let outer: usize = 0;
  for (let line: u32 = 0; line < lines; line += step) {
    if (line + AHEAD * step < lines)
      ahead ^= readAhead(floats, indices, weights, load<u32>(cursors + ((<usize>(line + AHEAD * step)) << 2)));
    const to = to0 + ((outer / LINE) << 2);
    const low = <u32>(outer++ % LINE);
    const lineEnd = load<u32>(ends + ((<usize>line) << 2));
    let entry = load<u32>(cursors + ((<usize>line) << 2));
    for (; entry < lineEnd; entry++) {
      const index = <u32>load<u16>(indices + ((<usize>entry) << 1));
      if (index >= end) break;
      const at = to + <usize>index * stride;
      const place = load<u32>(at);
      store<u32>(at, place + 1);
      const put = turned + lineAt(floats, place - base, (at - next) >> 2) + HEAD_BYTES;
      store<u16>(put, <u16>low);
      if (floats) store<u32>(put, load<u32>(weights + ((<usize>entry) << 2)), 2);
      else store<u8>(put, load<u8>(weights + <usize>entry), 2);
    }
    store<u32>(cursors + ((<usize>line) << 2), entry);
  }
  // What was read ahead has to go somewhere.
  store<u32>(SINK, ahead);
}

const SINK: usize = memory.data(4, 4);

/** Bytes before a line of which so many entries and lines stand before it. */
// @ts-ignore: decorator
@inline
function lineAt(floats: bool, entries: u32, lines: usize): usize {
  return <usize>entries * entryBytes(floats) + lines * HEAD_BYTES;
}

/**
 * Writes the heads of the lines of a range, whose entries stand already.
 *
 * Layout     starts    u32[lines + 1]  their first entries among those of all lines
 *            to        the lines
 *            pointers  u32[lines + 1]  where they begin, `base` being the first one's byte
 *
 * @returns the bytes of the lines
 */
export function headLines(floats: bool, starts: usize, lines: usize, to: usize, pointers: usize, base: u32): u32 {
  const first = load<u32>(starts);
  for (let line: usize = 0; line <= lines; line++) {
    const start = load<u32>(starts + (line << 2));
    const at = floats ? lineAt(true, start - first, line) : lineAt(false, start - first, line);
    store<u32>(pointers + (line << 2), base + <u32>at);
    // Entries of weights are counted where loose entries are.
    if (line < lines) store<u32>(to + at, load<u32>(starts + (line << 2), 4) - start);
  }
  const count = load<u32>(starts + (lines << 2)) - first;
  return <u32>(floats ? lineAt(true, count, lines) : lineAt(false, count, lines));
}

// @ts-ignore: decorator
@inline
function readAhead(floats: bool, indices: usize, weights: usize, entry: u32): u32 {
  return (<u32>load<u16>(indices + ((<usize>entry) << 1))) ^ (<u32>load<u8>(weights + <usize>entry * weightBytes(floats)));
}
