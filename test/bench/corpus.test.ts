import { describe, expect, it } from "vitest";
import {
  denseWeights,
  fillNormal,
  firstBlock,
  normalState,
  pruneAndShare,
  pruneLayer,
  SYMBOL_SOURCES,
  thresholdFor,
} from "../../bench/corpus.js";
import { digest } from "../../bench/kernels/task.js";
import { type Layer, layerOf, NETWORKS, weightCount } from "../../bench/networks.js";

const LAYERS = [...NETWORKS["lenet-300-100"], ...NETWORKS["lenet-5"], layerOf("alexnet", "conv3")];

const total = (layers: readonly Layer[]): number => layers.reduce((sum, layer) => sum + weightCount(layer), 0);

describe("the networks", () => {
  it("have as many weights as the paper says", () => {
    expect(total(NETWORKS["lenet-300-100"])).toBe(266_200);
    expect(total(NETWORKS["lenet-5"])).toBe(430_500);
    expect(total(NETWORKS.alexnet)).toBe(60_954_656);
    expect(total(NETWORKS.vgg16)).toBe(138_344_128);
  });

  it("say so where a layer is none of theirs", () => expect(() => layerOf("alexnet", "fc9")).toThrow(RangeError));
});

describe("normal weights", () => {
  const weights = new Float32Array(1 << 20);
  fillNormal(weights, 2, normalState(1));

  it("have the moments of a normal distribution", () => {
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    const variance = weights.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / weights.length;
    const fourth = weights.reduce((sum, weight) => sum + (weight - mean) ** 4, 0) / weights.length;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(variance).toBeCloseTo(4, 1);
    expect(fourth / variance ** 2).toBeGreaterThan(2.95);
    expect(fourth / variance ** 2).toBeLessThan(3.05);
  });

  it("are as good as all different", () => expect(new Set(weights).size).toBeGreaterThan(0.95 * weights.length));

  it("go on where a part of them ended", () => {
    const [head, tail] = [new Float32Array(1000), new Float32Array(24)];
    fillNormal(tail, 2, fillNormal(head, 2, normalState(1)));
    expect([...head, ...tail]).toEqual([...weights.subarray(0, 1024)]);
  });
});

describe.each(LAYERS)("$name of $shape", (layer: Layer) => {
  it("is the same every time, and has the asked density exactly", () => {
    const weights = denseWeights(layer);
    expect(digest([denseWeights(layer)])).toBe(digest([weights]));
    const pruned = pruneLayer(layer);
    expect(Math.abs(pruned.survivors.length - layer.density * weights.length)).toBeLessThan(1);
    expect(pruned.gaps.reduce((sum: number, gap: number) => sum + gap + 1, 0)).toBeLessThanOrEqual(weights.length);
    const block = firstBlock(pruned, 500);
    const kept = weights.subarray(0, 500).filter((weight: number) => Math.abs(weight) > pruned.threshold);
    expect([...block.survivors]).toEqual([...kept]);
  });

  it("takes at most 2^bits weights where it is shared, zeros apart", () => {
    const weights = denseWeights(layer);
    const threshold = thresholdFor(weights, layer.density);
    expect(pruneAndShare(weights, layer)).toBe(threshold);
    const kept = weights.filter((weight: number) => weight !== 0);
    expect(new Set(kept).size).toBeLessThanOrEqual(2 ** layer.bits);
    expect(Math.abs(kept.length - layer.density * weights.length)).toBeLessThan(1);
  });
});

describe("symbols", () => {
  it.each(SYMBOL_SOURCES)("of $name are below their alphabet, which they use", ({ alphabet, symbols }) => {
    const made = symbols();
    expect(made.length).toBeGreaterThan(500_000);
    expect(made.reduce((most: number, symbol: number) => Math.max(most, symbol), 0)).toBe(alphabet - 1);
  });

  it("are the same on every machine", () => {
    expect(SYMBOL_SOURCES.map(({ symbols }) => digest([symbols()]))).toMatchInlineSnapshot(`
      [
        "c48288c8",
        "3ed1bc6d",
        "47a01372",
        "dbc170e5",
      ]
    `);
  });
});
