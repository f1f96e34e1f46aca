import { describe, expect, it } from "vitest";
import { quantize, type Treatment } from "../../src/codec/quantize.js";
import { encodeTensor, wholeWork } from "../../src/codec/tensor.js";
import { referenceKernels } from "../../src/reference/index.js";
import type { Dtype, Tensor } from "../../src/types.js";
import { floats, tensorOf } from "../archive/craft.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { blocksOf, partOf } from "./tensors.js";
import { differentOf, loaded, sumOfSquares, treated, valuesOf, zerosOf } from "./treated.js";

const random = new Random(11);
const WEIGHTS = random.weights(3000);
const LAYER = floats("w", [50, 60], WEIGHTS);

describe("pruning", () => {
  it("by a threshold keeps what is above it, as it is", async () => {
    const values = [0.5, -0.5, 0.25, -0.250001, 0, -0, 1e-30];
    expect([...(await valuesOf(floats("t", [7], values), { prune: { threshold: 0.25 } }))]).toEqual([
      0.5,
      -0.5,
      0,
      Math.fround(-0.250001),
      0,
      0,
      0,
    ]);
    const kept = await valuesOf(floats("t", [7], values), { prune: { threshold: 0 } });
    expect(Object.is(kept[5], 0), "a zero with a sign is a zero").toBe(true);
    expect(kept[6]).toBe(Math.fround(1e-30));
  });

  it("by quality takes that many standard deviations", async () => {
    const mean = WEIGHTS.reduce((sum, value) => sum + value, 0) / WEIGHTS.length;
    const deviation = Math.sqrt(WEIGHTS.reduce((sum, value) => sum + (value - mean) ** 2, 0) / WEIGHTS.length);
    for (const quality of [0, 0.5, 1, 2]) {
      const pruned = await valuesOf(LAYER, { prune: { quality } });
      expect([...pruned]).toEqual([...WEIGHTS].map((value) => (Math.abs(value) > Math.fround(quality * deviation) ? value : 0)));
    }
  });

  it("by sparsity prunes exactly so many, the smallest", async () => {
    for (const sparsity of [0, 0.001, 0.5, 0.9, 0.9333, 1]) {
      const pruned = await valuesOf(LAYER, { prune: { sparsity } });
      const wanted = Math.round(sparsity * WEIGHTS.length);
      expect(zerosOf(pruned), `${sparsity}`).toBe(wanted);
      const sorted = [...WEIGHTS].map(Math.abs).sort((a, b) => a - b);
      const threshold = wanted === 0 ? 0 : sorted[wanted - 1];
      expect([...pruned]).toEqual([...WEIGHTS].map((value) => (Math.abs(value) > threshold ? value : 0)));
    }
  });

  it("by sparsity prunes equal magnitudes together or not at all, whichever is closer", async () => {
    const ties = floats("ties", [8], [0.5, -0.5, 0.25, -0.25, 0.25, 1, 2, 3]);
    const pruned = async (sparsity: number): Promise<number> => zerosOf(await valuesOf(ties, { prune: { sparsity } }));
    expect([await pruned(0.125), await pruned(0.25), await pruned(0.375), await pruned(0.5), await pruned(0.75)]).toEqual([0, 3, 3, 5, 6]);
  });

  it("by sparsity tells apart magnitudes whose upper bits are the same", async () => {
    const close = Float32Array.from({ length: 512 }, (_, i) => (1 + i * 2 ** -23) * (i % 2 === 0 ? 1 : -1));
    const shuffled = [...close].sort((a, b) => Math.sin(a * 1e9) - Math.sin(b * 1e9));
    const pruned = await valuesOf(floats("close", [512], shuffled), { prune: { sparsity: 0.25 } });
    expect(zerosOf(pruned)).toBe(128);
    expect(Math.min(...[...pruned].filter((value) => value !== 0).map(Math.abs))).toBe(1 + 128 * 2 ** -23);
  });

  it("of a tensor of zeros, of one weight and of none does not fail", async () => {
    for (const prune of [{ quality: 1 }, { sparsity: 0.5 }, { threshold: 1 }]) {
      expect(zerosOf(await valuesOf(floats("z", [9], new Float32Array(9)), { prune }))).toBe(9);
      expect((await valuesOf(floats("one", [], [3]), { prune })).length).toBe(1);
      expect((await valuesOf(floats("none", [0, 5], []), { prune })).length).toBe(0);
    }
  });

  it("over several blocks selects as over one", async () => {
    const count = (1 << 20) + 3000;
    const tensor = floats("large", [count], new Random(3).weights(count));
    const { kernels } = loaded[2];
    const part = partOf(kernels, tensor);
    await quantize(kernels, "F32", wholeWork(tensor, part), { prune: { sparsity: 0.97 } });
    let zeros = 0;
    for (let i = 0; i < blocksOf(tensor).count; i++) zeros += zerosOf(kernels.toFloat32(await part.dense(i), "F32"));
    // Neighbouring magnitudes may be equal, among so many.
    expect(zeros - Math.round(0.97 * count)).toBeGreaterThanOrEqual(0);
    expect(zeros - Math.round(0.97 * count)).toBeLessThan(4);
  });
});

describe("sharing", () => {
  it.each(["linear", "density", "random"] as const)("starts %s and leaves at most 2^bits weights", async (init) => {
    for (const bits of [1, 2, 5, 8]) {
      const shared = await valuesOf(LAYER, { share: { bits, init, seed: 7 } });
      expect(differentOf(shared)).toBeLessThanOrEqual(2 ** bits);
      expect(differentOf(shared)).toBeGreaterThanOrEqual(Math.min(2 ** bits, 2));
      expect(zerosOf(shared)).toBe(zerosOf(WEIGHTS));
      // Much nearer than the mean, which has the variance as its error.
      const variance = sumOfSquares(WEIGHTS, new Float32Array(3000));
      expect(sumOfSquares(WEIGHTS, shared)).toBeLessThan(variance * [0.5, 0.2, 0.006, 0.0005][[1, 2, 5, 8].indexOf(bits)]);
    }
  });

  it("with more iterations comes nearer, and with a seed is the same again", async () => {
    const error = async (maxIterations: number): Promise<number> =>
      sumOfSquares(WEIGHTS, await valuesOf(LAYER, { share: { bits: 4, maxIterations, codebook: "float32" } }));
    const [one, five, many] = [await error(1), await error(5), await error(300)];
    expect(five).toBeLessThan(one);
    expect(many).toBeLessThanOrEqual(five);
    const drawn = async (seed: number): Promise<string> =>
      (await valuesOf(LAYER, { share: { bits: 3, init: "random", seed, maxIterations: 1 } })).join();
    expect(await drawn(1)).toBe(await drawn(1));
    expect(await drawn(1)).not.toBe(await drawn(2));
  });

  it("takes any number of centroids", async () => {
    for (const centroids of [1, 3, 52, 200, 256]) {
      const shared = await valuesOf(LAYER, { share: { centroids } });
      expect(differentOf(shared), `${centroids}`).toBeLessThanOrEqual(centroids);
      expect(differentOf(shared), `${centroids}`).toBeGreaterThan(centroids * 0.8);
    }
  });

  it("gives each survivor its nearest centroid", async () => {
    const shared = await valuesOf(LAYER, { share: { bits: 3, codebook: "float32" } });
    const centroids = [...new Set(shared)];
    for (const [i, value] of WEIGHTS.entries()) {
      const nearest = Math.min(...centroids.map((centroid) => Math.abs(value - centroid)));
      expect(Math.abs(value - shared[i])).toBeCloseTo(nearest, 12);
    }
  });

  it("keeps pruned weights pruned and shares the others", async () => {
    const shared = await valuesOf(LAYER, { prune: { sparsity: 0.8 }, share: { bits: 4 } });
    expect(zerosOf(shared)).toBe(2400);
    expect(differentOf(shared)).toBeLessThanOrEqual(16);
  });

  it("is exact where there are no more different weights than centroids", async () => {
    const table = Array.from({ length: 16 }, (_, i) => Math.fround(0.1 * (i + 1) - 0.77));
    const tensor = floats(
      "shared",
      [400],
      Array.from({ length: 400 }, () => table[random.below(16)]),
    );
    const { quantized, data } = await treated(tensor, { share: { bits: 4 } });
    expect(quantized).toMatchObject({ exact: true });
    expectSame(data, tensor.data);
    const less = await treated(tensor, { share: { bits: 3 } });
    expect(less.quantized.exact).toBe(false);
    expect(differentOf(new Float32Array(less.data.buffer))).toBeLessThanOrEqual(8);
  });

  it("keeps a tensor that is shared already with up to 256 where that is asked for", async () => {
    const at = (count: number): Tensor => {
      const table = random.weights(count);
      return floats(
        "shared",
        [4 * count],
        Array.from({ length: 4 * count }, (_, i) => table[i % count]),
      );
    };
    const kept = await treated(at(256), { keepShared: true, prune: { quality: 1 }, share: { bits: 2 } });
    expect(kept.quantized.exact).toBe(true);
    const more = await treated(at(257), { keepShared: true, share: { bits: 2 } });
    expect(more.quantized.exact).toBe(false);
    expect(differentOf(new Float32Array(more.data.buffer))).toBeLessThanOrEqual(4);
  });

  it("rounds centroids to float16 where that changes little, and leaves the others", async () => {
    const isHalf = (value: number): boolean => {
      const half = referenceKernels.fromFloat32(Float32Array.of(value), "F16");
      return referenceKernels.toFloat32(half, "F16")[0] === value;
    };
    const share = { bits: 4 } as const;
    expect([...(await valuesOf(LAYER, { share }))].every(isHalf)).toBe(true);
    expect([...(await valuesOf(LAYER, { share: { ...share, codebook: "float32" } }))].every(isHalf)).toBe(false);
    const tiny = floats(
      "tiny",
      [3000],
      WEIGHTS.map((value) => value * 1e-6),
    );
    expect([...(await valuesOf(tiny, { share }))].every(isHalf), "below what float16 holds well").toBe(false);
    const huge = floats(
      "huge",
      [3000],
      WEIGHTS.map((value) => value * 1e9),
    );
    expect([...(await valuesOf(huge, { share }))].every(Number.isFinite)).toBe(true);
  });

  it("refills clusters that are empty", async () => {
    // Two heaps far apart: of 16 centroids spread evenly between them most have no weight.
    const values = Float32Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? -1 : 1) + random.normal(0.01));
    const shared = await valuesOf(floats("heaps", [2000], values), { share: { bits: 4, codebook: "float32" } });
    expect(differentOf(shared)).toBe(16);
    expect(sumOfSquares(values, shared) / 2000).toBeLessThan(0.01 ** 2 / 20);
  });

  it("of nothing that survives leaves zeros", async () => {
    for (const init of ["linear", "density", "random"] as const) {
      const treatment = { prune: { threshold: 9 }, share: { bits: 4, init } };
      expect(zerosOf(await valuesOf(LAYER, treatment)), init).toBe(3000);
      expect(zerosOf(await valuesOf(floats("z", [5], new Float32Array(5)), { share: { bits: 4, init } }))).toBe(5);
      expect((await valuesOf(floats("none", [0], []), { share: { bits: 4, init } })).length).toBe(0);
    }
  });

  it.each(["F16", "BF16", "F64"] as const)("works in %s, whose weights the centroids are", async (dtype) => {
    const data = dtype === "F64" ? new Uint8Array(Float64Array.from(WEIGHTS).buffer) : referenceKernels.fromFloat32(WEIGHTS, dtype);
    const tensor = tensorOf("w", dtype, [50, 60], data);
    const before = referenceKernels.toFloat32(data, dtype);
    const { data: after } = await treated(tensor, { prune: { sparsity: 0.5 }, share: { bits: 5 } });
    expect(after.length).toBe(data.length);
    const values = referenceKernels.toFloat32(after, dtype);
    expect(differentOf(values)).toBeLessThanOrEqual(32);
    expect(zerosOf(values)).toBeGreaterThanOrEqual(1500);
    expect(sumOfSquares(before, values)).toBeLessThan(0.1 * sumOfSquares(before, new Float32Array(3000)));
  });
});

describe("rounding", () => {
  it("leaves each weight the nearest of so many bits of mantissa, and zeros without a sign", async () => {
    const values = [1 + 2 ** -9, 1 + 3 * 2 ** -9, -(1 + 2 ** -8), 0.1, 0, -0, (2 - 2 ** -23) * 2 ** 127, 2 ** -149];
    const rounded = await valuesOf(floats("t", [8], values), { round: { mantissaBits: 8 } });
    const largest = (2 - 2 ** -8) * 2 ** 127;
    expect([...rounded]).toEqual([1, 1 + 2 ** -7, -(1 + 2 ** -8), 0.10009765625, 0, 0, largest, 0]);
  });

  it("goes with pruning, which comes first", async () => {
    const rounded = await valuesOf(floats("t", [4], [0.126, -0.1251, 0.124, 3]), {
      prune: { threshold: 0.1255 },
      round: { mantissaBits: 1 },
    });
    expect([...rounded]).toEqual([0.125, 0, 0, 3]);
  });

  it.each([
    ["F16", 9],
    ["BF16", 6],
    ["F64", 22],
    ["F32", 22],
  ] as const)("works in %s, up to %i bits here", async (dtype, most) => {
    const data = dtype === "F64" ? new Uint8Array(Float64Array.from(WEIGHTS, (w) => w * (1 + 2 ** -40)).buffer) : undefined;
    const tensor = tensorOf("w", dtype, [50, 60], data ?? referenceKernels.fromFloat32(WEIGHTS, dtype));
    for (const mantissaBits of [1, most]) {
      const { data: after, quantized } = await treated(tensor, { round: { mantissaBits } });
      expectSame(after, referenceKernels.roundMantissa(tensor.data, dtype, mantissaBits));
      expect(quantized.exact).toBe(false);
      expect(quantized.error?.maxAbs).toBeLessThan(2 ** -mantissaBits);
    }
  });

  it("over several blocks rounds as over one", async () => {
    const values = new Random(4).weights((1 << 20) + 300);
    const tensor = floats("large", [values.length], values);
    const { kernels } = loaded[2];
    const part = partOf(kernels, tensor);
    await quantize(kernels, "F32", wholeWork(tensor, part), { round: { mantissaBits: 7 } });
    const blocks = [(await part.dense(0)).slice(), (await part.dense(1)).slice()];
    expectSame(new Uint8Array(Buffer.concat(blocks)), kernels.roundMantissa(tensor.data, "F32", 7));
  });

  it("keeps exact what it does not change, what is shared already, and dtypes that have no more bits", async () => {
    const halves = floats(
      "halves",
      [3000],
      WEIGHTS.map((weight) => Math.round(weight * 1024) / 1024 + 0),
    );
    const few = floats(
      "few",
      [3000],
      WEIGHTS.map((_, i) => WEIGHTS[i % 200]),
    );
    const cases: readonly (readonly [Tensor, Treatment])[] = [
      [halves, { round: { mantissaBits: 10 } }],
      [few, { keepShared: true, round: { mantissaBits: 2 } }],
      [tensorOf("w", "F16", [3000], referenceKernels.fromFloat32(WEIGHTS, "F16")), { round: { mantissaBits: 10 } }],
      [tensorOf("w", "BF16", [3000], referenceKernels.fromFloat32(WEIGHTS, "BF16")), { round: { mantissaBits: 7 } }],
    ];
    for (const [tensor, treatment] of cases) {
      const { quantized, data } = await treated(tensor, treatment);
      expect(quantized).toEqual({ exact: true });
      expectSame(data, tensor.data);
    }
    expect((await treated(few, { round: { mantissaBits: 2 } })).quantized.exact).toBe(false);
  });

  it("prunes also where it has nothing to round", async () => {
    const tensor = tensorOf("w", "BF16", [50, 60], referenceKernels.fromFloat32(WEIGHTS, "BF16"));
    const pruned = await treated(tensor, { prune: { sparsity: 0.5 } });
    const both = await treated(tensor, { prune: { sparsity: 0.5 }, round: { mantissaBits: 9 } });
    expect(both.quantized).toEqual(pruned.quantized);
    expectSame(both.data, pruned.data);
  });
});

describe("a tensor stays exact, and is said to,", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("with %s in it", async (bad) => {
    for (const treatment of [{ share: { bits: 4 } }, { prune: { quality: 1 } }, { round: { mantissaBits: 8 } }] satisfies Treatment[]) {
      const tensor = floats("w", [100], random.weights(100).fill(bad, 40, 42));
      const { quantized, data } = await treated(tensor, treatment);
      expect(quantized).toMatchObject({ exact: true, note: "kept exact: 2 weights are NaN, infinite or beyond float32" });
      expectSame(data, tensor.data);
    }
  });

  it("of a dtype that is not floating", async () => {
    for (const dtype of ["I8", "U64", "BOOL", "F8_E4M3", "C64", "F4"] satisfies Dtype[]) {
      const tensor = tensorOf("w", dtype, [16], random.bytes(dtype === "F4" ? 8 : dtype === "C64" || dtype === "U64" ? 128 : 16));
      for (const treatment of [{ share: { bits: 1 } }, { round: { mantissaBits: 1 } }]) {
        const { quantized } = await treated(tensor, treatment);
        expect(quantized).toMatchObject({ exact: true, note: `kept exact: ${dtype} is not a floating dtype` });
      }
    }
  });

  it("where the exact record is not larger", async () => {
    const tensor = tensorOf("few", "F16", [3], Uint8Array.of(1, 0x3c, 2, 0x38, 3, 0x34));
    for (const { kernels } of loaded) {
      const read = async (offset: number, byteLength: number): Promise<Uint8Array> => tensor.data.subarray(offset, offset + byteLength);
      const encoded = await encodeTensor(kernels, tensor, read, { share: { bits: 1 } });
      expect(encoded).toMatchObject({ exact: true, note: "kept exact: that is not larger" });
    }
  });
});

describe("what was lost", () => {
  const read = (tensor: Tensor) => async (offset: number, byteLength: number) => tensor.data.subarray(offset, offset + byteLength);

  it("is told as largest and mean error and signal to noise", async () => {
    const { kernels } = loaded[2];
    const treatment = { share: { bits: 4 } };
    const shared = await valuesOf(LAYER, treatment);
    const noise = sumOfSquares(WEIGHTS, shared);
    const signal = sumOfSquares(WEIGHTS, new Float32Array(3000));
    const { error, exact, note } = await encodeTensor(kernels, LAYER, read(LAYER), treatment);
    expect({ exact, note }).toEqual({ exact: false, note: undefined });
    expect(error?.maxAbs).toBe(Math.max(...WEIGHTS.map((value, i) => Math.abs(value - shared[i]))));
    expect(error?.rmse).toBeCloseTo(Math.sqrt(noise / 3000), 12);
    expect(error?.snr).toBeCloseTo(10 * Math.log10(signal / noise), 9);
  });

  it("is nothing, and the record exact, where pruning finds nothing to prune", async () => {
    const { kernels } = loaded[2];
    const encoded = await encodeTensor(kernels, LAYER, read(LAYER), { prune: { threshold: 0 } });
    expect(encoded.exact).toBe(true);
    expect(encoded.error).toBeUndefined();
  });
});
