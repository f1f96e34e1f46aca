import type { ByteReader } from "../archive/bytes.js";
import { FormatError } from "../errors.js";
import { bitStringEnd } from "./huffman.js";

// Gap symbols: docs/format.md, section 4.6.

/** Gap symbols of one block, as they were read. */
export interface GapSymbols {
  readonly symbols: Uint8Array;
  /** Where they begin in the archive. */
  readonly offset: number;
  readonly survivors: number;
  /** Elements of the block. */
  readonly elements: number;
}

/** Where the survivors stand in the block, ascending. The symbols count survivors and fillers. */
export function placesOfFillers(gaps: GapSymbols, filler: number): Uint32Array {
  const { symbols, offset, survivors, elements } = gaps;
  const places = new Uint32Array(survivors);
  let place = 0;
  let found = 0;
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i];
    place += symbol;
    if (symbol === filler) continue;
    if (found === survivors) throw new FormatError("CORRUPT", offset, `gap symbols: more than ${survivors} survivors`);
    places[found++] = place++;
  }
  if (found < survivors) throw new FormatError("CORRUPT", offset, `gap symbols: ${found} survivors, not ${survivors}`);
  if (symbols[symbols.length - 1] === filler) throw new FormatError("CORRUPT", offset, "gap symbols: the last is a filler");
  // Places rise, and 2^20 symbols of at most 255 are far below 2^32: looking at the last is enough.
  if (place > elements) throw new FormatError("CORRUPT", offset, `gap symbols: a survivor beyond ${elements} elements`);
  return places;
}

/** Where the survivors stand in the block, ascending. Reads the extra bits. */
export function placesOfEscapes(reader: ByteReader, gaps: GapSymbols, exponent: number): Uint32Array {
  const { symbols, offset, survivors, elements } = gaps;
  const bytes = reader.bytes.subarray(reader.position);
  const places = new Uint32Array(survivors);
  const least = 1 << exponent;
  let bit = 0;
  let place = 0;
  for (let i = 0; i < survivors; i++) {
    const symbol = symbols[i];
    if (symbol < least) place += symbol;
    else {
      // The gap's highest bit is `width`, the next one is in the symbol, and width - 1 are extra bits: at most 18.
      const width = exponent + ((symbol - least) >>> 1);
      const leading = 2 + ((symbol - least) & 1);
      place += (leading << (width - 1)) | bitsAt(bytes, bit, width - 1);
      bit += width - 1;
    }
    if (place >= elements) throw new FormatError("CORRUPT", offset, `gap symbols: a survivor beyond ${elements} elements`);
    places[i] = place++;
  }
  reader.take(bitStringEnd(bytes, bit, reader.offset, "extra bits"), "extra bits");
  return places;
}

/** `count` bits, at most 18; zeros past the end, where the caller finds out that bits were missing. */
function bitsAt(bytes: Uint8Array, bit: number, count: number): number {
  const byte = bit >>> 3;
  const low = byte < bytes.length ? bytes[byte] : 0;
  const middle = byte + 1 < bytes.length ? bytes[byte + 1] : 0;
  const high = byte + 2 < bytes.length ? bytes[byte + 2] : 0;
  const top = byte + 3 < bytes.length ? bytes[byte + 3] : 0;
  return ((low | (middle << 8) | (high << 16) | (top << 24)) >>> (bit & 7)) & ((1 << count) - 1);
}

/** As `EncodeKernels.fillGaps` says. */
export function fillGaps(gaps: Uint32Array, filler: number): Uint8Array {
  let count = gaps.length;
  for (let i = 0; i < gaps.length; i++) count += Math.floor(gaps[i] / filler);
  const symbols = new Uint8Array(count);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    let gap = gaps[i];
    for (; gap >= filler; gap -= filler) symbols[at++] = filler;
    symbols[at++] = gap;
  }
  return symbols;
}

/** As `EncodeKernels.escapeGaps` says. */
export function escapeGaps(gaps: Uint32Array, exponent: number): { symbols: Uint8Array; extra: Uint8Array } {
  const least = 1 << exponent;
  const symbols = new Uint8Array(gaps.length);
  let extraBits = 0;
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i];
    if (gap < least) {
      symbols[i] = gap;
      continue;
    }
    const width = 31 - Math.clz32(gap);
    symbols[i] = least + 2 * (width - exponent) + ((gap >>> (width - 1)) & 1);
    extraBits += width - 1;
  }
  const extra = new Uint8Array(Math.ceil(extraBits / 8));
  let at = 0;
  let held = 0;
  let heldBits = 0;
  for (let i = 0; i < gaps.length; i++) {
    const gap = gaps[i];
    if (gap < least) continue;
    const width = 31 - Math.clz32(gap);
    // At most 18 bits beside 7 that are held.
    held |= (gap & ((1 << (width - 1)) - 1)) << heldBits;
    heldBits += width - 1;
    for (; heldBits >= 8; heldBits -= 8) {
      extra[at++] = held;
      held >>>= 8;
    }
  }
  if (heldBits > 0) extra[at] = held;
  return { symbols, extra };
}
