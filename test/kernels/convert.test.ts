import { describe, expect, it } from "vitest";
import { halfToNumber } from "../../src/archive/codebook.js";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

const ALL_HALVES: Uint16Array = Uint16Array.from({ length: 65536 }, (_, half) => half);
const FLOAT16_INFINITY = 0x7c00;
const BFLOAT16_INFINITY = 0x7f80;

const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const halvesOf = (bytes: Uint8Array): Uint16Array => new Uint16Array(bytes.slice().buffer);
const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];
const valueOfBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0];

/** Of a dtype of 16 bits: the values half-way between neighbours, those beside them, and what all must become. */
function roundings(halfValue: (half: number) => number, infinity: number, beyond: number): { values: Float32Array; halves: Uint16Array } {
  const values: number[] = [];
  const halves: number[] = [];
  for (let half = 0; half < infinity; half++) {
    const next = half + 1 === infinity ? beyond : halfValue(half + 1);
    const middle = bitsOf((halfValue(half) + next) / 2);
    for (const sign of [0, 0x8000]) {
      values.push(...[middle - 1, middle, middle + 1].map((bits) => (sign === 0 ? 1 : -1) * valueOfBits(bits)));
      halves.push(...[half, half + (half & 1), half + 1].map((bits) => sign | bits));
    }
  }
  return { values: Float32Array.from(values), halves: Uint16Array.from(halves) };
}

describe.each(encoders)("conversions on $name", ({ kernels: load }) => {
  const kernels = load();

  it("give every float16 its value", () => {
    const values = kernels.toFloat32(bytesOf(ALL_HALVES), "F16");
    expectSame(values.subarray(0, FLOAT16_INFINITY), Float32Array.from(ALL_HALVES.subarray(0, FLOAT16_INFINITY), halfToNumber));
    for (const [half, value] of values.entries()) if (!Object.is(value, halfToNumber(half))) expect.fail(`${half} gave ${value}`);
    expectSame(values, referenceKernels.toFloat32(bytesOf(ALL_HALVES), "F16"));
  });

  it("give every bfloat16 its value", () => {
    const values = kernels.toFloat32(bytesOf(ALL_HALVES), "BF16");
    expectSame(
      new Uint32Array(values.buffer, values.byteOffset, values.length),
      Uint32Array.from(ALL_HALVES, (half) => half * 65536),
    );
  });

  it.each(["F16", "BF16"] as const)("bring every %s back, NaNs as the quiet one of their sign", (dtype) => {
    const [infinity, quiet] = dtype === "F16" ? [FLOAT16_INFINITY, 0x7e00] : [BFLOAT16_INFINITY, 0x7fc0];
    const expected = ALL_HALVES.map((half) => ((half & 0x7fff) > infinity ? (half & 0x8000) | quiet : half));
    expectSame(halvesOf(kernels.fromFloat32(kernels.toFloat32(bytesOf(ALL_HALVES), dtype), dtype)), expected);
  });

  it("round to the nearest float16, ties to even", () => {
    const { values, halves } = roundings(halfToNumber, FLOAT16_INFINITY, 65536);
    expect([...halvesOf(kernels.fromFloat32(Float32Array.of(65519.996, 65520, 2 ** -25, 1.5 * 2 ** -25), "F16"))]).toEqual([
      0x7bff, 0x7c00, 0, 1,
    ]);
    expectSame(halvesOf(kernels.fromFloat32(values, "F16")), halves);
  });

  it("round to the nearest bfloat16, ties to even", () => {
    const { values, halves } = roundings((half) => valueOfBits(half * 65536), BFLOAT16_INFINITY, 2 ** 128);
    expectSame(halvesOf(kernels.fromFloat32(values, "BF16")), halves);
  });

  it.each(LENGTHS)("convert %i values as the reference does", (length) => {
    const random = new Random(length + 80);
    for (const values of [random.weights(length), random.awkward(length), random.anyFloats(length), random.weights(length, 1e-6)]) {
      for (const dtype of ["F32", "F16", "BF16"] as const) {
        const elements = kernels.fromFloat32(values, dtype);
        expectSame(elements, referenceKernels.fromFloat32(values, dtype), dtype);
        const misaligned = new Uint8Array(elements.length + 1).subarray(1);
        misaligned.set(elements);
        expectSame(kernels.toFloat32(misaligned, dtype), referenceKernels.toFloat32(elements, dtype), dtype);
      }
    }
  });

  it("copy float32, also the bits of NaNs", () => {
    const values = new Random(81).anyFloats(5000);
    expectSame(kernels.fromFloat32(values, "F32"), bytesOf(values));
    const back = kernels.toFloat32(bytesOf(values), "F32");
    expectSame(back, values);
    expect(back.buffer).not.toBe(values.buffer);
  });

  // What bits a NaN has after a change of width is the machine's choice.
  it("widen to float64 exactly, and round back", () => {
    const random = new Random(82);
    for (const values of [random.weights(1000), random.awkward(1000), random.anyFloats(4099)]) {
      const wide = kernels.fromFloat32(values, "F64");
      expect([...new Float64Array(wide.slice().buffer)]).toEqual([...values]);
      expect([...kernels.toFloat32(wide, "F64")]).toEqual([...values]);
    }
    const doubles = Float64Array.from({ length: 5000 }, () => random.normal() * 2 ** (random.below(320) - 160));
    doubles.set([1 + 2 ** -24, 1 + 3 * 2 ** -24, 1 + 2 ** -24 + 2 ** -52, 1e39, -1e-60, 2 ** -150, 1.5 * 2 ** -150]);
    const rounded = new Float32Array(doubles.length);
    for (const [i, value] of doubles.entries()) rounded[i] = Math.fround(value);
    expectSame(kernels.toFloat32(bytesOf(doubles), "F64"), rounded);
  });
});
