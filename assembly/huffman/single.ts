import { ENTRIES } from "./table";
import { peek, streamEnd } from "./window";

// One symbol a look-up.

/**
 * The table of the call that is running, by `decodeTable`. At an address that the compiler knows, a window's lower bits are an address at once: an addition less for each symbol.
 * Nothing stays here from one call to the next.
 */
export const LENGTHS: usize = memory.data(8192, 64);
const SYMBOLS: usize = LENGTHS + ENTRIES;

/** The length of the code that is next in a window. */
// @ts-ignore: decorator
@inline
export function codeLength(window: u64, mask: usize): u64 {
  return <u64>load<u8>((<usize>window) & mask, LENGTHS);
}

// @ts-ignore: decorator
@inline
export function symbolOf(window: u64, mask: usize): u32 {
  return <u32>load<u8>((<usize>window) & mask, SYMBOLS);
}

/** Symbols of one stream, from an absolute bit address up to `end`; returns the address of the bit after them. */
// @ts-ignore: decorator
@inline
export function decodeRest(from: u64, mask: usize, out: usize, end: usize): u64 {
  let bit = from;
  for (let o = out; o < end; o++) {
    const window = peek(bit);
    store<u8>(o, symbolOf(window, mask));
    bit += codeLength(window, mask);
  }
  return bit;
}

/**
 * The last symbols of four streams, of `count` in all: those from `out` to `end`, a number of rounds and the rest of one.
 *
 * Layout     b0..3    absolute bit addresses of the streams, the next symbol's first
 *            end0..3  addresses where the streams should end
 * @returns whether each ended there, the bits after it zero
 */
// @ts-ignore: decorator
@inline
export function decodeRest4(
  b0: u64,
  b1: u64,
  b2: u64,
  b3: u64,
  mask: usize,
  count: usize,
  out: usize,
  end: usize,
  end0: usize,
  end1: usize,
  end2: usize,
  end3: usize,
): bool {
  for (let o = out; o < end; o++) {
    const window = peek(b0);
    store<u8>(o, symbolOf(window, mask));
    // The streams take turns: after this symbol the next one's is first.
    const b = b0 + codeLength(window, mask);
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
  // count & 3 turns ago stream 0 was first.
  for (let turn = count & 3; turn < 4 && turn > 0; turn++) {
    const b = b0;
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
  return streamEnd(b0) == end0 && streamEnd(b1) == end1 && streamEnd(b2) == end2 && streamEnd(b3) == end3;
}
