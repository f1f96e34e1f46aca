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

/** u32[alphabet], code << 4 | length, the code's first bit lowest. */
export function encodeTable(lengths: Uint8Array): Uint32Array {
  const codes = canonicalCodes(lengths);
  return Uint32Array.from(lengths, (length, symbol) => (codes[symbol] << 4) | length);
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

/**
 * Encodes `symbols` as four streams, one after another; `lengths` takes their bytes. Two codes of at most 12 bits and 7 bits that are held fit in 31.
 */
export function encode4(table: Uint32Array, symbols: Uint8Array, out: DataView, lengths: Uint32Array): void {
  const { length } = symbols;
  let to = 0;
  for (let stream = 0; stream < 4; stream++) {
    const start = to;
    let held = 0;
    let bits = 0;
    let at = stream;
    for (; at + 4 < length; at += 8) {
      const a = table[symbols[at]];
      const b = table[symbols[at + 4]];
      held |= (a >>> 4) << bits;
      bits += a & 15;
      held |= (b >>> 4) << bits;
      bits += b & 15;
      out.setInt32(to, held, true);
      to += bits >>> 3;
      held >>>= bits & 24;
      bits &= 7;
    }
    if (at < length) {
      const a = table[symbols[at]];
      held |= (a >>> 4) << bits;
      bits += a & 15;
      out.setInt32(to, held, true);
      to += bits >>> 3;
      bits &= 7;
    }
    if (bits > 0) to++;
    lengths[stream] = to - start;
  }
}
