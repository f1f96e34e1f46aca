import { describe, expect, it } from "vitest";
import { compress, overrideRecipe, parseRecipe, presetRecipe, type Recipe, type Rule } from "../../src/index.js";
import { treatmentOf } from "../../src/pipeline/recipe.js";
import type { Dtype, Role } from "../../src/types.js";

const LAYER = { name: "layers.0.weight", dtype: "F32", shape: [3, 4] } as const;

/** Whether a rule with this pattern is the one that decides for a tensor of the name. */
function matches(match: string | string[], name: string): boolean {
  const recipe = parseRecipe({ rules: [{ match, prune: { threshold: 1 } }] });
  return treatmentOf(recipe)({ ...LAYER, name }).prune !== undefined;
}

describe("patterns", () => {
  it("match whole names, `*` any characters, also dots and slashes", () => {
    expect(matches("*", "a/b.c/d")).toBe(true);
    expect(matches("a*b", "a\\b"), "a backslash is a character, on every system").toBe(true);
    expect(matches("a*/b", "a\\b")).toBe(false);
    expect(matches("*.weight", "model/layers.0/out.weight")).toBe(true);
    expect(matches("layers.*.weight", "layers.0.weight")).toBe(true);
    expect(matches("layers.*", "my layers.0")).toBe(false);
    expect(matches("*weight", ".weight")).toBe(true);
    expect(matches("weight", "layers.0.weight")).toBe(false);
    expect(matches("layers.?.weight", "layers.3.weight")).toBe(true);
    expect(matches("layers.?.weight", "layers.13.weight")).toBe(false);
    expect(matches("layers.[0-3].*", "layers.2.bias")).toBe(true);
    expect(matches("layers.[0-3].*", "layers.4.bias")).toBe(false);
    expect(matches("*.{weight,kernel}", "a.kernel")).toBe(true);
  });

  it("may be several, of which one is enough", () => {
    expect(matches(["a", "b*"], "bc")).toBe(true);
    expect(matches(["a", "b*"], "c")).toBe(false);
  });
});

describe("rules", () => {
  const treatment = (rules: unknown[], tensor: { name?: string; dtype?: Dtype; shape?: number[] } = {}) =>
    treatmentOf(parseRecipe({ rules }))({ ...LAYER, ...tensor });
  const one = { prune: { threshold: 1 } };
  const two = { share: { bits: 2 } };

  it("are tried in order, and the first that matches decides alone", () => {
    expect(treatment([one, two])).toMatchObject(one);
    expect(treatment([one, two])).not.toMatchObject(two);
    expect(treatment([{ match: "other", ...one }, two])).toMatchObject(two);
    expect(treatment([{ match: "layers*", exact: true }, one]).prune).toBeUndefined();
    expect(treatment([]).prune).toBeUndefined();
  });

  it("hold for floating dtypes unless they name others", () => {
    expect(treatment([one], { dtype: "I64" }).prune).toBeUndefined();
    expect(treatment([{ dtype: "I64", ...one }], { dtype: "I64" })).toMatchObject(one);
    expect(treatment([{ dtype: ["F16", "BF16"], ...one }]).prune).toBeUndefined();
    expect(treatment([{ dtype: ["F16", "F32"], ...one }])).toMatchObject(one);
  });

  it("hold for weights alone where they say so and the format tells, and for all where it does not", () => {
    const shared = (rule: Rule, role?: Role): boolean =>
      treatmentOf(parseRecipe({ rules: [{ ...rule, ...two }] }))(LAYER, role).share !== undefined;
    expect([shared({ role: "weight" }, "weight"), shared({ role: "weight" }, "other"), shared({ role: "weight" })]).toEqual([
      true,
      false,
      true,
    ]);
    expect([shared({}, "weight"), shared({}, "other"), shared({})]).toEqual([true, true, true]);
    for (const { rules } of [presetRecipe("default"), presetRecipe("paper")]) {
      expect(rules.map(({ role }) => role)).toEqual(rules.map(() => "weight"));
      expect(overrideRecipe({ rules }, { bits: 4 }).rules.map(({ role }) => role)).toEqual(rules.map(() => "weight"));
    }
  });

  it("hold within bounds of rank and size, the bounds included", () => {
    const pruned = (rule: Rule, shape: number[]): boolean => treatment([{ ...rule, ...one }], { shape }).prune !== undefined;
    expect([pruned({ minRank: 2 }, [5]), pruned({ minRank: 2 }, [5, 1]), pruned({ minRank: 2 }, [5, 1, 1])]).toEqual([false, true, true]);
    expect([pruned({ maxRank: 1 }, []), pruned({ maxRank: 1 }, [5]), pruned({ maxRank: 1 }, [5, 1])]).toEqual([true, true, false]);
    expect([pruned({ minWeights: 12 }, [3, 4]), pruned({ minWeights: 13 }, [3, 4])]).toEqual([true, false]);
  });
});

describe("a recipe is refused", () => {
  const bad: [unknown, string, string][] = [
    [null, "TypeError", "recipe"],
    [[], "TypeError", "recipe"],
    ["{}", "TypeError", "recipe"],
    [{}, "TypeError", "recipe.rules"],
    [{ rules: {} }, "TypeError", "recipe.rules"],
    [{ rules: [], more: 1 }, "TypeError", '"more"'],
    [{ rules: [], contexts: "some" }, "TypeError", "recipe.contexts"],
    ...rules(
      [7, "TypeError", ""],
      [null, "TypeError", ""],
      [{ matches: "*" }, "TypeError", '"matches"'],
      [{ match: "" }, "TypeError", ".match"],
      [{ match: ["*", 7] }, "TypeError", ".match"],
      [{ dtype: "f32" }, "TypeError", ".dtype"],
      [{ dtype: ["F32", "X"] }, "TypeError", ".dtype"],
      [{ minRank: -1 }, "RangeError", ".minRank"],
      [{ minRank: "2" }, "TypeError", ".minRank"],
      [{ maxRank: 1.5 }, "TypeError", ".maxRank"],
      [{ minWeights: Number.NaN }, "TypeError", ".minWeights"],
      [{ role: "other" }, "TypeError", ".role"],
      [{ exact: false }, "TypeError", ".exact"],
      [{ exact: 1 }, "TypeError", ".exact"],
      [{ exact: true, prune: { quality: 1 } }, "TypeError", ".exact"],
      [{ exact: true, share: { bits: 1 } }, "TypeError", ".exact"],
      [{ prune: 0.5 }, "TypeError", ".prune"],
      [{ prune: {} }, "TypeError", ".prune"],
      [{ prune: { treshold: 1 } }, "TypeError", '"treshold"'],
      [{ prune: { threshold: 1, quality: 1 } }, "TypeError", ".prune"],
      [{ prune: { threshold: -1 } }, "RangeError", ".prune.threshold"],
      [{ prune: { threshold: Number.POSITIVE_INFINITY } }, "RangeError", ".prune.threshold"],
      [{ prune: { quality: "1" } }, "TypeError", ".prune.quality"],
      [{ prune: { quality: Number.NaN } }, "RangeError", ".prune.quality"],
      [{ prune: { sparsity: 1.01 } }, "RangeError", ".prune.sparsity"],
      [{ share: true }, "TypeError", ".share"],
      [{ share: {} }, "TypeError", ".share"],
      [{ share: { bits: 4, centroids: 16 } }, "TypeError", ".share"],
      [{ share: { bits: 0 } }, "RangeError", ".share.bits"],
      [{ share: { bits: 9 } }, "RangeError", ".share.bits"],
      [{ share: { bits: 4.5 } }, "TypeError", ".share.bits"],
      [{ share: { centroids: 0 } }, "RangeError", ".share.centroids"],
      [{ share: { centroids: 257 } }, "RangeError", ".share.centroids"],
      [{ share: { bits: 4, init: "kmeans++" } }, "TypeError", ".share.init"],
      [{ share: { bits: 4, seed: -1 } }, "RangeError", ".share.seed"],
      [{ share: { bits: 4, seed: 2 ** 32 } }, "RangeError", ".share.seed"],
      [{ share: { bits: 4, maxIterations: 0 } }, "RangeError", ".share.maxIterations"],
      [{ keepShared: "yes" }, "TypeError", ".keepShared"],
      [{ share: { bits: 4, codebook: "int8" } }, "TypeError", ".share.codebook"],
      [{ share: { bits: 4, size: 1 } }, "TypeError", '"size"'],
    ),
  ];

  function rules(...cases: [unknown, string, string][]): [unknown, string, string][] {
    return cases.map(([rule, error, title]) => [{ rules: [{}, rule] }, error, title.startsWith('"') ? title : `recipe.rules[1]${title}`]);
  }

  it.each(bad.map(([recipe, name, title]) => ({ recipe, name, title, shown: JSON.stringify(recipe) })))(
    "$shown",
    ({ recipe, name, title }) => {
      let error: unknown;
      try {
        parseRecipe(recipe);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(name === "TypeError" ? TypeError : RangeError);
      expect((error as Error).message).toContain(title);
    },
  );
});

describe("overrides", () => {
  const recipe: Recipe = {
    rules: [
      { match: "a", exact: true },
      { match: "b", keepShared: true, share: { centroids: 52, maxIterations: 3 } },
      { prune: { quality: 1 } },
    ],
  };

  it("of nothing change nothing", () => expect(overrideRecipe(recipe, {})).toBe(recipe));

  it("of pruning replace that of each rule that is not exact", () => {
    const { rules } = overrideRecipe(recipe, { prune: { sparsity: 0.9 } });
    expect(rules.map(({ prune }) => prune)).toEqual([undefined, { sparsity: 0.9 }, { sparsity: 0.9 }]);
    expect(rules[1].share).toEqual(recipe.rules[1].share);
    expect(rules[1].keepShared).toBe(false);
  });

  it("of bits and start replace those, and share again what is shared already", () => {
    const { rules } = overrideRecipe(recipe, { bits: 5, init: "density" });
    expect(rules[0]).toEqual(recipe.rules[0]);
    expect(rules[1].share).toMatchObject({ bits: 5, init: "density", maxIterations: undefined, centroids: undefined });
    expect(rules[2].share).toMatchObject({ bits: 5, init: "density" });
    expect(rules[2].prune).toEqual({ quality: 1 });
  });

  it("are checked, and need a rule to change", () => {
    expect(() => overrideRecipe(recipe, { bits: 9 })).toThrow(RangeError);
    expect(() => overrideRecipe(recipe, { prune: { sparsity: 2 } })).toThrow(RangeError);
    expect(() => overrideRecipe(recipe, { init: "far" as never })).toThrow(TypeError);
    expect(() => overrideRecipe(presetRecipe("exact"), { bits: 4 })).toThrow(RangeError);
  });

  it("start from a preset that is there", () => {
    expect(() => presetRecipe("best" as never)).toThrow(TypeError);
    expect(presetRecipe("exact").rules).toEqual([]);
  });
});

describe("a recipe given to compress", () => {
  it("is checked as one from a file is", async () => {
    const tensor = { name: "w", dtype: "F32", shape: [2, 2], data: new Uint8Array(16) } as const;
    const wrong = (rule: unknown) => compress([tensor], { recipe: { rules: [rule as Rule] } });
    await expect(wrong({ share: { bits: 12 } })).rejects.toThrow(/recipe\.rules\[0\]\.share\.bits/);
    await expect(wrong({ shaer: { bits: 4 } })).rejects.toThrow(/"shaer"/);
  });
});

describe("a report", () => {
  it("names the rules whose patterns match no tensor", async () => {
    const tensor = { name: "fc1.weight", dtype: "F32", shape: [2, 2], data: new Uint8Array(16) } as const;
    const recipe = parseRecipe({ rules: [{ match: "fc1.*", exact: true }, { match: ["conv*", "fc2*"], exact: true }, { minRank: 5 }] });
    const { report } = await compress([tensor], { recipe });
    expect(report.notes).toEqual(["recipe.rules[1].match matches no tensor: conv*, fc2*"]);
  });
});
