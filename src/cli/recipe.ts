import { type Overrides, overrideRecipe, type Preset, parseRecipe, presetRecipe, type Recipe } from "../index.js";
import { readJson } from "./json-file.js";
import { UsageError } from "./usage.js";

/** The options of `compress` that say what happens to the tensors. */
export interface RecipeFlags {
  readonly preset?: Preset;
  readonly recipe?: string;
  readonly sparsity?: number;
  readonly threshold?: number;
  readonly quality?: number;
  readonly bits?: number;
  readonly init?: Overrides["init"];
  readonly objective?: Overrides["objective"];
  readonly tradeoff?: number;
  readonly round?: number;
}

const PRUNE_FLAGS = ["sparsity", "threshold", "quality"] as const;
const STEP_FLAGS = ["bits", "init", "objective", "tradeoff", "round"] as const;

/** @throws UsageError naming the option, or the file and its key */
export async function recipeOf(flags: RecipeFlags): Promise<Recipe> {
  const changes = [...PRUNE_FLAGS, ...STEP_FLAGS].filter((name) => flags[name] !== undefined);
  if (flags.preset === "exact" && changes.length > 0)
    throw new UsageError(`--preset exact keeps every bit, so --${changes[0]} cannot be used with it; leave out one of them`);
  const { bits, init, objective, tradeoff, round } = flags;
  const recipe = flags.recipe === undefined ? presetRecipe(flags.preset ?? "default") : await readRecipe(flags.recipe);
  try {
    return overrideRecipe(recipe, { prune: pruneOf(flags), bits, init, objective, tradeoff, round });
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/^round\.mantissaBits/, "--round").replace(/^(prune|share)\.(\w+)/, "--$2"));
  }
}

function pruneOf(flags: RecipeFlags): Overrides["prune"] {
  const name = PRUNE_FLAGS.find((name) => flags[name] !== undefined);
  return name && ({ [name]: flags[name] } as unknown as Overrides["prune"]);
}

async function readRecipe(file: string): Promise<Recipe> {
  const value = await readJson(file, "recipe");
  try {
    return parseRecipe(value);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
