import type { FloatDtype } from "../kernel-types.js";
import { dtypeBits, MANTISSA_BITS } from "../types.js";
import { bitsOf, bytesOf, wordsOf } from "./words.js";

// Floating dtypes. Bits are worked as integers: a NaN keeps them only so.

/** As `EncodeKernels.toFloat32` says. A NaN keeps its sign and the upper bits of its fraction, except out of F64. */
export function toFloat32(elements: Uint8Array, dtype: FloatDtype): Float32Array {
  if (dtype === "F32") return new Float32Array(elements.slice().buffer);
  if (dtype === "F64") return new Float32Array(new Float64Array(elements.slice().buffer));
  const halves = wordsOf(elements, 2);
  const values = new Float32Array(halves.length);
  const bits = bitsOf(values);
  if (dtype === "BF16") {
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i] << 16;
    return values;
  }
  for (let i = 0; i < bits.length; i++) {
    const sign = (halves[i] & 0x8000) << 16;
    const magnitude = halves[i] & 0x7fff;
    if (magnitude >= 0x7c00) bits[i] = sign | 0x7f800000 | (magnitude << 13);
    else if (magnitude >= 0x0400) bits[i] = sign | ((magnitude << 13) + (112 << 23));
    else {
      values[i] = magnitude * 2 ** -24;
      bits[i] |= sign;
    }
  }
  return values;
}

/** As `EncodeKernels.fromFloat32` says. */
export function fromFloat32(values: Float32Array, dtype: FloatDtype): Uint8Array {
  if (dtype === "F32") return bytesOf(values).slice();
  if (dtype === "F64") return bytesOf(new Float64Array(values));
  const bits = bitsOf(values);
  const halves = new Uint16Array(bits.length);
  const convert = dtype === "F16" ? float16Of : bfloat16Of;
  for (let i = 0; i < bits.length; i++) halves[i] = convert(bits[i]);
  return bytesOf(halves);
}

/** Half-way between the largest float16 and the one that would follow it: 65520. */
const FLOAT16_OVERFLOW = 0x477ff000;

/** The smallest normal float16: 2^-14. */
const FLOAT16_NORMAL = 0x38800000;

function float16Of(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= FLOAT16_OVERFLOW) return sign | 0x7c00;
  if (magnitude >= FLOAT16_NORMAL) return sign | roundedShift(magnitude - (112 << 23), 13);
  // In units of 2^-24 a float32 below 2^-14 is its significand shifted by 14 bits or more; shifted by 25 it rounds to 0.
  const shift = 126 - (magnitude >>> 23);
  return shift > 24 ? sign : sign | roundedShift((magnitude & 0x7fffff) | 0x800000, shift);
}

function bfloat16Of(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  return sign | (magnitude > 0x7f800000 ? 0x7fc0 : roundedShift(magnitude, 16));
}

/** value / 2^shift rounded to nearest, ties to even; a carry goes into the exponent above, as it must. */
function roundedShift(value: number, shift: number): number {
  const isOdd = (value >>> shift) & 1;
  return (value + (1 << (shift - 1)) - 1 + isOdd) >>> shift;
}

/** As `EncodeKernels.roundMantissa` says. */
export function roundMantissa(elements: Uint8Array, dtype: FloatDtype, mantissaBits: number): Uint8Array {
  const mantissa = MANTISSA_BITS[dtype];
  const sign = 1n << BigInt(dtypeBits(dtype) - 1);
  const infinity = sign - (1n << BigInt(mantissa));
  const unit = 1n << BigInt(mantissa - mantissaBits);
  const round = (bits: bigint): bigint => {
    const magnitude = bits & (sign - 1n);
    if (magnitude >= infinity) return bits;
    // The bits of a float and of the next larger one are neighbours, too.
    const beyond = 2n * (magnitude % unit);
    const down = magnitude - (magnitude % unit);
    const isUp = beyond > unit || (beyond === unit && (down / unit) % 2n === 1n);
    return (bits & sign) | (isUp && down + unit < infinity ? down + unit : down);
  };
  if (dtype === "F64") return bytesOf(new BigUint64Array(elements.slice().buffer).map(round));
  return bytesOf(wordsOf(elements, dtypeBits(dtype) / 8).map((bits) => Number(round(BigInt(bits)))));
}
