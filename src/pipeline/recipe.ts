import { checkInteger, checkNumber, checkOneOf, checkText } from "../check.js";
import type { Contexts, Prune, Round, Share } from "../codec/quantize.js";
import { DEFAULT_TRADEOFF } from "../codec/rate.js";
import { DTYPES, type Dtype } from "../types.js";

/** What happens to the tensors that it matches. All conditions given must hold; a rule without conditions matches all. */
export interface Rule {
  /** Glob patterns on the tensor's name, one of which must match: `*` any characters, `?` one, `[a-z]`, `{a,b}`. */
  readonly match?: string | readonly string[];
  /** Element types, of which the tensor must have one; the floating ones unless given. */
  readonly dtype?: Dtype | readonly Dtype[];
  /** Axes that the tensor must have, at least and at most. */
  readonly minRank?: number;
  readonly maxRank?: number;
  /** Elements that the tensor must have. */
  readonly minWeights?: number;
  /**
   * `weight`: the tensor must be the weights of a layer, where the model's format tells (ONNX, PyTorch, Keras and TF.js do); where it does not, any may be. `recurrent`: the weights of a model that is known to
   * have a recurrent layer or a loop, in which errors feed back; ONNX tells by its nodes, TF.js by its layers or nodes, other formats by the names of their tensors alone.
   */
  readonly role?: (typeof ROLES)[number];
  /** Keep the tensor bit for bit. */
  readonly exact?: true;
  /** Keep it bit for bit where it has at most 256 different non-zero weights: it is shared already. */
  readonly keepShared?: boolean;
  readonly prune?: Prune;
  readonly share?: Share;
  /** Instead of `share`. */
  readonly round?: Round;
}

/** Rules, of which the first that matches a tensor decides; a tensor that none matches is kept exact. docs/recipe.schema.json describes it. */
export interface Recipe {
  readonly rules: readonly Rule[];
  /** Which records may be coded by context: smaller, and slower to decode. `small` unless given: those below 16 KiB. */
  readonly contexts?: Contexts;
}

const ROLES = ["weight", "recurrent"] as const;

/** Names of the recipes that come with Coppice: `presetRecipe` gives and describes them. */
export const PRESETS = ["exact", "default", "paper"] as const;
/** One of `PRESETS`. */
export type Preset = (typeof PRESETS)[number];

/**
 * - `exact`: everything bit for bit, and as small as it gets: all records may be coded by context.
 * - `default`: matrices and convolutions shared for the rate, nothing pruned but what is zero: accuracy within noise without retraining. Those of a model with recurrent layers or loops, where known, rounded
 *   to 8 bits of mantissa instead: errors feed back there, and no codebook of 256 is near enough.
 * - `paper`: convolutions shared with 8 bits, matrices with 5, both pruned by a quality factor, codes and gaps Huffman-coded (Deep Compression, section 5; the factors are ours, as
 *   the paper prunes step by step and retrains).
 */
const RECIPES: Readonly<Record<Preset, Recipe>> = {
  exact: { rules: [], contexts: "all" },
  default: {
    rules: [
      { role: "recurrent", minRank: 2, keepShared: true, round: { mantissaBits: 8 } },
      { role: "weight", minRank: 2, keepShared: true, share: { objective: "rate", tradeoff: DEFAULT_TRADEOFF } },
    ],
  },
  paper: {
    rules: [
      { role: "weight", minRank: 3, keepShared: true, prune: { quality: 0.5 }, share: { bits: 8 } },
      { role: "weight", minRank: 2, keepShared: true, prune: { quality: 1 }, share: { bits: 5 } },
    ],
    contexts: "none",
  },
};

/**
 * The recipe of a preset. `exact`: everything bit for bit. `default`: matrices and convolutions shared, accuracy within noise without retraining; of models that
 * are known to be recurrent rounded to 8 bits of mantissa, since their errors feed back. `paper`: pruned, shared and Huffman-coded as in Deep Compression.
 *
 * @throws TypeError, RangeError where `preset` is none
 */
export function presetRecipe(preset: Preset): Recipe {
  checkOneOf(preset, "preset", PRESETS);
  return RECIPES[preset];
}

const INITS = ["linear", "density", "random", "optimal"] as const;
const OBJECTIVES = ["distortion", "rate"] as const;
const CODEBOOKS = ["float16", "float32"] as const;
const CONTEXTS = ["small", "all", "none"] as const;
const MOST_ITERATIONS = 1_000_000;

/** Below, float16 centroids lose more than is gained; from the upper on, one centroid is left. */
const LEAST_TRADEOFF = 1e-9;
const MOST_TRADEOFF = 10;

/** One less than float32 has. */
const MOST_MANTISSA_BITS = 22;

/** Of a sharing that is asked for by its start alone. */
const DEFAULT_BITS = 6;

type Fields = Record<string, unknown>;

/** @throws TypeError where `value` is not an object, or has a key that is not among `keys` */
function fieldsOf(value: unknown, title: string, keys: readonly string[]): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${title} must be an object`);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw new TypeError(`${title} has the unknown key ${JSON.stringify(key)}; it may have ${keys.join(", ")}`);
  }
  return value as Fields;
}

/**
 * Checks a recipe, say out of a JSON file.
 *
 * @throws TypeError, RangeError naming the key
 */
export function parseRecipe(value: unknown): Recipe {
  const { rules, contexts } = fieldsOf(value, "recipe", ["$schema", "rules", "contexts"]);
  if (!Array.isArray(rules)) throw new TypeError("recipe.rules must be an array");
  if (contexts !== undefined) checkOneOf(contexts, "recipe.contexts", CONTEXTS);
  return { rules: rules.map((rule, i) => parseRule(rule, `recipe.rules[${i}]`)), contexts };
}

function parseRule(value: unknown, title: string): Rule {
  const rule = fieldsOf(value, title, [
    "match",
    "dtype",
    "minRank",
    "maxRank",
    "minWeights",
    "role",
    "exact",
    "keepShared",
    "prune",
    "share",
    "round",
  ]);
  for (const pattern of listOf(rule.match)) checkText(pattern, `${title}.match`);
  for (const dtype of listOf(rule.dtype)) checkOneOf(dtype, `${title}.dtype`, DTYPES);
  for (const key of ["minRank", "maxRank", "minWeights"]) {
    if (rule[key] !== undefined) checkInteger(rule[key], `${title}.${key}`, 0, Number.MAX_SAFE_INTEGER);
  }
  if (rule.role !== undefined) checkOneOf(rule.role, `${title}.role`, ROLES);
  if (rule.exact !== undefined && rule.exact !== true) throw new TypeError(`${title}.exact must be true, or left out`);
  if (rule.keepShared !== undefined && typeof rule.keepShared !== "boolean") throw new TypeError(`${title}.keepShared must be a boolean`);
  if (rule.prune !== undefined) checkPrune(rule.prune, `${title}.prune`);
  if (rule.share !== undefined) checkShare(rule.share, `${title}.share`);
  if (rule.round !== undefined) checkRound(rule.round, `${title}.round`);
  if (rule.exact && (rule.prune ?? rule.share ?? rule.round) !== undefined)
    throw new TypeError(`${title}.exact excludes prune, share and round`);
  if (rule.share !== undefined && rule.round !== undefined) throw new TypeError(`${title}.share excludes round`);
  return rule as Rule;
}

/** None, one or several. */
export function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

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
function checkRound(value: unknown, title: string): asserts value is Round {
  const { mantissaBits } = fieldsOf(value, title, ["mantissaBits"]);
  checkInteger(mantissaBits, `${title}.mantissaBits`, 1, MOST_MANTISSA_BITS);
}

/** Changes to a recipe's lossy rules: what the command line's options say. */
export interface Overrides {
  readonly prune?: Prune;
  readonly bits?: number;
  readonly init?: Share["init"];
  readonly objective?: Share["objective"];
  readonly tradeoff?: number;
  /** Bits of mantissa; excludes all but `prune`. */
  readonly round?: number;
}

/**
 * A recipe with some of its settings replaced: a pruning replaces that of each rule that is not `exact`, `round` its sharing or rounding, the others those of its sharing, or its rounding. `tradeoff` asks
 * for the objective `rate`, and `bits` or `init` for `distortion`, unless `objective` says which. Asking for a pruning, a sharing or a rounding changes tensors that are shared already, too.
 *
 * @throws TypeError, RangeError naming the option; RangeError where the recipe has no rule to change
 */
export function overrideRecipe(recipe: Recipe, overrides: Overrides): Recipe {
  const { prune, round: mantissaBits, ...sharing } = overrides;
  if (!anyGiven(overrides)) return recipe;
  if (prune !== undefined) checkPrune(prune, "prune");
  if (!recipe.rules.some((rule) => !rule.exact))
    throw new RangeError("recipe must have a rule that prunes or shares, for an option to change");
  const shares = anyGiven(sharing);
  const rounds = mantissaBits !== undefined;
  if (shares && rounds) throw new TypeError("round excludes bits, init, objective and tradeoff");
  if (rounds) checkRound({ mantissaBits }, "round");
  const shared = prune !== undefined || rounds || sharing.bits !== undefined || sharing.tradeoff !== undefined;
  const rules = recipe.rules.map((rule): Rule => {
    if (rule.exact) return rule;
    const { share, round, ...rest } = rule;
    const step: Rule = rounds ? { round: { mantissaBits } } : shares ? { share: shareWith(share, sharing) } : { share, round };
    return { ...rest, keepShared: shared ? false : rule.keepShared, prune: prune ?? rule.prune, ...step };
  });
  return { ...recipe, rules };
}

function anyGiven(settings: object): boolean {
  return Object.values(settings).some((value) => value !== undefined);
}

/** A sharing changed. k-means runs to its end: a rule's stop is for its own size and start. */
function shareWith(share: Share = {}, { bits, init, objective, tradeoff }: Omit<Overrides, "prune" | "round">): Share {
  const asked = tradeoff !== undefined ? "rate" : bits !== undefined || init !== undefined ? "distortion" : share.objective;
  const { codebook } = share;
  const size: Share = bits === undefined ? { bits: share.bits, centroids: share.centroids } : { bits };
  const byRate = (objective ?? asked) === "rate";
  const sized = anyGiven(size) || byRate ? size : { bits: DEFAULT_BITS };
  const changed: Share = byRate
    ? { ...sized, codebook, objective: "rate", tradeoff: tradeoff ?? share.tradeoff, init }
    : { ...sized, codebook, objective: "distortion", tradeoff, init: init ?? share.init, seed: share.seed };
  checkShare(changed, "share");
  return changed;
}
