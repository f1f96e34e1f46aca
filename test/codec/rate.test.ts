import { describe, expect, it } from "vitest";
import { coarser, distinctPoints } from "../../src/codec/points.js";
import type { Share } from "../../src/codec/quantize.js";
import { encodeTensor } from "../../src/codec/tensor.js";
import { referenceKernels } from "../../src/reference/index.js";
import { floats, tensorOf } from "../archive/craft.js";
import { Random } from "../random.js";
import { differentOf, loaded, sumOfSquares, treated, valuesOf, zerosOf } from "./treated.js";

// Sharing for the rate, and the optimum of k-means.

const random = new Random(12);
const COUNT = 20_000;
const WEIGHTS = random.weights(COUNT);
const LAYER = floats("w", [200, 100], WEIGHTS);
const SIGNAL = sumOfSquares(WEIGHTS, new Float32Array(COUNT));

/** Bits of all codes, of ideal length. */
function entropy(values: Float32Array): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + count * Math.log2(values.length / count), 0);
}

/** Error and bits, weighed. */
async function cost(share: Share, tradeoff: number): Promise<number> {
  const shared = await valuesOf(LAYER, { share });
  return sumOfSquares(WEIGHTS, shared) + ((tradeoff * SIGNAL) / COUNT) * (entropy(shared) + 20 * differentOf(shared));
}

describe("sharing for the rate", () => {
  it("costs less in error and bits than k-means with any number of centroids", async () => {
    for (const tradeoff of [0.003, 0.02, 0.1]) {
      const found = await cost({ objective: "rate", tradeoff }, tradeoff);
      for (const centroids of [3, 5, 8, 12, 16, 24, 32, 48, 64]) {
        expect(found, `${tradeoff}, ${centroids} centroids`).toBeLessThan(await cost({ centroids, init: "optimal" }, tradeoff));
      }
    }
  });

  it("leaves the noise that theory says", async () => {
    for (const tradeoff of [0.001, 0.003, 0.01]) {
      const noise = sumOfSquares(WEIGHTS, await valuesOf(LAYER, { share: { objective: "rate", tradeoff } }));
      // Of a normal distribution without a hundredth at each end, the variance is 0.873 times that of all.
      expect(noise / (0.873 * SIGNAL) / (tradeoff / (2 * Math.LN2))).toBeCloseTo(1, 0.7);
    }
  });

  it("takes fewer bytes the more a bit may cost", async () => {
    const { kernels } = loaded[2];
    const read = async (offset: number, byteLength: number): Promise<Uint8Array> => LAYER.data.subarray(offset, offset + byteLength);
    let before = Number.POSITIVE_INFINITY;
    for (const tradeoff of [1e-4, 1e-3, 1e-2, 1e-1]) {
      const { byteLength } = await encodeTensor(kernels, LAYER, read, { share: { objective: "rate", tradeoff } });
      expect(byteLength).toBeLessThan(before * 0.9);
      before = byteLength;
    }
  });

  it("has no more centroids than it may", async () => {
    for (const limit of [{ centroids: 1 }, { centroids: 7 }, { bits: 4 }, { bits: 8 }, {}]) {
      const shared = await valuesOf(LAYER, { share: { objective: "rate", tradeoff: 1e-8, ...limit } });
      const most = limit.centroids ?? 2 ** (limit.bits ?? 8);
      expect(differentOf(shared), JSON.stringify(limit)).toBeLessThanOrEqual(most);
      expect(differentOf(shared), JSON.stringify(limit)).toBeGreaterThan(0.6 * most);
    }
  });

  it("has as many centroids as it may where more would pay", async () => {
    for (const centroids of [1, 2, 3, 4, 5, 8, 13]) {
      const shared = await valuesOf(LAYER, { share: { objective: "rate", tradeoff: 1e-6, centroids } });
      expect(differentOf(shared)).toBe(centroids);
    }
  });

  it("keeps the error of all weights small where a few lie far out, or all far from zero", async () => {
    const far = WEIGHTS.map((weight, i) => (i % 5000 === 7 ? 1000 : weight));
    const offset = WEIGHTS.map((weight) => weight + 10);
    for (const [title, values] of Object.entries({ far, offset })) {
      const shared = await valuesOf(floats(title, [200, 100], values), { share: { objective: "rate", codebook: "float32" } });
      const noise = values.reduce((sum, value, i) => sum + (value === 1000 ? 0 : (value - shared[i]) ** 2), 0);
      expect(noise / SIGNAL, title).toBeLessThan(0.01);
    }
  });

  it("keeps pruned weights pruned", async () => {
    const shared = await valuesOf(LAYER, { prune: { sparsity: 0.8 }, share: { objective: "rate", tradeoff: 0.01 } });
    expect(zerosOf(shared)).toBe(16_000);
    expect(differentOf(shared)).toBeLessThan(30);
  });

  it("is exact where few different weights are all worth their bits, and else is not", async () => {
    const table = [-1, -0.5, 0.25, 0.75];
    const few = floats(
      "few",
      [4000],
      Array.from({ length: 4000 }, () => table[random.below(4)]),
    );
    expect((await treated(few, { share: { objective: "rate", tradeoff: 0.01 } })).quantized.exact).toBe(true);
    expect((await treated(few, { share: { objective: "rate", tradeoff: 1 } })).quantized.exact).toBe(false);
    expect((await treated(few, { keepShared: true, share: { objective: "rate", tradeoff: 1 } })).quantized.exact).toBe(true);
  });

  it("works on tensors of one weight, of equal ones, of zeros and of none", async () => {
    const share: Share = { objective: "rate" };
    expect([...(await valuesOf(floats("one", [], [3]), { share }))]).toEqual([3]);
    expect([...(await valuesOf(floats("equal", [5], [2, 2, 2, 2, 2]), { share }))]).toEqual([2, 2, 2, 2, 2]);
    expect(zerosOf(await valuesOf(floats("z", [5], new Float32Array(5)), { share }))).toBe(5);
    expect((await valuesOf(floats("none", [0], []), { share })).length).toBe(0);
    expect(zerosOf(await valuesOf(LAYER, { prune: { threshold: 9 }, share }))).toBe(COUNT);
  });

  it.each([1e-30, 1e30])("works on weights around %d", async (scale) => {
    const scaled = WEIGHTS.map((weight) => weight * scale);
    const shared = await valuesOf(floats("scaled", [COUNT], scaled), { share: { objective: "rate", tradeoff: 0.01 } });
    const signal = sumOfSquares(scaled, new Float32Array(COUNT));
    expect(sumOfSquares(scaled, shared) / signal).toBeLessThan(0.01);
  });

  it.each(["F16", "BF16", "F64"] as const)("works in %s, also where centroids are rounded to the same number", async (dtype) => {
    const close = WEIGHTS.map((weight) => 1 + weight / 100);
    for (const values of [WEIGHTS, close]) {
      const data = dtype === "F64" ? new Uint8Array(Float64Array.from(values).buffer) : referenceKernels.fromFloat32(values, dtype);
      const before = referenceKernels.toFloat32(data, dtype);
      const { data: after } = await treated(tensorOf("w", dtype, [COUNT], data), { share: { objective: "rate", tradeoff: 1e-7 } });
      const shared = referenceKernels.toFloat32(after, dtype);
      expect(differentOf(shared)).toBeLessThanOrEqual(256);
      // No worse than the step between numbers of the dtype where they are that few.
      for (const [i, value] of before.entries()) expect(Math.abs(shared[i] - value)).toBeLessThan(0.02);
    }
  });
});

describe("the optimal start", () => {
  it("ends with an error that no other start comes below", async () => {
    const weights = WEIGHTS.subarray(0, 8000);
    const layer = floats("w", [8000], weights);
    for (const centroids of [2, 7, 32, 100]) {
      const error = async (init: Share["init"]): Promise<number> =>
        sumOfSquares(weights, await valuesOf(layer, { share: { centroids, init, codebook: "float32", seed: 5 } }));
      const best = await error("optimal");
      for (const init of ["linear", "density", "random"] as const)
        expect(best, `${centroids}, ${init}`).toBeLessThanOrEqual((await error(init)) * (1 + 1e-6));
    }
  });
});

describe("the optimal start of very many weights", () => {
  it("is no worse than an even one where one of them lies far out", async () => {
    const weights = new Random(13).weights(200_000);
    weights[77] = 100;
    const layer = floats("w", [400, 500], weights);
    for (const centroids of [16, 256]) {
      const error = async (init: Share["init"]): Promise<number> =>
        sumOfSquares(weights, await valuesOf(layer, { share: { centroids, init, codebook: "float32" } }));
      expect(await error("optimal")).toBeLessThanOrEqual(1.001 * (await error("linear")));
    }
  });
});

describe("coarser points", () => {
  it("keep weight and mean, and say where the points of each end", () => {
    const points = distinctPoints([WEIGHTS]);
    const { values, weights, ends } = coarser(points, 100);
    expect(ends.length).toBeLessThanOrEqual(100);
    expect(ends[ends.length - 1]).toBe(points.values.length);
    for (const [j, to] of ends.entries()) {
      const from = ends[j - 1] ?? 0;
      const members = points.values.slice(from, to);
      expect(weights[j]).toBe(points.weights.slice(from, to).reduce((sum, weight) => sum + weight));
      expect(values[j]).toBeGreaterThanOrEqual(members[0] - 1e-12);
      expect(values[j]).toBeLessThanOrEqual(members[members.length - 1] + 1e-12);
      expect(members[members.length - 1] - members[0]).toBeLessThanOrEqual(
        (points.values[points.values.length - 1] - points.values[0]) / 50 + 1e-12,
      );
    }
    expect(coarser(points, 1e6).values).toBe(points.values);
  });
});
