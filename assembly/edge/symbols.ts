import { bitOf, peek, restOf, streamEnd, usedOf, windowAt } from "../huffman/window";
import { DESCRIPTION_BYTES, DESCRIPTIONS } from "./head";
import { fail, Input, refuse, room, take, TRUNCATED, varint } from "./input";

// Coded symbols: docs/format.md, section 4.2.

/** The code length, and the symbol, at each index whose lower bits are a code, first bit lowest. */
const LENGTHS: usize = memory.data(8192, 16);
const SYMBOLS: usize = LENGTHS + 4096;

/** Makes the tables of a code whose lengths are known to be complete. */
function takeCode(lengths: usize, alphabet: u32, longest: u32): void {
  let code: u32 = 0;
  // A table by one more bit is the one before twice, and then the codes that have that many bits.
  for (let length: u32 = 1; length <= longest; length++) {
    const half = (<usize>1) << (length - 1);
    memory.copy(LENGTHS + half, LENGTHS, half);
    memory.copy(SYMBOLS + half, SYMBOLS, half);
    code <<= 1;
    for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
      if (load<u8>(lengths + symbol) != length) continue;
      let index: u32 = 0;
      for (let bit: u32 = 0; bit < length; bit++) index = (index << 1) | ((code >> bit) & 1);
      store<u8>(LENGTHS + index, length);
      store<u8>(SYMBOLS + index, symbol);
      code++;
    }
  }
}

/** The length of the code that is next in a window. */
// @ts-ignore: decorator
@inline
function codeLength(window: u64, mask: usize): u64 {
  return <u64>load<u8>((<usize>window) & mask, LENGTHS);
}

// @ts-ignore: decorator
@inline
function symbolOf(window: u64, mask: usize): u32 {
  return <u32>load<u8>((<usize>window) & mask, SYMBOLS);
}

/** The address of `count` symbols that come next, coded as a description says. */
export function symbols(index: u32, count: usize): usize {
  const lengths = DESCRIPTIONS + <usize>index * DESCRIPTION_BYTES;
  const way = load<u32>(lengths, 256);
  const alphabet = load<u32>(lengths, 268);
  if (way == 0) {
    const raw = take(count);
    for (let i: usize = 0; i < count; i++) refuse(<u32>load<u8>(raw + i) >= alphabet);
    return raw;
  }
  const out = room(count);
  if (way == 1) {
    memory.fill(out, load<u8>(lengths, 260), count);
    return out;
  }
  const longest = load<u32>(lengths, 264);
  takeCode(lengths, alphabet, longest);
  if (way == 2) oneStream(longest, count, out);
  else fourStreams(longest, count, out);
  return out;
}

function oneStream(longest: u32, count: usize, out: usize): void {
  const mask: usize = (1 << longest) - 1;
  let bit = (<u64>Input.at) << 3;
  for (const end = out + count; out < end; out++) {
    const window = peek(bit);
    store<u8>(out, symbolOf(window, mask));
    bit += codeLength(window, mask);
  }
  if (bit > (<u64>Input.end) << 3) fail(TRUNCATED);
  Input.at = endOf(bit);
}

/** The address after the byte that holds the bit before `bit`; the rest of that byte must be zero. */
function endOf(bit: u64): usize {
  const end = streamEnd(bit);
  refuse(end == 0);
  return end;
}

/** Symbol 4i + s is in stream s. */
function fourStreams(longest: u32, count: usize, out: usize): void {
  const mask: usize = (1 << longest) - 1;
  const byteLength0 = varint();
  const byteLength1 = varint();
  const byteLength2 = varint();
  const byteLength3 = varint();
  let f0 = take(byteLength0);
  let f1 = take(byteLength1);
  let f2 = take(byteLength2);
  let f3 = take(byteLength3);
  const end0 = f1;
  const end1 = f2;
  const end2 = f3;
  let w0 = windowAt(f0, 0);
  let w1 = windowAt(f1, 0);
  let w2 = windowAt(f2, 0);
  let w3 = windowAt(f3, 0);
  const end = out + count;
  // Of the 56 bits of a window: six codes of at most 9, or four of at most 12.
  const some: usize = longest <= 9 ? 24 : 16;
  while (end - out >= some) {
    const stop = out + some;
    do {
      store<u8>(out, symbolOf(w0, mask));
      store<u8>(out, symbolOf(w1, mask), 1);
      store<u8>(out, symbolOf(w2, mask), 2);
      store<u8>(out, symbolOf(w3, mask), 3);
      w0 >>= codeLength(w0, mask);
      w1 >>= codeLength(w1, mask);
      w2 >>= codeLength(w2, mask);
      w3 >>= codeLength(w3, mask);
      out += 4;
    } while (out < stop);
    f0 = restOf(f0, w0);
    w0 = windowAt(f0, usedOf(w0));
    f1 = restOf(f1, w1);
    w1 = windowAt(f1, usedOf(w1));
    f2 = restOf(f2, w2);
    w2 = windowAt(f2, usedOf(w2));
    f3 = restOf(f3, w3);
    w3 = windowAt(f3, usedOf(w3));
  }
  let b0 = bitOf(f0, w0);
  let b1 = bitOf(f1, w1);
  let b2 = bitOf(f2, w2);
  let b3 = bitOf(f3, w3);
  for (; out < end; out++) {
    const window = peek(b0);
    store<u8>(out, symbolOf(window, mask));
    // The streams take turns: after this symbol the next one's is first.
    const b = b0 + codeLength(window, mask);
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
  // So many turns ago stream 0 was first.
  for (let turn = count & 3; turn < 4 && turn > 0; turn++) {
    const b = b0;
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
  refuse(endOf(b0) != end0 || endOf(b1) != end1 || endOf(b2) != end2 || endOf(b3) != Input.at);
}
