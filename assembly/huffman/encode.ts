import { SCRATCH } from "./scratch";
import { firstCodes, reverse } from "./table";

/**
 * The encoding table of a canonical code.
 *
 * Layout     lengths  u8[alphabet]
 *            table    u32[alphabet]  code << 8 | length, the code's first bit lowest
 *            next     u32[16]        scratch
 * Requires   lengths are at most 12.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function encodeTable(lengths: usize, alphabet: u32, table: usize, next: usize): void {
  firstCodes(lengths, alphabet, next);
  for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
    const length = <u32>load<u8>(lengths + symbol);
    const at = next + ((<usize>length) << 2);
    const first = load<u32>(at);
    if (length != 0) store<u32>(at, first + 1);
    store<u32>(table + ((<usize>symbol) << 2), length != 0 ? (reverse(first, length) << 8) | length : 0);
  }
}

/**
 * Every stride-th symbol as one stream.
 *
 * Layout     symbols  u8[count]               the first symbol of the stream; the next is stride bytes further, up to symbolsEnd
 *            table    u32[256]                by `encodeTable`
 *            out      u8[12 / 8 * count + 8]  the stream
 * Requires   each symbol has a code.
 * Reads      nothing past the lengths above; writes up to 8 bytes past the stream.
 * Order      exact integers.
 *
 * @returns bytes of the stream
 */
export function encodeStream(symbols: usize, symbolsEnd: usize, stride: usize, table: usize, out: usize): usize {
  let to = out;
  let held: u64 = 0;
  let heldBits: u64 = 0;
  let at = symbols;
  // Four codes of at most 12 bits, and 7 bits held, fit in 64.
  for (; at + 3 * stride < symbolsEnd; at += 4 * stride) {
    const a = <u64>load<u32>(table + ((<usize>load<u8>(at)) << 2));
    const b = <u64>load<u32>(table + ((<usize>load<u8>(at + stride)) << 2));
    const c = <u64>load<u32>(table + ((<usize>load<u8>(at + 2 * stride)) << 2));
    const d = <u64>load<u32>(table + ((<usize>load<u8>(at + 3 * stride)) << 2));
    held |= (a >> 8) << heldBits;
    heldBits += a & 255;
    held |= (b >> 8) << heldBits;
    heldBits += b & 255;
    held |= (c >> 8) << heldBits;
    heldBits += c & 255;
    held |= (d >> 8) << heldBits;
    heldBits += d & 255;
    store<u64>(to, held);
    to += <usize>(heldBits >> 3);
    held >>= heldBits & ~7;
    heldBits &= 7;
  }
  for (; at < symbolsEnd; at += stride) {
    const a = <u64>load<u32>(table + ((<usize>load<u8>(at)) << 2));
    held |= (a >> 8) << heldBits;
    heldBits += a & 255;
    store<u64>(to, held);
    to += <usize>(heldBits >> 3);
    held >>= heldBits & ~7;
    heldBits &= 7;
  }
  return to - out + (heldBits > 0 ? 1 : 0);
}

/**
 * The codes of the call that is running, u64[256], at an address that the compiler knows: the code in the upper bits, its length in the lower ones. Nothing stays here from
 * one call to the next.
 */
const CODES: usize = memory.data(2048, 64);

function takeCodes(table: usize): void {
  for (let symbol: usize = 0; symbol < 256; symbol++) {
    const entry = <u64>load<u32>(table + (symbol << 2));
    const length = entry & 255;
    store<u64>(CODES + (symbol << 3), ((entry >> 8) << (64 - length)) | length);
  }
}

/** A pair has symbols below this. */
const PAIRED: u32 = 64;

/** From how many symbols on, for each pair that there may be, the table of pairs pays for itself. */
const PAIR_SYMBOLS: usize = 8;

/** The codes of two symbols one after another, u64[64][64] by the second and the first, as in CODES: their bits together are 24 at most. */
const PAIRS: usize = SCRATCH;

/** The pairs of the symbols below `alphabet`, by CODES. */
function takePairs(alphabet: u32): void {
  const end = CODES + ((<usize>alphabet) << 3);
  for (let at = CODES, row = PAIRS; at < end; at += 8, row += 8 * PAIRED) {
    const second = load<u64>(at);
    let to = row;
    for (let from = CODES; from < end; from += 8) {
      const first = load<u64>(from);
      const length = first & 255;
      store<u64>(to, ((first ^ length) >> second) + second + length);
      to += 8;
    }
  }
}

/** The symbols up to the last that has a code. */
function alphabetOf(table: usize): u32 {
  let alphabet: u32 = 256;
  while (alphabet > 0 && load<u32>(table + ((<usize>(alphabet - 1)) << 2)) == 0) alphabet--;
  return alphabet;
}

/** The entry of the symbol `offset` bytes after `at` and of the next one of its stream. */
// @ts-ignore: decorator
@inline
function pairOf(at: usize, offset: usize = 0): u64 {
  return load<u64>(((<usize>load<u8>(at + offset)) << 3) + ((<usize>load<u8>(at + offset + 4)) << 9), PAIRS);
}

/** The entry of the symbol `offset` bytes after `at`. */
// @ts-ignore: decorator
@inline
function codeOf(at: usize, offset: usize = 0): u64 {
  return load<u64>((<usize>load<u8>(at + offset)) << 3, CODES);
}

/** Of the bits that are held: a count that entries were added to has their codes above its six lower bits. */
// @ts-ignore: decorator
@inline
function wholeBytes(held: u64): usize {
  return <usize>((held & 63) >> 3);
}

/**
 * Two streams out of four. What is held of a stream stands in the upper bits of h, its last bit highest, so that an entry goes in as it is: the length in its lower bits
 * ends below all that counts. Shifts take their counts modulo 64, so that an entry is one. With `pairs` the body goes by two symbols of a stream at a time.
 */
function encodePair(symbols: usize, end: usize, out: usize, room: usize, ends: usize, pairs: bool): void {
  let h0: u64 = 0;
  let h1: u64 = 0;
  let n0: u64 = 0;
  let n1: u64 = 0;
  let o0 = out;
  let o1 = out + room;
  let at = symbols;
  let code: u64 = 0;
  // Four codes of at most 12 bits, 7 bits held, and the 8 bits of a length fit in 64.
  for (const body = pairs ? end : at; at + 30 <= body; at += 32) {
    code = pairOf(at);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = pairOf(at, 8);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
    code = pairOf(at, 1);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = pairOf(at, 9);
    h1 = (h1 >> code) | code;
    n1 += code;
    store<u64>(o1, h1 >> (0 - n1));
    o1 += wholeBytes(n1);
    n1 &= 7;
    code = pairOf(at, 16);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = pairOf(at, 24);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
    code = pairOf(at, 17);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = pairOf(at, 25);
    h1 = (h1 >> code) | code;
    n1 += code;
    store<u64>(o1, h1 >> (0 - n1));
    o1 += wholeBytes(n1);
    n1 &= 7;
  }
  for (; at + 30 <= end; at += 32) {
    code = codeOf(at);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 4);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 8);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 12);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
    code = codeOf(at, 1);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 5);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 9);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 13);
    h1 = (h1 >> code) | code;
    n1 += code;
    store<u64>(o1, h1 >> (0 - n1));
    o1 += wholeBytes(n1);
    n1 &= 7;
    code = codeOf(at, 16);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 20);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 24);
    h0 = (h0 >> code) | code;
    n0 += code;
    code = codeOf(at, 28);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
    code = codeOf(at, 17);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 21);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 25);
    h1 = (h1 >> code) | code;
    n1 += code;
    code = codeOf(at, 29);
    h1 = (h1 >> code) | code;
    n1 += code;
    store<u64>(o1, h1 >> (0 - n1));
    o1 += wholeBytes(n1);
    n1 &= 7;
  }
  for (; at + 2 <= end; at += 4) {
    code = codeOf(at);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
    code = codeOf(at, 1);
    h1 = (h1 >> code) | code;
    n1 += code;
    store<u64>(o1, h1 >> (0 - n1));
    o1 += wholeBytes(n1);
    n1 &= 7;
  }
  if (at < end) {
    code = codeOf(at);
    h0 = (h0 >> code) | code;
    n0 += code;
    store<u64>(o0, h0 >> (0 - n0));
    o0 += wholeBytes(n0);
    n0 &= 7;
  }
  store<u32>(ends, <u32>(o0 - out) + (n0 > 0 ? 1 : 0));
  store<u32>(ends, <u32>(o1 - out - room) + (n1 > 0 ? 1 : 0), 4);
}

/**
 * Symbols dealt in turn to four streams: stream s has the symbols 4i + s.
 *
 * Layout     symbols  u8[count]
 *            table    u32[256]     by `encodeTable`
 *            out      u8[4][room]  the streams
 *            ends     u32[4]       bytes of each
 * Requires   each symbol has a code; room is at least 12 / 8 * (count / 4 + 1) + 8.
 * Reads      nothing past the lengths above; writes up to 8 bytes past each stream.
 * Order      exact integers. Two streams at a time, which is as many as registers hold.
 */
export function encodeStreams4(symbols: usize, count: usize, table: usize, out: usize, room: usize, ends: usize): void {
  takeCodes(table);
  const alphabet = alphabetOf(table);
  const pairs = alphabet <= PAIRED && count >= PAIR_SYMBOLS * <usize>(alphabet * alphabet);
  if (pairs) takePairs(alphabet);
  encodePair(symbols, symbols + count, out, room, ends, pairs);
  encodePair(symbols + 2, symbols + count, out + 2 * room, room, ends + 8, pairs);
}
