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
