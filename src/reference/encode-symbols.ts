import { ByteWriter } from "../archive/bytes.js";
import type { SymbolCoding } from "../kernel-types.js";
import { canonicalCodes } from "./canonical.js";

// Coded symbols: docs/format.md, section 4.2.

const STREAMS = 4;

/** An entry of an encoding table is `code << 4 | length`; lengths are at most 12. */
const LENGTH_BITS = 4;
const LENGTH_MASK = 15;

/** As `EncodeKernels.encodeSymbols` says. Each symbol has a code: the caller made the code for these symbols. */
export function encodeSymbols(symbols: Uint8Array, coding: SymbolCoding): Uint8Array {
  if (coding.way === 0) return symbols.slice();
  if (coding.way === 1) return new Uint8Array(0);
  const codes = canonicalCodes(coding.lengths);
  const table = new Uint16Array(coding.alphabet);
  for (let symbol = 0; symbol < table.length; symbol++) table[symbol] = (codes[symbol] << LENGTH_BITS) | coding.lengths[symbol];
  if (coding.way === 2) return encodeStream(symbols, 0, 1, table);
  const out = new ByteWriter();
  const streams: Uint8Array[] = [];
  for (let s = 0; s < STREAMS; s++) streams.push(encodeStream(symbols, s, STREAMS, table));
  for (const stream of streams) out.varint(stream.length);
  for (const stream of streams) out.bytes(stream);
  return out.finish();
}

/** The codes of every `step`-th symbol from `first` on, as a bit string. */
function encodeStream(symbols: Uint8Array, first: number, step: number, table: Uint16Array): Uint8Array {
  let bits = 0;
  for (let i = first; i < symbols.length; i += step) bits += table[symbols[i]] & LENGTH_MASK;
  const stream = new Uint8Array(Math.ceil(bits / 8));
  let at = 0;
  let held = 0;
  let heldBits = 0;
  for (let i = first; i < symbols.length; i += step) {
    const entry = table[symbols[i]];
    // At most 12 bits beside 15 that are held.
    held |= (entry >>> LENGTH_BITS) << heldBits;
    heldBits += entry & LENGTH_MASK;
    if (heldBits >= 16) {
      stream[at] = held;
      stream[at + 1] = held >>> 8;
      at += 2;
      held >>>= 16;
      heldBits -= 16;
    }
  }
  for (; heldBits > 0; heldBits -= 8) {
    stream[at++] = held;
    held >>>= 8;
  }
  return stream;
}
