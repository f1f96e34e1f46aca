import { FormatError } from "../errors.js";
import type { BitReader, BitWriter } from "./bits.js";

// Sequences whose members are close to the one before: code lengths and the widths of codebook differences (docs/format.md, sections 4.2 and 4.3).

/** Next member: 0 as it was, 10s one more or less, 110s two, 111 and `explicitBits` bits the value itself. Only so can it be 0. */
export function readStep(bits: BitReader, last: number, explicitBits: number, what: string): number {
  if (bits.bit(what) === 0) return last;
  for (let step = 1; step <= 2; step++) {
    if (bits.bit(what) === 1) continue;
    const value = bits.bit(what) === 0 ? last + step : last - step;
    if (value < 1) throw new FormatError("CORRUPT", bits.offset, `${what}: a step below 1`);
    return value;
  }
  return bits.bits(explicitBits, what);
}

export function writeStep(bits: BitWriter, value: number, last: number, explicitBits: number): void {
  const step = Math.abs(value - last);
  if (step === 0) bits.bits(0, 1);
  else if (step <= 2) bits.bits(step === 1 ? 0b01 : 0b011, step + 1).bits(value < last ? 1 : 0, 1);
  else writeExplicit(bits, value, explicitBits);
}

export function writeExplicit(bits: BitWriter, value: number, explicitBits: number): void {
  bits.bits(0b111, 3).bits(value, explicitBits);
}

/** Elias gamma: an integer of at least 1. */
export function readGamma(bits: BitReader, most: number, what: string): number {
  let width = 0;
  while (bits.bit(what) === 0) {
    width++;
    if (2 ** width > most) throw new FormatError("CORRUPT", bits.offset, `${what} counts more than ${most}`);
  }
  const value = (1 << width) + bits.bits(width, what);
  if (value > most) throw new FormatError("CORRUPT", bits.offset, `${what} counts more than ${most}`);
  return value;
}

export function writeGamma(bits: BitWriter, value: number): void {
  const width = 31 - Math.clz32(value);
  bits.bits(0, width).bits(1, 1).bits(value, width);
}
