import type { Sequential } from "../nn/sequential.js";
import { listOf } from "../pipeline/recipe.js";
import { nameMatcher } from "../pipeline/treatments.js";
import type { Match, NamedStage } from "./plan.js";

/** The tensors of a network that training changes by their gradients: all but the statistics of batch normalization. */
export function parameterNames(network: Sequential): string[] {
  return network.tensors().flatMap(({ name }) => (/\.running_(mean|var)$/.test(name) ? [] : [name]));
}

/** The rule that decides for each tensor, the first that matches it; tensors that none matches are left out. */
export function rulesByTensor<R extends { readonly match: Match }>(rules: readonly R[], names: readonly string[]): [string, R][] {
  const matchers = rules.map((rule) => ({ rule, matches: nameMatcher(rule) }));
  return names.flatMap((name) => {
    const found = matchers.find(({ matches }) => matches(name));
    return found ? [[name, found.rule] as [string, R]] : [];
  });
}

/** The tensors that a scan looks at. */
export function scannedNames(match: Match | undefined, network: Sequential): string[] {
  if (match !== undefined) return rulesByTensor([{ match }], parameterNames(network)).map(([name]) => name);
  return network.tensors().flatMap(({ name, shape }) => (shape.length >= 2 ? [name] : []));
}

/**
 * So that a mistyped name is found before hours of training.
 *
 * @throws RangeError naming the first rule of a stage that matches no tensor of the network
 */
export function checkMatches(stages: readonly NamedStage[], network: Sequential): void {
  const names = parameterNames(network);
  const check = (match: Match, title: string): void => {
    const matches = nameMatcher({ match });
    if (names.some(matches)) return;
    throw new RangeError(`${title} must match a tensor of the network, ${listOf(match).join(", ")} matches none of ${names.join(", ")}`);
  };
  for (const [i, stage] of stages.entries()) {
    if (stage.type === "scan" && stage.match !== undefined) check(stage.match, `stages[${i}].match`);
    if (stage.type !== "prune" && stage.type !== "share") continue;
    for (const [j, { match }] of stage.rules.entries()) check(match, `stages[${i}].rules[${j}].match`);
  }
}
