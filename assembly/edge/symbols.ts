import { codeLength, decodeRest, decodeRest4, LENGTHS, symbolOf } from "../huffman/single";
import { fillTable } from "../huffman/table";
import { bitOf, restOf, streamEnd, usedOf, windowAt } from "../huffman/window";
import { DESCRIPTION_BYTES, DESCRIPTIONS } from "./head";
import { fail, Input, refuse, room, take, TRUNCATED, varint } from "./input";

// Coded symbols: docs/format.md, section 4.2.

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
  fillTable(lengths, alphabet, longest, LENGTHS, 0);
  if (way == 2) oneStream(longest, count, out);
  else fourStreams(longest, count, out);
  return out;
}

function oneStream(longest: u32, count: usize, out: usize): void {
  const bit = decodeRest((<u64>Input.at) << 3, (1 << longest) - 1, out, out + count);
  if (bit > (<u64>Input.end) << 3) fail(TRUNCATED);
  const end = streamEnd(bit);
  refuse(end == 0);
  Input.at = end;
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
  const bit0 = bitOf(f0, w0);
  const bit1 = bitOf(f1, w1);
  const bit2 = bitOf(f2, w2);
  const bit3 = bitOf(f3, w3);
  refuse(!decodeRest4(bit0, bit1, bit2, bit3, mask, count, out, end, end0, end1, end2, Input.at));
}
