import { firstCodes, reverse } from "./decode";

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
 * How often each byte occurs.
 *
 * Layout     bytes   u8[count]
 *            counts  u32[256]    written
 *            lanes   u32[1024]   scratch
 * Reads      nothing past the lengths above.
 * Order      exact integers; four tables in turn, so that runs of one byte do not wait for their own stores.
 */
export function histogram(bytes: usize, count: usize, counts: usize, lanes: usize): void {
  memory.fill(lanes, 0, 4096);
  const body = count & ~3;
  let i: usize = 0;
  for (; i < body; i += 4) {
    const four = load<u32>(bytes + i);
    bump(lanes, four & 255);
    bump(lanes + 1024, (four >> 8) & 255);
    bump(lanes + 2048, (four >> 16) & 255);
    bump(lanes + 3072, four >> 24);
  }
  for (; i < count; i++) bump(lanes, load<u8>(bytes + i));
  for (let at: usize = 0; at < 1024; at += 4) {
    const sum = load<u32>(lanes + at) + load<u32>(lanes + at, 1024) + load<u32>(lanes + at, 2048) + load<u32>(lanes + at, 3072);
    store<u32>(counts + at, sum);
  }
}

// @ts-ignore: decorator
@inline
function bump(counts: usize, byte: u32): void {
  const at = counts + ((<usize>byte) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * bytes[i] = table[bytes[i]], in place.
 *
 * Layout     bytes  u8[count]
 *            table  u8[256]
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function mapBytes(bytes: usize, count: usize, table: usize): void {
  for (let at = bytes; at < bytes + count; at++) store<u8>(at, load<u8>(table + <usize>load<u8>(at)));
}

/**
 * One byte of each element.
 *
 * Layout     elements  the byte's address in the first element, the next one elementBytes further
 *            out       u8[count]
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function splitPlane(elements: usize, count: usize, elementBytes: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<u8>(out + i, load<u8>(elements + i * elementBytes));
}
