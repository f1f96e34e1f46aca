import { decodeRuns4 } from "./runs";
import { codeLength, decodeRest, decodeRest4, LENGTHS, symbolOf } from "./single";
import { ENTRIES } from "./table";
import { bitOf, restOf, streamEnd, usedOf, windowAt } from "./window";

function takeTable(table: usize, tableLog: u32): void {
  memory.copy(LENGTHS, table, (<usize>1) << tableLog);
  memory.copy(LENGTHS + ENTRIES, table + ENTRIES, (<usize>1) << tableLog);
}

/**
 * Symbols of one stream.
 *
 * Layout     table   u8[2][4096]  by `decodeTable`
 *            input   u8[]         the stream, lowest bit first, ending at or before inputEnd
 *            out     u8[count]
 * Requires   count > 0.
 * Reads      up to 12 * count bits and 8 bytes from `input`, whatever they hold: the memory must go on that far.
 * Order      exact integers.
 *
 * @returns the address after the byte in which the last code ends, beyond inputEnd where the stream is cut off; or 0 where the bits after it in that byte are not zero
 */
export function decodeStream(table: usize, tableLog: u32, input: usize, inputEnd: usize, count: usize, out: usize): usize {
  takeTable(table, tableLog);
  const mask: usize = (1 << tableLog) - 1;
  const end = out + count;
  const body = out + (count & ~3);
  let from = input;
  let window = windowAt(from, 0);
  let o = out;
  // Four codes of at most 12 bits, of the 56.
  for (; o < body; o += 4) {
    store<u8>(o, symbolOf(window, mask));
    window >>= codeLength(window, mask);
    store<u8>(o, symbolOf(window, mask), 1);
    window >>= codeLength(window, mask);
    store<u8>(o, symbolOf(window, mask), 2);
    window >>= codeLength(window, mask);
    store<u8>(o, symbolOf(window, mask), 3);
    window >>= codeLength(window, mask);
    from = restOf(from, window);
    window = windowAt(from, usedOf(window));
  }
  const bit = decodeRest(bitOf(from, window), mask, o, end);
  return bit > (<u64>inputEnd) << 3 ? inputEnd + 1 : streamEnd(bit);
}

/** From how many symbols on entries of several pay for themselves. Where codes have more than 6 bits on the average they never do: a look-up seldom finds two. */
const FEWEST: usize = 1 << 15;

/**
 * Symbols of four streams, dealt in turn: stream s has the symbols 4i + s.
 *
 * Layout     table   u8[2][4096]  by `decodeTable`
 *            in0..3  u8[]         the streams, each ending where the next begins, the last at `inEnd`
 *            out     u8[count]
 *            runs    u8[count + 64]  scratch
 * Requires   in0 <= in1 <= in2 <= in3 <= inEnd.
 * Reads      from the byte before each stream up to 3 * (count + 3) + 64 bits from its beginning, whatever they hold: the memory must go on that far.
 * Order      exact integers.
 *
 * @returns whether each stream ended in the last byte of its stretch, the bits after it zero
 */
export function decodeStreams4(
  table: usize,
  tableLog: u32,
  in0: usize,
  in1: usize,
  in2: usize,
  in3: usize,
  inEnd: usize,
  count: usize,
  out: usize,
  runs: usize,
): bool {
  if (count >= FEWEST && inEnd - in0 <= 3 * (count >> 2)) return decodeRuns4(table, tableLog, in0, in1, in2, in3, inEnd, count, out, runs);
  takeTable(table, tableLog);
  const mask: usize = (1 << tableLog) - 1;
  let f0 = in0;
  let f1 = in1;
  let f2 = in2;
  let f3 = in3;
  let w0 = windowAt(f0, 0);
  let w1 = windowAt(f1, 0);
  let w2 = windowAt(f2, 0);
  let w3 = windowAt(f3, 0);
  const end = out + count;
  let o = out;
  // Of the 56 bits of a window: six codes of at most 9, or four of at most 12.
  const short = tableLog <= 9;
  const sixes = short ? end - (count % 24) : out;
  const fours = end - ((short ? count % 24 : count) & 15);
  for (; o < sixes; o += 24) {
    store<u8>(o, symbolOf(w0, mask));
    store<u8>(o, symbolOf(w1, mask), 1);
    store<u8>(o, symbolOf(w2, mask), 2);
    store<u8>(o, symbolOf(w3, mask), 3);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 4);
    store<u8>(o, symbolOf(w1, mask), 5);
    store<u8>(o, symbolOf(w2, mask), 6);
    store<u8>(o, symbolOf(w3, mask), 7);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 8);
    store<u8>(o, symbolOf(w1, mask), 9);
    store<u8>(o, symbolOf(w2, mask), 10);
    store<u8>(o, symbolOf(w3, mask), 11);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 12);
    store<u8>(o, symbolOf(w1, mask), 13);
    store<u8>(o, symbolOf(w2, mask), 14);
    store<u8>(o, symbolOf(w3, mask), 15);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 16);
    store<u8>(o, symbolOf(w1, mask), 17);
    store<u8>(o, symbolOf(w2, mask), 18);
    store<u8>(o, symbolOf(w3, mask), 19);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 20);
    store<u8>(o, symbolOf(w1, mask), 21);
    store<u8>(o, symbolOf(w2, mask), 22);
    store<u8>(o, symbolOf(w3, mask), 23);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    f0 = restOf(f0, w0);
    w0 = windowAt(f0, usedOf(w0));
    f1 = restOf(f1, w1);
    w1 = windowAt(f1, usedOf(w1));
    f2 = restOf(f2, w2);
    w2 = windowAt(f2, usedOf(w2));
    f3 = restOf(f3, w3);
    w3 = windowAt(f3, usedOf(w3));
  }
  for (; o < fours; o += 16) {
    store<u8>(o, symbolOf(w0, mask));
    store<u8>(o, symbolOf(w1, mask), 1);
    store<u8>(o, symbolOf(w2, mask), 2);
    store<u8>(o, symbolOf(w3, mask), 3);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 4);
    store<u8>(o, symbolOf(w1, mask), 5);
    store<u8>(o, symbolOf(w2, mask), 6);
    store<u8>(o, symbolOf(w3, mask), 7);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 8);
    store<u8>(o, symbolOf(w1, mask), 9);
    store<u8>(o, symbolOf(w2, mask), 10);
    store<u8>(o, symbolOf(w3, mask), 11);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    store<u8>(o, symbolOf(w0, mask), 12);
    store<u8>(o, symbolOf(w1, mask), 13);
    store<u8>(o, symbolOf(w2, mask), 14);
    store<u8>(o, symbolOf(w3, mask), 15);
    w0 >>= codeLength(w0, mask);
    w1 >>= codeLength(w1, mask);
    w2 >>= codeLength(w2, mask);
    w3 >>= codeLength(w3, mask);
    f0 = restOf(f0, w0);
    w0 = windowAt(f0, usedOf(w0));
    f1 = restOf(f1, w1);
    w1 = windowAt(f1, usedOf(w1));
    f2 = restOf(f2, w2);
    w2 = windowAt(f2, usedOf(w2));
    f3 = restOf(f3, w3);
    w3 = windowAt(f3, usedOf(w3));
  }
  return decodeRest4(bitOf(f0, w0), bitOf(f1, w1), bitOf(f2, w2), bitOf(f3, w3), mask, count, o, end, in1, in2, in3, inEnd);
}
