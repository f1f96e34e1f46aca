import { checkInteger, checkText } from "../check.js";

/** y = W x + b. Its tensors are `NAME.weight`, F32 [out, in], and `NAME.bias`, F32 [out]. */
export interface LinearSpec {
  readonly type: "linear";
  /** Not empty, and the only layer so named. */
  readonly name: string;
  /** Numbers that come in, 1 or more. */
  readonly in: number;
  /** Numbers that go out, 1 or more: as many as the next linear layer takes. */
  readonly out: number;
  /** true unless given. */
  readonly bias?: boolean;
}

/** What is below 0 becomes 0. */
export interface ReluSpec {
  readonly type: "relu";
}

/** One layer in JSON. */
export type LayerSpec = LinearSpec | ReluSpec;

/** A network in JSON: its layers, each fed by the one before. The outputs of the last are the logits of the classes. */
export interface NetworkSpec {
  readonly layers: readonly LayerSpec[];
}

/** Far above any layer that fits in 4 GiB with its gradient and velocity. */
const MOST_UNITS = 2 ** 28;

const KEYS: Readonly<Record<LayerSpec["type"], readonly string[]>> = {
  linear: ["type", "name", "in", "out", "bias"],
  relu: ["type"],
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkLayer(layer: unknown, title: string): asserts layer is LayerSpec {
  if (!isObject(layer)) throw new TypeError(`${title} must be an object with a type`);
  const { type } = layer;
  checkText(type, `${title}.type`);
  if (!Object.hasOwn(KEYS, type)) {
    throw new RangeError(`${title} is of type ${JSON.stringify(type)}, which is none of ${Object.keys(KEYS).join(", ")}`);
  }
  const stray = Object.keys(layer).find((key) => !KEYS[type as LayerSpec["type"]].includes(key));
  if (stray !== undefined) throw new RangeError(`${title} has a field ${JSON.stringify(stray)}, which a ${type} layer does not have`);
  if (type !== "linear") return;
  checkText(layer["name"], `${title}.name`);
  checkInteger(layer["in"], `${title}.in`, 1, MOST_UNITS);
  checkInteger(layer["out"], `${title}.out`, 1, MOST_UNITS);
  if (layer["bias"] !== undefined && typeof layer["bias"] !== "boolean") throw new TypeError(`${title}.bias must be true or false`);
}

/**
 * Checks a network that came as JSON.
 *
 * @throws TypeError or RangeError naming the layer: of an unknown type, with a field amiss, with a name that stands twice, or
 * with other inputs than the layer before gives
 */
export function checkSpec(spec: unknown): asserts spec is NetworkSpec {
  if (!isObject(spec) || !Array.isArray(spec["layers"])) throw new TypeError("spec must be an object with a list of layers");
  const names = new Set<string>();
  let before: LinearSpec | undefined;
  for (const [i, layer] of (spec["layers"] as unknown[]).entries()) {
    const title = `layers[${i}]`;
    checkLayer(layer, title);
    if (layer.type !== "linear") continue;
    if (names.has(layer.name)) throw new RangeError(`${title}.name must be free, got ${JSON.stringify(layer.name)} again`);
    names.add(layer.name);
    if (before !== undefined && layer.in !== before.out) {
      throw new RangeError(`${title} (${layer.name}) takes ${layer.in} inputs, but ${before.name} before it gives ${before.out}`);
    }
    before = layer;
  }
  if (before === undefined) throw new RangeError("layers must hold a linear layer");
}
