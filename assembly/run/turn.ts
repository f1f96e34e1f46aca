import { LINE } from "./line";

// The run layout (line.ts) from one order into the other, a range at a time: some columns of a matrix by rows, or some rows of one by columns. An entry of a range goes to the line of its index.

/**
 * Counts the entries of a range, and makes room for them: places from 0 on, line by line.
 *
 * Layout     cursors  u32[lines]   of each line the first entry that is in the range, or after it
 *            ends     u32[lines]   where lines end: pointers + 4
 *            step     u32          lines from one to the next that has the range in it: its panels
 *            indices  u16[]
 *            next     u32[(end - first) * others]  by the other order's lines: where its first entry goes
 * Requires   first <= end <= 65,536, both from the start of a line; the entries of a line before its cursor are before `first`; `others`: panels of the other order.
 *
 * @returns how many entries there are
 */
export function countRange(
  cursors: usize,
  ends: usize,
  step: u32,
  lines: u32,
  indices: usize,
  first: u32,
  end: u32,
  next: usize,
  others: u32,
): u32 {
  const byteLength = (<usize>((end - first) * others)) << 2;
  memory.fill(next, 0, byteLength);
  let outer: usize = 0;
  for (let line: u32 = 0; line < lines; line += step) {
    const to = next + ((outer++ / LINE) << 2);
    let entry = load<u32>(cursors + ((<usize>line) << 2));
    const lineEnd = load<u32>(ends + ((<usize>line) << 2));
    for (; entry < lineEnd; entry++) {
      const index = <u32>load<u16>(indices + ((<usize>entry) << 1));
      if (index >= end) break;
      const at = to + ((<usize>((index - first) * others)) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
  }
  let sum: u32 = 0;
  for (let at = next; at < next + byteLength; at += 4) {
    const count = load<u32>(at);
    store<u32>(at, sum);
    sum += count;
  }
  return sum;
}

/**
 * Puts the entries of a range into the other order, stably: the indices of each line ascend.
 *
 * Layout     as `countRange` has it, which was called with the same; and
 *            cursors  behind the range afterwards
 *            codes    u8[]
 *            next     where each line ends, counted from `base`, afterwards
 *            toIndices, toCodes  in the other order: room for the entries that were counted
 */
export function turnRange(
  cursors: usize,
  ends: usize,
  step: u32,
  lines: u32,
  indices: usize,
  codes: usize,
  first: u32,
  end: u32,
  next: usize,
  others: u32,
  base: u32,
  toIndices: usize,
  toCodes: usize,
): void {
  let outer: usize = 0;
  for (let line: u32 = 0; line < lines; line += step) {
    const to = next + ((outer / LINE) << 2);
    const lineEnd = load<u32>(ends + ((<usize>line) << 2));
    let entry = load<u32>(cursors + ((<usize>line) << 2));
    for (; entry < lineEnd; entry++) {
      const index = <u32>load<u16>(indices + ((<usize>entry) << 1));
      if (index >= end) break;
      const at = to + ((<usize>((index - first) * others)) << 2);
      const place = <usize>load<u32>(at);
      store<u32>(at, <u32>place + 1);
      store<u16>(toIndices + (place << 1), <u16>outer);
      store<u8>(toCodes + place, load<u8>(codes + <usize>entry));
    }
    store<u32>(cursors + ((<usize>line) << 2), entry);
    outer++;
  }
  const last = next + ((<usize>((end - first) * others)) << 2);
  for (let at = next; at < last; at += 4) store<u32>(at, load<u32>(at) + base);
}
