import { GROUP_BYTES, groupsOf, HEAD_BYTES, LINE, LOOSE_BYTES, looseOf, otherOf, WEIGHT_BYTES } from "./line";

// The run layout (line.ts) from columns to rows. Lines are read one after the other, so that the indices of each row ascend whatever their order within a column.

/**
 * Counts entries by their lines of order "rows".
 *
 * Layout     floats   whether entries are of weights
 *            entries  order "columns": `lines` lines, `panels` to a column
 *            counts   u32[]  by the lines of rows, `others` to a row: added to
 */
export function countRows(floats: bool, entries: usize, panels: usize, lines: usize, counts: usize, others: usize): void {
  let at = entries;
  for (let line: usize = 0; line < lines; line++) {
    const to = otherOf(counts, line / panels, line % panels, others);
    at = floats ? overLine(true, false, at, to, others, 0, 0, 0) : overLine(false, false, at, to, others, 0, 0, 0);
  }
}

/**
 * Puts all entries into the order of rows.
 *
 * Layout     floats, entries, panels, lines  as `countRows` has them
 *            next     u32[]  by the lines of rows, `others` to a row: where its first entry goes; where it ends afterwards
 *            indices  u16[], weights u8[] or f32[]: order "rows"
 */
export function turnBack(
  floats: bool,
  entries: usize,
  panels: usize,
  lines: usize,
  next: usize,
  others: usize,
  indices: usize,
  weights: usize,
): void {
  let at = entries;
  for (let line: usize = 0; line < lines; line++) {
    const column = line / panels;
    const to = otherOf(next, column, line % panels, others);
    const index = <u32>(column % LINE);
    at = floats
      ? overLine(true, true, at, to, others, index, indices, weights)
      : overLine(false, true, at, to, others, index, indices, weights);
  }
}

/** Counts the entries of a line, or puts them where they go, and gives the line's end: a call's `floats` and `puts` are known to the compiler. */
// @ts-ignore: decorator
@inline
function overLine(floats: bool, puts: bool, at: usize, to: usize, others: usize, index: u32, indices: usize, weights: usize): usize {
  const stride = others << 2;
  const head = load<u32>(at);
  at += HEAD_BYTES;
  if (floats) {
    for (const end = at + <usize>head * WEIGHT_BYTES; at < end; at += WEIGHT_BYTES) {
      const place = count(to + <usize>load<u16>(at) * stride);
      if (puts) {
        store<u16>(indices + (place << 1), <u16>index);
        store<u32>(weights + (place << 2), load<u32>(at, 2));
      }
    }
    return at;
  }
  for (const end = at + groupsOf(head) * GROUP_BYTES; at < end; at += GROUP_BYTES) {
    const code = load<u8>(at, 8);
    for (let i: usize = 0; i < 8; i += 2) {
      const place = count(to + <usize>load<u16>(at + i) * stride);
      if (puts) put(place, index, code, indices, weights);
    }
  }
  for (const end = at + looseOf(head) * LOOSE_BYTES; at < end; at += LOOSE_BYTES) {
    const place = count(to + <usize>load<u16>(at) * stride);
    if (puts) put(place, index, load<u8>(at, 2), indices, weights);
  }
  return at;
}

/** One more at an address, and how many there were. */
// @ts-ignore: decorator
@inline
function count(at: usize): usize {
  const found = load<u32>(at);
  store<u32>(at, found + 1);
  return <usize>found;
}

// @ts-ignore: decorator
@inline
function put(place: usize, index: u32, code: u8, indices: usize, codes: usize): void {
  store<u16>(indices + (place << 1), <u16>index);
  store<u8>(codes + place, code);
}
