import { FormatError } from "../errors.js";
import type { SymbolCoding } from "../kernel-types.js";
import type { BitReader, BitWriter } from "./bits.js";
import { MAX_CODE_BITS } from "./limits.js";
import { readGamma, readStep, writeExplicit, writeGamma, writeStep } from "./steps.js";

// How symbols are coded: docs/format.md, section 4.2.

const EXPLICIT_BITS = 4;
const FULL: number = 1 << MAX_CODE_BITS;
const NO_LENGTHS: Uint8Array = new Uint8Array(0);

function firstLength(alphabet: number): number {
  return Math.max(1, 32 - Math.clz32(alphabet - 1));
}

export function readSymbolCoding(bits: BitReader, alphabet: number, what: string): SymbolCoding {
  const way = bits.bits(2, what) as SymbolCoding["way"];
  let symbol = 0;
  let lengths = NO_LENGTHS;
  if (way === 1) {
    symbol = bits.bits(8, what);
    if (symbol >= alphabet) throw new FormatError("CORRUPT", bits.offset, `${what}: symbol ${symbol} is not below ${alphabet}`);
  } else if (way > 1) {
    lengths = readLengths(bits, alphabet, what);
  }
  return { way, symbol, lengths, alphabet };
}

function readLengths(bits: BitReader, alphabet: number, what: string): Uint8Array {
  const lengths = new Uint8Array(alphabet);
  let last = firstLength(alphabet);
  let used = 0;
  for (let symbol = 0; used < FULL; ) {
    if (symbol >= alphabet) throw new FormatError("CORRUPT", bits.offset, `${what}: the code is incomplete`);
    const length = readStep(bits, last, EXPLICIT_BITS, what);
    if (length === 0) {
      symbol += readGamma(bits, alphabet - symbol, what);
      continue;
    }
    if (length > MAX_CODE_BITS) throw new FormatError("CORRUPT", bits.offset, `${what}: a code length of ${length}`);
    lengths[symbol++] = length;
    used += FULL >> length;
    if (used > FULL) throw new FormatError("CORRUPT", bits.offset, `${what}: the code is over-full`);
    last = length;
  }
  return lengths;
}

export function writeSymbolCoding(bits: BitWriter, coding: SymbolCoding): void {
  bits.bits(coding.way, 2);
  if (coding.way === 1) bits.bits(coding.symbol, 8);
  if (coding.way <= 1) return;
  const { lengths, alphabet } = coding;
  let last = firstLength(alphabet);
  let used = 0;
  for (let symbol = 0; used < FULL; ) {
    const length = lengths[symbol];
    if (length > 0) {
      writeStep(bits, length, last, EXPLICIT_BITS);
      used += FULL >> length;
      last = length;
      symbol++;
      continue;
    }
    const start = symbol;
    while (lengths[symbol] === 0) symbol++;
    writeExplicit(bits, 0, EXPLICIT_BITS);
    writeGamma(bits, symbol - start);
  }
}
