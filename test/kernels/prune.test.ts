import { describe, expect, it } from "vitest";
import type { Survivors } from "../../src/kernel-types.js";
import { DENSITIES, LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";
import { WIDTHS } from "./blocks.js";

/** Survivors by looking at one element after another. */
function naive(elements: Uint8Array, width: number, survives: (i: number) => boolean): Survivors {
  const gaps: number[] = [];
  const kept: number[] = [];
  let gap = 0;
  for (let i = 0; i * width < elements.length; i++, gap++) {
    if (!survives(i)) continue;
    gaps.push(gap);
    kept.push(...elements.subarray(i * width, (i + 1) * width));
    gap = -1;
  }
  return { gaps: Uint32Array.from(gaps), elements: Uint8Array.from(kept), maxGap: Math.max(0, ...gaps) };
}

function expectSurvivors(actual: Survivors, expected: Survivors, context: string): void {
  expectSame(actual.gaps, expected.gaps, context);
  expectSame(actual.elements, expected.elements, context);
  expect(actual.maxGap, context).toBe(expected.maxGap);
}

function pruned(values: Float32Array, threshold: number): Survivors {
  return naive(new Uint8Array(values.buffer), 4, (i) => Math.abs(values[i]) > threshold);
}

describe.each(encoders)("prune on $name", ({ kernels: load }) => {
  const kernels = load();

  it("keeps what is above the threshold, not what is at it", () => {
    const { gaps, elements, maxGap } = kernels.prune(Float32Array.of(0, -0.5, 0.5, 0.75, 0, Number.NaN, -0, -2), 0.5);
    expect([...gaps]).toEqual([3, 3]);
    expect([...new Float32Array(elements.slice().buffer)]).toEqual([0.75, -2]);
    expect(maxGap).toBe(3);
  });

  it("keeps subnormals and infinities at threshold 0, and neither zeros nor NaN", () => {
    const values = Float32Array.of(0, -0, Number.NaN, 2 ** -149, -(2 ** -149), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    expect([...kernels.prune(values, 0).gaps]).toEqual([3, 0, 0, 0]);
    expect([...kernels.prune(values, Number.POSITIVE_INFINITY).gaps]).toEqual([]);
  });

  it.each(LENGTHS)("finds the survivors of %i values", (length) => {
    const random = new Random(length + 1);
    for (const density of DENSITIES) {
      const values = random.sparse(length, density);
      for (const threshold of [0, 0.01, 0.05, 10]) {
        const limit = Math.fround(threshold);
        expectSurvivors(kernels.prune(values, limit), pruned(values, limit), `density ${density}, threshold ${threshold}`);
      }
    }
    for (const values of [random.awkward(length), random.anyFloats(length)]) {
      for (const threshold of [0, 2 ** -149, 1, (2 - 2 ** -23) * 2 ** 127]) {
        expectSurvivors(kernels.prune(values, threshold), pruned(values, threshold), `awkward, threshold ${threshold}`);
      }
    }
  });

  it("finds one survivor wherever it is", () => {
    for (let at = 0; at < 70; at++) {
      const values = new Float32Array(70);
      values[at] = -3;
      expectSurvivors(kernels.prune(values, 0), pruned(values, 0), `at ${at}`);
    }
  });
});

describe.each(encoders)("compact on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(LENGTHS)("finds the elements of %i that have a bit set", (count) => {
    const random = new Random(count + 2);
    for (const width of WIDTHS) {
      for (const density of DENSITIES) {
        const elements = random.elements(count, width, density);
        const expected = naive(elements, width, (i) => elements.subarray(i * width, (i + 1) * width).some((byte) => byte !== 0));
        expectSurvivors(kernels.compact(elements, width), expected, `${width} bytes, density ${density}`);
        const misaligned = new Uint8Array(elements.length + 1).subarray(1);
        misaligned.set(elements);
        expectSurvivors(kernels.compact(misaligned, width), expected, `${width} bytes, misaligned`);
      }
    }
  });

  it("keeps -0 and NaN: their bits count", () => {
    const values = Float32Array.of(0, -0, Number.NaN);
    expect([...kernels.compact(new Uint8Array(values.buffer), 4).gaps]).toEqual([1, 0]);
  });

  it("sees every bit of an element", () => {
    for (const width of WIDTHS) {
      for (let bit = 0; bit < 8 * width; bit++) {
        const elements = new Uint8Array(3 * width);
        elements[width + (bit >>> 3)] = 1 << (bit & 7);
        expect([...kernels.compact(elements, width).gaps]).toEqual([1]);
      }
    }
  });

  it("works a block of the largest size", () => {
    const elements = new Uint8Array(2 ** 23);
    elements[elements.length - 1] = 128;
    const { gaps, maxGap } = kernels.compact(elements, 8);
    expect([[...gaps], maxGap]).toEqual([[2 ** 20 - 1], 2 ** 20 - 1]);
  });
});
