import { describe, expect, it } from "vitest";
import type { Convolution, Windows } from "../../src/kernel-types.js";
import type { Ptr } from "../../src/kernels/arena.js";
import { newRunner, type Runner } from "../../src/kernels/runner.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { convolutionOf, windowsOf } from "../../src/network/shapes.js";
import type { Conv2dSpec, MaxPool2dSpec } from "../../src/network/spec.js";
import * as reference from "../../src/reference/run-network.js";
import { addConvolution } from "../../src/run/network/convolution.js";
import { Plan } from "../../src/run/network/plan.js";
import { contiguous, type Planes } from "../../src/run/network/planes.js";
import { Random } from "../random.js";
import { Expected, weightsOf } from "../run/expected.js";
import { rowLinesOf } from "../run/helpers.js";
import { expectSame } from "./all.js";

function lend({ arena }: Runner, values: Float32Array): Ptr {
  const ptr = arena.alloc(4 * values.length);
  arena.f32(ptr, values.length).set(values);
  return ptr;
}

/** Planes with rows and planes so many numbers apart, what is between them never to be looked at. */
function spaced(values: Float32Array, { channels, height, width, pitch, stride }: Planes): Float32Array {
  const out = new Float32Array(channels * stride).fill(Number.NaN);
  for (let row = 0; row < channels * height; row++)
    out.set(values.subarray(row * width, (row + 1) * width), Math.floor(row / height) * stride + (row % height) * pitch);
  return out;
}

/** Layers, and the shape of what comes to them. */
const CONVOLUTIONS: readonly (readonly [layer: Omit<Conv2dSpec, "type" | "name">, height: number, width: number])[] = [
  [{ in: 1, out: 1, kernel: 1 }, 1, 1],
  [{ in: 3, out: 5, kernel: 3 }, 7, 6],
  [{ in: 3, out: 5, kernel: 3, padding: 1 }, 7, 6],
  [{ in: 2, out: 3, kernel: [1, 5], padding: [0, 2] }, 3, 40],
  [{ in: 2, out: 3, kernel: [5, 1], padding: [4, 0], stride: [2, 1] }, 9, 33],
  [{ in: 4, out: 6, kernel: 5, padding: 2, groups: 2 }, 13, 13],
  [{ in: 3, out: 4, kernel: 11, stride: 4 }, 35, 35],
  [{ in: 3, out: 4, kernel: 3, stride: 2, padding: 1 }, 8, 9],
  [{ in: 4, out: 4, kernel: 2, stride: 3, groups: 4 }, 10, 11],
  [{ in: 2, out: 2, kernel: 1, stride: 2 }, 5, 6],
  [{ in: 2, out: 2, kernel: 2, padding: 3 }, 3, 4],
  // Of so many phases only those that the kernel meets are there.
  [{ in: 2, out: 2, kernel: 2, stride: 16384 }, 5, 6],
  [{ in: 300, out: 3, kernel: 1 }, 4, 4],
  [{ in: 7400, out: 2, kernel: 3, padding: 1 }, 2, 2],
  // Narrow outputs, of which the inputs are spread to a plane for each few taps.
  [{ in: 1, out: 8, kernel: [3, 300] }, 20, 300],
  [{ in: 1, out: 8, kernel: [3, 50] }, 9, 50],
  [{ in: 2, out: 40, kernel: [3, 33], stride: [1, 2], padding: [1, 0] }, 13, 40],
  [{ in: 4, out: 60, kernel: [2, 29], padding: [1, 3], groups: 2 }, 6, 26],
];

const POOLS: readonly (readonly [layer: Omit<MaxPool2dSpec, "type">, height: number, width: number])[] = [
  [{ kernel: 1 }, 1, 1],
  [{ kernel: 2 }, 8, 18],
  [{ kernel: 2, ceil: true }, 9, 19],
  [{ kernel: 3, stride: 2 }, 27, 27],
  [{ kernel: 3, stride: 2, padding: 1, ceil: true }, 14, 14],
  [{ kernel: 3, stride: 1, padding: 1 }, 7, 23],
  [{ kernel: [4, 5], stride: [3, 4], padding: [2, 1] }, 16, 21],
];

describe.each(VARIANTS)("kernels that run networks, %s", (variant) => {
  describe.each(CONVOLUTIONS)("a convolution %j of %i x %i", (layer, height, width) => {
    const spec: Conv2dSpec = { ...layer, type: "conv2d", name: "c" };
    const shape: Convolution = convolutionOf(spec, [layer.in, height, width]);
    const columns = (layer.in / shape.groups) * shape.kernel[0] * shape.kernel[1];
    const random = new Random(columns + height);
    const inputs = random.weights(layer.in * height * width, 1);

    /** What the steps of a network leave, and how it stands. */
    function run(weights: Float32Array, after: { scale?: Float32Array; bias?: Float32Array }, relu: boolean, floats = false): Float32Array {
      const runner = newRunner({ variant });
      const plan = new Plan(contiguous([layer.in, height, width]));
      const expected = new Expected(layer.out, columns, weights);
      const matrix = rowLinesOf(expected, variant, floats);
      expect(addConvolution(plan, runner, shape, matrix, after, relu)).toBe(expected.survivors);
      const course = plan.finish(runner);
      const { channels, pitch, stride } = plan.planes;
      const found = new Float32Array(channels * stride);
      course.one(inputs, found);
      return Float32Array.from({ length: channels * shape.outHeight * shape.outWidth }, (_, i) => {
        const [row, x] = [Math.floor(i / shape.outWidth), i % shape.outWidth];
        return found[Math.floor(row / shape.outHeight) * stride + (row % shape.outHeight) * pitch + x];
      });
    }

    const weights = weightsOf(columns, layer.out * columns, 0.4, 200);
    const expected = new Expected(layer.out, columns, weights);
    const bias = random.weights(layer.out, 1);
    const scale = random.weights(layer.out, 1);

    it.each([
      ["alone", {}, false],
      ["with a bias and ReLU", { bias }, true],
      ["with a scale and a bias", { scale, bias }, false],
      ["with a scale", { scale }, true],
    ] as const)("gives what the reference gives, %s", (_, after, relu) => {
      const wanted = reference.convolve(shape, expected.lines("rows"), expected.codebook, inputs, { ...after, relu });
      expectSame(run(weights, after, relu), wanted);
      expectSame(run(weights, after, relu, true), wanted, "in float32");
    });
  });

  it.each(CONVOLUTIONS)("spread planes for a convolution %j of %i x %i", (layer, height, width) => {
    const runner = newRunner({ variant });
    const { stride, padding } = convolutionOf({ ...layer, type: "conv2d", name: "c" }, [layer.in, height, width]);
    const planes = { channels: 3, height, width, pitch: width + 3, stride: height * (width + 3) + 1 };
    const inputs = new Random(height).weights(3 * height * width);
    const [rows, columns] = [height + 2, width + 5];
    // Of a narrow stride more than one set of phases.
    const some = [Math.min(stride[0], 2), 7] as const;
    const step = 3 * stride[1];
    const phases = 3 * some[0] * some[1];
    const from = lend(runner, spaced(inputs, planes));
    const toStride = rows * columns + 2;
    const to = lend(runner, new Float32Array(phases * toStride));
    runner.exports.spread(
      ...([from, 4 * planes.pitch, 4 * planes.stride, 3, height, width] as const),
      ...([...stride, ...some, step, ...padding, to, 4 * toStride, rows, columns] as const),
    );
    const found = Array.from({ length: phases }, (_, i) => [
      ...runner.arena.u32(to, phases * toStride).subarray(i * toStride, i * toStride + rows * columns),
    ]);
    const wanted = reference.spread({ channels: 3, height, width }, stride, some, step, padding, rows, columns, inputs);
    expectSame(Uint32Array.from(found.flat()), new Uint32Array(wanted.buffer));
  });

  it.each(POOLS)("pool %j of %i x %i", (layer, height, width) => {
    const windows: Windows = windowsOf({ ...layer, type: "maxpool2d" }, [3, height, width]);
    const { kernel, stride, padding, outHeight, outWidth } = windows;
    const planes = { channels: 3, height, width, pitch: width + 5, stride: height * (width + 5) + 3 };
    for (const [name, inputs] of [
      ["normal", new Random(width).weights(3 * height * width)],
      ["awkward", new Random(width).awkward(3 * height * width)],
    ] as const) {
      const runner = newRunner({ variant });
      const from = lend(runner, spaced(inputs, planes));
      const row = runner.arena.alloc(4 * width + 16);
      const to = runner.arena.alloc(4 * 3 * outHeight * outWidth);
      const numbers = [
        ...([from, 4 * planes.pitch, 4 * planes.stride, 3, height, width] as const),
        ...([...kernel, ...stride, ...padding, outHeight, outWidth, row, to] as const),
      ] as const;
      const found = () => runner.arena.f32(to, 3 * outHeight * outWidth);
      runner.exports.poolLargest(...numbers);
      expectSame(canonical(found()), canonical(reference.poolLargest(windows, inputs)), `largest, ${name}`);
      runner.exports.poolMean(...numbers);
      expectSame(canonical(found()), canonical(reference.poolMean(windows, inputs)), `mean, ${name}`);
    }
  });

  it.each([
    [1, 1, 0.75],
    [5, 17, 0.75],
    [5, 64, 0.5],
    [4, 13, 0.75],
    [9, 5, 1],
    [100, 3, 0],
  ])("normalize across %i channels %i numbers by the power %d", (size, count, beta) => {
    const channels = 7;
    for (const values of [new Random(size).weights(channels * count, 3), new Random(size).awkward(channels * count)]) {
      const runner = newRunner({ variant });
      const from = lend(runner, values);
      const to = runner.arena.alloc(4 * channels * count);
      runner.exports.normalizeAcross(from, channels, count, 4 * count, size, 0.3 / size, beta, 1.5, to);
      const wanted = reference.normalizeAcross({ channels, height: 1, width: count }, { size, scale: 0.3 / size, beta, k: 1.5 }, values);
      expectSame(canonical(runner.arena.f32(to, channels * count)), canonical(wanted));
    }
  });

  it.each([
    ["of normal numbers", new Random(1).weights(1000, 5)],
    ["of one number", Float32Array.of(3)],
    ["far apart", Float32Array.of(-1e30, 0, 90, 1e30, 1e30)],
    ["with a NaN", Float32Array.of(1, Number.NaN, 2)],
    ["with infinity", Float32Array.of(1, Number.POSITIVE_INFINITY)],
    ["with negative infinity", Float32Array.of(1, Number.NEGATIVE_INFINITY, 2)],
  ])("make probabilities %s", (_, values) => {
    const runner = newRunner({ variant });
    const at = lend(runner, values);
    runner.exports.softmax(at, values.length);
    expectSame(canonical(runner.arena.f32(at, values.length)), canonical(reference.softmax(values)));
  });
});

/** One NaN for all: which one arithmetic gives is left open. */
function canonical(values: Float32Array): Float32Array {
  return values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
}
