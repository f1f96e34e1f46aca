import { LINE, otherOf } from "./line";

// The run layout (line.ts) from one order into the other, a range at a time: some columns of a matrix by rows, or some rows of one by columns. An entry of a range goes to the line of its index.

/** Lines whose entries are read ahead of the one that is worked on: they are far from each other, and each would be waited for. */
const AHEAD: u32 = 8;

/**
 * Counts entries by their lines of the other order.
 *
 * Layout     pointers  u32[lines + 1], indices u16[]: `panels` lines to a row (or column)
 *            counts    u32[]  by the other order's lines, `others` to a column (or row): added to
 */
export function countOther(pointers: usize, panels: usize, lines: usize, indices: usize, counts: usize, others: usize): void {
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
 * Puts the entries of a range into the other order, stably: the indices of each line ascend.
 *
 * Layout     cursors  u32[lines]   of each line the first entry that is in the range, or after it; behind the range afterwards
 *            ends     u32[lines]   where lines end: pointers + 4
 *            step     u32          lines from one to the next that has the range in it: its panels
 *            indices  u16[], codes u8[]
 *            next     u32[(end - first) * others]  by the other order's lines: where its first entry goes, counted from `base`; where it ends afterwards
 *            turned   u32[count]   scratch: index | code << 16
 *            toIndices u16[count], toCodes u8[count]  in the other order
 * Requires   first <= end <= 65,536, both from the start of a line; the entries of a line before its cursor are before `first`; `others`: panels of the other order; `count` entries in the range.
 * Reads      up to 31 bytes past `turned`, and 4 past the indices. Writes up to 15 bytes past the indices, and 7 past the codes.
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
  others: usize,
  base: u32,
  turned: usize,
  count: usize,
  toIndices: usize,
  toCodes: usize,
): void {
  const stride = others << 2;
  // These may be below 0: sums of addresses are taken mod 2^32.
  const to0 = next - <usize>first * stride;
  const turned0 = turned - ((<usize>base) << 2);
  let ahead: u32 = 0;
  let outer: usize = 0;
  for (let line: u32 = 0; line < lines; line += step) {
    if (line + AHEAD * step < lines) ahead ^= readAhead(indices, codes, load<u32>(cursors + ((<usize>(line + AHEAD * step)) << 2)));
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
      store<u32>(turned0 + ((<usize>place) << 2), low | ((<u32>load<u8>(codes + <usize>entry)) << 16));
    }
    store<u32>(cursors + ((<usize>line) << 2), entry);
  }
  split(turned, count, toIndices, toCodes);
  // What was read ahead has to go somewhere.
  store<u32>(turned, ahead);
}

// @ts-ignore: decorator
@inline
function readAhead(indices: usize, codes: usize, entry: u32): u32 {
  return (<u32>load<u16>(indices + ((<usize>entry) << 1))) ^ (<u32>load<u8>(codes + <usize>entry));
}

/** Indices and codes apart. */
// @ts-ignore: decorator
@inline
function split(turned: usize, count: usize, indices: usize, codes: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < count; i += 8) {
      const at = turned + (i << 2);
      const a = v128.load(at);
      const b = v128.load(at, 16);
      v128.store(indices + (i << 1), v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14));
      const both = v128.shuffle<u8>(a, b, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store64_lane(codes + i, both, 0);
    }
  } else {
    for (let i: usize = 0; i < count; i++) {
      const entry = load<u32>(turned + (i << 2));
      store<u16>(indices + (i << 1), <u16>entry);
      store<u8>(codes + i, <u8>(entry >> 16));
    }
  }
}
