import { describe, expect, it } from "vitest";
import { binnedPoints, distinctPoints, mergeBinned, type Points } from "../../src/codec/points.js";
import { mergeSiftings, Sieve, type Sifting } from "../../src/codec/sift.js";
import { startOf, withoutIdle } from "../../src/codec/start.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";

// What k-means runs on, and where it starts.

const kernels = engineKernels();

function points(values: readonly number[], weights: readonly number[] = values.map(() => 1)): Points {
  return { values: Float64Array.from(values), weights: Float64Array.from(weights) };
}

function served(of: Points, k: number): number[] {
  return [...withoutIdle(of, startOf(of, k, {}))];
}

describe("k-means starts", () => {
  it("from even steps, or from the middle", () => {
    expect([...startOf(points([-1, 0, 1, 2, 3]), 3, {})]).toEqual([-1, 1, 3]);
    expect([...startOf(points([-1, 0, 1, 2, 3]), 1, {})]).toEqual([1]);
  });

  it("with a centroid that would serve no point, where there are many points, spent where the error is largest", () => {
    // Even steps: -2, 9 1/3, 20 2/3, 32. The second has no point. Errors: 8 about 0, none at 20, 32 about 30.
    expect(served(points([-2, 2, 20, 28, 32], [1, 1, 9, 4, 4]), 4)).toEqual([0, 20, 28, 32]);
    // The weight decides: 8 about 0 and 4 about 30.
    expect(served(points([-2, 2, 20, 28, 32], [1, 1, 9, 0.5, 0.5]), 4)).toEqual([-2, 2, 20, 30]);
  });

  it("with all points where there are no more, however near two of them are", () => {
    for (const values of [
      [1, 1 + 2 ** -23, 1e9],
      [-1e3, 1, 2, 3, 4, 1e3],
    ]) {
      expect(served(points(values), values.length)).toEqual(values);
    }
  });

  it("from points of which each stands for as many as it is drawn", () => {
    const start = startOf(points([1, 2, 3], [1, 1e9, 1]), 1, { init: "random", seed: 4 });
    expect([...start]).toEqual([2]);
  });
});

/** The bins of `values`, counted at once. */
function binsOf(values: Float32Array): ReturnType<ReturnType<typeof kernels.floatBins>["take"]> {
  const bins = kernels.floatBins();
  bins.add(values);
  const binned = bins.take();
  bins.close();
  return binned;
}

describe("points", () => {
  const values = new Random(8).weights(5000);

  it("of bins are their means, and weigh what they hold", () => {
    const binned = points([-3 - 2 ** -22, 1, 2 + 2 ** -20], [2, 1, 2]);
    expect(binnedPoints(binsOf(Float32Array.of(-3, 2, 1, 2 + 2 ** -19, -3 - 2 ** -21)))).toEqual(binned);
  });

  it("of bins have the mean of all", () => {
    const total = ({ values: at, weights }: Points): number => at.reduce((sum, value, i) => sum + value * weights[i], 0);
    expect(total(binnedPoints(binsOf(values)))).toBeCloseTo(total(distinctPoints([values])), 9);
  });

  it("merge to those of all values", () => {
    const [all, one, other] = [binsOf(values), binsOf(values.subarray(0, 3000)), binsOf(values.subarray(3000))];
    for (const merged of [mergeBinned(one, other), mergeBinned(other, one)]) {
      expectSame(merged.firsts, all.firsts);
      expectSame(merged.counts, all.counts);
      expectSame(merged.lows, all.lows);
    }
  });
});

/** Blocks dealt to as many parts, sifted. */
function siftedBy(count: number, blocks: readonly Float32Array[]): Sifting {
  const parts = Array.from({ length: count }, (_, first) => {
    const own = blocks.filter((_, i) => i % count === first);
    const sieve = new Sieve(kernels, own.length, true);
    for (const block of own) sieve.add(kernels.sift(block, 0));
    const sifting = sieve.finish();
    sieve.close();
    return sifting;
  });
  return mergeSiftings(kernels, parts);
}

describe("survivors", () => {
  const random = new Random(9);

  it.each([60_000, 70_000, 300_000])("of %i weights come to the same points, however many parts had them", (count) => {
    const blocks = Array.from({ length: 7 }, () => random.weights(count / 7));
    const { points: whole } = siftedBy(1, blocks);
    expect(whole?.binned === undefined).toBe(count < 65536);
    for (const parts of [2, 3, 7]) {
      const { points: divided } = siftedBy(parts, blocks);
      expect(divided?.binned).toEqual(whole?.binned);
      expect(distinctPoints(divided?.few ?? [])).toEqual(distinctPoints(whole?.few ?? []));
    }
  });

  it("of more values than bins can count at a time are all counted", () => {
    const block = new Float32Array(2 ** 20).fill(1 + 2 ** -23);
    const blocks = Array.from({ length: 33 }, () => block);
    expect(siftedBy(1, blocks).points?.binned).toEqual({
      firsts: Uint32Array.of(0x3f800000),
      counts: Float64Array.of(33 * 2 ** 20),
      lows: Float64Array.of(33 * 2 ** 20),
    });
  });
});
