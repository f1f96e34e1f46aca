import { checkInteger, checkNumber, checkOneOf, fieldsOf } from "../check.js";
import type { Prune, Round, Share } from "./quantize.js";

// What a caller, or a recipe, may ask of pruning and sharing.

const INITS = ["linear", "density", "random", "optimal"] as const;
const OBJECTIVES = ["distortion", "rate"] as const;
const CODEBOOKS = ["float16", "float32"] as const;
const MOST_ITERATIONS = 1_000_000;

/** Below, float16 centroids lose more than is gained; from the upper on, one centroid is left. */
const LEAST_TRADEOFF = 1e-9;
const MOST_TRADEOFF = 10;

/** One less than float32 has. */
const MOST_MANTISSA_BITS = 22;

/** @throws TypeError, RangeError naming the key */
export function checkPrune(value: unknown, title: string): asserts value is Prune {
  const prune = fieldsOf(value, title, ["threshold", "quality", "sparsity"]);
  const [key, ...more] = Object.keys(prune);
  if (key === undefined || more.length > 0) throw new TypeError(`${title} must have exactly one of threshold, quality, sparsity`);
  checkNumber(prune[key], `${title}.${key}`, 0, key === "sparsity" ? 1 : Number.MAX_VALUE);
}

/** @throws TypeError, RangeError naming the key */
export function checkShare(value: unknown, title: string): asserts value is Share {
  const share = fieldsOf(value, title, ["bits", "centroids", "objective", "tradeoff", "init", "seed", "maxIterations", "codebook"]);
  if (share.objective !== undefined) checkOneOf(share.objective, `${title}.objective`, OBJECTIVES);
  const byRate = share.objective === "rate";
  if (share.bits !== undefined && share.centroids !== undefined) throw new TypeError(`${title} must not have both bits and centroids`);
  if (!byRate && share.bits === undefined && share.centroids === undefined)
    throw new TypeError(`${title} must have exactly one of bits, centroids`);
  for (const key of byRate ? ["init", "seed", "maxIterations"] : ["tradeoff"]) {
    if (share[key] !== undefined) throw new TypeError(`${title}.${key} is for the objective ${byRate ? "distortion" : "rate"} alone`);
  }
  if (share.tradeoff !== undefined) checkNumber(share.tradeoff, `${title}.tradeoff`, LEAST_TRADEOFF, MOST_TRADEOFF);
  if (share.bits !== undefined) checkInteger(share.bits, `${title}.bits`, 1, 8);
  if (share.centroids !== undefined) checkInteger(share.centroids, `${title}.centroids`, 1, 256);
  if (share.init !== undefined) checkOneOf(share.init, `${title}.init`, INITS);
  if (share.seed !== undefined) checkInteger(share.seed, `${title}.seed`, 0, 2 ** 32 - 1);
  if (share.maxIterations !== undefined) checkInteger(share.maxIterations, `${title}.maxIterations`, 1, MOST_ITERATIONS);
  if (share.codebook !== undefined) checkOneOf(share.codebook, `${title}.codebook`, CODEBOOKS);
}

/** @throws TypeError, RangeError naming the key */
export function checkRound(value: unknown, title: string): asserts value is Round {
  const { mantissaBits } = fieldsOf(value, title, ["mantissaBits"]);
  checkInteger(mantissaBits, `${title}.mantissaBits`, 1, MOST_MANTISSA_BITS);
}
