import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { Sequential } from "../../src/nn/index.js";
import { parseNetwork, parseTrainingRecipe } from "../../src/train/index.js";
import { namedStages } from "../../src/train/plan.js";
import { checkMatches } from "../../src/train/rules.js";
import { JsonSchema, keysOf } from "../json-schema.js";

const SCHEMA = new JsonSchema("training.schema.json");
const DEFS = SCHEMA.defs;

/** What no schema says: names that meet, and numbers that are in order. */
const BEYOND = /must be of no other stage|must be the name of an earlier stage|whose mean squares|\.begin must be in \[0, /;

function parses(recipe: unknown): boolean | "beyond" {
  try {
    parseTrainingRecipe(recipe);
    return true;
  } catch (error) {
    expect([TypeError, RangeError]).toContain((error as Error).constructor);
    return BEYOND.test((error as Error).message) ? "beyond" : false;
  }
}

function message(recipe: unknown): string {
  try {
    parseTrainingRecipe(recipe);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const keysParsed = (recipe: unknown): string[] => (/it may have (.*)/.exec(message(recipe))?.[1] ?? "").split(", ").sort();

const stage = (fields: object) => ({ stages: [{ type: "prune", epochs: 1, rules: [{ match: "*", sparsity: 0.5 }], ...fields }] });

describe("docs/training.schema.json", () => {
  it("has examples that are valid, and parse", () => {
    const examples = SCHEMA.root["examples"] as unknown[];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(SCHEMA.valid(example)).toBe(true);
      expect(parseTrainingRecipe(example)).toEqual(example);
    }
  });

  it("has the keys of parseTrainingRecipe, and no others", () => {
    const properties = SCHEMA.root["properties"] as Record<string, never>;
    expect(keysParsed({ unknown: 0 })).toEqual(keysOf(SCHEMA.root));
    expect(keysParsed({ data: { unknown: 0 } })).toEqual(keysOf(DEFS["data"]));
    expect(keysParsed({ data: { augment: { unknown: 0 } } })).toEqual(keysOf((DEFS["data"]["properties"] as { augment: never }).augment));
    for (const type of ["train", "prune", "share", "scan"])
      expect(keysParsed({ stages: [{ type, unknown: 0 }] })).toEqual(keysOf(DEFS[type]));
    expect(keysParsed(stage({ rules: [{ unknown: 0 }] }))).toEqual(keysOf(DEFS["pruneRule"]));
    const pooled = { match: "*", sparsity: 1, end: 1, saliency: { unknown: 0 } };
    const { saliency } = DEFS["pruneRule"]["properties"] as { saliency: never };
    expect(keysParsed(stage({ optimizer: { type: "adam" }, rules: [pooled] }))).toEqual(keysOf(saliency));
    expect(keysParsed({ stages: [{ type: "share", epochs: 1, rules: [{ unknown: 0 }] }] })).toEqual(keysOf(DEFS["shareRule"]));
    expect(keysParsed(stage({ distill: { unknown: 0 } }))).toEqual(keysOf(DEFS["distill"]));
    for (const type of ["sgd", "adam"]) expect(keysParsed(stage({ optimizer: { type, unknown: 0 } }))).toEqual(keysOf(DEFS[type]));
    for (const type of ["constant", "step", "cosine"])
      expect(keysParsed(stage({ schedule: { type, unknown: 0 } }))).toEqual(keysOf(DEFS[type]));
    expect(keysParsed({ stages: [{ type: "train", epochs: 1 }], archive: { unknown: 0 } })).toEqual(keysOf(properties["archive"]));
  });

  it("has no rate of centroids beside reassign", () => {
    const rule = (fields: object) => ({
      stages: [{ type: "share", epochs: 1, rules: [{ match: "*", share: { bits: 1 }, ...fields }] }],
    });
    for (const fields of [{ rate: 0.5 }, { reassign: true }, { rate: 0.5, reassign: false }, { rate: 0.5, reassign: true }]) {
      const wanted = !("rate" in fields && fields.reassign === true);
      expect([SCHEMA.valid(rule(fields)), parses(rule(fields))], JSON.stringify(fields)).toEqual([wanted, wanted]);
    }
  });

  it("takes what parseTrainingRecipe takes, and refuses what it refuses", () => {
    const words = ["", "*", "sgd", "adam", "constant", "step", "cosine", "train", "prune", "share", "scan", "small", "all"];
    const scalar = fc.constantFrom<unknown>(
      ...words,
      true,
      false,
      null,
      0,
      1,
      -1,
      0.5,
      1.5,
      2,
      45,
      46,
      1024,
      2 ** 24,
      2 ** 32,
      1e6 + 1,
      1e39,
      1e-39,
      [],
      [0.5],
      [0],
      [-1],
      ["*"],
      [""],
    );
    const fields = (name: string, value: fc.Arbitrary<unknown> = scalar) =>
      fc.dictionary(fc.constantFrom(...keysOf(DEFS[name]), "other"), value, { maxKeys: 2, noNullPrototype: true });
    const typed = (types: readonly string[]) =>
      fc.oneof(
        ...types.map((type) => fields(type).map((some) => ({ type, ...(type === "step" ? { every: 1, factor: 1 } : {}), ...some }))),
      );
    const merged = (base: object, some: fc.Arbitrary<object>) => some.map((other) => ({ ...base, ...other }));
    const rules = (name: string, base: object) => fc.array(merged(base, fields(name)), { maxLength: 2 });
    const field = fc.oneof(scalar, typed(["sgd", "adam"]), typed(["constant", "step", "cosine"]), merged({ from: "a" }, fields("distill")));
    const stages = fc.oneof(
      ...["train", "prune", "share", "scan"].map((type) => {
        const base = {
          type,
          ...(type === "scan" ? {} : { epochs: 1 }),
          ...(type === "prune" ? { rules: [{ match: "*", quality: 1 }] } : {}),
        };
        const named = type === "share" ? { ...base, rules: [{ match: "*", share: { bits: 4 } }] } : base;
        return merged(named, fc.oneof(fields(type), fields(type, field)));
      }),
      rules("pruneRule", { match: "a", sparsity: 0.5, end: 1 }).map((some) => ({ type: "prune", epochs: 0, rules: some })),
      rules("shareRule", { match: "a", share: { bits: 2 } }).map((some) => ({ type: "share", epochs: 0, rules: some })),
      ...["optimizer", "schedule", "distill"].map((key) => field.map((value) => ({ type: "train", epochs: 2, [key]: value }))),
    );
    const recipe = fc.record(
      {
        stages: fc.oneof({ weight: 9, arbitrary: fc.array(stages, { minLength: 1, maxLength: 2 }) }, scalar),
        seed: scalar,
        data: fc.oneof(scalar, fields("data")),
        archive: fc.oneof(scalar, fc.record({ contexts: scalar })),
      },
      { requiredKeys: ["stages"] },
    );
    const seen = { true: 0, false: 0, beyond: 0 };
    fc.assert(
      fc.property(
        fc.oneof(
          recipe,
          stages.map((one) => ({ stages: [one] })),
        ),
        (value) => {
          const taken = parses(value);
          seen[String(taken) as keyof typeof seen]++;
          if (taken !== "beyond") expect(SCHEMA.valid(value), JSON.stringify([value, message(value)])).toBe(taken);
        },
      ),
      { seed: 11, numRuns: 5000 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(500);
  });
});

describe("parseTrainingRecipe", () => {
  it.each([
    [{}, "stages must be an array"],
    [{ stages: [] }, "stages must hold a stage"],
    [{ stages: [{ type: "sleep" }] }, 'stages[0].type must be one of train, prune, share, scan, got "sleep"'],
    [stage({ epochs: -1 }), "stages[0].epochs must be in [0, 1000000], got -1"],
    [stage({ momentum: 2 }), "stages[0].momentum must be in [0, 1], got 2"],
    [stage({ optimizer: { type: "adam", beta1: 1 } }), /^stages\[0\]\.optimizer\.beta1 must be in/],
    [stage({ optimizer: { type: "adam" }, momentum: 0 }), "stages[0].momentum must be a field of the optimizer where one is given"],
    [stage({ optimizer: { type: "adam", epsilon: 1e-50 } }), /^stages\[0\]\.optimizer\.epsilon must be in/],
    [stage({ learningRate: 1e39 }), /^stages\[0\]\.learningRate must be in \[0, 3\.4028234663852886e\+38\], got 1e\+39$/],
    [stage({ weightDecay: 1e39 }), /^stages\[0\]\.weightDecay must be in/],
    [stage({ schedule: { type: "step", every: 0, factor: 1 } }), /^stages\[0\]\.schedule\.every must be in/],
    [stage({ distill: { from: "dense" } }), 'stages[0].distill.from must be the name of an earlier stage, got "dense"'],
    [
      stage({ rules: [{ match: "*", sparsity: 0.5, quality: 1 }] }),
      "stages[0].rules[0] must have exactly one of threshold, quality, sparsity",
    ],
    [stage({ rules: [{ match: "*", quality: 1, end: 1 }] }), "stages[0].rules[0] must have a sparsity beside end"],
    [stage({ rules: [{ match: "*", sparsity: 1, begin: 0.5, end: 0.2 }] }), "stages[0].rules[0].begin must be in [0, 0.2], got 0.5"],
    [stage({ rules: [{ match: "*", sparsity: 1, every: 5 }] }), "stages[0].rules[0] must have an end beside every"],
    [stage({ rules: [{ match: "*", sparsity: 1, saliency: {} }] }), "stages[0].rules[0] must have an end beside saliency"],
    [stage({ rules: [{ match: "*", sparsity: 1, end: 1, saliency: { rate: 5 } }] }), /^stages\[0\]\.rules\[0\]\.saliency\.rate must be in/],
    [
      stage({ rules: [{ match: "*", sparsity: 1, end: 1, saliency: {} }] }),
      "stages[0].optimizer must be adam, whose mean squares rules[0].saliency needs",
    ],
    [
      { stages: [{ type: "share", epochs: 1, rules: [{ match: "*", share: { bits: 1 }, reassign: 1 }] }] },
      "stages[0].rules[0].reassign must be true or false",
    ],
    [
      { stages: [{ type: "share", epochs: 1, rules: [{ match: "*", share: { bits: 1 }, rate: 1, reassign: true }] }] },
      "stages[0].rules[0].rate must not stand beside reassign",
    ],
  ])("names the key that is amiss: %j", (recipe, wanted) => {
    expect(() => parseTrainingRecipe(recipe)).toThrow(wanted as string);
  });

  it("lets a stage learn from an earlier one by the name that it has unless given", () => {
    const recipe = (from: string) => ({
      stages: [1, 2, 3].map((epochs) => ({ type: "train", epochs, ...(epochs === 3 && { distill: { from } }) })),
    });
    for (const from of ["train", "train 2"]) expect(() => parseTrainingRecipe(recipe(from))).not.toThrow();
    expect(() => parseTrainingRecipe(recipe("train 3"))).toThrow("stages[2].distill.from must be the name of an earlier stage");
  });

  it("wants names that stand once", () => {
    const twice = { stages: [1, 2].map(() => ({ type: "scan", name: "a" })) };
    expect(() => parseTrainingRecipe(twice)).toThrow('stages[1].name must be of no other stage, got "a" again');
  });
});

describe("examples/train", () => {
  const example = (name: string) => JSON.parse(readFileSync(path.join(ROOT, "examples/train", name), "utf8"));

  it("has a network that takes MNIST, and a recipe that meets it and its schema", () => {
    const network = new Sequential(parseNetwork(example("net.json")));
    expect([network.inputs, network.outputs]).toEqual([28 * 28, 10]);
    const recipe = example("recipe.json");
    expect(SCHEMA.valid(recipe)).toBe(true);
    expect(() => checkMatches(namedStages(parseTrainingRecipe(recipe)), network)).not.toThrow();
    expect(existsSync(path.join(ROOT, "examples/train", recipe.$schema))).toBe(true);
  });
});

describe("namedStages", () => {
  it("names stages by their types, and twice none", () => {
    const types = [{ type: "scan" }, { type: "scan", name: "scan 2" }, { type: "scan" }] as const;
    expect(namedStages({ stages: types }).map(({ name }) => name)).toEqual(["scan", "scan 2", "scan 3"]);
  });
});
