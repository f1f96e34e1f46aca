// @ts-ignore: decorator
@inline
function walk<T>(from: usize, to: usize, outer: usize, middle: usize, inner: usize, a: usize, b: usize, c: usize, put: bool): void {
  let at: usize = 0;
  for (let i: usize = 0; i < outer; i++) {
    for (let j: usize = 0; j < middle; j++) {
      let there = (i * a + j * b) * sizeof<T>();
      for (let k: usize = 0; k < inner; k++) {
        if (put) store<T>(to + there, load<T>(from + at));
        else store<T>(to + at, load<T>(from + there));
        there += c * sizeof<T>();
        at += sizeof<T>();
      }
    }
  }
}

/**
 * Elements from row-major order into a scan's order, or back.
 *
 * Layout     from, to             T[outer * middle * inner], T of elementBytes bytes, apart from each other
 *            outer, middle, inner  lengths of the scan's axes, slowest first
 *            a, b, c               elements from one index to the next along each of them, in row-major order
 *            put                   1: from is in the scan's order; 0: to is
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function permute(
  from: usize,
  to: usize,
  elementBytes: u32,
  outer: usize,
  middle: usize,
  inner: usize,
  a: usize,
  b: usize,
  c: usize,
  put: bool,
): void {
  if (elementBytes == 4) walk<u32>(from, to, outer, middle, inner, a, b, c, put);
  else if (elementBytes == 2) walk<u16>(from, to, outer, middle, inner, a, b, c, put);
  else if (elementBytes == 1) walk<u8>(from, to, outer, middle, inner, a, b, c, put);
  else walk<u64>(from, to, outer, middle, inner, a, b, c, put);
}

/** floor(a / b) for a, b in [1, 2^20], where reciprocal = floor(2^40 / b) + 1: it is too large by less than 2^-40, and a times that by less than 1 / b. */
// @ts-ignore: decorator
@inline
function quotient(a: u64, reciprocal: u64): u64 {
  return (a * reciprocal) >> 40;
}

/**
 * Places in a scan's order into places in row-major order.
 *
 * Layout     pairs    u32[count][2]  a place, and what belongs to it, which stays
 *            words                   words of an element: 2 where places count two for each
 *            middle, inner           lengths of the scan's two faster axes, inner the fastest
 *            a, b, c                 elements from one index to the next along each axis, the slowest first, in row-major order
 * Requires   places below outer * middle * inner * words, at most 2^20 elements, words 1 or 2.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function unscanPairs(pairs: usize, count: usize, words: u32, middle: u32, inner: u32, a: u32, b: u32, c: u32): void {
  const byInner = ((<u64>1) << 40) / inner + 1;
  const byMiddle = ((<u64>1) << 40) / middle + 1;
  const shift = words - 1;
  for (let at = pairs; at < pairs + (count << 3); at += 8) {
    const word = load<u32>(at);
    const place = <u64>(word >> shift);
    const row = quotient(place, byInner);
    const i = quotient(row, byMiddle);
    const there = <u32>i * a + <u32>(row - i * middle) * b + <u32>(place - row * inner) * c;
    store<u32>(at, (there << shift) | (word & shift));
  }
}
