import type { ByteReader } from "../archive/bytes.js";
import { MAX_CODE_BITS } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import type { SymbolCoding } from "../kernel-types.js";
import { canonicalCodes } from "./canonical.js";

// Coded symbols: docs/format.md, section 4.2.

const STREAMS = 4;

/** An entry of a decoding table is `symbol << 4 | length`; lengths are at most 12. */
const LENGTH_BITS = 4;
const LENGTH_MASK = 15;

/** A load of 32 bits from the byte of a bit holds this many from the bit on: two codes of at most 12. */
const LOAD_BITS = 25;

/** Tables by their coding: the blocks of a record share one. */
const tables = new WeakMap<SymbolCoding, Uint16Array>();

/** The decoding table: 2^longest entries, found by the next bits of a stream. */
function tableOf(coding: SymbolCoding): Uint16Array {
  let table = tables.get(coding);
  if (table === undefined) {
    const { lengths } = coding;
    let longest = 0;
    for (let symbol = 0; symbol < lengths.length; symbol++) longest = Math.max(longest, lengths[symbol]);
    table = new Uint16Array(1 << longest);
    const codes = canonicalCodes(lengths);
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === 0) continue;
      const entry = (symbol << LENGTH_BITS) | lengths[symbol];
      for (let index = codes[symbol]; index < table.length; index += 1 << lengths[symbol]) table[index] = entry;
    }
    tables.set(coding, table);
  }
  return table;
}

/**
 * The next `count` symbols of a block. `what` names them in errors.
 *
 * @throws FormatError `TRUNCATED` where the block ends before them, `CORRUPT`
 */
export function decodeSymbols(reader: ByteReader, coding: SymbolCoding, count: number, what: string): Uint8Array {
  if (coding.way === 0) return decodeRaw(reader, coding.alphabet, count, what);
  if (coding.way === 1) return new Uint8Array(count).fill(coding.symbol);
  return coding.way === 2 ? decodeOneStream(reader, coding, count, what) : decodeFourStreams(reader, coding, count, what);
}

function decodeRaw(reader: ByteReader, alphabet: number, count: number, what: string): Uint8Array {
  const start = reader.offset;
  const symbols = reader.take(count, what);
  if (alphabet > 255) return symbols;
  for (let i = 0; i < count; i++) {
    if (symbols[i] >= alphabet) throw new FormatError("CORRUPT", start + i, `${what}: symbol ${symbols[i]} is not below ${alphabet}`);
  }
  return symbols;
}

function decodeOneStream(reader: ByteReader, coding: SymbolCoding, count: number, what: string): Uint8Array {
  const { left } = reader;
  const end = reader.base + reader.bytes.length;
  // A symbol takes a bit or more: nothing is allocated for symbols that the bytes cannot hold.
  if (count > 8 * left) throw new FormatError("TRUNCATED", end, `${what}: ${left} bytes for ${count} symbols`);
  const bytes = reader.bytes.subarray(reader.position, reader.position + Math.min(left, mostBytes(count)));
  const symbols = new Uint8Array(count);
  const endBit = decodeStream(tableOf(coding), bytes, 0, bytes.length, symbols, 0, 1);
  if (endBit < 0) throw new FormatError("TRUNCATED", end, `${what}: the stream is cut off`);
  reader.take(bitStringEnd(bytes, endBit, reader.offset, what), what);
  return symbols;
}

function decodeFourStreams(reader: ByteReader, coding: SymbolCoding, count: number, what: string): Uint8Array {
  const lengths = [0, 1, 2, 3].map(() => reader.varint(`${what}: the length of a stream`));
  const total = lengths[0] + lengths[1] + lengths[2] + lengths[3];
  const { offset } = reader;
  const bytes = reader.take(total, what);
  if (count > 8 * total || total > mostBytes(count) + STREAMS) {
    throw new FormatError("CORRUPT", offset, `${what}: ${total} bytes for ${count} symbols`);
  }
  const ends = new Int32Array(STREAMS);
  const bits = new Int32Array(STREAMS);
  for (let s = 0, end = 0; s < STREAMS; s++) {
    bits[s] = 8 * end;
    ends[s] = end += lengths[s];
  }
  const symbols = new Uint8Array(count);
  const table = tableOf(coding);
  const done = decodeStreams(table, bytes, bits, ends, symbols);
  for (let s = 0; s < STREAMS; s++) {
    const endBit = decodeStream(table, bytes, bits[s], ends[s], symbols, done + s, STREAMS);
    if (endBit < 0) throw new FormatError("CORRUPT", offset + ends[s], `${what}: stream ${s} ends within its symbols`);
    const end = bitStringEnd(bytes, endBit, offset, what);
    if (end !== ends[s]) throw new FormatError("CORRUPT", offset + end, `${what}: stream ${s} goes on after its symbols`);
  }
  return symbols;
}

/** Bytes that the codes of `count` symbols fill at most. */
function mostBytes(count: number): number {
  return Math.ceil((MAX_CODE_BITS * count) / 8);
}

/** The byte after a bit string whose last bit is before `endBit`; the bits left over in its last byte are zero. `offset` is where `bytes` begins. */
export function bitStringEnd(bytes: Uint8Array, endBit: number, offset: number, what: string): number {
  const byte = endBit >>> 3;
  const used = endBit & 7;
  if (used === 0) return byte;
  if (bytes[byte] >>> used !== 0) throw new FormatError("CORRUPT", offset + byte, `${what}: the bits after the last are not zero`);
  return byte + 1;
}

/**
 * Decodes a stream, whose next bit is `bit` and which ends before byte `end`, into every `step`-th byte of `out` from `at` on.
 *
 * @returns the bit after the last code; -1 where the stream ends before it. Bits count from the beginning of `bytes`.
 */
function decodeStream(table: Uint16Array, bytes: Uint8Array, bit: number, end: number, out: Uint8Array, at: number, step: number): number {
  const mask = table.length - 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyEnd = out.length - step;
  const lastLoad = 8 * end - LOAD_BITS;
  let b = bit;
  let o = at;
  for (; o < bodyEnd && b <= lastLoad; o += 2 * step) {
    const window = view.getInt32(b >>> 3, true) >>> (b & 7);
    const first = table[window & mask];
    const second = table[(window >>> (first & LENGTH_MASK)) & mask];
    out[o] = first >>> LENGTH_BITS;
    out[o + step] = second >>> LENGTH_BITS;
    b += (first & LENGTH_MASK) + (second & LENGTH_MASK);
  }
  for (; o < out.length; o += step) {
    const byte = b >>> 3;
    const low = byte < end ? bytes[byte] : 0;
    const middle = byte + 1 < end ? bytes[byte + 1] : 0;
    const high = byte + 2 < end ? bytes[byte + 2] : 0;
    const entry = table[((low | (middle << 8) | (high << 16)) >>> (b & 7)) & mask];
    b += entry & LENGTH_MASK;
    if (b > 8 * end) return -1;
    out[o] = entry >>> LENGTH_BITS;
  }
  return b;
}

/**
 * Decodes four streams side by side for as long as none of them is near its end: none has to wait for the look-ups of another.
 * `bits` has the next bit of each, and is moved on; `ends` has the bytes where they end.
 *
 * @returns how many symbols of `out` are there then, a multiple of four
 */
function decodeStreams(table: Uint16Array, bytes: Uint8Array, bits: Int32Array, ends: Int32Array, out: Uint8Array): number {
  const mask = table.length - 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyEnd = out.length - 2 * STREAMS;
  const last0 = 8 * ends[0] - LOAD_BITS;
  const last1 = 8 * ends[1] - LOAD_BITS;
  const last2 = 8 * ends[2] - LOAD_BITS;
  const last3 = 8 * ends[3] - LOAD_BITS;
  let b0 = bits[0];
  let b1 = bits[1];
  let b2 = bits[2];
  let b3 = bits[3];
  let o = 0;
  for (; o <= bodyEnd && b0 <= last0 && b1 <= last1 && b2 <= last2 && b3 <= last3; o += 2 * STREAMS) {
    const w0 = view.getInt32(b0 >>> 3, true) >>> (b0 & 7);
    const w1 = view.getInt32(b1 >>> 3, true) >>> (b1 & 7);
    const w2 = view.getInt32(b2 >>> 3, true) >>> (b2 & 7);
    const w3 = view.getInt32(b3 >>> 3, true) >>> (b3 & 7);
    const e0 = table[w0 & mask];
    const e1 = table[w1 & mask];
    const e2 = table[w2 & mask];
    const e3 = table[w3 & mask];
    const f0 = table[(w0 >>> (e0 & LENGTH_MASK)) & mask];
    const f1 = table[(w1 >>> (e1 & LENGTH_MASK)) & mask];
    const f2 = table[(w2 >>> (e2 & LENGTH_MASK)) & mask];
    const f3 = table[(w3 >>> (e3 & LENGTH_MASK)) & mask];
    out[o] = e0 >>> LENGTH_BITS;
    out[o + 1] = e1 >>> LENGTH_BITS;
    out[o + 2] = e2 >>> LENGTH_BITS;
    out[o + 3] = e3 >>> LENGTH_BITS;
    out[o + 4] = f0 >>> LENGTH_BITS;
    out[o + 5] = f1 >>> LENGTH_BITS;
    out[o + 6] = f2 >>> LENGTH_BITS;
    out[o + 7] = f3 >>> LENGTH_BITS;
    b0 += (e0 & LENGTH_MASK) + (f0 & LENGTH_MASK);
    b1 += (e1 & LENGTH_MASK) + (f1 & LENGTH_MASK);
    b2 += (e2 & LENGTH_MASK) + (f2 & LENGTH_MASK);
    b3 += (e3 & LENGTH_MASK) + (f3 & LENGTH_MASK);
  }
  bits.set([b0, b1, b2, b3]);
  return o;
}
