import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { type FloatDtype, MANTISSA_BITS } from "../../src/types.js";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

const DTYPES: readonly FloatDtype[] = ["F32", "F16", "BF16", "F64"];

const ELEMENT_BITS: Readonly<Record<FloatDtype, number>> = { F32: 32, F16: 16, BF16: 16, F64: 64 };

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Elements with these bits. */
function elementsOf(dtype: FloatDtype, bits: readonly bigint[]): Uint8Array {
  const width = ELEMENT_BITS[dtype];
  if (width === 64) return bytesOf(BigUint64Array.from(bits));
  const numbers = bits.map(Number);
  return bytesOf(width === 16 ? Uint16Array.from(numbers) : Uint32Array.from(numbers));
}

/** An element of these fields; a mantissa of all ones and one more carries. */
const field = (dtype: FloatDtype, sign: number, exponent: number, mantissa: bigint): bigint =>
  (BigInt(sign) << BigInt(ELEMENT_BITS[dtype] - 1)) + (BigInt(exponent) << BigInt(MANTISSA_BITS[dtype])) + mantissa;

/** The value of all that have `mantissaBits` bits that is nearest, of two the even one, by arithmetic on float64 values that hold all of these exactly. */
function nearest(value: number, mantissaBits: number, leastExponent: number, largest: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  // Math.log2 may be off by the last bit.
  let exponent = Math.max(leastExponent, Math.floor(Math.log2(Math.abs(value))) - 1);
  while (2 ** (exponent + 1) <= Math.abs(value)) exponent++;
  const unit = 2 ** (exponent - mantissaBits);
  const units = Math.abs(value) / unit;
  const down = Math.floor(units);
  const up = units - down > 0.5 || (units - down === 0.5 && down % 2 === 1);
  const rounded = up && (down + 1) * unit <= largest ? (down + 1) * unit : down * unit;
  return value < 0 ? -rounded : rounded;
}

describe.each(encoders)("roundMantissa on $name", ({ kernels: load }) => {
  const kernels = load();

  it("rounds float32 as worked by hand", () => {
    const cases: readonly (readonly [bits: number, rounded: number])[] = [
      [0x3f800000, 0x3f800000], // 1
      [0x3f807fff, 0x3f800000], // below the middle
      [0x3f804000, 0x3f800000],
      [0x3f808000, 0x3f800000], // a tie, down to the even one
      [0x3f808001, 0x3f810000],
      [0x3f818000, 0x3f820000], // a tie, up to the even one
      [0xbf818000, 0xbf820000],
      [0x3fff8000, 0x40000000], // up into the next exponent
      [0x007f8000, 0x00800000], // the largest subnormals become the least normal
      [0x00008000, 0x00000000],
      [0x00008001, 0x00010000],
      [0x80000001, 0x80000000],
      [0x7f7f7fff, 0x7f7f0000],
      [0x7f7f8000, 0x7f7f0000], // would become infinite
      [0xff7fffff, 0xff7f0000],
      [0x00000000, 0x00000000],
      [0x80000000, 0x80000000], // -0
      [0x7f800000, 0x7f800000], // infinities and NaN
      [0xff800000, 0xff800000],
      [0x7f800001, 0x7f800001],
      [0xffffffff, 0xffffffff],
    ];
    const rounded = kernels.roundMantissa(bytesOf(Uint32Array.from(cases, ([bits]) => bits)), "F32", 7);
    const expected = Uint32Array.from(cases, ([, bits]) => bits);
    expect([...new Uint32Array(rounded.slice().buffer)].map((bits) => bits.toString(16))).toEqual([...expected].map((b) => b.toString(16)));
  });

  it.each(DTYPES)("rounds ties to even, carries, and never to infinity: %s at every number of bits", (dtype) => {
    const mantissa = MANTISSA_BITS[dtype];
    const infinity = 2 ** (ELEMENT_BITS[dtype] - 1 - mantissa) - 1;
    for (let n = 1; n < mantissa; n++) {
      const unit = 1n << BigInt(mantissa - n);
      const half = unit / 2n;
      const all = (1n << BigInt(mantissa)) - 1n;
      const cases: [before: bigint, after: bigint][] = [];
      for (const sign of [0, 1]) {
        for (const exponent of [0, 1, infinity - 1]) {
          const put = (before: bigint, after: bigint): void =>
            void cases.push([field(dtype, sign, exponent, before), field(dtype, sign, exponent, after)]);
          put(half - 1n, 0n);
          put(half, 0n);
          put(half + 1n, unit);
          put(unit + half, exponent === infinity - 1 && 2n * unit > all ? unit : 2n * unit);
          put(all - (unit - 1n), all - (unit - 1n));
        }
        cases.push([field(dtype, sign, 0, all), field(dtype, sign, 1, 0n)]);
        cases.push([field(dtype, sign, infinity - 1, all), field(dtype, sign, infinity - 1, all - (unit - 1n))]);
        cases.push([field(dtype, sign, infinity, 0n), field(dtype, sign, infinity, 0n)]);
        cases.push([field(dtype, sign, infinity, all), field(dtype, sign, infinity, all)]);
        cases.push([field(dtype, sign, infinity, 1n), field(dtype, sign, infinity, 1n)]);
      }
      const before = elementsOf(
        dtype,
        cases.map(([bits]) => bits),
      );
      const after = elementsOf(
        dtype,
        cases.map(([, bits]) => bits),
      );
      expectSame(kernels.roundMantissa(before, dtype, n), after, `${n} bits`);
    }
  });

  it.each(["F16", "BF16"] as const)("gives every %s the nearest value that has so few bits", (dtype) => {
    const all = bytesOf(Uint16Array.from({ length: 65536 }, (_, bits) => bits));
    const values = kernels.toFloat32(all, dtype);
    const [leastExponent, greatest] = dtype === "F16" ? [-14, 15] : [-126, 127];
    for (let n = 1; n < MANTISSA_BITS[dtype]; n++) {
      const largest = (2 - 2 ** -n) * 2 ** greatest;
      const rounded = kernels.toFloat32(kernels.roundMantissa(all, dtype, n), dtype);
      const wrong = rounded.findIndex((value, i) => !Object.is(value, nearest(values[i], n, leastExponent, largest)));
      expect(wrong, `${n} bits`).toBe(-1);
    }
  });

  it.each([1, 7, 8, 15, 16, 22])("gives float32 the nearest values of %i bits", (n) => {
    const random = new Random(n);
    const values = Float32Array.from([...random.weights(3000), ...random.awkward(3000), ...random.weights(3000, 2 ** -130)]);
    const rounded = kernels.roundMantissa(bytesOf(values), "F32", n);
    expect([...new Float32Array(rounded.slice().buffer)]).toEqual(
      Array.from(values, (value) => nearest(value, n, -126, (2 - 2 ** -n) * 2 ** 127)),
    );
  });

  it.each(LENGTHS)("rounds %i elements of any bits as the reference does, and leaves what it was given", (length) => {
    const random = new Random(length + 31);
    for (const dtype of DTYPES) {
      const elements = random.bytes((length * ELEMENT_BITS[dtype]) / 8);
      const misaligned = new Uint8Array(elements.length + 1).subarray(1);
      misaligned.set(elements);
      for (let n = 1; n < MANTISSA_BITS[dtype]; n += 3) {
        const expected = referenceKernels.roundMantissa(elements, dtype, n);
        expectSame(kernels.roundMantissa(misaligned, dtype, n), expected, `${dtype}, ${n} bits`);
        expectSame(kernels.roundMantissa(expected, dtype, n), expected, `${dtype}, ${n} bits again`);
      }
      expectSame(misaligned.slice(), elements, dtype);
    }
  });
});
