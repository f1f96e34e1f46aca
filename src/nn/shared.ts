import { checkBytes, checkFloat32 } from "../check.js";
import { blocksIn } from "../codec/blocks.js";
import { checkShare } from "../codec/check-treatment.js";
import type { Share } from "../codec/quantize.js";
import { MOST_CENTROIDS, roundedCentroids, shareCentroids } from "../codec/share.js";
import { Sieve } from "../codec/sift.js";
import type { EncodeKernels } from "../kernel-types.js";
import { blocksOf } from "./mask.js";

export { MOST_CENTROIDS };

/** Weights that share centroids. */
export interface Codebook {
  /** The number of each weight's centroid, row-major. Those of pruned weights count for nothing. */
  readonly codes: Uint8Array;
  /** At most 256, and no more than there are weights. A weight whose centroid is 0 is pruned, and so stays 0. */
  readonly centroids: Float32Array;
  /** 0 for a pruned weight; none is pruned unless given. */
  readonly mask?: Uint8Array;
}

/** How shared weights are trained. */
export interface ShareOptions {
  /** By what the learning rate is multiplied for the centroids, 0 or more: 1 unless given. Not beside `reassign`. */
  readonly rate?: number;
  /**
   * Weights move on behind their centroids, each by the gradient at its centroid and with the learning rate of the network, and after each step take the centroid that is nearest, which becomes
   * the mean of those that took it. Otherwise codes stay as they are, and centroids move. false unless given.
   */
  readonly reassign?: boolean;
}

/** A codebook whose mask is of 0s and 1s, and says of each weight whether it is 0. */
export type SharedWeights = Required<Codebook>;

function isCodebook(how: Share | Codebook): how is Codebook {
  return typeof how === "object" && how !== null && "codes" in how;
}

/**
 * The shared weights that come of sharing `values` as a recipe does, what is 0 among them pruned; or those that the caller has already.
 *
 * @throws TypeError or RangeError naming what is amiss; RangeError where values are not finite
 */
export function sharedOf(kernels: EncodeKernels, values: Float32Array, how: Share | Codebook): SharedWeights {
  if (isCodebook(how)) return checkedCodebook(how, values.length);
  checkShare(how, "share");
  const sieve = new Sieve(kernels, blocksIn(values.length), true);
  try {
    for (const block of blocksOf(values)) sieve.add(kernels.sift(block, 0));
    const { nonFinite, points } = sieve.finish();
    if (nonFinite > 0) throw new RangeError("weights must be finite to be shared");
    const { elements, boundaries } = shareCentroids(kernels, "F32", points!, how, values.length);
    const codes = new Uint8Array(values.length);
    let at = 0;
    for (const block of blocksOf(values)) {
      codes.set(kernels.assign(block, boundaries), at);
      at += block.length;
    }
    const mask = Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
    return checkedCodebook({ codes, centroids: kernels.toFloat32(elements, "F32"), mask }, values.length);
  } finally {
    sieve.close();
  }
}

/** @throws TypeError or RangeError naming what is amiss */
export function checkedCodebook({ codes, centroids, mask }: Codebook, count: number): SharedWeights {
  checkBytes(codes, "codes");
  checkFloat32(centroids, "centroids");
  if (codes.length !== count) throw new RangeError(`codes must have ${count} elements, got ${codes.length}`);
  const most = Math.min(MOST_CENTROIDS, count);
  if (centroids.length > most) throw new RangeError(`centroids must be at most ${most}, got ${centroids.length}`);
  const bad = centroids.find((centroid) => !Number.isFinite(centroid));
  if (bad !== undefined) throw new RangeError(`centroids must be finite, got ${bad}`);
  if (mask !== undefined) {
    checkBytes(mask, "mask");
    if (mask.length !== count) throw new RangeError(`mask must have ${count} elements, got ${mask.length}`);
  }
  const kept = codes.map((code, i) => (mask?.[i] === 0 || centroids[code] === 0 ? 0 : 1));
  const stray = codes.findIndex((code, i) => code >= centroids.length && kept[i] === 1);
  if (stray >= 0) throw new RangeError(`codes[${stray}] must be below the ${centroids.length} centroids, got ${codes[stray]}`);
  return { codes: codes.map((code, i) => kept[i] * code), centroids: centroids.slice(), mask: kept };
}

/** @throws RangeError where centroids descend, which weights that look for the nearest cannot have; two may be alike, as rounding to float16 makes them */
export function checkOrder(centroids: Float32Array): void {
  const stray = centroids.findIndex((centroid, i) => i > 0 && centroid < centroids[i - 1]);
  if (stray >= 0)
    throw new RangeError(`centroids must not descend where weights take them anew, got ${centroids[stray]} after ${centroids[stray - 1]}`);
}

/** Centroids as an archive of float32 tensors holds them: float16, where that changes none by more than half a unit in its last place. */
export function archivedCentroids(kernels: EncodeKernels, centroids: Float32Array): Float32Array {
  return roundedCentroids(kernels, Float64Array.from(centroids), "F32", {});
}
