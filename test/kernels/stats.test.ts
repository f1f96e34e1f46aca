import { describe, expect, it } from "vitest";
import type { EncodeKernels, Stats } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import { DENSITIES, LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

/** Sums in the lanes that `EncodeKernels.stats` names, in its own words. */
function naive(values: Float32Array): Stats {
  const bits = new Uint32Array(values.buffer);
  const lanes = [0, 1, 2, 3].map((lane) =>
    [...values].filter((_, i) => i % 4 === lane).map((value) => (Number.isFinite(value) ? value : 0)),
  );
  const total = (of: (value: number) => number): number => {
    const [a, b, c, d] = lanes.map((lane) => lane.reduce((sum, value) => sum + of(value), 0));
    return a + b + (c + d);
  };
  return {
    sum: total((value) => value),
    sumOfSquares: total((value) => value * value),
    nonFinite: values.filter((value) => !Number.isFinite(value)).length,
    nonZero: bits.filter((word) => word !== 0).length,
  };
}

/** The k-th smallest magnitude (k from 0), by two histograms, as pruning to a wanted sparsity finds it. */
function select(kernels: EncodeKernels, values: Float32Array, k: number): number {
  const upper = new Uint32Array(65536);
  kernels.magnitudeHistogram(values, 0, 0, upper);
  let prefix = 0;
  let before = 0;
  while (before + upper[prefix] <= k) before += upper[prefix++];
  const lower = new Uint32Array(65536);
  kernels.magnitudeHistogram(values, 1, prefix, lower);
  let rest = 0;
  while (before + lower[rest] <= k) before += lower[rest++];
  return new Float32Array(Uint32Array.of((prefix << 15) | rest).buffer)[0];
}

describe.each(encoders)("stats on $name", ({ kernels: load }) => {
  const kernels = load();

  it("is as worked by hand", () => {
    expect(kernels.stats(Float32Array.of(1, 2, 3, 4, -5))).toEqual({ sum: 5, sumOfSquares: 55, nonFinite: 0, nonZero: 5 });
    const values = Float32Array.of(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY);
    expect(kernels.stats(values)).toEqual({ sum: 2, sumOfSquares: 4, nonFinite: 3, nonZero: 5 });
    expect(kernels.stats(new Float32Array(0))).toEqual({ sum: 0, sumOfSquares: 0, nonFinite: 0, nonZero: 0 });
  });

  it.each(LENGTHS)("sums %i values in the order that the interface names", (length) => {
    const random = new Random(length + 1);
    const inputs = DENSITIES.map((density) => random.sparse(length, density));
    for (const values of [...inputs, random.awkward(length), random.anyFloats(length), random.weights(length, 1e30)]) {
      const found = kernels.stats(values);
      expect(found).toEqual(naive(values));
      expect(found).toEqual(referenceKernels.stats(values));
    }
  });
});

describe.each(encoders)("magnitudeHistogram on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(LENGTHS)("adds %i values to their bins", (length) => {
    const random = new Random(length + 2);
    for (const values of [random.weights(length), random.awkward(length), random.anyFloats(length)]) {
      const magnitudes = [...new Uint32Array(values.buffer)].map((bits) => bits & 0x7fffffff);
      const upper = new Uint32Array(65536).fill(3);
      kernels.magnitudeHistogram(values, 0, 0, upper);
      const expected = new Uint32Array(65536).fill(3);
      for (const magnitude of magnitudes) expected[magnitude >>> 15]++;
      expectSame(upper, expected);
      for (const prefix of [0, (magnitudes[0] ?? 0) >>> 15, 0x7f800000 >>> 15]) {
        const lower = new Uint32Array(65536).fill(5);
        kernels.magnitudeHistogram(values, 1, prefix, lower);
        const expectedLower = new Uint32Array(65536).fill(5);
        for (const magnitude of magnitudes) if (magnitude >>> 15 === prefix) expectedLower[magnitude & 0x7fff]++;
        expectSame(lower, expectedLower);
      }
    }
  });

  it("selects every order statistic", () => {
    const random = new Random(40);
    for (const values of [random.weights(50), random.sparse(60, 0.3), Float32Array.from({ length: 40 }, () => random.below(3) / 7)]) {
      const sorted = values.map(Math.abs).sort();
      for (let k = 0; k < values.length; k++) expect(select(kernels, values, k)).toBe(sorted[k]);
    }
  });
});

describe.each(encoders)("floatHistogram on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(LENGTHS)("adds %i values to their bins", (length) => {
    const random = new Random(length + 3);
    for (const values of [random.weights(length), random.awkward(length), random.anyFloats(length)]) {
      const counts = new Uint32Array(65536).fill(2);
      const lows = new Float64Array(65536).fill(2 ** 40);
      kernels.floatHistogram(values, counts, lows);
      const expectedCounts = new Uint32Array(65536).fill(2);
      const expectedLows = new Float64Array(65536).fill(2 ** 40);
      for (const bits of new Uint32Array(values.buffer)) {
        expectedCounts[bits >>> 16]++;
        expectedLows[bits >>> 16] += bits % 65536;
      }
      expectSame(counts, expectedCounts);
      expectSame(lows, expectedLows);
    }
  });
});

describe.each(encoders)("histogram on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(LENGTHS)("counts %i bytes", (length) => {
    const random = new Random(length + 4);
    for (const bytes of [random.bytes(length), random.symbols(length, 256, 0.9), new Uint8Array(length).fill(255)]) {
      const counts = new Uint32Array(256);
      for (const byte of bytes) counts[byte]++;
      expectSame(kernels.histogram(bytes), counts);
    }
  });
});
