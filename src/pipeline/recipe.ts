import { checkInteger, checkOneOf, checkText, fieldsOf } from "../check.js";
import { checkPrune, checkRound, checkShare } from "../codec/check-treatment.js";
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

const CONTEXTS = ["small", "all", "none"] as const;
/** Of a sharing that is asked for by its start alone. */
const DEFAULT_BITS = 6;

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
