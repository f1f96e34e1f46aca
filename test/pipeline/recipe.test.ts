import { describe, expect, it } from "vitest";
import { compress, type Overrides, overrideRecipe, parseRecipe, presetRecipe, type Recipe, type Rule } from "../../src/index.js";
import { treatmentOf, treatmentsOf } from "../../src/pipeline/treatments.js";
import type { Dtype, Role, TensorInfo } from "../../src/types.js";

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
    expect([shared({ role: "weight" }, "recurrent"), shared({}, "recurrent")]).toEqual([true, true]);
    const { rules } = presetRecipe("paper");
    expect(rules.map(({ role }) => role)).toEqual(["weight", "weight"]);
    expect(overrideRecipe({ rules }, { bits: 4 }).rules.map(({ role }) => role)).toEqual(["weight", "weight"]);
  });

  it("for recurrent models leave out what is not known to be of one", () => {
    const rule = treatmentOf(parseRecipe({ rules: [{ role: "recurrent", ...two }] }));
    const roles = ["recurrent", "weight", "other", undefined] as const;
    expect(roles.map((role) => rule(LAYER, role).share !== undefined)).toEqual([true, false, false, false]);
  });

  it("of the default preset round what is known to be of a recurrent model, and share other weights for the rate", () => {
    const given = treatmentOf(presetRecipe("default"));
    expect(given(LAYER, "recurrent")).toMatchObject({ keepShared: true, round: { mantissaBits: 8 } });
    expect(given(LAYER, "recurrent").share).toBeUndefined();
    for (const role of ["weight", undefined] as const) {
      expect(given(LAYER, role)).toMatchObject({ keepShared: true, share: { objective: "rate" } });
      expect(given(LAYER, role).round).toBeUndefined();
    }
    for (const role of ["recurrent", "weight"] as const) expect(given({ ...LAYER, shape: [100] }, role)).toEqual({});
    expect(given(LAYER, "other")).toEqual({});
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
      [{ role: ["weight"] }, "TypeError", ".role"],
      [{ exact: true, round: { mantissaBits: 8 } }, "TypeError", ".exact"],
      [{ share: { bits: 4 }, round: { mantissaBits: 8 } }, "TypeError", ".share excludes round"],
      [{ round: 8 }, "TypeError", ".round"],
      [{ round: {} }, "TypeError", ".round.mantissaBits"],
      [{ round: { mantissaBits: 0 } }, "RangeError", ".round.mantissaBits"],
      [{ round: { mantissaBits: 23 } }, "RangeError", ".round.mantissaBits"],
      [{ round: { mantissaBits: 7.5 } }, "TypeError", ".round.mantissaBits"],
      [{ round: { mantissaBits: 8, bits: 8 } }, "TypeError", '"bits"'],
      [{ keepShared: "yes" }, "TypeError", ".keepShared"],
      [{ share: { bits: 4, codebook: "int8" } }, "TypeError", ".share.codebook"],
      [{ share: { bits: 4, size: 1 } }, "TypeError", '"size"'],
      [{ share: { bits: 4, objective: "bits" } }, "TypeError", ".share.objective"],
      [{ share: { objective: "distortion" } }, "TypeError", ".share must have exactly one of bits, centroids"],
      [{ share: { objective: "rate", bits: 4, centroids: 9 } }, "TypeError", ".share must not have both"],
      [{ share: { objective: "rate", tradeoff: 0 } }, "RangeError", ".share.tradeoff"],
      [{ share: { objective: "rate", tradeoff: 11 } }, "RangeError", ".share.tradeoff"],
      [{ share: { objective: "rate", init: "linear" } }, "TypeError", ".share.init is for the objective distortion alone"],
      [{ share: { bits: 4, tradeoff: 0.1 } }, "TypeError", ".share.tradeoff is for the objective rate alone"],
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
    expect(rules[1].share).toEqual({ bits: 5, init: "density", objective: "distortion" });
    expect(rules[2].share).toEqual(rules[1].share);
    expect(rules[2].prune).toEqual({ quality: 1 });
  });

  it("of the objective or the trade-off share for the rate, of bits or the start for the distortion", () => {
    const shares = (overrides: Overrides): unknown[] =>
      overrideRecipe(recipe, overrides)
        .rules.slice(1)
        .map(({ share }) => share);
    expect(shares({ tradeoff: 0.01 })).toEqual([
      { objective: "rate", tradeoff: 0.01, centroids: 52 },
      { objective: "rate", tradeoff: 0.01 },
    ]);
    expect(shares({ objective: "rate", bits: 5 })).toEqual([
      { objective: "rate", bits: 5 },
      { objective: "rate", bits: 5 },
    ]);
    const byRate = overrideRecipe(presetRecipe("default"), { tradeoff: 0.01 });
    expect(overrideRecipe(byRate, { objective: "rate" }).rules[0]).toMatchObject({
      keepShared: false,
      share: { objective: "rate", tradeoff: 0.01 },
    });
    expect(overrideRecipe(byRate, { bits: 4 }).rules[0].share).toEqual({ objective: "distortion", bits: 4 });
    expect(overrideRecipe(byRate, { init: "optimal" }).rules[0].share).toEqual({ objective: "distortion", bits: 6, init: "optimal" });
    expect(() => overrideRecipe(byRate, { objective: "rate", init: "linear" })).toThrow("share.init is for the objective distortion alone");
    expect(() => overrideRecipe(byRate, { objective: "distortion", tradeoff: 0.1 })).toThrow(
      "share.tradeoff is for the objective rate alone",
    );
  });

  it("of rounding replace sharing, and of sharing rounding", () => {
    const given: Recipe = { rules: [...recipe.rules, { role: "recurrent", keepShared: true, round: { mantissaBits: 8 } }] };
    const rounded = overrideRecipe(given, { round: 7 }).rules;
    expect(rounded.map(({ round }) => round?.mantissaBits)).toEqual([undefined, 7, 7, 7]);
    expect(rounded.map(({ share }) => share)).toEqual([undefined, undefined, undefined, undefined]);
    expect(rounded[2].prune).toEqual({ quality: 1 });
    expect(rounded.map(({ keepShared }) => keepShared)).toEqual([undefined, false, false, false]);
    const shared = overrideRecipe(given, { bits: 4 }).rules;
    expect(shared[3]).toMatchObject({ role: "recurrent", keepShared: false, share: { bits: 4 } });
    expect(shared[3].round).toBeUndefined();
    const pruned = overrideRecipe(given, { prune: { sparsity: 0.9 } }).rules;
    expect(pruned[3]).toMatchObject({ prune: { sparsity: 0.9 }, round: { mantissaBits: 8 } });
    for (const rules of [rounded, shared, pruned]) expect(parseRecipe({ rules })).toEqual({ rules });
    expect(() => overrideRecipe(given, { round: 23 })).toThrow(RangeError);
    for (const sharing of [{ bits: 4 }, { init: "linear" }, { objective: "rate" }, { tradeoff: 0.1 }] as const)
      expect(() => overrideRecipe(given, { round: 8, ...sharing })).toThrow(/^round excludes/);
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

describe("sharing for the rate in a model", () => {
  const layer = (name: string, weights: number): TensorInfo => ({ name, dtype: "F32", shape: [weights] });
  const tradeoffs = (recipe: Recipe, sizes: readonly number[]): (number | undefined)[] =>
    treatmentsOf(
      recipe,
      sizes.map((size, i) => layer(`t${i}`, size)),
    ).map(({ share }) => share?.tradeoff);

  it("lets a bit of a large tensor cost more than one of a small, up to four times the mean", () => {
    const recipe = parseRecipe({ rules: [{ match: "t0", exact: true }, { share: { objective: "rate", tradeoff: 0.01 } }] });
    expect(tradeoffs(recipe, [7000, 100, 300, 200])).toEqual([undefined, 0.005, 0.015, 0.01]);
    const [, ...many] = tradeoffs(recipe, [1, 1000, ...Array(999).fill(1)]);
    expect(many[0]).toBe(0.04);
    expect(many[1]).toBeCloseTo(0.01 / (1999 / 1000), 6);
    expect(tradeoffs(recipe, [5, 0, 0])).toEqual([undefined, 0.01, 0.01]);
  });

  it("leaves other sharing as it is", () => {
    const recipe = parseRecipe({ rules: [{ match: "t0", share: { bits: 4 } }, { share: { objective: "rate" } }] });
    expect(tradeoffs(recipe, [100, 100])).toEqual([undefined, 0.005]);
  });
});
