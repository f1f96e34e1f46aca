import { GROUP_BYTES, GROUPS_SHIFT, HEAD_BYTES, LOOSE_BYTES, looseOf } from "./line";

// Four entries of one code as a group, in lines of order "columns" (line.ts).

/** A line has groups where it has so many entries for each centroid, or more: below that most entries would be loose, and looking for groups would take longer than they save. */
const PER_CENTROID: usize = 2;

/** An index, and with it the code above it. */
const INDEX: u32 = 0xffff;

/** For each code, u64 the last four indices, the last of them on top, and u32 how many there were: none, between one line and the next. */
const BUCKETS: usize = memory.data(4096, 64);

/**
 * Groups the entries of lines of codes that have no groups yet, in place.
 *
 * Layout     pointers  u32[lines + 1], entries: order "columns", all entries loose; written anew
 *            scratch   bytes of the longest line, and 12 more
 * Requires   codes below `centroids`, which is at most 256.
 *
 * @returns the bytes of the lines
 */
export function groupLines(pointers: usize, entries: usize, lines: usize, centroids: usize, scratch: usize): u32 {
  let from = entries;
  let to = entries;
  for (let line: usize = 0; line < lines; line++) {
    const loose = looseOf(load<u32>(from));
    const end = from + HEAD_BYTES + loose * LOOSE_BYTES;
    store<u32>(pointers + (line << 2), <u32>(to - entries));
    if (loose >= PER_CENTROID * centroids) {
      const first = scratch + HEAD_BYTES;
      const middle = group(from + HEAD_BYTES, end, first);
      const last = remaining(centroids, middle);
      const groups = (middle - first) / GROUP_BYTES;
      store<u32>(scratch, (<u32>((last - middle) / LOOSE_BYTES)) | ((<u32>groups) << GROUPS_SHIFT));
      // What is written is no longer than what was read.
      memory.copy(to, scratch, last - scratch);
      to += last - scratch;
    } else {
      memory.copy(to, from, end - from);
      to += end - from;
    }
    from = end;
  }
  store<u32>(pointers + (lines << 2), <u32>(to - entries));
  return <u32>(to - entries);
}

/** Deals entries into buckets, and writes each that is full: nothing branches on which one is. */
// @ts-ignore: decorator
@inline
function group(from: usize, end: usize, to: usize): usize {
  for (; from < end; from += LOOSE_BYTES) {
    const code = <usize>load<u8>(from, 2);
    const bucket = BUCKETS + (code << 4);
    const four = (load<u64>(bucket) >> 16) | ((<u64>load<u16>(from)) << 48);
    const count = load<u32>(bucket, 8) + 1;
    store<u64>(bucket, four);
    store<u32>(bucket, count, 8);
    store<u64>(to, four);
    store<u8>(to, <u8>code, 8);
    to += (count & 3) == 0 ? GROUP_BYTES : 0;
  }
  return to;
}

/** Writes what is left in the buckets, three entries or fewer of each code, and empties them: nothing branches on how many there are. */
// @ts-ignore: decorator
@inline
function remaining(centroids: usize, to: usize): usize {
  for (let code: usize = 0; code < centroids; code++) {
    const bucket = BUCKETS + (code << 4);
    const left = load<u32>(bucket, 8) & 3;
    store<u32>(bucket, 0, 8);
    // The indices of those that are left, the first at the bottom; of none, what is written is written over.
    const indices = load<u64>(bucket) >> ((64 - 16 * left) & 63);
    store<u32>(to, ((<u32>indices) & INDEX) | ((<u32>code) << 16));
    store<u32>(to, ((<u32>(indices >> 16)) & INDEX) | ((<u32>code) << 16), 3);
    store<u32>(to, ((<u32>(indices >> 32)) & INDEX) | ((<u32>code) << 16), 6);
    to += <usize>left * LOOSE_BYTES;
  }
  return to;
}
