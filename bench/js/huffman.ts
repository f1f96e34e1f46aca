import { canonicalCodes } from "../../src/reference/canonical.js";

// Huffman coding in plain JavaScript: four streams side by side, symbols dealt in turn (docs/format.md, section 4.2, way 3).

/** u16[2^longest], symbol << 8 | length, found by the next bits of a stream. */
export function decodeTable(lengths: Uint8Array): Uint16Array {
  const table = new Uint16Array(1 << Math.max(...lengths));
  const codes = canonicalCodes(lengths);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    for (let index = codes[symbol]; index < table.length; index += 1 << length) table[index] = (symbol << 8) | length;
  }
  return table;
}

/** i32[alphabet], code << 4 | length, the code's first bit lowest. */
export function encodeTable(lengths: Uint8Array): Int32Array {
  const codes = canonicalCodes(lengths);
  return Int32Array.from(lengths, (length, symbol) => (codes[symbol] << 4) | length);
}

/**
 * Decodes four streams that begin at the bytes `starts` of `input`. A load gives 25 bits or more: two codes of at most 12.
 *
 * @param words the symbols, four in each
 */
export function decode4(table: Uint16Array, input: DataView, starts: Uint32Array, count: number, out: Uint8Array, words: Int32Array): void {
  const mask = table.length - 1;
  let b0 = starts[0] << 3;
  let b1 = starts[1] << 3;
  let b2 = starts[2] << 3;
  let b3 = starts[3] << 3;
  const body = (count >>> 3) << 1;
  let o = 0;
  for (; o < body; o += 2) {
    let w0 = input.getInt32(b0 >>> 3, true) >>> (b0 & 7);
    let w1 = input.getInt32(b1 >>> 3, true) >>> (b1 & 7);
    let w2 = input.getInt32(b2 >>> 3, true) >>> (b2 & 7);
    let w3 = input.getInt32(b3 >>> 3, true) >>> (b3 & 7);
    const e0 = table[w0 & mask];
    const e1 = table[w1 & mask];
    const e2 = table[w2 & mask];
    const e3 = table[w3 & mask];
    words[o] = (e0 >>> 8) | (e1 & 0xff00) | ((e2 & 0xff00) << 8) | ((e3 & 0xff00) << 16);
    // A shift takes its count modulo 32, and the lower byte of an entry is below 32.
    w0 >>>= e0;
    w1 >>>= e1;
    w2 >>>= e2;
    w3 >>>= e3;
    const f0 = table[w0 & mask];
    const f1 = table[w1 & mask];
    const f2 = table[w2 & mask];
    const f3 = table[w3 & mask];
    words[o + 1] = (f0 >>> 8) | (f1 & 0xff00) | ((f2 & 0xff00) << 8) | ((f3 & 0xff00) << 16);
    b0 += (e0 & 15) + (f0 & 15);
    b1 += (e1 & 15) + (f1 & 15);
    b2 += (e2 & 15) + (f2 & 15);
    b3 += (e3 & 15) + (f3 & 15);
  }
  for (let i = o << 2; i < count; i++) {
    const entry = table[(input.getInt32(b0 >>> 3, true) >>> (b0 & 7)) & mask];
    out[i] = entry >>> 8;
    const b = b0 + (entry & 15);
    b0 = b1;
    b1 = b2;
    b2 = b3;
    b3 = b;
  }
}

/** Bytes of `out` that `encode4` needs, of which the streams take the first ones in the end. */
export function encodeRoom(count: number): number {
  return 4 * streamRoom(count);
}

/** Codes of at most 12 bits, and a whole word at the last byte. */
function streamRoom(count: number): number {
  return Math.ceil(((count / 4 + 1) * 12) / 8) + 8;
}

/** A pair has symbols below this. */
const PAIRED = 64;

/** i32[64][64] by the second symbol and the first, the codes of both << 5 | the length: at most 24 bits and 5. Only where all symbols are below 64. */
export function pairTable(lengths: Uint8Array): Int32Array | undefined {
  if (lengths.length > PAIRED) return undefined;
  const one = encodeTable(lengths);
  const table = new Int32Array(PAIRED * PAIRED);
  for (const [second, next] of one.entries()) {
    for (const [first, entry] of one.entries()) {
      const length = entry & 15;
      table[second * PAIRED + first] = (((entry >>> 4) | ((next >>> 4) << length)) << 5) | (length + (next & 15));
    }
  }
  return table;
}

/**
 * Encodes `symbols` as four streams side by side, none waiting for another, and moves them together; `lengths` takes their bytes. Two codes of at most 12 bits and 7 bits that
 * are held fit in 31.
 */
export function encode4(
  table: Int32Array,
  symbols: Uint8Array,
  out: DataView,
  bytes: Uint8Array,
  lengths: Uint32Array,
  pairs?: Int32Array,
): void {
  const { length } = symbols;
  const room = streamRoom(length);
  const body = length & ~7;
  let t0 = 0;
  let t1 = room;
  let t2 = 2 * room;
  let t3 = 3 * room;
  let h0 = 0;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let k0 = 0;
  let k1 = 0;
  let k2 = 0;
  let k3 = 0;
  let at = 0;
  for (; pairs !== undefined && at < body; at += 8) {
    let code = pairs[symbols[at] | (symbols[at + 4] << 6)];
    h0 |= (code >>> 5) << k0;
    k0 += code & 31;
    out.setInt32(t0, h0, true);
    t0 += k0 >>> 3;
    h0 >>>= k0 & 24;
    k0 &= 7;
    code = pairs[symbols[at + 1] | (symbols[at + 5] << 6)];
    h1 |= (code >>> 5) << k1;
    k1 += code & 31;
    out.setInt32(t1, h1, true);
    t1 += k1 >>> 3;
    h1 >>>= k1 & 24;
    k1 &= 7;
    code = pairs[symbols[at + 2] | (symbols[at + 6] << 6)];
    h2 |= (code >>> 5) << k2;
    k2 += code & 31;
    out.setInt32(t2, h2, true);
    t2 += k2 >>> 3;
    h2 >>>= k2 & 24;
    k2 &= 7;
    code = pairs[symbols[at + 3] | (symbols[at + 7] << 6)];
    h3 |= (code >>> 5) << k3;
    k3 += code & 31;
    out.setInt32(t3, h3, true);
    t3 += k3 >>> 3;
    h3 >>>= k3 & 24;
    k3 &= 7;
  }
  for (; at < body; at += 8) {
    let a = table[symbols[at]];
    let b = table[symbols[at + 4]];
    h0 |= ((a >>> 4) << k0) | ((b >>> 4) << (k0 + (a & 15)));
    k0 += (a & 15) + (b & 15);
    out.setInt32(t0, h0, true);
    t0 += k0 >>> 3;
    h0 >>>= k0 & 24;
    k0 &= 7;
    a = table[symbols[at + 1]];
    b = table[symbols[at + 5]];
    h1 |= ((a >>> 4) << k1) | ((b >>> 4) << (k1 + (a & 15)));
    k1 += (a & 15) + (b & 15);
    out.setInt32(t1, h1, true);
    t1 += k1 >>> 3;
    h1 >>>= k1 & 24;
    k1 &= 7;
    a = table[symbols[at + 2]];
    b = table[symbols[at + 6]];
    h2 |= ((a >>> 4) << k2) | ((b >>> 4) << (k2 + (a & 15)));
    k2 += (a & 15) + (b & 15);
    out.setInt32(t2, h2, true);
    t2 += k2 >>> 3;
    h2 >>>= k2 & 24;
    k2 &= 7;
    a = table[symbols[at + 3]];
    b = table[symbols[at + 7]];
    h3 |= ((a >>> 4) << k3) | ((b >>> 4) << (k3 + (a & 15)));
    k3 += (a & 15) + (b & 15);
    out.setInt32(t3, h3, true);
    t3 += k3 >>> 3;
    h3 >>>= k3 & 24;
    k3 &= 7;
  }
  const ends = [t0, t1, t2, t3];
  const held = [h0, h1, h2, h3];
  const bits = [k0, k1, k2, k3];
  let to = 0;
  for (let s = 0; s < 4; s++) {
    for (let at = body + s; at < length; at += 4) {
      const entry = table[symbols[at]];
      held[s] |= (entry >>> 4) << bits[s];
      bits[s] += entry & 15;
      out.setInt32(ends[s], held[s], true);
      ends[s] += bits[s] >>> 3;
      held[s] >>>= bits[s] & 24;
      bits[s] &= 7;
    }
    // The last symbols' byte is there already.
    const end = ends[s] + (bits[s] > 0 ? 1 : 0);
    lengths[s] = end - s * room;
    bytes.copyWithin(to, s * room, end);
    to += lengths[s];
  }
}
