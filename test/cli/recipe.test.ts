import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFault, lineAndColumn } from "../../src/cli/json-fault.js";
import { parseRecipe } from "../../src/index.js";
import { JsonSchema, keysOf } from "../json-schema.js";

const SCHEMA = new JsonSchema("recipe.schema.json");
const DEFS = SCHEMA.defs;

function parses(recipe: unknown): boolean {
  try {
    parseRecipe(recipe);
    return true;
  } catch (error) {
    expect([TypeError, RangeError]).toContain((error as Error).constructor);
    return false;
  }
}

/** The keys that parseRecipe says an object may have, when it gets one that it does not know. */
function keysParsed(recipe: unknown): string[] {
  expect(() => parseRecipe(recipe)).toThrow(/it may have/);
  try {
    parseRecipe(recipe);
  } catch (error) {
    return /it may have (.*)/
      .exec((error as Error).message)![1]
      .split(", ")
      .sort();
  }
  return [];
}

describe("docs/recipe.schema.json", () => {
  it("has examples that are valid, and parse", () => {
    const examples = SCHEMA.root["examples"] as unknown[];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(SCHEMA.valid(example)).toBe(true);
      expect(parseRecipe(example)).toEqual(example);
    }
  });

  it("has the keys of parseRecipe, and no others", () => {
    expect(keysParsed({ unknown: 0 })).toEqual(keysOf(SCHEMA.root));
    expect(keysParsed({ rules: [{ unknown: 0 }] })).toEqual(keysOf(DEFS["rule"]));
    expect(keysParsed({ rules: [{ prune: { unknown: 0 } }] })).toEqual(keysOf(DEFS["prune"]));
    expect(keysParsed({ rules: [{ share: { unknown: 0 } }] })).toEqual(keysOf(DEFS["share"]));
    expect(keysParsed({ rules: [{ round: { unknown: 0 } }] })).toEqual(keysOf(DEFS["round"]));
  });

  it("takes what parseRecipe takes, and refuses what it refuses", () => {
    const words = [
      "",
      "*",
      "F32",
      "BF16",
      "F33",
      "linear",
      "density",
      "random",
      "optimal",
      "distortion",
      "rate",
      "float16",
      "float32",
      "small",
      "all",
      "none",
      "any",
    ];
    const scalar = fc.oneof(
      fc.constantFrom<unknown>(
        ...words,
        true,
        false,
        null,
        0,
        1,
        -1,
        0.5,
        1.5,
        8,
        9,
        52,
        256,
        257,
        1e6,
        1e6 + 1,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 53,
      ),
      fc.array(fc.constantFrom(...words), { maxLength: 2 }),
    );
    const object = (keys: readonly string[], value: fc.Arbitrary<unknown>) =>
      fc.dictionary(fc.constantFrom(...keys, "other"), value, { maxKeys: 2, noNullPrototype: true });
    const steps = fc.oneof(scalar, object(keysOf(DEFS["prune"]), scalar), object(keysOf(DEFS["share"]), scalar));
    const share = fc.record(
      { objective: fc.constantFrom("rate", "distortion"), bits: scalar, tradeoff: scalar, init: scalar },
      { requiredKeys: [] },
    );
    const round = fc.record({ mantissaBits: fc.oneof(scalar, fc.constantFrom(22, 23)) });
    const rule = fc.oneof(
      scalar,
      fc.record({ share }),
      fc.record({ role: fc.constantFrom("weight", "recurrent", "other"), round }),
      fc.record({ share, prune: scalar, exact: fc.constant(true), round }, { requiredKeys: ["round"] }),
      object(keysOf(DEFS["rule"]), scalar),
      object(["prune", "share"], steps),
      object(["exact", "share"], steps),
    );
    const one = fc.oneof({ weight: 9, arbitrary: fc.array(rule, { maxLength: 2 }) }, scalar);
    const recipe = fc.record({ rules: one, contexts: scalar, $schema: scalar }, { requiredKeys: [] });
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: recipe }, rule), (value) => {
        const taken = parses(value);
        seen[taken ? "taken" : "refused"]++;
        expect(SCHEMA.valid(value), JSON.stringify(value)).toBe(taken);
      }),
      { seed: 5, numRuns: 5000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(200);
  });
});

describe("jsonFault", () => {
  it("finds the end of what is JSON, and no fault before it", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("", " ", "\n"), (text, space) => {
        expect(jsonFault(text + space)).toBe((text + space).length);
      }),
    );
  });

  it("points at the token that may not stand there", () => {
    const cases = [
      "|x",
      "{|}}",
      '{"a": |x}',
      '{"a"| 1}',
      '{"a": 1,|}',
      "[1,|]",
      "[1| 2]",
      "0|1",
      "1| 2",
      '[|"a',
      '["a", |"\t"]',
      "{|1: 2}",
      "[1.5e3, |.5]",
    ];
    for (const marked of cases) {
      const text = marked.replace("|", "");
      const at = marked === "{|}}" ? 2 : marked.indexOf("|");
      expect(() => JSON.parse(text)).toThrow();
      expect(text.slice(jsonFault(text)).trimStart(), marked).toBe(text.slice(at).trimStart());
    }
    for (const cut of ["", "[", "{", '{"a":', "[1,"]) expect(jsonFault(cut)).toBe(cut.length);
  });

  it("counts lines and columns from one", () => {
    expect(lineAndColumn("ab\nc", 0)).toBe("line 1, column 1");
    expect(lineAndColumn("ab\nc", 4)).toBe("line 2, column 2");
  });
});
