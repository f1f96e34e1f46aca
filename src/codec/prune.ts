import type { EncodeKernels } from "../kernel-types.js";
import type { Prune } from "./quantize.js";

const BINS = 65536;
/** Bits of a magnitude below the sixteen that choose the first bin. */
const LOWER_BITS = 15;

export interface Totals {
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly count: number;
}

/**
 * The threshold of a tensor, as float32: weights of at most this magnitude are pruned.
 *
 * Source: Han, Pool, Tran, Dally, Learning both Weights and Connections for Efficient Neural Networks, 2015, for the quality factor.
 */
export async function pruneThreshold(
  kernels: EncodeKernels,
  blocks: number,
  values: (block: number) => Promise<Float32Array>,
  totals: Totals,
  prune: Prune,
): Promise<number> {
  if ("threshold" in prune) return Math.fround(prune.threshold);
  if ("quality" in prune) return Math.fround(prune.quality * standardDeviation(totals));
  const wanted = Math.round(prune.sparsity * totals.count);
  if (wanted === 0) return 0;
  // The wanted-th smallest magnitude: its upper sixteen bits first, then the lower fifteen.
  const upper = await select(blocks, wanted, async (block, counts) => kernels.magnitudeHistogram(await values(block), 0, 0, counts));
  const lower = await select(blocks, wanted - upper.before, async (block, counts) =>
    kernels.magnitudeHistogram(await values(block), 1, upper.bin, counts),
  );
  // Equal magnitudes go together, or stay together, whichever is closer to what is wanted: the next lower threshold lets them stay.
  const magnitude = (upper.bin << LOWER_BITS) | lower.bin;
  const below = upper.before + lower.before;
  const stay = wanted - below < below + lower.inBin - wanted && magnitude > 0;
  return new Float32Array(Uint32Array.of(magnitude - (stay ? 1 : 0)).buffer)[0];
}

/** Of the population. */
function standardDeviation({ sum, sumOfSquares, count }: Totals): number {
  const mean = sum / count;
  return Math.sqrt(Math.max(0, sumOfSquares / count - mean * mean));
}

/** The bin in which the k-th value is, how many come before the bin, and how many are in it. */
async function select(
  blocks: number,
  k: number,
  count: (block: number, counts: Uint32Array) => Promise<void>,
): Promise<{ bin: number; before: number; inBin: number }> {
  const totals = new Float64Array(BINS);
  for (let block = 0; block < blocks; block++) {
    const counts = new Uint32Array(BINS);
    await count(block, counts);
    for (let bin = 0; bin < BINS; bin++) totals[bin] += counts[bin];
  }
  let before = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (before + totals[bin] >= k) return { bin, before, inBin: totals[bin] };
    before += totals[bin];
  }
  throw new RangeError(`sparsity asks for the ${k}th of ${before} weights`);
}
