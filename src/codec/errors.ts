import type { EncodeKernels } from "../kernel-types.js";
import { type Dtype, isFloatDtype } from "../types.js";

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

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Compares a tensor before and after.
 *
 * @param pairs its blocks, before and after
 */
export async function tensorErrors(
  kernels: EncodeKernels,
  dtype: Dtype,
  pairs: AsyncIterable<readonly [Uint8Array, Uint8Array]>,
): Promise<TensorErrors> {
  let identical = true;
  let changedZeros = 0;
  let maxAbs = 0;
  let signal = 0;
  let noise = 0;
  let count = 0;
  for await (const [before, after] of pairs) {
    identical &&= equalBytes(before, after);
    if (!isFloatDtype(dtype)) continue;
    const was = kernels.toFloat32(before, dtype);
    const is = kernels.toFloat32(after, dtype);
    count += was.length;
    for (let at = 0; at < was.length; at++) {
      if ((was[at] === 0) !== (is[at] === 0)) changedZeros++;
      // A weight that is not finite differs by nothing where it came back.
      const difference = Object.is(was[at], is[at]) ? 0 : Math.abs(was[at] - is[at]);
      if (!(difference <= maxAbs)) maxAbs = difference;
      signal += was[at] * was[at];
      noise += difference * difference;
    }
  }
  if (!isFloatDtype(dtype)) return { identical, changedZeros };
  const snr = noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
  return { identical, changedZeros, maxAbs, rmse: Math.sqrt(noise / Math.max(1, count)), snr };
}
