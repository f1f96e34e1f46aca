import { describe, expect, it } from "vitest";
import type { Sifted } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import { DENSITIES, LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

/** Every length up to 70, and some beyond. */
const SIFTED: readonly number[] = [...new Set([...Array.from({ length: 71 }, (_, length) => length), ...LENGTHS, 70_001])];

/** The sums in the lanes that `Stats` names, over `values` with 0 for those that are left out. */
function inLanes(values: readonly number[], of: (value: number) => number): number {
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => values.reduce((sum, value, i) => (i % 4 === lane ? sum + of(value) : sum), 0));
  return a + b + (c + d);
}

function naive(values: Float32Array, threshold: number): Omit<Sifted, "gaps" | "elements" | "maxGap"> {
  const limit = Math.fround(threshold);
  const finite = Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
  const pruned = finite.map((value) => (Math.abs(value) > limit ? 0 : value));
  return {
    nonFinite: values.filter((value) => !Number.isFinite(value)).length,
    nonZero: new Uint32Array(values.buffer).filter((bits) => bits !== 0).length,
    sumOfSquares: inLanes(finite, (value) => value * value),
    prunedSquares: inLanes(pruned, (value) => value * value),
    prunedMax: pruned.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
  };
}

function expectSifted(actual: Sifted, values: Float32Array, threshold: number, context: string): void {
  const { gaps, elements, ...totals } = actual;
  const { gaps: expectedGaps, elements: expectedElements, maxGap } = referenceKernels.prune(values, Math.fround(threshold));
  expectSame(gaps, expectedGaps, context);
  expectSame(elements, expectedElements, context);
  expect(totals, context).toEqual({ ...naive(values, threshold), maxGap });
}

describe.each(encoders)("sift on $name", ({ kernels: load }) => {
  const kernels = load();

  it("is as worked by hand", () => {
    const values = Float32Array.of(0, -0.5, 0.5, 0.75, 0, Number.NaN, -0, -2, Number.POSITIVE_INFINITY, 1);
    const { gaps, elements, ...totals } = kernels.sift(values, 0.5);
    expect([...gaps]).toEqual([3, 3, 0, 0]);
    expect([...new Float32Array(elements.slice().buffer)]).toEqual([0.75, -2, Number.POSITIVE_INFINITY, 1]);
    const sumOfSquares = 0.25 + 0.25 + 0.5625 + 4 + 1;
    expect(totals).toEqual({ maxGap: 3, nonFinite: 2, nonZero: 8, sumOfSquares, prunedSquares: 0.5, prunedMax: 0.5 });
  });

  it.each(SIFTED)("finds survivors and sums of %i values", (length) => {
    const random = new Random(length + 1);
    for (const density of DENSITIES) {
      const values = random.sparse(length, density);
      for (const threshold of [0, 0.05, 10]) expectSifted(kernels.sift(values, threshold), values, threshold, `density ${density}`);
    }
    const subnormal = random.weights(length, 2 ** -130);
    for (const values of [random.awkward(length), random.anyFloats(length), random.weights(length, 1e30), subnormal]) {
      for (const threshold of [0, 2 ** -149, 2 ** -130, 1, (2 - 2 ** -23) * 2 ** 127, Number.POSITIVE_INFINITY]) {
        expectSifted(kernels.sift(values, threshold), values, threshold, `threshold ${threshold}`);
      }
    }
  });

  it("finds one survivor wherever it is, and one value that is not finite", () => {
    for (let at = 0; at < 140; at++) {
      const values = new Float32Array(140).fill(0.25);
      for (const odd of [-3, Number.NaN, Number.NEGATIVE_INFINITY]) {
        values[at] = odd;
        expectSifted(kernels.sift(values, 1), values, 1, `${odd} at ${at}`);
      }
    }
  });

  it("rounds the threshold to float32", () => {
    const values = Float32Array.of(0.1, Math.fround(0.1) + 2 ** -27);
    expectSifted(kernels.sift(values, 0.1), values, 0.1, "0.1");
  });

  it("does as prune and stats do", () => {
    const random = new Random(5);
    for (const values of [random.sparse(5000, 0.4), random.awkward(5000), random.weights(5000, 1e-3)]) {
      const sifted = kernels.sift(values, 0.01);
      expect(sifted).toMatchObject(kernels.prune(values, 0.01));
      const { sum: _, ...sums } = kernels.stats(values);
      expect(sifted).toMatchObject(sums);
    }
  });

  it("works a block of the largest size", () => {
    const values = new Float32Array(2 ** 20);
    values[values.length - 1] = 2;
    expectSifted(kernels.sift(values, 1), values, 1, "one survivor");
    expectSifted(kernels.sift(values.fill(3), 1), values, 1, "all survive");
  });
});
