import type { NnKernels, Windows } from "../kernel-types.js";
import { bytesOf, lend } from "./encode-values.js";
import type { KernelModule } from "./module.js";
import type { NnExports, WindowNumbers } from "./nn.js";
import { convolveAt, inputGradientAt, padAt, planConvolution, weightGradientAt } from "./nn-convolution.js";

// Kernels of layers over images and batches: convolution, pooling, normalization, dropout.

type Images = Pick<
  NnKernels,
  | "convolve"
  | "convolveWeightGradient"
  | "convolveInputGradient"
  | "planeSums"
  | "maxPool"
  | "maxPoolGradient"
  | "averagePool"
  | "averagePoolGradient"
  | "batchMoments"
  | "momentGradients"
  | "normalize"
  | "normalizeGradient"
  | "dropout"
>;

/** Windows as the kernels take them. */
export function windowNumbers({ height, width, kernel, stride, padding, outHeight, outWidth }: Windows): WindowNumbers {
  return [height, width, ...kernel, ...stride, ...padding, outHeight, outWidth];
}

/** Elements of an image that comes in, and of what is made of it for each of its channels. */
const planeOf = ({ height, width }: Windows): number => height * width;
const outPlaneOf = ({ outHeight, outWidth }: Windows): number => outHeight * outWidth;

/** The kernels over arrays outside: each call copies them in and what it made out. */
export function imageKernels(module: KernelModule<NnExports>): Images {
  const { arena, exports } = module;

  return {
    convolve: (shape, inputs, weights, bias) =>
      arena.scope(() => {
        const rows = inputs.length / (shape.channels * planeOf(shape));
        const plan = planConvolution(arena, shape);
        const count = rows * shape.out * plan.places;
        const out = arena.alloc(4 * count);
        const by = bias === undefined ? undefined : lend(arena, bias);
        convolveAt(module, plan, padAt(module, plan, lend(arena, inputs), rows), lend(arena, weights), by, rows, out);
        return arena.f32(out, count).slice();
      }),

    convolveWeightGradient: (shape, inputs, gradient) =>
      arena.scope(() => {
        const rows = inputs.length / (shape.channels * planeOf(shape));
        const plan = planConvolution(arena, shape);
        const out = arena.alloc(4 * shape.out * plan.taps);
        weightGradientAt(module, plan, padAt(module, plan, lend(arena, inputs), rows), lend(arena, gradient), rows, out);
        return arena.f32(out, shape.out * plan.taps).slice();
      }),

    convolveInputGradient: (shape, gradient, weights) =>
      arena.scope(() => {
        const plan = planConvolution(arena, shape);
        const rows = gradient.length / (shape.out * plan.places);
        const count = rows * shape.channels * planeOf(shape);
        const out = arena.alloc(4 * count);
        inputGradientAt(module, plan, lend(arena, gradient), lend(arena, weights), rows, out);
        return arena.f32(out, count).slice();
      }),

    planeSums: (values, channels, plane) =>
      arena.scope(() => {
        const out = arena.alloc(4 * channels);
        exports.planeSums(lend(arena, values), values.length / (channels * plane), channels, plane, out);
        return arena.f32(out, channels).slice();
      }),

    maxPool: (windows, inputs) =>
      arena.scope(() => {
        const planes = inputs.length / planeOf(windows);
        const count = planes * outPlaneOf(windows);
        const [outputs, winners] = [arena.alloc(4 * count), arena.alloc(4 * count)];
        exports.maxPool(lend(arena, inputs), planes, ...windowNumbers(windows), outputs, winners);
        return { outputs: arena.f32(outputs, count).slice(), winners: arena.u32(winners, count).slice() };
      }),

    maxPoolGradient: (windows, gradient, winners) =>
      arena.scope(() => {
        const planes = gradient.length / outPlaneOf(windows);
        const count = planes * planeOf(windows);
        const out = arena.alloc(4 * count);
        const slopes = lend(arena, gradient);
        exports.maxPoolGradient(slopes, lend(arena, winners), planes, outPlaneOf(windows), planeOf(windows), out);
        return arena.f32(out, count).slice();
      }),

    averagePool: (windows, inputs) =>
      arena.scope(() => {
        const planes = inputs.length / planeOf(windows);
        const count = planes * outPlaneOf(windows);
        const out = arena.alloc(4 * count);
        exports.averagePool(lend(arena, inputs), planes, ...windowNumbers(windows), out);
        return arena.f32(out, count).slice();
      }),

    averagePoolGradient: (windows, gradient) =>
      arena.scope(() => {
        const planes = gradient.length / outPlaneOf(windows);
        const count = planes * planeOf(windows);
        const out = arena.alloc(4 * count);
        exports.averagePoolGradient(lend(arena, gradient), planes, ...windowNumbers(windows), out);
        return arena.f32(out, count).slice();
      }),

    batchMoments: (values, channels, plane) =>
      arena.scope(() => {
        const out = arena.alloc(16 * channels);
        exports.batchMoments(lend(arena, values), values.length / (channels * plane), channels, plane, out);
        return arena.f64(out, 2 * channels).slice();
      }),

    momentGradients: (values, gradient, moments, plane) =>
      arena.scope(() => {
        const channels = moments.length / 2;
        const out = arena.alloc(16 * channels);
        const slopes = lend(arena, gradient);
        const means = lend(arena, moments);
        exports.momentGradients(lend(arena, values), slopes, values.length / (channels * plane), channels, plane, means, out);
        return arena.f64(out, 2 * channels).slice();
      }),

    normalize: (values, by, plane) =>
      arena.scope(() => {
        const channels = by.length / 3;
        const out = lend(arena, values);
        exports.normalize(out, values.length / (channels * plane), channels, plane, lend(arena, by), out);
        return arena.f32(out, values.length).slice();
      }),

    normalizeGradient: (values, outGradient, by, plane) =>
      arena.scope(() => {
        const channels = by.length / 4;
        const gradient = lend(arena, outGradient);
        const from = lend(arena, values);
        exports.normalizeGradient(from, gradient, values.length / (channels * plane), channels, plane, lend(arena, by));
        bytesOf(outGradient).set(arena.u8(gradient, outGradient.byteLength));
      }),

    dropout: (outValues, key, below, scale) =>
      arena.scope(() => {
        const values = lend(arena, outValues);
        exports.dropout(values, outValues.length, key, below, scale);
        bytesOf(outValues).set(arena.u8(values, outValues.byteLength));
      }),
  };
}
