import type { Prune } from "./quantize.js";

/** Bits of a magnitude below the sixteen that choose the first bin. */
const LOWER_BITS = 15;

export interface Totals {
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly count: number;
}

/** Asks for `EncodeKernels.magnitudeHistogram` of the whole tensor. */
export interface MagnitudeNeed {
  readonly level: 0 | 1;
  readonly prefix: number;
}

/**
 * The threshold of a tensor, as float32: weights of at most this magnitude are pruned. Yields the histograms that it needs, f64[65536] each.
 *
 * Source: Han, Pool, Tran, Dally, Learning both Weights and Connections for Efficient Neural Networks, 2015, for the quality factor.
 */
export function* thresholdSteps(prune: Prune, totals: Totals): Generator<MagnitudeNeed, number, Float64Array> {
  if ("threshold" in prune) return Math.fround(prune.threshold);
  if ("quality" in prune) return Math.fround(prune.quality * standardDeviation(totals));
  const wanted = Math.round(prune.sparsity * totals.count);
  if (wanted === 0) return 0;
  // The wanted-th smallest magnitude: its upper sixteen bits first, then the lower fifteen.
  const upper = select(yield { level: 0, prefix: 0 }, wanted);
  const lower = select(yield { level: 1, prefix: upper.bin }, wanted - upper.before);
  // Equal magnitudes go together, or stay together, whichever is closer to what is wanted: the next lower threshold lets them stay.
  const magnitude = (upper.bin << LOWER_BITS) | lower.bin;
  const below = upper.before + lower.before;
  const stay = wanted - below < below + lower.inBin - wanted && magnitude > 0;
  return new Float32Array(Uint32Array.of(magnitude - (stay ? 1 : 0)).buffer)[0];
}

/** As `thresholdSteps`, of a tensor whose parts may be elsewhere. */
export async function pruneThreshold(
  prune: Prune,
  totals: Totals,
  magnitudes: (level: 0 | 1, prefix: number) => Promise<Float64Array>,
): Promise<number> {
  const steps = thresholdSteps(prune, totals);
  let step = steps.next();
  while (!step.done) step = steps.next(await magnitudes(step.value.level, step.value.prefix));
  return step.value;
}

/** Of the population. */
function standardDeviation({ sum, sumOfSquares, count }: Totals): number {
  const mean = sum / count;
  return Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean));
}

/** The bin in which the k-th value is, how many come before the bin, and how many are in it. */
function select(counts: Float64Array, k: number): { bin: number; before: number; inBin: number } {
  let before = 0;
  for (const [bin, inBin] of counts.entries()) {
    if (before + inBin >= k) return { bin, before, inBin };
    before += inBin;
  }
  throw new RangeError(`sparsity asks for the ${k}th of ${before} weights`);
}
