import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { jsonFault, lineAndColumn } from "../../src/cli/json-fault.js";
import { parseRecipe } from "../../src/index.js";

type Schema = { readonly [keyword: string]: unknown };

const SCHEMA: Schema = JSON.parse(readFileSync(path.join(ROOT, "docs/recipe.schema.json"), "utf8"));
const DEFS = SCHEMA["$defs"] as Readonly<Record<string, Schema>>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const schemas = (value: unknown): readonly Schema[] => value as readonly Schema[];

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
};

/** The keywords of JSON Schema 2020-12 that the schema uses; another one fails the test. */
const KEYWORDS: Readonly<Record<string, (argument: never, value: never, schema: Schema) => boolean>> = {
  $ref: (ref: string, value) => valid(DEFS[ref.replace("#/$defs/", "")], value),
  type: (type: string, value) => TYPES[type](value),
  const: (constant, value) => value === constant,
  enum: (choices: readonly unknown[], value) => choices.includes(value),
  minimum: (least: number, value: number) => !TYPES["number"](value) || value >= least,
  maximum: (most: number, value: number) => !TYPES["number"](value) || value <= most,
  minLength: (least: number, value: string) => typeof value !== "string" || value.length >= least,
  minProperties: (least: number, value: object) => !isObject(value) || Object.keys(value).length >= least,
  maxProperties: (most: number, value: object) => !isObject(value) || Object.keys(value).length <= most,
  required: (keys: readonly string[], value: object) => !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (properties: Readonly<Record<string, Schema>>, value: Record<string, unknown>) =>
    !isObject(value) || Object.entries(value).every(([key, field]) => !Object.hasOwn(properties, key) || valid(properties[key], field)),
  additionalProperties: (allowed: boolean, value: object, schema) =>
    allowed || !isObject(value) || Object.keys(value).every((key) => Object.hasOwn(schema["properties"] as object, key)),
  dependentSchemas: (dependents: Readonly<Record<string, Schema>>, value: object) =>
    !isObject(value) || Object.entries(dependents).every(([key, schema]) => !Object.hasOwn(value, key) || valid(schema, value)),
  items: (schema: Schema, value: readonly unknown[]) => !Array.isArray(value) || value.every((item) => valid(schema, item)),
  anyOf: (choices: unknown, value) => schemas(choices).some((schema) => valid(schema, value)),
  oneOf: (choices: unknown, value) => schemas(choices).filter((schema) => valid(schema, value)).length === 1,
  not: (schema: Schema, value) => !valid(schema, value),
};

const ANNOTATIONS = ["$schema", "$defs", "title", "description", "examples"];

function valid(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (ANNOTATIONS.includes(keyword)) return true;
    expect(Object.keys(KEYWORDS)).toContain(keyword);
    return KEYWORDS[keyword](argument as never, value as never, schema);
  });
}

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

const keysOf = ({ properties }: Schema): string[] => Object.keys(properties as object).sort();

describe("docs/recipe.schema.json", () => {
  it("has examples that are valid, and parse", () => {
    const examples = SCHEMA["examples"] as unknown[];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(valid(SCHEMA, example)).toBe(true);
      expect(parseRecipe(example)).toEqual(example);
    }
  });

  it("has the keys of parseRecipe, and no others", () => {
    expect(keysParsed({ unknown: 0 })).toEqual(keysOf(SCHEMA));
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
        expect(valid(SCHEMA, value), JSON.stringify(value)).toBe(taken);
      }),
      { numRuns: 5000 },
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
