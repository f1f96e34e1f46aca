import type { EncodeKernels, Survivors } from "../kernel-types.js";
import { type Dtype, isFloatDtype } from "../types.js";
import type { Blocks } from "./blocks.js";
import type { Contexts } from "./choose.js";
import { pruneThreshold } from "./prune.js";
import { type Centroids, shareCentroids } from "./share.js";

// The lossy steps: prune and share. What comes out are blocks again, which the record then holds exactly.

/** Prune, by exactly one of three rules. Weights whose magnitude is at most the threshold are pruned, and zeros always are. */
export type Prune =
  | { readonly threshold: number }
  /** Quality factor: the threshold is that times the standard deviation of the tensor's weights. */
  | { readonly quality: number }
  /** The part of the weights to prune, 0 to 1. Equal magnitudes go or stay together, so it may be a little more or less. */
  | { readonly sparsity: number };

export type Init = "linear" | "density" | "random";

export interface Share {
  /** The codebook has at most 2^bits centroids; 1 to 8. */
  readonly bits?: number;
  /** Instead of `bits`: at most this many, 1 to 256. Huffman codes need no power of two. */
  readonly centroids?: number;
  /** Where k-means starts: spread evenly from the least to the largest weight, evenly over their distribution, or on weights drawn at random. */
  readonly init?: Init;
  /** For `random`. */
  readonly seed?: number;
  readonly maxIterations?: number;
  /** Centroids of a float32 tensor are rounded to float16 unless `float32` is asked for or float16 cannot hold them well. */
  readonly codebook?: "float16" | "float32";
}

export interface Treatment {
  /** A tensor with at most 256 different non-zero elements is shared already, and stays exact whatever else is said. */
  readonly keepShared?: boolean;
  readonly prune?: Prune;
  readonly share?: Share;
  /** Which records may be coded by context, which is smaller and slower to decode: those below 16 KiB (`small`, unless given), all, none. */
  readonly contexts?: Contexts;
}

/** What was done to a tensor. */
export interface Quantized {
  readonly blocks: Blocks;
  /** All tensors come back bit for bit. */
  readonly exact: boolean;
  /** Why a treatment that was asked for was not given. */
  readonly note?: string;
}

/**
 * Prunes and shares a tensor as `treatment` says. A tensor that cannot be (integers; NaN or infinities, which have no nearest centroid) is kept exact, with a note.
 */
export async function quantize(kernels: EncodeKernels, dtype: Dtype, blocks: Blocks, treatment: Treatment): Promise<Quantized> {
  const { prune, share } = treatment;
  if (!prune && !share) return { blocks, exact: true };
  if (treatment.keepShared && (await isShared(kernels, blocks))) return { blocks, exact: true };
  if (!isFloatDtype(dtype)) return { blocks, exact: true, note: `kept exact: ${dtype} is not a floating dtype` };
  const values = (index: number): Promise<Float32Array> => blocks.read(index).then((block) => kernels.toFloat32(block, dtype));

  const totals = { sum: 0, sumOfSquares: 0, nonFinite: 0, count: blocks.elements };
  for (let i = 0; i < blocks.count; i++) {
    const stats = kernels.stats(await values(i));
    totals.sum += stats.sum;
    totals.sumOfSquares += stats.sumOfSquares;
    totals.nonFinite += stats.nonFinite;
  }
  if (totals.nonFinite > 0)
    return { blocks, exact: true, note: `kept exact: ${totals.nonFinite} weights are NaN, infinite or beyond float32` };

  const threshold = prune ? await pruneThreshold(kernels, blocks.count, values, totals, prune) : 0;
  const survivors = (value: Float32Array) => kernels.prune(value, threshold);
  const centroids = share
    ? await shareCentroids(kernels, dtype, blocks.count, async (i) => survivorValues(survivors(await values(i)).elements), share)
    : undefined;
  if (!prune && centroids?.exact) return { blocks, exact: true };
  const quantized = async (index: number): Promise<Uint8Array> => {
    const block = await blocks.read(index);
    const kept = survivors(kernels.toFloat32(block, dtype));
    return restore(kernels, kept, block, blocks.elementBytes, centroids);
  };
  // The one block of a tensor is asked for many times, and kept; those of a larger one are made anew.
  let only: Promise<Uint8Array> | undefined;
  const read = (index: number): Promise<Uint8Array> => {
    if (blocks.count > 1) return quantized(index);
    only ??= quantized(index);
    return only;
  };
  return { exact: false, blocks: { ...blocks, read } };
}

/** At most 256 different elements that have a bit set. */
async function isShared(kernels: EncodeKernels, blocks: Blocks): Promise<boolean> {
  let table: Uint8Array | undefined = new Uint8Array(0);
  for (let i = 0; i < blocks.count && table !== undefined; i++) {
    table = kernels.index(kernels.compact(await blocks.read(i), blocks.elementBytes).elements, blocks.elementBytes, table)?.table;
  }
  return table !== undefined;
}

function survivorValues(elements: Uint8Array): Float32Array {
  return new Float32Array(elements.buffer, elements.byteOffset, elements.length / 4);
}

/** The block with its pruned weights zero, and the others as their centroids, or as they are. */
function restore(
  kernels: EncodeKernels,
  { gaps, elements: survivors }: Survivors,
  block: Uint8Array,
  elementBytes: number,
  centroids: Centroids | undefined,
): Uint8Array {
  const count = block.length / elementBytes;
  if (centroids)
    return kernels.scatter(gaps, kernels.assign(survivorValues(survivors), centroids.midpoints), centroids.elements, elementBytes, count);
  if (elementBytes === 4) return kernels.scatter(gaps, undefined, survivors, elementBytes, count);
  // The survivors are float32 here: what they were is copied.
  const own = new Uint8Array(gaps.length * elementBytes);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    at += gaps[i];
    for (let b = 0; b < elementBytes; b++) own[i * elementBytes + b] = block[at * elementBytes + b];
    at++;
  }
  return kernels.scatter(gaps, undefined, own, elementBytes, count);
}
