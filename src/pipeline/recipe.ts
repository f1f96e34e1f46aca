import picomatch from "picomatch";
import { checkInteger, checkNumber, checkOneOf, checkText } from "../check.js";
import type { Contexts, Prune, Share, Treatment } from "../codec/quantize.js";
import { DTYPES, type Dtype, elementCount, isFloatDtype, type Role, type TensorInfo } from "../types.js";

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
  /** The tensor must be the weights of a layer, where the model's format tells (ONNX and Keras do); where it does not, any may be. */
  readonly role?: "weight";
  /** Keep the tensor bit for bit. */
  readonly exact?: true;
  /** Keep it bit for bit where it has at most 256 different non-zero weights: it is shared already. */
  readonly keepShared?: boolean;
  readonly prune?: Prune;
  readonly share?: Share;
}

/** Rules, of which the first that matches a tensor decides; a tensor that none matches is kept exact. docs/recipe.schema.json describes it. */
export interface Recipe {
  readonly rules: readonly Rule[];
  /** Which records may be coded by context: smaller, and slower to decode. `small` unless given: those below 16 KiB. */
  readonly contexts?: Contexts;
}

/** Names of the recipes that come with Coppice: `presetRecipe` gives and describes them. */
export const PRESETS = ["exact", "default", "paper"] as const;
/** One of `PRESETS`. */
export type Preset = (typeof PRESETS)[number];

/**
 * - `exact`: everything bit for bit, and as small as it gets: all records may be coded by context.
 * - `default`: matrices and convolutions shared with 52 centroids, nothing pruned but what is zero: accuracy within noise without retraining. k-means starts from even steps and stops after
 *   three iterations: centroids that stay near them get shorter Huffman codes for the same error.
 * - `paper`: convolutions shared with 8 bits, matrices with 5, both pruned by a quality factor, codes and gaps Huffman-coded (Deep Compression, section 5; the factors are ours, as
 *   the paper prunes step by step and retrains).
 */
const RECIPES: Readonly<Record<Preset, Recipe>> = {
  exact: { rules: [], contexts: "all" },
  default: { rules: [{ role: "weight", minRank: 2, keepShared: true, share: { centroids: 52, maxIterations: 3 } }] },
  paper: {
    rules: [
      { role: "weight", minRank: 3, keepShared: true, prune: { quality: 0.5 }, share: { bits: 8 } },
      { role: "weight", minRank: 2, keepShared: true, prune: { quality: 1 }, share: { bits: 5 } },
    ],
    contexts: "none",
  },
};

/**
 * The recipe of a preset. `exact`: everything bit for bit. `default`: matrices and convolutions shared, accuracy within noise without retraining. `paper`: pruned, shared and
 * Huffman-coded as in Deep Compression.
 *
 * @throws TypeError, RangeError where `preset` is none
 */
export function presetRecipe(preset: Preset): Recipe {
  checkOneOf(preset, "preset", PRESETS);
  return RECIPES[preset];
}

const INITS = ["linear", "density", "random"] as const;
const CODEBOOKS = ["float16", "float32"] as const;
const CONTEXTS = ["small", "all", "none"] as const;
const MOST_ITERATIONS = 1_000_000;

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
  ]);
  for (const pattern of listOf(rule.match)) checkText(pattern, `${title}.match`);
  for (const dtype of listOf(rule.dtype)) checkOneOf(dtype, `${title}.dtype`, DTYPES);
  for (const key of ["minRank", "maxRank", "minWeights"]) {
    if (rule[key] !== undefined) checkInteger(rule[key], `${title}.${key}`, 0, Number.MAX_SAFE_INTEGER);
  }
  if (rule.role !== undefined && rule.role !== "weight") throw new TypeError(`${title}.role must be "weight", or left out`);
  if (rule.exact !== undefined && rule.exact !== true) throw new TypeError(`${title}.exact must be true, or left out`);
  if (rule.keepShared !== undefined && typeof rule.keepShared !== "boolean") throw new TypeError(`${title}.keepShared must be a boolean`);
  if (rule.prune !== undefined) checkPrune(rule.prune, `${title}.prune`);
  if (rule.share !== undefined) checkShare(rule.share, `${title}.share`);
  if (rule.exact && (rule.prune !== undefined || rule.share !== undefined)) throw new TypeError(`${title}.exact excludes prune and share`);
  return rule as Rule;
}

function listOf(value: unknown): readonly unknown[] {
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
  const share = fieldsOf(value, title, ["bits", "centroids", "init", "seed", "maxIterations", "codebook"]);
  if ((share.bits === undefined) === (share.centroids === undefined))
    throw new TypeError(`${title} must have exactly one of bits, centroids`);
  if (share.bits !== undefined) checkInteger(share.bits, `${title}.bits`, 1, 8);
  if (share.centroids !== undefined) checkInteger(share.centroids, `${title}.centroids`, 1, 256);
  if (share.init !== undefined) checkOneOf(share.init, `${title}.init`, INITS);
  if (share.seed !== undefined) checkInteger(share.seed, `${title}.seed`, 0, 2 ** 32 - 1);
  if (share.maxIterations !== undefined) checkInteger(share.maxIterations, `${title}.maxIterations`, 1, MOST_ITERATIONS);
  if (share.codebook !== undefined) checkOneOf(share.codebook, `${title}.codebook`, CODEBOOKS);
}

/** Changes to a recipe's lossy rules: what the command line's options say. */
export interface Overrides {
  readonly prune?: Prune;
  readonly bits?: number;
  readonly init?: Share["init"];
}

/**
 * A recipe with some of its settings replaced: a pruning replaces that of each rule that is not `exact`, `bits` and `init` those of its sharing. Asking for a pruning or
 * `bits` changes tensors that are shared already, too.
 *
 * @throws TypeError, RangeError naming the option; RangeError where the recipe has no rule to change
 */
export function overrideRecipe(recipe: Recipe, { prune, bits, init }: Overrides): Recipe {
  if (prune === undefined && bits === undefined && init === undefined) return recipe;
  if (prune !== undefined) checkPrune(prune, "prune");
  if (!recipe.rules.some((rule) => !rule.exact))
    throw new RangeError("recipe must have a rule that prunes or shares, for an option to change");
  const rules = recipe.rules.map((rule): Rule => {
    if (rule.exact) return rule;
    const share = bits === undefined && init === undefined ? rule.share : shareWith(rule.share, bits, init);
    const keepShared = prune === undefined && bits === undefined ? rule.keepShared : false;
    return { ...rule, keepShared, prune: prune ?? rule.prune, share };
  });
  return { ...recipe, rules };
}

/** The sharing with k-means run to its end: a preset's stop is for its own size and start. */
function shareWith(share: Share = { bits: DEFAULT_BITS }, bits: number | undefined, init: Share["init"]): Share {
  const sized: Share = bits === undefined ? share : { ...share, bits, centroids: undefined };
  const changed: Share = { ...sized, init: init ?? share.init, maxIterations: undefined };
  checkShare(changed, "share");
  return changed;
}

/** What a recipe does to a tensor, of a role where its format tells: nothing, where it is to stay exact. */
export function treatmentOf(recipe: Recipe): (tensor: TensorInfo, role?: Role) => Treatment {
  const rules = recipe.rules.map((rule) => ({ rule, matches: nameMatcher(rule) }));
  return (tensor, role) => {
    const found = rules.find(({ rule, matches }) => matches(tensor.name) && applies(rule, tensor, role))?.rule;
    const { contexts } = recipe;
    return found === undefined || found.exact
      ? { contexts }
      : { contexts, keepShared: found.keepShared, prune: found.prune, share: found.share };
  };
}

/** The rules whose patterns match no tensor: mistyped, most likely. */
export function idleRules(recipe: Recipe, tensors: readonly TensorInfo[]): string[] {
  return recipe.rules.flatMap((rule, i) => {
    const matches = nameMatcher(rule);
    if (rule.match === undefined || tensors.some(({ name }) => matches(name))) return [];
    return [`recipe.rules[${i}].match matches no tensor: ${listOf(rule.match).join(", ")}`];
  });
}

/** Names are not paths: `*` crosses `/`, a leading dot is nothing special, and no system has another separator. */
function nameMatcher({ match }: Rule): (name: string) => boolean {
  const patterns = listOf(match) as string[];
  return patterns.length === 0 ? () => true : picomatch(patterns, { bash: true, dot: true, windows: false });
}

function applies(rule: Rule, tensor: TensorInfo, role: Role | undefined): boolean {
  const { dtype, minRank = 0, maxRank = Number.POSITIVE_INFINITY, minWeights = 0 } = rule;
  const rank = tensor.shape.length;
  if (rule.role !== undefined && role !== undefined && role !== rule.role) return false;
  if (dtype === undefined ? !isFloatDtype(tensor.dtype) : !listOf(dtype).includes(tensor.dtype)) return false;
  return rank >= minRank && rank <= maxRank && elementCount(tensor.shape) >= minWeights;
}
