import { describe, expect, it } from "vitest";
import type { Convolution, NnKernels, Windows } from "../../src/kernel-types.js";
import { loadEngine } from "../../src/kernels/engine.js";
import { nnKernels } from "../../src/kernels/nn.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { convolutionOf, windowsOf } from "../../src/network/shapes.js";
import { referenceNnKernels as reference } from "../../src/reference/index.js";
import { expectSame } from "../kernels/all.js";
import { LENGTHS, Random } from "../random.js";

const engines = VARIANTS.map((variant) => ({ name: `engine ${variant}`, kernels: (): NnKernels => nnKernels(loadEngine({ variant })) }));
const all = [{ name: "reference", kernels: (): NnKernels => reference }, ...engines];

type Pair = readonly [number, number];

function convolution(
  input: readonly [number, number, number],
  out: number,
  kernel: Pair,
  how: { stride?: Pair; padding?: Pair; groups?: number } = {},
): Convolution {
  return convolutionOf({ type: "conv2d", name: "c", in: input[0], out, kernel, ...how }, input);
}

/** Rows, and a convolution: around tiles of 4 x 8, quads of places, images that share a product, and patches that do not fit at once. */
const CONVOLUTIONS: readonly (readonly [string, number, Convolution])[] = [
  ["one element", 1, convolution([1, 1, 1], 1, [1, 1])],
  ["conv1 of LeNet-5", 2, convolution([1, 28, 28], 20, [5, 5])],
  ["conv2 of LeNet-5", 5, convolution([20, 12, 12], 50, [5, 5])],
  ["rows of 3 places", 3, convolution([3, 5, 5], 5, [3, 3])],
  ["rows of 6 places, padded", 7, convolution([2, 6, 6], 9, [3, 3], { padding: [1, 1] })],
  ["strides", 3, convolution([2, 9, 11], 4, [2, 3], { stride: [2, 3] })],
  ["strides and padding", 3, convolution([2, 8, 10], 6, [3, 3], { stride: [2, 2], padding: [2, 1] })],
  ["groups", 4, convolution([6, 5, 7], 4, [3, 2], { groups: 2 })],
  ["depthwise", 2, convolution([5, 8, 8], 10, [3, 3], { padding: [1, 1], groups: 5 })],
  ["a kernel as large as the image", 9, convolution([3, 4, 5], 7, [4, 5])],
  ["1 x 1", 3, convolution([7, 4, 4], 3, [1, 1])],
  ["patches in parts", 1, convolution([250, 12, 12], 3, [3, 3], { padding: [1, 1] })],
];

function windows(
  input: readonly [number, number, number],
  kernel: Pair,
  how: { stride?: Pair; padding?: Pair; ceil?: boolean } = {},
): Windows {
  return windowsOf({ type: "maxpool2d", kernel, ...how }, input);
}

const WINDOWS: readonly (readonly [string, Windows])[] = [
  ["2 x 2 on 24 x 24", windows([2, 24, 24], [2, 2])],
  ["2 x 2 on 9 x 11, the last left out", windows([3, 9, 11], [2, 2])],
  ["2 x 2 on 9 x 11, the last hanging over", windows([3, 9, 11], [2, 2], { ceil: true })],
  ["2 x 2, a row further each time", windows([1, 6, 20], [2, 2], { stride: [1, 2] })],
  ["3 x 3 by 2, padded", windows([2, 8, 7], [3, 3], { stride: [2, 2], padding: [1, 1] })],
  ["3 x 2 by 1", windows([2, 5, 6], [3, 2], { stride: [1, 1], padding: [1, 0] })],
  ["gaps between", windows([1, 7, 9], [1, 2], { stride: [3, 4] })],
  ["the whole", windows([4, 3, 5], [3, 5])],
];

const elementsOf = ({ channels, height, width }: Windows): number => channels * height * width;
const outputsOf = ({ channels, outHeight, outWidth }: Windows): number => channels * outHeight * outWidth;

/** Numbers of many magnitudes, zeros of both signs among them. */
function numbers(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    if (random.chance(0.15)) return random.chance(0.5) ? 0 : -0;
    return random.normal() * 10 ** (random.below(5) - 2);
  });
}

/** Numbers of which many are equal. */
const coarse = (random: Random, length: number): Float32Array => Float32Array.from({ length }, () => random.below(5) - 2);

describe.each(all)("image kernels of $name", ({ kernels }) => {
  const k = kernels();
  const square = convolution([1, 3, 3], 1, [2, 2]);

  it("convolve as written on paper, with no turn of the kernel", () => {
    const image = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const weights = Float32Array.of(1, 10, 100, 1000);
    expect([...k.convolve(square, image, weights, Float32Array.of(0.5))]).toEqual([5421.5, 6532.5, 8754.5, 9865.5]);
    expect([...k.convolve(square, image, weights)]).toEqual([5421, 6532, 8754, 9865]);
    expect([...k.convolveWeightGradient(square, image, Float32Array.of(1, 10, 100, 1000))]).toEqual([5421, 6532, 8754, 9865]);
    expect([...k.convolveInputGradient(square, Float32Array.of(1, 2, 3, 4), weights)]).toEqual([
      1, 12, 20, 103, 1234, 2040, 300, 3400, 4000,
    ]);
  });

  it("pool as written on paper", () => {
    const pairs = windows([1, 2, 5], [2, 2], { ceil: true });
    const image = Float32Array.of(1, 4, 5, 5, -1, 4, 2, 5, 5, -3);
    const { outputs, winners } = k.maxPool(pairs, image);
    expect([...outputs]).toEqual([4, 5, -1]);
    expect([...winners]).toEqual([1, 2, 4]);
    expect([...k.maxPoolGradient(pairs, Float32Array.of(1, 2, 3), winners)]).toEqual([0, 1, 2, 0, 3, 0, 0, 0, 0, 0]);
    expect([...k.averagePool(pairs, image)]).toEqual([2.75, 5, -1]);
    expect([...k.averagePoolGradient(pairs, Float32Array.of(4, 8, 12))]).toEqual([1, 1, 2, 2, 3, 1, 1, 2, 2, 3]);
  });

  it("let a NaN through the largest of a window, wherever it stands", () => {
    for (let at = 0; at < 16; at++) {
      const image = new Float32Array(16).fill(1);
      image[at] = Number.NaN;
      const { outputs, winners } = k.maxPool(windows([1, 2, 8], [2, 2]), image);
      const column = (at % 8) >> 1;
      for (const [i, output] of outputs.entries()) expect(Number.isNaN(output), `${at}`).toBe(i === column);
      expect(winners[column]).toBe(at);
    }
  });

  it("find mean and variance as written on paper, and normalize by them", () => {
    const values = Float32Array.of(1, 3, 10, 10, 5, 7, 20, 40);
    const moments = k.batchMoments(values, 2, 2);
    expect([...moments]).toEqual([4, 5, 20, 150]);
    expect([...k.momentGradients(values, Float32Array.of(1, 2, 0, 0, 0, 1, 3, 1), moments, 2)]).toEqual([4, -2, 4, 20]);
    const by = Float32Array.of(4, 0.5, 1, 20, 0.1, 0);
    expect([...k.normalize(values, by, 2)].map((value) => value.toFixed(6))).toEqual(
      [-0.5, 0.5, -1, -1, 1.5, 2.5, 0, 2].map((value) => value.toFixed(6)),
    );
  });

  it("drop by chance, as the key says, and scale what is left", () => {
    const ones = new Float32Array(20000).fill(1);
    k.dropout(ones, 7, 0.25 * 2 ** 32, 4 / 3);
    const kept = ones.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(4 / 3)]));
    expect(kept.length / ones.length).toBeCloseTo(0.75, 1);
    const others = new Float32Array(20000).fill(1);
    k.dropout(others, 123456789, 0.25 * 2 ** 32, 4 / 3);
    const agreeing = others.filter((value, i) => value === ones[i]).length;
    expect(agreeing / ones.length).toBeCloseTo(0.625, 1);
    const none = Float32Array.of(1, -2, 3);
    k.dropout(none, 1, 0, 1);
    expect([...none]).toEqual([1, -2, 3]);
  });

  it("step as Adam's authors write it", () => {
    const [weights, means, squares] = [Float32Array.of(1, -2), new Float32Array(2), new Float32Array(2)];
    const how = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false };
    k.adamStep(weights, Float32Array.of(0.5, -4), means, squares, { ...how, step: 1 });
    for (const [i, wanted] of [0.9, -1.9].entries()) expect(weights[i]).toBeCloseTo(wanted, 6);
    const gradient = Float32Array.of(-0.25, 2);
    k.adamStep(weights, gradient, means, squares, { ...how, step: 2 });
    for (const [i, first] of [0.5, -4].entries()) {
      const mean = (0.9 * 0.1 * first + 0.1 * gradient[i]) / (1 - 0.9 ** 2);
      const square = (0.999 * 0.001 * first ** 2 + 0.001 * gradient[i] ** 2) / (1 - 0.999 ** 2);
      expect(weights[i]).toBeCloseTo([0.9, -1.9][i] - (0.1 * mean) / (Math.sqrt(square) + 1e-8), 5);
    }
    const [joined, apart] = [Float32Array.of(2), Float32Array.of(2)];
    const decaying = { ...how, weightDecay: 0.5, step: 1 };
    k.adamStep(joined, Float32Array.of(0), new Float32Array(1), new Float32Array(1), decaying);
    k.adamStep(apart, Float32Array.of(0), new Float32Array(1), new Float32Array(1), { ...decaying, decoupled: true });
    expect(joined[0]).toBeCloseTo(1.9, 6);
    expect(apart[0]).toBeCloseTo(1.9 + 0, 6);
  });
});

describe.each(engines)("image kernels of $name give the bits of the reference:", ({ kernels }) => {
  const k = kernels();

  it.each(CONVOLUTIONS)("convolution and its gradients, %s", (_, rows, shape) => {
    const random = new Random(shape.channels * 100 + shape.out);
    const inputs = numbers(random, rows * elementsOf(shape));
    const weights = numbers(random, (shape.out * shape.channels * shape.kernel[0] * shape.kernel[1]) / shape.groups);
    const bias = numbers(random, shape.out);
    const gradient = numbers(random, rows * shape.out * shape.outHeight * shape.outWidth);
    const plane = shape.outHeight * shape.outWidth;
    expectSame(k.convolve(shape, inputs, weights), reference.convolve(shape, inputs, weights), "outputs");
    expectSame(k.convolve(shape, inputs, weights, bias), reference.convolve(shape, inputs, weights, bias), "outputs with a bias");
    expectSame(k.convolveWeightGradient(shape, inputs, gradient), reference.convolveWeightGradient(shape, inputs, gradient), "weights");
    expectSame(k.convolveInputGradient(shape, gradient, weights), reference.convolveInputGradient(shape, gradient, weights), "inputs");
    expectSame(k.planeSums(gradient, shape.out, plane), reference.planeSums(gradient, shape.out, plane), "bias");
  });

  it.each(WINDOWS)("pooling and its gradients, %s", (_, shape) => {
    const random = new Random(elementsOf(shape));
    for (const values of [coarse, numbers]) {
      const inputs = values(random, 3 * elementsOf(shape));
      const gradient = values(random, 3 * outputsOf(shape));
      const [found, wanted] = [k.maxPool(shape, inputs), reference.maxPool(shape, inputs)];
      expectSame(found.outputs, wanted.outputs, "largest");
      expectSame(found.winners, wanted.winners, "winners");
      expectSame(
        k.maxPoolGradient(shape, gradient, wanted.winners),
        reference.maxPoolGradient(shape, gradient, wanted.winners),
        "gradient",
      );
      expectSame(k.averagePool(shape, inputs), reference.averagePool(shape, inputs), "mean");
      expectSame(k.averagePoolGradient(shape, gradient), reference.averagePoolGradient(shape, gradient), "gradient of the mean");
    }
  });

  it.each([
    [1, 1, 1],
    [5, 3, 1],
    [2, 4, 3],
    [3, 2, 4],
    [4, 5, 7],
    [2, 3, 64],
  ])("normalization, %i rows of %i channels of %i", (rows, channels, plane) => {
    const random = new Random(rows * 100 + channels * 10 + plane);
    const values = numbers(random, rows * channels * plane);
    const gradient = numbers(random, values.length);
    const moments = reference.batchMoments(values, channels, plane);
    expectSame(k.batchMoments(values, channels, plane), moments);
    expectSame(k.momentGradients(values, gradient, moments, plane), reference.momentGradients(values, gradient, moments, plane));
    const by = numbers(random, 3 * channels);
    expectSame(k.normalize(values, by, plane), reference.normalize(values, by, plane));
    const slopes = numbers(random, 4 * channels);
    const [found, wanted] = [gradient.slice(), gradient.slice()];
    k.normalizeGradient(values, found, slopes, plane);
    reference.normalizeGradient(values, wanted, slopes, plane);
    expectSame(found, wanted);
  });

  it("dropout and Adam, at every length", () => {
    for (const length of LENGTHS) {
      const random = new Random(length + 2);
      const [found, wanted] = [numbers(random, length), new Float32Array(length)];
      wanted.set(found);
      const key = random.u32();
      k.dropout(found, key, 0x9abcdef0, 1.7);
      reference.dropout(wanted, key, 0x9abcdef0, 1.7);
      expectSame(found, wanted, `dropout of ${length}`);
      const arrays = [numbers(random, length), numbers(random, length), numbers(random, length).map(Math.abs)];
      const gradient = numbers(random, length);
      for (const decoupled of [false, true]) {
        const step = {
          learningRate: 0.003,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0.01,
          decoupled,
          step: 1 + random.below(100000),
        };
        const [ours, theirs] = [arrays.map((array) => array.slice()), arrays.map((array) => array.slice())];
        k.adamStep(ours[0], gradient, ours[1], ours[2], step);
        reference.adamStep(theirs[0], gradient, theirs[1], theirs[2], step);
        for (const [i, array] of ours.entries()) expectSame(array, theirs[i], `Adam of ${length}, ${i}`);
      }
    }
  });

  it.each([
    [1, 1],
    [3, 2],
    [33, 10],
  ])("soft targets, %i rows of %i classes", (rows, classes) => {
    const random = new Random(rows * 1000 + classes);
    for (const [scale, temperature, weight] of [
      [1, 1, 0.5],
      [20, 4, 0.9],
      [300, 0.5, 1],
    ] as const) {
      const logits = Float32Array.from({ length: rows * classes }, () => random.normal(scale));
      const teacher = Float32Array.from({ length: rows * classes }, () => random.normal(scale));
      if (classes > 1) teacher[1] = Number.NEGATIVE_INFINITY;
      const labels = Uint32Array.from({ length: rows }, () => random.below(classes));
      const [found, wanted] = [k, reference].map((kernels) => {
        const { gradient, losses } = kernels.softmaxCrossEntropy(logits, labels, classes, rows + 7);
        kernels.mixSoftTargets(logits, { logits: teacher, temperature, weight }, classes, rows + 7, gradient, losses);
        return { gradient, losses };
      });
      expect(wanted.losses.every(Number.isFinite)).toBe(true);
      expectSame(found.losses, wanted.losses, "losses");
      expectSame(found.gradient, wanted.gradient, "gradient");
    }
  });
});
