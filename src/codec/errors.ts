import type { EncodeKernels } from "../kernel-types.js";
import { type Dtype, type FloatDtype, isFloatDtype } from "../types.js";

// What a tensor lost.

export interface TensorError {
  /** Largest absolute difference; undefined for dtypes that are not floating, as are the next two. */
  readonly maxAbs?: number;
  /** Root of the mean squared difference. */
  readonly rmse?: number;
  /** Signal to noise: 10 log10 of the mean square of the weights over that of the difference, in dB. Infinity where nothing differs. */
  readonly snr?: number;
}

export interface TensorErrors extends TensorError {
  /** Every bit is the same. */
  readonly identical: boolean;
  /** Weights that were zero and are not, or are zero and were not. */
  readonly changedZeros: number;
}

/** What one block lost. Sums are of float64; those of a tensor are taken block after block, so that whoever counts comes to the same bits. */
export interface BlockErrors {
  readonly identical: boolean;
  readonly changedZeros: number;
  readonly count: number;
  readonly maxAbs: number;
  /** Sum of the squared weights. */
  readonly signal: number;
  /** Sum of the squared differences. */
  readonly noise: number;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Float32 values of a block's elements; a view of them where they are float32 already. */
export function valuesOf(kernels: EncodeKernels, elements: Uint8Array, dtype: FloatDtype): Float32Array {
  if (dtype === "F32" && elements.byteOffset % 4 === 0) return new Float32Array(elements.buffer, elements.byteOffset, elements.length / 4);
  return kernels.toFloat32(elements, dtype);
}

/** Compares a block before and after. */
export function blockErrors(kernels: EncodeKernels, dtype: Dtype, before: Uint8Array, after: Uint8Array): BlockErrors {
  const identical = equalBytes(before, after);
  if (!isFloatDtype(dtype)) return { identical, changedZeros: 0, count: 0, maxAbs: 0, signal: 0, noise: 0 };
  const was = valuesOf(kernels, before, dtype);
  const { sumOfSquares, nonFinite } = kernels.stats(was);
  const none = { identical, changedZeros: 0, count: was.length, maxAbs: 0, signal: sumOfSquares, noise: 0 };
  if (identical) return none;
  const is = valuesOf(kernels, after, dtype);
  let changedZeros = 0;
  for (let i = 0; i < was.length; i++) if ((was[i] === 0) !== (is[i] === 0)) changedZeros++;
  return { ...none, changedZeros, ...(nonFinite > 0 ? inOrder(was, is) : bySurvival(kernels, was, is, after)) };
}

/** Weights that are not finite differ by nothing where they came back. */
function inOrder(was: Float32Array, is: Float32Array): { maxAbs: number; noise: number } {
  let maxAbs = 0;
  let noise = 0;
  for (let i = 0; i < was.length; i++) {
    const difference = Object.is(was[i], is[i]) ? 0 : Math.abs(was[i] - is[i]);
    if (!(difference <= maxAbs)) maxAbs = difference;
    noise += difference * difference;
  }
  return { maxAbs, noise };
}

/** In the order in which compression counts: the squares of what was pruned (`EncodeKernels.sift`), and apart from them the differences of the survivors (`shareErrors`). */
function bySurvival(kernels: EncodeKernels, was: Float32Array, is: Float32Array, after: Uint8Array): { maxAbs: number; noise: number } {
  const elementBytes = after.length / is.length;
  const { gaps } = kernels.compact(after, elementBytes);
  const pruned = was.slice();
  const lanes = [0, 0, 0, 0];
  let maxAbs = 0;
  let at = 0;
  for (let i = 0; i < gaps.length; i++, at++) {
    at += gaps[i];
    const difference = Math.abs(was[at] - is[at]);
    if (!(difference <= maxAbs)) maxAbs = difference;
    lanes[i & 3] += difference * difference;
    pruned[at] = 0;
  }
  for (let i = 0; i < pruned.length; i++) maxAbs = Math.max(maxAbs, Math.abs(pruned[i]));
  return { maxAbs, noise: kernels.stats(pruned).sumOfSquares + (lanes[0] + lanes[1] + (lanes[2] + lanes[3])) };
}

/** What a tensor lost, from what its blocks did, in order. */
export function errorsOf(dtype: Dtype, blocks: Iterable<BlockErrors>): TensorErrors {
  let identical = true;
  let changedZeros = 0;
  let count = 0;
  let maxAbs = 0;
  let signal = 0;
  let noise = 0;
  for (const block of blocks) {
    identical &&= block.identical;
    changedZeros += block.changedZeros;
    count += block.count;
    if (!(block.maxAbs <= maxAbs)) maxAbs = block.maxAbs;
    signal += block.signal;
    noise += block.noise;
  }
  if (!isFloatDtype(dtype)) return { identical, changedZeros };
  const snr = noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  return { identical, changedZeros, maxAbs, rmse: Math.sqrt(noise / Math.max(1, count)), snr };
}
