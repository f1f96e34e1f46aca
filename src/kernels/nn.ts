import type { MatrixProduct, NnKernels } from "../kernel-types.js";
import type { Ptr } from "./arena.js";
import { bytesOf, lend } from "./encode-values.js";
import type { KernelModule, ModuleExports } from "./module.js";

/** What engine.wasm exports for training: the kernels under assembly/nn say what each needs. */
export interface NnExports extends ModuleExports {
  packRows(from: Ptr, count: number, depth: number, width: number, out: Ptr): void;
  packColumns(from: Ptr, count: number, depth: number, width: number, out: Ptr): void;
  gemm(a: Ptr, b: Ptr, c: Ptr, m: number, n: number, k: number, accumulate: number, tile: Ptr): void;
  addBias(values: Ptr, bias: Ptr, rows: number, columns: number): void;
  relu(values: Ptr, count: number): void;
  reluGradient(outputs: Ptr, gradient: Ptr, count: number): void;
  columnSums(values: Ptr, rows: number, columns: number, out: Ptr): void;
  sgdStep(weights: Ptr, gradient: Ptr, velocity: Ptr, count: number, rate: number, momentum: number, decay: number): void;
  softmaxCrossEntropy(logits: Ptr, labels: Ptr, rows: number, classes: number, gradient: Ptr, losses: Ptr): void;
  argmax(logits: Ptr, rows: number, classes: number, out: Ptr): void;
  maskValues(values: Ptr, mask: Ptr, count: number): void;
  spreadCentroids(codes: Ptr, mask: Ptr, count: number, centroids: Ptr, out: Ptr): void;
}

/** Rows and columns of a tile of `gemm`, to which panels are filled up. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

const paddedBytes = (count: number, width: number, depth: number): number => 4 * Math.ceil(count / width) * width * depth;

/** C = A B, or C += A B, for matrices in the module's memory: packs panels into a scope of the arena, which may grow. */
export function multiplyAt(module: KernelModule<NnExports>, { m, n, k, ...how }: MatrixProduct, a: Ptr, b: Ptr, c: Ptr): void {
  const { arena, exports } = module;
  arena.scope(() => {
    const panelsA = arena.alloc(paddedBytes(m, TILE_ROWS, k));
    const panelsB = arena.alloc(paddedBytes(n, TILE_COLUMNS, k));
    const tile = arena.alloc(4 * TILE_ROWS * TILE_COLUMNS);
    if (how.transposedA) exports.packColumns(a, m, k, TILE_ROWS, panelsA);
    else exports.packRows(a, m, k, TILE_ROWS, panelsA);
    if (how.transposedB) exports.packRows(b, n, k, TILE_COLUMNS, panelsB);
    else exports.packColumns(b, n, k, TILE_COLUMNS, panelsB);
    exports.gemm(panelsA, panelsB, c, m, n, k, how.accumulate ? 1 : 0, tile);
  });
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

    softmaxCrossEntropy: (logits, labels, classes) =>
      arena.scope(() => {
        const gradient = lend(arena, logits);
        const losses = arena.alloc(4 * labels.length);
        exports.softmaxCrossEntropy(gradient, lend(arena, labels), labels.length, classes, gradient, losses);
        return { gradient: arena.f32(gradient, logits.length).slice(), losses: arena.f32(losses, labels.length).slice() };
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
  };
}
