/**
 * The decoding table of a canonical code.
 *
 * Layout     lengths  u8[alphabet]       code length of each symbol, 0 where it does not occur
 *            table    u32[1 << tableLog] symbol << 8 | code length, at each index whose lower bits are the code, first bit lowest
 *            next     u32[16]            scratch
 * Requires   the code is complete and no length is above tableLog <= 12: checked by `readSymbolCoding`, not here.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function decodeTable(lengths: usize, alphabet: u32, tableLog: u32, table: usize, next: usize): void {
  firstCodes(lengths, alphabet, next);
  for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
    const length = <u32>load<u8>(lengths + symbol);
    if (length == 0) continue;
    const at = next + ((<usize>length) << 2);
    const first = load<u32>(at);
    store<u32>(at, first + 1);
    const entry = (symbol << 8) | length;
    const step: u32 = 1 << length;
    for (let index = reverse(first, length); index < (<u32>1) << tableLog; index += step) store<u32>(table + ((<usize>index) << 2), entry);
  }
}

/** The first code of each length into next u32[16] (RFC 1951, section 3.2.2); lengths are at most 12. */
export function firstCodes(lengths: usize, alphabet: u32, next: usize): void {
  memory.fill(next, 0, 64);
  for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
    const count = next + ((<usize>load<u8>(lengths + symbol)) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let code: u32 = 0;
  let before: u32 = 0;
  for (let length: usize = 1; length <= 12; length++) {
    code = (code + before) << 1;
    before = load<u32>(next + (length << 2));
    store<u32>(next + (length << 2), code);
  }
}

/** The lower `length` bits of a code, first bit lowest. */
// @ts-ignore: decorator
@inline
export function reverse(code: u32, length: u32): u32 {
  let from = code;
  let to: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    to = (to << 1) | (from & 1);
    from >>= 1;
  }
  return to;
}

/** The next 57 bits or more at an absolute bit address. */
// @ts-ignore: decorator
@inline
function peek(bit: u64): u64 {
  return load<u64>(<usize>(bit >> 3)) >> (bit & 7);
}

/**
 * Symbols of one stream.
 *
 * Layout     table   u32[1 << tableLog]  by `decodeTable`
 *            input   u8[]                the stream, lowest bit first, ending at or before inputEnd
 *            out     u8[count]
 * Requires   count > 0.
 * Reads      up to 12 * count bits and 8 bytes from `input`, whatever they hold: the memory must go on that far.
 * Order      exact integers.
 *
 * @returns the address after the byte in which the last code ends, beyond inputEnd where the stream is cut off; or 0 where the bits after it in that byte are not zero
 */
export function decodeStream(table: usize, tableLog: u32, input: usize, inputEnd: usize, count: usize, out: usize): usize {
  const mask: u64 = (1 << tableLog) - 1;
  const end = out + count;
  const body = out + (count & ~3);
  let bit = (<u64>input) << 3;
  let o = out;
  // Four codes of at most 12 bits leave 9 of the 57.
  for (; o < body; o += 4) {
    let window = peek(bit);
    const a = load<u32>(table + ((<usize>(window & mask)) << 2));
    window >>= a & 63;
    const b = load<u32>(table + ((<usize>(window & mask)) << 2));
    window >>= b & 63;
    const c = load<u32>(table + ((<usize>(window & mask)) << 2));
    window >>= c & 63;
    const d = load<u32>(table + ((<usize>(window & mask)) << 2));
    bit += (a & 63) + (b & 63) + (c & 63) + (d & 63);
    store<u8>(o, a >> 8);
    store<u8>(o, b >> 8, 1);
    store<u8>(o, c >> 8, 2);
    store<u8>(o, d >> 8, 3);
  }
  for (; o < end; o++) {
    const a = load<u32>(table + ((<usize>(peek(bit) & mask)) << 2));
    bit += a & 63;
    store<u8>(o, a >> 8);
  }
  return bit > (<u64>inputEnd) << 3 ? inputEnd + 1 : streamEnd(bit);
}

/** The address after the byte that holds the bit before `bit`, or 0 where the rest of that byte is not zero. */
// @ts-ignore: decorator
@inline
function streamEnd(bit: u64): usize {
  const used = <u32>(bit & 7);
  const byte = <usize>(bit >> 3);
  if (used == 0) return byte;
  return (<u32>load<u8>(byte)) >> used == 0 ? byte + 1 : 0;
}

/**
 * Symbols of four streams, dealt in turn: stream s has the symbols 4i + s.
 *
 * Layout     table   u32[1 << tableLog]  by `decodeTable`
 *            in0..3  u8[]                the streams, each ending where the next begins, the last at `inEnd`
 *            out     u8[count]
 * Requires   in0 <= in1 <= in2 <= in3 <= inEnd.
 * Reads      up to 3 * count + 64 bits from the beginning of each stream, whatever they hold: the memory must go on that far.
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
): bool {
  const mask: u64 = (1 << tableLog) - 1;
  const body = out + (count & ~15);
  let b0 = (<u64>in0) << 3;
  let b1 = (<u64>in1) << 3;
  let b2 = (<u64>in2) << 3;
  let b3 = (<u64>in3) << 3;
  let o = out;
  for (; o < body; o += 16) {
    let w0 = peek(b0);
    let w1 = peek(b1);
    let w2 = peek(b2);
    let w3 = peek(b3);
    for (let round: usize = 0; round < 16; round += 4) {
      const t0 = <u64>load<u32>(table + ((<usize>(w0 & mask)) << 2));
      const t1 = <u64>load<u32>(table + ((<usize>(w1 & mask)) << 2));
      const t2 = <u64>load<u32>(table + ((<usize>(w2 & mask)) << 2));
      const t3 = <u64>load<u32>(table + ((<usize>(w3 & mask)) << 2));
      store<u8>(o + round, t0 >> 8);
      store<u8>(o + round, t1 >> 8, 1);
      store<u8>(o + round, t2 >> 8, 2);
      store<u8>(o + round, t3 >> 8, 3);
      // A shift takes its count modulo 64, and the lower byte of an entry is below 64.
      w0 >>= t0;
      w1 >>= t1;
      w2 >>= t2;
      w3 >>= t3;
      b0 += t0 & 63;
      b1 += t1 & 63;
      b2 += t2 & 63;
      b3 += t3 & 63;
    }
  }
  for (let end = out + count; o < end; o++) {
    const t = <u64>load<u32>(table + ((<usize>(peek(b0) & mask)) << 2));
    store<u8>(o, t >> 8);
    // The streams take turns: after this symbol the next one's is first.
    const b = b0 + (t & 63);
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
  return streamEnd(b0) == in1 && streamEnd(b1) == in2 && streamEnd(b2) == in3 && streamEnd(b3) == inEnd;
}
