import type { EncodeKernels, Stats } from "../kernel-types.js";
import { type Dtype, type FloatDtype, isFloatDtype, MANTISSA_BITS } from "../types.js";
import { inBlockOrder } from "./blocks.js";
import type { TensorWork } from "./encode.js";
import { errorsOf, type TensorError } from "./errors.js";
import type { PartWork, Sharing } from "./part.js";
import { pruneThreshold, type Totals } from "./prune.js";
import { type Centroids, shareCentroids } from "./share.js";
import { mergeSiftings, type Sifting } from "./sift.js";
import { countSignedZeros } from "./stats.js";
import { addCounts, mergeGaps, mergeTables, PLANES_ALWAYS_UP_TO, type Survey } from "./survey.js";

// The lossy steps: prune, and share or round. The parts then hold other elements, and the record holds those exactly.

/** Prune, by exactly one of three rules. Weights whose magnitude is at most the threshold are pruned, and zeros always are. */
export type Prune =
  | { readonly threshold: number }
  /** Quality factor: the threshold is that times the standard deviation of the tensor's weights. */
  | { readonly quality: number }
  /** The part of the weights to prune, 0 to 1. Equal magnitudes go or stay together, so it may be a little more or less. */
  | { readonly sparsity: number };

export type Init = "linear" | "density" | "random" | "optimal";

/**
 * What the centroids are the best for. `distortion`: the least squared error of so many centroids (k-means). `rate`: the least squared error for the bits that entropy coding will take, so that
 * codes of few weights have to be worth their length.
 */
export type Objective = "distortion" | "rate";

export interface Share {
  /** The codebook has at most 2^bits centroids; 1 to 8. With `rate` the limit may be left out: it is 256. */
  readonly bits?: number;
  /** Instead of `bits`: at most this many, 1 to 256. Huffman codes need no power of two. */
  readonly centroids?: number;
  /** `distortion` unless given. */
  readonly objective?: Objective;
  /**
   * For `rate`: the squared error that a bit of a weight's code may cost, as a part of the variance of the tensor's weights (without those far out); above 0. By high-resolution theory the
   * noise is 0.72 times that part of the variance: 0.005 gives about 24 dB. In a model, that is multiplied by the tensor's weights over the mean of all tensors that are shared so.
   */
  readonly tradeoff?: number;
  /**
   * Where k-means starts: spread evenly from the least to the largest weight, evenly over their distribution, on weights drawn at random, or at its end: the least error there is, by dynamic
   * programming (of 2^14 points at most; where there are more, k-means goes on from there).
   */
  readonly init?: Init;
  /** For `random`. */
  readonly seed?: number;
  readonly maxIterations?: number;
  /** Centroids of a float32 tensor are rounded to float16 unless `float32` is asked for or float16 cannot hold them well. */
  readonly codebook?: "float16" | "float32";
}

/** Fewer bits of mantissa, for weights that bear no codebook: those of a model whose errors feed back. */
export interface Round {
  /**
   * Explicit bits of mantissa that each weight keeps, 1 to 22: it is rounded to nearest, ties to even, and towards zero where that would be infinite. A dtype that has no more (float16 has 10, bfloat16 7)
   * is not rounded.
   */
  readonly mantissaBits: number;
}

/** Context coding takes tens of nanoseconds a weight to decode, where Huffman codes take one: `small` asks for it only where that is not felt. */
export type Contexts = "small" | "all" | "none";

export interface Treatment {
  /** A tensor with at most 256 different non-zero elements is shared already, and stays exact whatever else is said. */
  readonly keepShared?: boolean;
  readonly prune?: Prune;
  readonly share?: Share;
  /** Instead of `share`. */
  readonly round?: Round;
  /** Which records may be coded by context, which is smaller and slower to decode: those below 16 KiB (`small`, unless given), all, none. */
  readonly contexts?: Contexts;
}

/** What was done to a tensor. */
export interface Quantized {
  /** The tensor comes back bit for bit. */
  readonly exact: boolean;
  /** Why a treatment that was asked for was not given. */
  readonly note?: string;
  /** What was lost; undefined for an exact tensor. */
  readonly error?: TensorError;
  /** What was learnt of the tensor on the way, where that was all of it. */
  readonly shared?: { readonly survey: Survey; readonly centroids: Uint8Array };
}

/**
 * Prunes, shares and rounds a tensor as `treatment` says. A tensor that cannot be (integers; NaN or infinities, which have no nearest centroid) is kept exact, with a note.
 */
export async function quantize(kernels: EncodeKernels, dtype: Dtype, work: TensorWork, treatment: Treatment): Promise<Quantized> {
  const { prune, share, round, keepShared = false } = treatment;
  const { parts } = work;
  if (!prune && !share && !round) return { exact: true };
  if (keepShared && (await isShared(work))) return { exact: true };
  if (!isFloatDtype(dtype)) return { exact: true, note: `kept exact: ${dtype} is not a floating dtype` };

  const mantissaBits = round && round.mantissaBits < MANTISSA_BITS[dtype] ? round.mantissaBits : undefined;
  if (!prune && !share && mantissaBits === undefined) return { exact: true };

  const weighed = prune && !("threshold" in prune) ? await weigh(work) : undefined;
  if (weighed && weighed.nonFinite > 0) return notFinite(weighed.nonFinite);
  const threshold = prune ? await pruneThreshold(prune, weighed ?? NOT_WEIGHED, (level, prefix) => magnitudes(parts, level, prefix)) : 0;
  const sifting = mergeSiftings(kernels, await Promise.all(parts.map((part) => part.sift(threshold, share !== undefined, mantissaBits))));
  const kept = async (quantized: Quantized): Promise<Quantized> => {
    await Promise.all(parts.map((part) => part.restore()));
    return quantized;
  };
  if (sifting.nonFinite > 0) return kept(notFinite(sifting.nonFinite));

  const centroids = share && sifting.points && shareCentroids(kernels, dtype, sifting.points, share, work.elements);
  if (!prune && centroids?.exact) return kept({ exact: true });
  const counted = centroids !== undefined && canCount(dtype, work, centroids);
  const sharings = centroids ? await Promise.all(parts.map((part) => part.share(centroids, counted))) : [];
  if (centroids && counted) {
    const sharing = mergeSharings(sharings as Sharing[]);
    if (sifting.nonZero === sifting.stored && sharing.maxAbs === 0) return kept({ exact: true });
    const shared = { survey: sharedSurvey(dtype, work, centroids, sifting, sharing), centroids: centroids.elements };
    return { exact: false, error: lossOf(dtype, work, sifting, sharing), shared };
  }
  const { identical, maxAbs, rmse, snr } = errorsOf(dtype, inBlockOrder(await Promise.all(parts.map((part) => part.compare()))));
  return identical ? kept({ exact: true }) : { exact: false, error: { maxAbs, rmse, snr } };
}

function notFinite(count: number): Quantized {
  return { exact: true, note: `kept exact: ${count} weights are NaN, infinite or beyond float32` };
}

/** Pruning by a threshold needs no totals. */
const NOT_WEIGHED: Totals = { sum: 0, sumOfSquares: 0, count: 0 };

async function weigh({ parts, elements }: TensorWork): Promise<Totals & Pick<Stats, "nonFinite">> {
  const totals = { sum: 0, sumOfSquares: 0, nonFinite: 0, count: elements };
  // Block after block: the order of a sum decides its last bits.
  for (const { sum, sumOfSquares, nonFinite } of inBlockOrder(await Promise.all(parts.map((part) => part.stats())))) {
    totals.sum += sum;
    totals.sumOfSquares += sumOfSquares;
    totals.nonFinite += nonFinite;
  }
  return totals;
}

async function magnitudes(parts: readonly PartWork[], level: 0 | 1, prefix: number): Promise<Float64Array> {
  const [first, ...others] = await Promise.all(parts.map((part) => part.magnitudes(level, prefix)));
  for (const counts of others) addCounts(first, counts);
  return first;
}

/** At most 256 different elements that have a bit set. */
async function isShared({ parts, elementBytes }: TensorWork): Promise<boolean> {
  return mergeTables(await Promise.all(parts.map((part) => part.distinct())), elementBytes) !== undefined;
}

/**
 * Whether all that a record needs to know can be counted while weights are given their centroids. Not so for small tensors, whose byte planes are looked at too; where a centroid is zero, which prunes what takes it;
 * and for float64, whose elements are more than their float32 values.
 */
function canCount(dtype: FloatDtype, { elements, elementBytes }: TensorWork, { elements: centroids }: Centroids): boolean {
  if (elements <= PLANES_ALWAYS_UP_TO || dtype === "F64") return false;
  for (let at = 0; at < centroids.length; at += elementBytes) {
    if (centroids.subarray(at, at + elementBytes).every((byte) => byte === 0)) return false;
  }
  return true;
}

function mergeSharings(sharings: readonly Sharing[]): Sharing {
  const counts = new Float64Array(sharings[0].counts.length);
  for (const sharing of sharings) addCounts(counts, sharing.counts);
  return {
    counts,
    gaps: mergeGaps(sharings.map(({ gaps }) => gaps)),
    noise: Float64Array.from(inBlockOrder(sharings.map(({ noise }) => noise))),
    maxAbs: Math.max(...sharings.map(({ maxAbs }) => maxAbs)),
  };
}

/** What the record has to hold: the centroids that were taken. */
function sharedSurvey(dtype: Dtype, { elementBytes }: TensorWork, centroids: Centroids, { stored }: Sifting, sharing: Sharing): Survey {
  const taken = [...sharing.counts.keys()].filter((i) => sharing.counts[i] > 0);
  const elements = new Uint8Array(taken.length * elementBytes);
  let signedZeros = 0;
  for (const [to, i] of taken.entries()) {
    const element = centroids.elements.subarray(i * elementBytes, (i + 1) * elementBytes);
    elements.set(element, to * elementBytes);
    if (countSignedZeros(element, elementBytes, dtype) > 0) signedZeros += sharing.counts[i];
  }
  const table = { elements, counts: Float64Array.from(taken, (i) => sharing.counts[i]) };
  return { stored, signedZeros, gaps: sharing.gaps, table, planes: undefined };
}

function lossOf(dtype: Dtype, { elements }: TensorWork, sifting: Sifting, sharing: Sharing): TensorError {
  const maxAbs = Math.max(sifting.prunedMax, sharing.maxAbs);
  const blocks = Array.from(sifting.signal, (signal, i) => ({
    identical: false,
    changedZeros: 0,
    count: i === 0 ? elements : 0,
    maxAbs,
    signal,
    noise: sifting.pruned[i] + sharing.noise[i],
  }));
  const { rmse, snr } = errorsOf(dtype, blocks);
  return { maxAbs, rmse, snr };
}
