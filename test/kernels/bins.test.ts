import { describe, expect, it } from "vitest";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { engines } from "../variants.js";
import { encoders, expectSame } from "./all.js";

describe.each(encoders)("floatBins on $name", ({ kernels: load }) => {
  const kernels = load();

  it("is as worked by hand", () => {
    const bins = kernels.floatBins();
    bins.add(Float32Array.of(1, -1, 1 + 2 ** -23, 1 + 2 ** -10, -2));
    bins.add(Float32Array.of(0, 1 + 3 * 2 ** -23, -0));
    const { firsts, counts, lows } = bins.take();
    expect([...new Float32Array(firsts.buffer)]).toEqual([-2, -1, -0, 0, 1, 1 + 2 ** -10]);
    expect([...counts]).toEqual([1, 1, 1, 1, 3, 1]);
    expect([...lows]).toEqual([0, 0, 0, 0, 4, 0]);
    bins.close();
  });

  it.each(LENGTHS)("counts %i values, in whatever order and pieces", (length) => {
    const random = new Random(length + 3);
    for (const values of [random.weights(length), random.awkward(length), random.anyFloats(length)]) {
      const expected = referenceKernels.floatBins();
      expected.add(values);
      const all = expected.take();
      const bins = kernels.floatBins();
      bins.add(values.slice(length >> 1).reverse());
      bins.add(values.subarray(0, length >> 1));
      const { firsts, counts, lows } = bins.take();
      expectSame(firsts, all.firsts);
      expectSame(counts, all.counts);
      expectSame(lows, all.lows);
      bins.close();
    }
  });

  it("counts the two ends of every exponent", () => {
    const bits = Array.from({ length: 512 }, (_, exponent) => [2 ** 23 * exponent, 2 ** 23 * exponent + 2 ** 23 - 1]).flat();
    const bins = kernels.floatBins();
    bins.add(new Float32Array(Uint32Array.from(bits).buffer));
    const { firsts, counts, lows } = bins.take();
    const negative = bits.filter((at) => at >= 2 ** 31).reverse();
    const ordered = [...negative, ...bits.filter((at) => at < 2 ** 31)];
    expect([...firsts]).toEqual(ordered.map((at) => at - (at % 8192)));
    expect(counts.every((count) => count === 1)).toBe(true);
    expect([...lows]).toEqual(ordered.map((at) => at % 8192));
    bins.close();
  });

  it("holds as many values as it says, all in one bin", () => {
    const most = new Float32Array(Uint32Array.of(0x3f801fff).buffer)[0];
    const block = new Float32Array(kernels.variant === "reference" ? 1000 : 2 ** 20).fill(most);
    const bins = kernels.floatBins();
    let count = 2 ** 25 - 1;
    if (kernels.variant === "reference") count = block.length;
    for (let left = count; left > 0; left -= block.length) bins.add(block.subarray(0, Math.min(left, block.length)));
    expect(bins.take()).toEqual({
      firsts: Uint32Array.of(0x3f800000),
      counts: Float64Array.of(count),
      lows: Float64Array.of(8191 * count),
    });
    bins.close();
  });

  it("begins empty, whatever others left, beside others, and after it was taken", () => {
    const [one, other] = [kernels.floatBins(), kernels.floatBins()];
    one.add(Float32Array.of(1));
    other.add(Float32Array.of(2, 2));
    expect([...other.take().counts]).toEqual([2]);
    expect([...other.take().counts]).toEqual([]);
    one.close();
    const next = kernels.floatBins();
    next.add(Float32Array.of(3));
    expect([...next.take().firsts]).toEqual([0x40400000]);
    other.close();
    next.close();
  });
});

it.each(engines)("floatBins on $name take memory once, however many kernels there were", ({ variant, load }) => {
  const tops = Array.from({ length: 3 }, () => {
    const bins = engineKernels({ variant }).floatBins();
    bins.add(Float32Array.of(1));
    bins.close();
    return load().arena.top;
  });
  expect(new Set(tops).size).toBe(1);
});
