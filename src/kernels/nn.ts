import type { AdamStep, MatrixProduct, NnKernels } from "../kernel-types.js";
import type { Ptr } from "./arena.js";
import { bytesOf, lend } from "./encode-values.js";
import type { KernelModule, ModuleExports } from "./module.js";
import { imageKernels } from "./nn-images.js";

/** What engine.wasm exports for training: the kernels under assembly/nn say what each needs. */
export interface NnExports extends ModuleExports {
  packRows(from: Ptr, count: number, depth: number, width: number, out: Ptr): void;
  packColumns(from: Ptr, count: number, depth: number, width: number, out: Ptr): void;
  gemm(a: Ptr, b: Ptr, c: Ptr, m: number, n: number, k: number, stride: number, accumulate: number, tile: Ptr): void;
  addBias(values: Ptr, bias: Ptr, rows: number, columns: number): void;
  relu(values: Ptr, count: number): void;
  reluGradient(outputs: Ptr, gradient: Ptr, count: number): void;
  columnSums(values: Ptr, rows: number, columns: number, out: Ptr): void;
  sgdStep(weights: Ptr, gradient: Ptr, velocity: Ptr, count: number, rate: number, momentum: number, decay: number): void;
  adamStep(weights: Ptr, gradient: Ptr, means: Ptr, squares: Ptr, count: number, ...numbers: AdamNumbers): void;
  softmaxCrossEntropy(logits: Ptr, labels: Ptr, rows: number, classes: number, samples: number, gradient: Ptr, losses: Ptr): void;
  mixSoftTargets(
    logits: Ptr,
    teacher: Ptr,
    rows: number,
    classes: number,
    samples: number,
    temperature: number,
    weight: number,
    gradient: Ptr,
    losses: Ptr,
    scratch: Ptr,
  ): void;
  argmax(logits: Ptr, rows: number, classes: number, out: Ptr): void;
  maskValues(values: Ptr, mask: Ptr, count: number): void;
  spreadCentroids(codes: Ptr, mask: Ptr, count: number, centroids: Ptr, out: Ptr): void;
  settleWeights(weights: Ptr, survivors: Ptr, count: number, centroids: Ptr, k: number, scratch: Ptr, codes: Ptr, out: Ptr): void;
  gatherPanels(from: Ptr, places: Ptr, count: number, taps: Ptr, depth: number, width: number, out: Ptr): void;
  scatterPatches(from: Ptr, depth: number, count: number, taps: Ptr, places: Ptr, to: Ptr): void;
  copyPlanes(
    from: Ptr,
    fromHeight: number,
    fromWidth: number,
    to: Ptr,
    toHeight: number,
    toWidth: number,
    planes: number,
    height: number,
    width: number,
  ): void;
  addPlaneBias(values: Ptr, bias: Ptr, channels: number, plane: number): void;
  planeSums(values: Ptr, rows: number, channels: number, plane: number, out: Ptr): void;
  maxPool(inputs: Ptr, planes: number, ...to: [...WindowNumbers, outputs: Ptr, winners: Ptr]): void;
  maxPoolGradient(gradient: Ptr, winners: Ptr, planes: number, outPlane: number, plane: number, inputGradient: Ptr): void;
  averagePool(inputs: Ptr, planes: number, ...to: [...WindowNumbers, outputs: Ptr]): void;
  averagePoolGradient(gradient: Ptr, planes: number, ...to: [...WindowNumbers, inputGradient: Ptr]): void;
  batchMoments(values: Ptr, rows: number, channels: number, plane: number, out: Ptr): void;
  momentGradients(values: Ptr, gradient: Ptr, rows: number, channels: number, plane: number, means: Ptr, out: Ptr): void;
  normalize(values: Ptr, rows: number, channels: number, plane: number, by: Ptr, out: Ptr): void;
  normalizeGradient(values: Ptr, gradient: Ptr, rows: number, channels: number, plane: number, by: Ptr): void;
  dropout(values: Ptr, count: number, key: number, below: number, scale: number): void;
}

type AdamNumbers = [
  rate: number,
  root: number,
  meanKept: number,
  meanShare: number,
  squareKept: number,
  squareShare: number,
  epsilon: number,
  decay: number,
  kept: number,
];

export type WindowNumbers = [
  height: number,
  width: number,
  kernelHeight: number,
  kernelWidth: number,
  strideY: number,
  strideX: number,
  paddingY: number,
  paddingX: number,
  outHeight: number,
  outWidth: number,
];

/** Rows and columns of a tile of `gemm`, to which panels are filled up. */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;
export const TILE_BYTES: number = 4 * TILE_ROWS * TILE_COLUMNS;

/** Scratch of `settleWeights`. */
export const SETTLE_SCRATCH_BYTES: number = 3 * 8 * 256;

/** Bytes of the panels of `count` vectors. */
export const panelBytes = (count: number, width: number, depth: number): number => 4 * Math.ceil(count / width) * width * depth;

/** C = A B, or C += A B, for matrices in the module's memory: packs panels into a scope of the arena, which may grow. */
export function multiplyAt(module: KernelModule<NnExports>, { m, n, k, ...how }: MatrixProduct, a: Ptr, b: Ptr, c: Ptr): void {
  const { arena, exports } = module;
  arena.scope(() => {
    const panelsA = arena.alloc(panelBytes(m, TILE_ROWS, k));
    const panelsB = arena.alloc(panelBytes(n, TILE_COLUMNS, k));
    const tile = arena.alloc(TILE_BYTES);
    if (how.transposedA) exports.packColumns(a, m, k, TILE_ROWS, panelsA);
    else exports.packRows(a, m, k, TILE_ROWS, panelsA);
    if (how.transposedB) exports.packRows(b, n, k, TILE_COLUMNS, panelsB);
    else exports.packColumns(b, n, k, TILE_COLUMNS, panelsB);
    exports.gemm(panelsA, panelsB, c, m, n, k, n, how.accumulate ? 1 : 0, tile);
  });
}

/** base^exponent for integers above 0, of products alone, by squares: Math.pow may differ from machine to machine. */
function power(base: number, exponent: number): number {
  let product = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) product *= square;
    square *= square;
  }
  return product;
}

/** What the kernel of Adam takes for a step. */
export function adamNumbers({ learningRate, beta1, beta2, epsilon, weightDecay, decoupled, step }: AdamStep): AdamNumbers {
  const rate = learningRate / (1 - power(beta1, step));
  const root = Math.sqrt(1 / (1 - power(beta2, step)));
  const [joined, kept] = decoupled ? [0, 1 - learningRate * weightDecay] : [weightDecay, 1];
  return [rate, root, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, joined, kept];
}

/** The kernels of training over arrays outside: each call copies them in and what it changed out. */
export function nnKernels(module: KernelModule<NnExports>): NnKernels {
  const { arena, exports } = module;

  /** Copies back what a kernel changed in place. */
  function take(ptr: Ptr, out: Float32Array): void {
    bytesOf(out).set(arena.u8(ptr, out.byteLength));
  }

  return {
    variant: module.variant,
    ...imageKernels(module),

    multiply: (product, a, b, outC) =>
      arena.scope(() => {
        const c = lend(arena, outC);
        multiplyAt(module, product, lend(arena, a), lend(arena, b), c);
        take(c, outC);
      }),

    addBias: (outValues, bias) =>
      arena.scope(() => {
        const values = lend(arena, outValues);
        exports.addBias(values, lend(arena, bias), outValues.length / bias.length, bias.length);
        take(values, outValues);
      }),

    relu: (outValues) =>
      arena.scope(() => {
        const values = lend(arena, outValues);
        exports.relu(values, outValues.length);
        take(values, outValues);
      }),

    reluGradient: (outputs, outGradient) =>
      arena.scope(() => {
        const gradient = lend(arena, outGradient);
        exports.reluGradient(lend(arena, outputs), gradient, outGradient.length);
        take(gradient, outGradient);
      }),

    columnSums: (values, columns) =>
      arena.scope(() => {
        const out = arena.alloc(4 * columns);
        exports.columnSums(lend(arena, values), values.length / columns, columns, out);
        return arena.f32(out, columns).slice();
      }),

    sgdStep: (outWeights, gradient, outVelocity, { learningRate, momentum, weightDecay }) =>
      arena.scope(() => {
        const weights = lend(arena, outWeights);
        const velocity = lend(arena, outVelocity);
        exports.sgdStep(weights, lend(arena, gradient), velocity, outWeights.length, learningRate, momentum, weightDecay);
        take(weights, outWeights);
        take(velocity, outVelocity);
      }),

    adamStep: (outWeights, gradient, outMeans, outSquares, step) =>
      arena.scope(() => {
        const outs = [outWeights, outMeans, outSquares];
        const [weights, means, squares] = outs.map((array) => lend(arena, array));
        exports.adamStep(weights, lend(arena, gradient), means, squares, outWeights.length, ...adamNumbers(step));
        for (const [i, ptr] of [weights, means, squares].entries()) take(ptr, outs[i]);
      }),

    softmaxCrossEntropy: (logits, labels, classes, samples = labels.length) =>
      arena.scope(() => {
        const gradient = lend(arena, logits);
        const losses = arena.alloc(4 * labels.length);
        exports.softmaxCrossEntropy(gradient, lend(arena, labels), labels.length, classes, samples, gradient, losses);
        return { gradient: arena.f32(gradient, logits.length).slice(), losses: arena.f32(losses, labels.length).slice() };
      }),

    mixSoftTargets: (logits, targets, classes, samples, outGradient, outLosses) =>
      arena.scope(() => {
        const own = lend(arena, logits);
        const [teacher, gradient, losses] = [targets.logits, outGradient, outLosses].map((array) => lend(arena, array));
        const scratch = arena.alloc(16 * classes);
        const { temperature, weight } = targets;
        exports.mixSoftTargets(own, teacher, outLosses.length, classes, samples, temperature, weight, gradient, losses, scratch);
        take(gradient, outGradient);
        take(losses, outLosses);
      }),

    argmax: (logits, classes) =>
      arena.scope(() => {
        const rows = logits.length / classes;
        const out = arena.alloc(4 * rows);
        exports.argmax(lend(arena, logits), rows, classes, out);
        return arena.u32(out, rows).slice();
      }),

    maskValues: (outValues, mask) =>
      arena.scope(() => {
        const values = lend(arena, outValues);
        exports.maskValues(values, lend(arena, mask), outValues.length);
        take(values, outValues);
      }),

    spreadCentroids: (codes, mask, centroids) =>
      arena.scope(() => {
        const out = arena.alloc(4 * codes.length);
        const from = lend(arena, codes);
        const by = lend(arena, mask);
        exports.spreadCentroids(from, by, codes.length, lend(arena, centroids), out);
        return arena.f32(out, codes.length).slice();
      }),

    settleWeights: (weights, survivors, outCentroids, outCodes, outValues) =>
      arena.scope(() => {
        const [centroids, values] = [outCentroids, outValues].map((array) => lend(arena, array));
        const codes = lend(arena, outCodes);
        const [from, places] = [lend(arena, weights), lend(arena, survivors)];
        const scratch = arena.alloc(SETTLE_SCRATCH_BYTES);
        exports.settleWeights(from, places, survivors.length, centroids, outCentroids.length, scratch, codes, values);
        take(centroids, outCentroids);
        take(values, outValues);
        outCodes.set(arena.u8(codes, outCodes.length));
      }),
  };
}
