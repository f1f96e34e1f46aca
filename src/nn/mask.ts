import { checkBytes } from "../check.js";
import { BLOCK_ELEMENTS } from "../codec/blocks.js";
import { checkPrune } from "../codec/check-treatment.js";
import { type MagnitudeNeed, type Totals, thresholdSteps } from "../codec/prune.js";
import type { Prune } from "../codec/quantize.js";
import type { EncodeKernels } from "../kernel-types.js";

/** Which weights stay: 0 for a pruned one, anything else for a survivor, row-major; or the rule of a recipe, for the weights as they are. */
export type Mask = Uint8Array | Prune;

/** Values as kernels take them. */
export function* blocksOf(values: Float32Array): Generator<Float32Array, void, undefined> {
  for (let from = 0; from < values.length; from += BLOCK_ELEMENTS) yield values.subarray(from, from + BLOCK_ELEMENTS);
}

/**
 * A mask of 0s and 1s for `values`.
 *
 * @throws TypeError or RangeError naming what is amiss with the mask; RangeError where a rule has to weigh values that are not finite
 */
export function maskOf(kernels: EncodeKernels, values: Float32Array, mask: Mask): Uint8Array {
  if (ArrayBuffer.isView(mask)) {
    checkBytes(mask, "mask");
    if (mask.length !== values.length) throw new RangeError(`mask must have ${values.length} elements, got ${mask.length}`);
    return mask.map((kept) => (kept === 0 ? 0 : 1));
  }
  checkPrune(mask, "mask");
  const steps = thresholdSteps(mask, totalsOf(kernels, values));
  let step = steps.next();
  while (!step.done) step = steps.next(magnitudes(kernels, values, step.value));
  const threshold = step.value;
  return Uint8Array.from(values, (value) => (Math.abs(value) > threshold ? 1 : 0));
}

function totalsOf(kernels: EncodeKernels, values: Float32Array): Totals {
  const totals = { sum: 0, sumOfSquares: 0, count: values.length };
  for (const block of blocksOf(values)) {
    const { sum, sumOfSquares, nonFinite } = kernels.stats(block);
    if (nonFinite > 0) throw new RangeError("weights must be finite to be pruned by a rule");
    totals.sum += sum;
    totals.sumOfSquares += sumOfSquares;
  }
  return totals;
}

function magnitudes(kernels: EncodeKernels, values: Float32Array, { level, prefix }: MagnitudeNeed): Float64Array {
  const counts = new Uint32Array(1 << 16);
  for (const block of blocksOf(values)) kernels.magnitudeHistogram(block, level, prefix, counts);
  return Float64Array.from(counts);
}
