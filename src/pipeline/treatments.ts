import picomatch from "picomatch";
import type { Treatment } from "../codec/quantize.js";
import { DEFAULT_TRADEOFF } from "../codec/rate.js";
import { elementCount, isFloatDtype, type Role, type TensorInfo } from "../types.js";
import { listOf, type Recipe, type Rule } from "./recipe.js";

// Which rule of a recipe a tensor falls under, and what that means for it in its model.

/** A tensor of more than that many times the mean size is treated as one of that: its noise is not to grow for ever. */
const MOST_SIZES = 4;

/**
 * What a recipe does to each tensor of a model.
 *
 * Where rules share for the rate, what a bit may cost is weighed by the tensor's size: with an error that is, relative to their weights, felt as much from one layer as from another, the least error in all
 * for the bits in all is reached where `tradeoff` is multiplied by the tensor's weights over the mean of all that are shared so. Large layers are then shared more coarsely than small ones, in which
 * bits are few.
 */
export function treatmentsOf(recipe: Recipe, tensors: readonly TensorInfo[], role?: (index: number) => Role | undefined): Treatment[] {
  const treatment = treatmentOf(recipe);
  const treatments = tensors.map((tensor, i) => treatment(tensor, role?.(i)));
  const sizes = tensors.map(({ shape }) => elementCount(shape));
  const rated = sizes.filter((_, i) => treatments[i].share?.objective === "rate");
  const mean = rated.reduce((sum, size) => sum + size / rated.length, 0);
  return treatments.map((treatment, i) => {
    const { share } = treatment;
    if (share?.objective !== "rate" || mean === 0) return treatment;
    return { ...treatment, share: { ...share, tradeoff: (share.tradeoff ?? DEFAULT_TRADEOFF) * Math.min(MOST_SIZES, sizes[i] / mean) } };
  });
}

/** What a recipe does to a tensor, of a role where its format tells: nothing, where it is to stay exact. */
export function treatmentOf(recipe: Recipe): (tensor: TensorInfo, role?: Role) => Treatment {
  const rules = recipe.rules.map((rule) => ({ rule, matches: nameMatcher(rule) }));
  return (tensor, role) => {
    const found = rules.find(({ rule, matches }) => matches(tensor.name) && applies(rule, tensor, role))?.rule;
    const { contexts } = recipe;
    return found === undefined || found.exact
      ? { contexts }
      : { contexts, keepShared: found.keepShared, prune: found.prune, share: found.share, round: found.round };
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
export function nameMatcher({ match }: Pick<Rule, "match">): (name: string) => boolean {
  const patterns = listOf(match) as string[];
  return patterns.length === 0 ? () => true : picomatch(patterns, { bash: true, dot: true, windows: false });
}

function applies(rule: Rule, tensor: TensorInfo, role: Role | undefined): boolean {
  const { dtype, minRank = 0, maxRank = Number.POSITIVE_INFINITY, minWeights = 0 } = rule;
  const rank = tensor.shape.length;
  if (rule.role === "weight" ? role === "other" : rule.role !== undefined && rule.role !== role) return false;
  if (dtype === undefined ? !isFloatDtype(tensor.dtype) : !listOf(dtype).includes(tensor.dtype)) return false;
  return rank >= minRank && rank <= maxRank && elementCount(tensor.shape) >= minWeights;
}
