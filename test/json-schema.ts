import { readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { ROOT } from "../scripts/wasm.mjs";

export type Schema = { readonly [keyword: string]: unknown };

type Keyword = (argument: never, value: never, schema: Schema) => boolean;

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

const ANNOTATIONS = ["$schema", "$defs", "title", "description", "examples"];

/** The keys of an object that a schema describes. */
export const keysOf = ({ properties }: Schema): string[] => Object.keys(properties as object).sort();

/** A schema in docs/. */
export class JsonSchema {
  readonly root: Schema;
  readonly defs: Readonly<Record<string, Schema>>;

  constructor(name: string) {
    this.root = JSON.parse(readFileSync(path.join(ROOT, "docs", name), "utf8"));
    this.defs = this.root["$defs"] as Readonly<Record<string, Schema>>;
  }

  /** Whether it allows `value`. */
  valid(value: unknown, schema: Schema = this.root): boolean {
    return Object.entries(schema).every(([keyword, argument]) => {
      if (ANNOTATIONS.includes(keyword)) return true;
      expect(Object.keys(this.#keywords)).toContain(keyword);
      return this.#keywords[keyword](argument as never, value as never, schema);
    });
  }

  /** The keywords of JSON Schema 2020-12 that the schemas use; another one fails the test. */
  readonly #keywords: Readonly<Record<string, Keyword>> = {
    $ref: (ref: string, value) => this.#referred(ref, value),
    type: (type: string, value) => TYPES[type](value),
    const: (constant, value) => value === constant,
    enum: (choices: readonly unknown[], value) => choices.includes(value),
    minimum: (least: number, value: number) => !TYPES["number"](value) || value >= least,
    exclusiveMinimum: (below: number, value: number) => !TYPES["number"](value) || value > below,
    maximum: (most: number, value: number) => !TYPES["number"](value) || value <= most,
    minLength: (least: number, value: string) => typeof value !== "string" || value.length >= least,
    minItems: (least: number, value: readonly unknown[]) => !Array.isArray(value) || value.length >= least,
    maxItems: (most: number, value: readonly unknown[]) => !Array.isArray(value) || value.length <= most,
    minProperties: (least: number, value: object) => !isObject(value) || Object.keys(value).length >= least,
    maxProperties: (most: number, value: object) => !isObject(value) || Object.keys(value).length <= most,
    required: (keys: readonly string[], value: object) => !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
    properties: (properties: Readonly<Record<string, Schema>>, value: Record<string, unknown>) =>
      !isObject(value) ||
      Object.entries(value).every(([key, field]) => !Object.hasOwn(properties, key) || this.valid(field, properties[key])),
    additionalProperties: (allowed: boolean, value: object, schema) =>
      allowed || !isObject(value) || Object.keys(value).every((key) => Object.hasOwn(schema["properties"] as object, key)),
    dependentSchemas: (dependents: Readonly<Record<string, Schema>>, value: object) =>
      !isObject(value) || Object.entries(dependents).every(([key, schema]) => !Object.hasOwn(value, key) || this.valid(value, schema)),
    items: (schema: Schema, value: readonly unknown[]) => !Array.isArray(value) || value.every((item) => this.valid(item, schema)),
    anyOf: (choices: unknown, value) => schemas(choices).some((schema) => this.valid(value, schema)),
    oneOf: (choices: unknown, value) => schemas(choices).filter((schema) => this.valid(value, schema)).length === 1,
    not: (schema: Schema, value) => !this.valid(value, schema),
  };

  /** A reference within the schema, or to another one beside it. */
  #referred(ref: string, value: unknown): boolean {
    const [file, name] = ref.split("#/$defs/");
    const owner = file === "" ? this : new JsonSchema(file);
    return owner.valid(value, owner.defs[name]);
  }
}
