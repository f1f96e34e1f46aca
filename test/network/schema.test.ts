import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { shapesOf } from "../../src/network/shapes.js";
import { checkSpec } from "../../src/network/spec.js";
import { Sequential } from "../../src/nn/index.js";
import { JsonSchema, keysOf } from "../json-schema.js";

const SCHEMA = new JsonSchema("network.schema.json");
const DEFS = SCHEMA.defs;

/** What no schema says: names that stand once. */
const BEYOND = /\.name must be free/;

const TYPES = (SCHEMA.root["properties"] as { layers: { items: { anyOf: { $ref: string }[] } } }).layers.items.anyOf.map(
  ({ $ref }) => $ref.split("/").pop() as string,
);

function message(spec: unknown): string {
  try {
    checkSpec(spec);
    return "";
  } catch (error) {
    expect([TypeError, RangeError]).toContain((error as Error).constructor);
    return (error as Error).message;
  }
}

/** The fields that a layer must have, each as small as can be. */
function least(type: string): Record<string, unknown> {
  const fields = { type, name: "a", in: 1, out: 1, kernel: 1, features: 1, size: 1, rate: 0 };
  return Object.fromEntries(Object.entries(fields).filter(([key]) => (DEFS[type]["required"] as string[]).includes(key)));
}

describe("docs/network.schema.json", () => {
  it("has examples that are valid, and whose layers meet", () => {
    const examples = SCHEMA.root["examples"] as unknown[];
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(SCHEMA.valid(example)).toBe(true);
      checkSpec(example);
      expect(shapesOf(example).pop()).toEqual([10]);
    }
  });

  it("has the types of layers that checkSpec has, and their keys", () => {
    const types = /which is none of (.*)/.exec(message({ layers: [{ type: "none" }] }))![1].split(", ");
    expect([...TYPES].sort()).toEqual(types.sort());
    const keys = new Set(TYPES.flatMap((type) => keysOf(DEFS[type])));
    for (const type of TYPES) {
      expect(message({ layers: [least(type)] })).toBe("");
      for (const key of keys) {
        const refused = message({ layers: [{ [key]: null, ...least(type) }] }).includes("has a field");
        expect(refused, `${type} ${key}`).toBe(!keysOf(DEFS[type]).includes(key));
      }
    }
    for (const key of keysOf(SCHEMA.root)) expect(message({ layers: [least("relu")], [key]: null })).not.toContain("has a field");
    expect(message({ layers: [least("relu")], other: null })).toContain('has a field "other"');
  });

  it("takes what checkSpec takes, and refuses what it refuses", () => {
    const numbers = [0, 1, -1, 0.5, 1.5, 2 ** 14, 2 ** 14 + 1, 2 ** 28, 2 ** 28 + 1, 1 - 2 ** -32, 1 - 2 ** -33, 1e39, 5e-324];
    const scalar = fc.constantFrom<unknown>("", "b", true, false, null, ...numbers);
    const value = fc.oneof(
      { weight: 3, arbitrary: scalar },
      fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, scalar), { maxLength: 4 }),
    );
    const layer = fc.oneof(
      ...TYPES.map((type) => {
        const keys = [...keysOf(DEFS[type]), "other"];
        return fc
          .dictionary(fc.constantFrom(...keys), value, { maxKeys: 2, noNullPrototype: true })
          .map((some) => ({ ...least(type), ...some }));
      }),
    );
    const spec = fc.record(
      {
        layers: fc.oneof({ weight: 9, arbitrary: fc.array(layer, { maxLength: 2 }) }, value),
        input: value,
        $schema: fc.constant("../network.schema.json"),
        other: scalar,
      },
      { requiredKeys: [] },
    );
    const seen = { true: 0, false: 0 };
    fc.assert(
      fc.property(
        fc.oneof(
          spec,
          layer.map((one) => ({ layers: [one] })),
          value,
        ),
        (one) => {
          const refusal = message(one);
          if (BEYOND.test(refusal)) return;
          seen[`${refusal === ""}`]++;
          expect(SCHEMA.valid(one), JSON.stringify([one, refusal])).toBe(refusal === "");
        },
      ),
      { seed: 5, numRuns: 5000 },
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(500);
  });

  it("is that of examples/train/net.json, which trains and may name it", () => {
    const example = JSON.parse(readFileSync(path.join(ROOT, "examples/train/net.json"), "utf8"));
    expect(SCHEMA.valid(example)).toBe(true);
    expect(existsSync(path.join(ROOT, "examples/train", example.$schema))).toBe(true);
    expect(new Sequential(example).outputs).toBe(10);
  });
});
