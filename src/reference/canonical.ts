import { MAX_CODE_BITS } from "../archive/limits.js";

/**
 * The code of each symbol (docs/format.md, section 4.2: as in RFC 1951, section 3.2.2), its first bit lowest, as it stands in a bit string;
 * 0 where the symbol does not occur.
 */
export function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(MAX_CODE_BITS + 2);
  for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] > 0) next[lengths[symbol] + 1]++;
  for (let length = 1; length <= MAX_CODE_BITS; length++) next[length + 1] = (next[length] + next[length + 1]) << 1;
  const codes = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length > 0) codes[symbol] = reversed(next[length]++, length);
  }
  return codes;
}

function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >>> bit) & 1) << (length - 1 - bit);
  return result;
}
