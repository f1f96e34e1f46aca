import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { log2 } from "../../src/reference/log2.js";
import { Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

/** The squared error and the bits of the cells that end at `ends`, each from its own points. */
function costOf(
  points: ArrayLike<number>,
  weights: ArrayLike<number>,
  ends: ArrayLike<number>,
): { error: number; bits: number; cells: number } {
  const total = Array.from(weights).reduce((sum, weight) => sum + weight, 0);
  let [error, bits, from] = [0, 0, 0];
  for (const to of Array.from(ends)) {
    let [weight, sum] = [0, 0];
    for (let i = from; i < to; i++) {
      weight += weights[i];
      sum += weights[i] * points[i];
    }
    for (let i = from; i < to; i++) error += weights[i] * (points[i] - sum / weight) ** 2;
    bits += weight * Math.log2(total / weight);
    from = to;
  }
  return { error, bits, cells: ends.length };
}

/** Every way to cut n points into cells. */
function* cuts(n: number): Generator<number[]> {
  for (let mask = 0; mask < 2 ** (n - 1); mask++) {
    yield [...Array.from({ length: n - 1 }, (_, i) => i + 1).filter((end) => (mask >> (end - 1)) & 1), n];
  }
}

function drawn(random: Random, count: number): { points: Float64Array; weights: Float64Array } {
  const points = Float64Array.from(new Set(random.weights(count))).sort();
  return { points, weights: points.map(() => 1 + random.below(30)) };
}

describe("log2", () => {
  it("is within a unit in the last place or two of the logarithm", () => {
    const random = new Random(70);
    for (let i = 0; i < 10_000; i++) {
      const x = 2 ** (40 * random.unit() - 5);
      expect(Math.abs(log2(x) - Math.log2(x))).toBeLessThanOrEqual(4e-16 * Math.max(1, Math.abs(Math.log2(x))));
    }
    for (let e = -30; e < 60; e++) expect(log2(2 ** e)).toBe(e);
  });
});

describe.each(encoders)("rateCells on $name", ({ kernels: load }) => {
  const kernels = load();

  it("cuts where a cell of its own is worth its bits, and not else", () => {
    const points = Float64Array.of(0, 1, 10, 11);
    const weights = Float64Array.of(1, 1, 1, 1);
    const ends = (perBit: number, cellBits = 0): number[] => [...kernels.rateCells(points, weights, perBit, cellBits)];
    expect(ends(0)).toEqual([1, 2, 3, 4]);
    // Two cells take 4 bits and leave an error of 1; four take 8 and leave none.
    expect(ends(0.2)).toEqual([1, 2, 3, 4]);
    expect(ends(0.3)).toEqual([2, 4]);
    // One takes none and leaves an error of 101.
    expect(ends(24.9)).toEqual([2, 4]);
    expect(ends(25.1)).toEqual([4]);
    // A cell's own cost counts as well.
    expect(ends(0.2, 1)).toEqual([2, 4]);
    expect([...kernels.rateCells(Float64Array.of(5), Float64Array.of(3), 1, 9)]).toEqual([1]);
  });

  it("finds the least cost of all ways to cut", () => {
    const random = new Random(71);
    for (let round = 0; round < 60; round++) {
      const { points, weights } = drawn(random, 1 + random.below(10));
      const perBit = 10 ** (-5 * random.unit());
      const cellBits = random.below(20);
      const cost = (ends: ArrayLike<number>): number => {
        const { error, bits, cells } = costOf(points, weights, ends);
        return error + perBit * (bits + cells * cellBits);
      };
      const least = Math.min(...[...cuts(points.length)].map(cost));
      expect(cost(kernels.rateCells(points, weights, perBit, cellBits))).toBeCloseTo(least, 10);
    }
  });

  it("does as the reference, bit for bit", () => {
    const random = new Random(72);
    for (const count of [1, 2, 3, 100, 1500]) {
      const { points, weights } = drawn(random, count);
      for (const perBit of [0, 1e-7, 1e-5, 1e-3, 1]) {
        expectSame(
          kernels.rateCells(points, weights, perBit, 20),
          referenceKernels.rateCells(points, weights, perBit, 20),
          `${count}, ${perBit}`,
        );
      }
    }
  });
});

describe.each(encoders)("optimalCells on $name", ({ kernels: load }) => {
  const kernels = load();

  it("finds the least error of all ways to cut into so many cells", () => {
    const random = new Random(73);
    for (let round = 0; round < 60; round++) {
      const { points, weights } = drawn(random, 1 + random.below(11));
      const k = 1 + random.below(points.length);
      const error = (ends: ArrayLike<number>): number => costOf(points, weights, ends).error;
      const least = Math.min(...[...cuts(points.length)].filter((ends) => ends.length === k).map(error));
      const found = kernels.optimalCells(points, weights, k);
      expect(found).toHaveLength(k);
      expect(found[k - 1]).toBe(points.length);
      expect(error(found)).toBeCloseTo(least, 10);
    }
  });

  it("gives each point a cell where there are as many", () => {
    expect([...kernels.optimalCells(Float64Array.of(1, 2, 4), Float64Array.of(1, 5, 1), 3)]).toEqual([1, 2, 3]);
    expect([...kernels.optimalCells(Float64Array.of(7), Float64Array.of(2), 1)]).toEqual([1]);
  });

  it("does as the reference, and no worse than Lloyd's iteration from any start", () => {
    const random = new Random(74);
    for (const [count, k] of [
      [300, 2],
      [300, 17],
      [300, 256],
      [5000, 32],
    ]) {
      const { points, weights } = drawn(random, count);
      const ends = kernels.optimalCells(points, weights, k);
      expectSame(ends, referenceKernels.optimalCells(points, weights, k), `${count}, ${k}`);
      const start = Float64Array.from({ length: k }, () => points[random.below(points.length)]).sort();
      kernels.lloyd(points, weights, start, 100);
      const nearest = Array.from(points, (point) =>
        start.reduce((best, c) => Math.min(best, Math.abs(c - point)), Number.POSITIVE_INFINITY),
      );
      const lloydError = nearest.reduce((sum, away, i) => sum + weights[i] * away * away, 0);
      expect(costOf(points, weights, ends).error).toBeLessThanOrEqual(lloydError * (1 + 1e-9));
    }
  });
});
