import { dealOut } from "./deal";
import { SCRATCH } from "./scratch";
import { CODES, ENTRIES } from "./table";
import { peek, restOf, streamEnd, usedOf, windowAt } from "./window";

// Decoding with up to three symbols a look-up. Each stream is decoded into a run of its own, and the four runs are dealt out afterwards.

/** The bits that a look-up looks at. */
const LOOK_BITS: u32 = 12;

/** The most symbols of a look-up. */
const MOST: usize = 3;

/** An entry's index in a window, whose next bit is at 2: an index is a byte offset at once. */
const INDEX: usize = 4 * ((1 << LOOK_BITS) - 1);

/**
 * The entries of the call that is running, u32[4096]: the first symbol in the highest byte, then the second and the third; in the lowest byte the bits of all of them, and from bit 6 how many they are. A
 * shift takes its count from the lowest six bits, so an entry shifts a window as it is.
 */
const WIDE: usize = SCRATCH;

/** What follows a first symbol, u32[2^t] at RESTS + 4 * 2^t for each number t of bits that are left. */
const RESTS: usize = WIDE + (4 << LOOK_BITS);

/** What a symbol and its code add to an entry, below the byte where the symbol goes. */
// @ts-ignore: decorator
@inline
function counted(bits: u32): u32 {
  return 64 + bits;
}

/** The entries of a table by `decodeTable`. */
function takeEntries(table: usize, tableLog: u32): void {
  // No three codes are longer.
  const look = min(LOOK_BITS, <u32>MOST * tableLog);
  const shortest = lengthOf(load<u32>(table + CODES));
  for (let left: u32 = 0; left <= look - shortest; left++) takeRests(table, tableLog, left);
  const end = WIDE + ((<usize>4) << look);
  let code: u32 = 0;
  for (let at = table + CODES; (code = load<u32>(at)) != 0; at += 4) {
    const length = lengthOf(code);
    const first = (code & 0xff000000) | counted(length);
    let rest = RESTS + ((<usize>4) << (look - length));
    for (let to = WIDE + ((<usize>(code & 0xffff)) << 2); to < end; to += (<usize>4) << length) {
      store<u32>(to, first + load<u32>(rest));
      rest += 4;
    }
  }
  for (let to = end; to < WIDE + (4 << LOOK_BITS); to += to - WIDE) memory.copy(to, WIDE, to - WIDE);
}

// @ts-ignore: decorator
@inline
function lengthOf(code: u32): u32 {
  return (code >> 16) & 255;
}

/** What may follow a first symbol that leaves `left` bits. */
function takeRests(table: usize, tableLog: u32, left: u32): void {
  const mask: u32 = (1 << tableLog) - 1;
  const rests = RESTS + ((<usize>4) << left);
  for (let index: u32 = 0; index < 1 << left; index++) {
    const second = table + (index & mask);
    const bits = <u32>load<u8>(second);
    // Above the bits that are left are zeros: a code that ends before them does not depend on them, and others are not taken.
    const third = table + ((index >> bits) & mask);
    const both = bits + <u32>load<u8>(third);
    const one = counted(bits) | ((<u32>load<u8>(second, ENTRIES)) << 16);
    const other = (counted(both) - bits) | ((<u32>load<u8>(third, ENTRIES)) << 8);
    store<u32>(rests + ((<usize>index) << 2), (one & upTo(bits, left)) + (other & upTo(both, left)));
  }
}

/** All bits where `bits` is at most `left`, and none otherwise. */
// @ts-ignore: decorator
@inline
function upTo(bits: u32, left: u32): u32 {
  return <u32>((<i32>(bits - left - 1)) >> 31);
}

// @ts-ignore: decorator
@inline
function entryOf(window: u64): u32 {
  return load<u32>((<usize>window) & INDEX, WIDE);
}

// @ts-ignore: decorator
@inline
function symbolsIn(entry: u32): usize {
  return (entry >> 6) & 3;
}

/** The symbols of a stream from the bit at 2 of a window on, downwards from above `to` to `end`. Returns the absolute address of the bit after the last code. */
function finishRun(table: usize, tableLog: u32, from: usize, window: u64, to: usize, end: usize): u64 {
  const mask: u64 = (1 << tableLog) - 1;
  let f = from;
  let w = window;
  let o = to;
  for (; o - end >= 4 * MOST;) {
    let e = entryOf(w);
    store<u32>(o - 4, e);
    w >>= e;
    o -= symbolsIn(e);
    e = entryOf(w);
    store<u32>(o - 4, e);
    w >>= e;
    o -= symbolsIn(e);
    e = entryOf(w);
    store<u32>(o - 4, e);
    w >>= e;
    o -= symbolsIn(e);
    e = entryOf(w);
    store<u32>(o - 4, e);
    w >>= e;
    o -= symbolsIn(e);
    f = restOf(f, w);
    w = windowAt(f, usedOf(w));
  }
  let bit = ((<u64>f) << 3) + clz(w) + 2;
  while (o > end) {
    const at = table + <usize>(peek(bit) & mask);
    store<u8>(--o, load<u8>(at, ENTRIES));
    bit += <u64>load<u8>(at);
  }
  return bit;
}

/** Bytes of one run and of what is written below it. */
// @ts-ignore: decorator
@inline
function pitchOf(count: usize): usize {
  return (count >> 2) + 16;
}

/**
 * `decodeStreams4` by up to three symbols a look-up.
 *
 * Layout     as there; runs  u8[count + 64]  scratch
 * Requires   as there.
 * Reads      as there, and the byte before each stream.
 * Order      exact integers. Two look-ups of a stream, then of the next: V8 then has an entry done with before it needs the register. One of each in turn takes 1.2 times as long.
 */
export function decodeRuns4(
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
  takeEntries(table, tableLog);
  const pitch = pitchOf(count);
  const top = runs + pitch;
  const end0 = top - ((count + 3) >> 2);
  const end1 = top + pitch - ((count + 2) >> 2);
  const end2 = top + 2 * pitch - ((count + 1) >> 2);
  const end3 = top + 3 * pitch - (count >> 2);
  // Runs go downwards, so that an entry is stored as it is: what is below its symbols is written over by the next. Addresses are those of the entry's lowest byte.
  let o0 = top - 4;
  let o1 = o0 + pitch;
  let o2 = o1 + pitch;
  let o3 = o2 + pitch;
  // The next bit is at 2.
  let f0 = in0 - 1;
  let f1 = in1 - 1;
  let f2 = in2 - 1;
  let f3 = in3 - 1;
  let w0 = windowAt(f0, 6);
  let w1 = windowAt(f1, 6);
  let w2 = windowAt(f2, 6);
  let w3 = windowAt(f3, 6);
  let e: u32 = 0;
  const last0 = end0 + 4 * MOST - 4;
  const last1 = end1 + 4 * MOST - 4;
  const last2 = end2 + 4 * MOST - 4;
  const last3 = end3 + 4 * MOST - 4;
  // Of the 54 bits of a window: four times up to 12.
  while (o0 >= last0 && o1 >= last1 && o2 >= last2 && o3 >= last3) {
    e = entryOf(w0);
    store<u32>(o0, e);
    w0 >>= e;
    o0 -= symbolsIn(e);
    e = entryOf(w0);
    store<u32>(o0, e);
    w0 >>= e;
    o0 -= symbolsIn(e);
    e = entryOf(w1);
    store<u32>(o1, e);
    w1 >>= e;
    o1 -= symbolsIn(e);
    e = entryOf(w1);
    store<u32>(o1, e);
    w1 >>= e;
    o1 -= symbolsIn(e);
    e = entryOf(w2);
    store<u32>(o2, e);
    w2 >>= e;
    o2 -= symbolsIn(e);
    e = entryOf(w2);
    store<u32>(o2, e);
    w2 >>= e;
    o2 -= symbolsIn(e);
    e = entryOf(w3);
    store<u32>(o3, e);
    w3 >>= e;
    o3 -= symbolsIn(e);
    e = entryOf(w3);
    store<u32>(o3, e);
    w3 >>= e;
    o3 -= symbolsIn(e);
    e = entryOf(w0);
    store<u32>(o0, e);
    w0 >>= e;
    o0 -= symbolsIn(e);
    e = entryOf(w0);
    store<u32>(o0, e);
    w0 >>= e;
    o0 -= symbolsIn(e);
    e = entryOf(w1);
    store<u32>(o1, e);
    w1 >>= e;
    o1 -= symbolsIn(e);
    e = entryOf(w1);
    store<u32>(o1, e);
    w1 >>= e;
    o1 -= symbolsIn(e);
    e = entryOf(w2);
    store<u32>(o2, e);
    w2 >>= e;
    o2 -= symbolsIn(e);
    e = entryOf(w2);
    store<u32>(o2, e);
    w2 >>= e;
    o2 -= symbolsIn(e);
    e = entryOf(w3);
    store<u32>(o3, e);
    w3 >>= e;
    o3 -= symbolsIn(e);
    e = entryOf(w3);
    store<u32>(o3, e);
    w3 >>= e;
    o3 -= symbolsIn(e);
    f0 = restOf(f0, w0);
    w0 = windowAt(f0, usedOf(w0));
    f1 = restOf(f1, w1);
    w1 = windowAt(f1, usedOf(w1));
    f2 = restOf(f2, w2);
    w2 = windowAt(f2, usedOf(w2));
    f3 = restOf(f3, w3);
    w3 = windowAt(f3, usedOf(w3));
  }
  const b0 = finishRun(table, tableLog, f0, w0, o0 + 4, end0);
  const b1 = finishRun(table, tableLog, f1, w1, o1 + 4, end1);
  const b2 = finishRun(table, tableLog, f2, w2, o2 + 4, end2);
  const b3 = finishRun(table, tableLog, f3, w3, o3 + 4, end3);
  dealOut(top, pitch, count, out);
  return streamEnd(b0) == in1 && streamEnd(b1) == in2 && streamEnd(b2) == in3 && streamEnd(b3) == inEnd;
}
