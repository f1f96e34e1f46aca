import { checkInteger, checkNumber, checkText, MOST_FLOAT32 } from "../check.js";

/** One number for both axes, or one for each: [height, width]. */
export type Size = number | readonly [height: number, width: number];

/** y = W x + b. Its tensors are `NAME.weight`, F32 [out, in], and `NAME.bias`, F32 [out]. */
export interface LinearSpec {
  readonly type: "linear";
  /** Not empty, and the only layer so named. */
  readonly name: string;
  /** Numbers that come in, 1 or more: flat, as `flatten` leaves images. */
  readonly in: number;
  /** Numbers that go out, 1 or more. */
  readonly out: number;
  /** true unless given. */
  readonly bias?: boolean;
}

/** Convolution (cross-correlation) of images. Its tensors are `NAME.weight`, F32 [out, in / groups, height, width], and `NAME.bias`, F32 [out]. */
export interface Conv2dSpec {
  readonly type: "conv2d";
  /** Not empty, and the only layer so named. */
  readonly name: string;
  /** Channels that come in, 1 or more. */
  readonly in: number;
  /** Channels that go out, 1 or more. */
  readonly out: number;
  readonly kernel: Size;
  /** 1 unless given. */
  readonly stride?: Size;
  /** Zeros on each side, 0 unless given. */
  readonly padding?: Size;
  /** Parts of the channels that do not mix, a divisor of `in` and of `out`; 1 unless given. */
  readonly groups?: number;
  /** true unless given. */
  readonly bias?: boolean;
}

/** The largest under each window. */
export interface MaxPool2dSpec {
  readonly type: "maxpool2d";
  readonly kernel: Size;
  /** As the kernel unless given. */
  readonly stride?: Size;
  /** On each side, never the largest; at most half the kernel; 0 unless given. */
  readonly padding?: Size;
  /** A window that begins in the image counts even where it does not end there; false unless given. */
  readonly ceil?: boolean;
}

/** The mean under each window, padding included. */
export interface AveragePool2dSpec {
  readonly type: "averagepool2d";
  readonly kernel: Size;
  /** As the kernel unless given. */
  readonly stride?: Size;
  /** Zeros on each side, at most half the kernel; 0 unless given. */
  readonly padding?: Size;
}

/** Normalizes each feature, or each channel of images. Its tensors, all F32 [features], are `NAME.weight`, `NAME.bias`, `NAME.running_mean`, `NAME.running_var`. */
export interface BatchNormSpec {
  readonly type: "batchnorm";
  /** Not empty, and the only layer so named. */
  readonly name: string;
  /** Features or channels that come in, 1 or more. */
  readonly features: number;
  /** Added to the variance, above 0; 1e-5 unless given. */
  readonly epsilon?: number;
  /** What a batch adds to the running statistics, by which evaluation normalizes, 0 to 1; 0.1 unless given. */
  readonly momentum?: number;
  /** Scales and shifts by a weight and a bias; true unless given. */
  readonly affine?: boolean;
}

/** What is below 0 becomes 0. */
export interface ReluSpec {
  readonly type: "relu";
}

/** Images [channels, height, width] as the numbers that they are, in that order. */
export interface FlattenSpec {
  readonly type: "flatten";
}

/** In training, drops elements by chance and scales the others by 1 / (1 - rate). */
export interface DropoutSpec {
  readonly type: "dropout";
  /** The chance to be dropped, 0 or more and below 1. */
  readonly rate: number;
}

/**
 * Divides each element of images by (k + alpha / size * s)^beta, s the sum of the squares of `size` channels around it: from size >> 1 channels before on, and of those that there are (AlexNet, Krizhevsky et al. 2012). Networks run with it (`coppice/run`), and are not trained with it (`coppice/nn`).
 */
export interface LocalResponseNormSpec {
  readonly type: "localresponsenorm";
  /** Channels that are summed, 1 or more. */
  readonly size: number;
  /** 0 or more, 1e-4 unless given. */
  readonly alpha?: number;
  /** 0 or more, 0.75 unless given. */
  readonly beta?: number;
  /** 1 or more, 1 unless given. */
  readonly k?: number;
}

/** One layer in JSON. */
export type LayerSpec =
  | LinearSpec
  | Conv2dSpec
  | MaxPool2dSpec
  | AveragePool2dSpec
  | BatchNormSpec
  | LocalResponseNormSpec
  | ReluSpec
  | FlattenSpec
  | DropoutSpec;

/** A network in JSON: its layers, each fed by the one before. The outputs of the last are the logits of the classes. docs/network.schema.json describes it. */
export interface NetworkSpec {
  /** What a sample is: [numbers], or [channels, height, width]. Needed where it does not follow from the first layer. */
  readonly input?: readonly number[];
  readonly layers: readonly LayerSpec[];
}

/** Far above any layer that fits in 4 GiB with its gradient and velocity. */
const MOST_UNITS = 2 ** 28;

/** Far above any kernel. */
const MOST_PIXELS = 2 ** 14;

type Fields = Readonly<Record<string, (value: unknown, title: string) => void>>;

const count = (value: unknown, title: string): void => checkInteger(value, title, 1, MOST_UNITS);

function optional(check: Fields[string]): Fields[string] {
  return (value, title) => {
    if (value !== undefined) check(value, title);
  };
}

function size(least: number): Fields[string] {
  return (value, title) => {
    if (!Array.isArray(value)) return checkInteger(value, title, least, MOST_PIXELS);
    if (value.length !== 2) throw new RangeError(`${title} must be a number or [height, width], got ${value.length} numbers`);
    for (const [i, side] of value.entries()) checkInteger(side, `${title}[${i}]`, least, MOST_PIXELS);
  };
}

const flag = optional((value, title) => {
  if (typeof value !== "boolean") throw new TypeError(`${title} must be true or false`);
});

const windows: Fields = { kernel: size(1), stride: optional(size(1)), padding: optional(size(0)) };

const atLeast = (least: number): Fields[string] => optional((value, title) => checkNumber(value, title, least, MOST_FLOAT32));

const FIELDS: Readonly<Record<LayerSpec["type"], Fields>> = {
  linear: { name: checkText, in: count, out: count, bias: flag },
  conv2d: { name: checkText, in: count, out: count, ...windows, groups: optional(count), bias: flag },
  maxpool2d: { ...windows, ceil: flag },
  averagepool2d: windows,
  batchnorm: {
    name: checkText,
    features: count,
    epsilon: optional((value, title) => checkNumber(value, title, Number.MIN_VALUE, Number.MAX_VALUE)),
    momentum: optional((value, title) => checkNumber(value, title, 0, 1)),
    affine: flag,
  },
  localresponsenorm: { size: count, alpha: atLeast(0), beta: atLeast(0), k: atLeast(1) },
  relu: {},
  flatten: {},
  dropout: { rate: (value, title) => checkNumber(value, title, 0, 1 - 2 ** -32) },
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkLayer(layer: unknown, title: string): asserts layer is LayerSpec {
  if (!isObject(layer)) throw new TypeError(`${title} must be an object with a type`);
  const { type, ...fields } = layer;
  checkText(type, `${title}.type`);
  if (!Object.hasOwn(FIELDS, type)) {
    throw new TypeError(`${title} is of type ${JSON.stringify(type)}, which is none of ${Object.keys(FIELDS).join(", ")}`);
  }
  const checks = FIELDS[type as LayerSpec["type"]];
  const stray = Object.keys(fields).find((key) => !Object.hasOwn(checks, key));
  if (stray !== undefined) throw new RangeError(`${title} has a field ${JSON.stringify(stray)}, which a ${type} layer does not have`);
  for (const [key, check] of Object.entries(checks)) check(fields[key], `${title}.${key}`);
}

/**
 * Checks the fields of a network that came as JSON; `shapesOf` checks whether its layers meet.
 *
 * @throws TypeError or RangeError naming the layer: of an unknown type, with a field amiss, or with a name that stands twice
 */
export function checkSpec(spec: unknown): asserts spec is NetworkSpec {
  if (!isObject(spec) || !Array.isArray(spec["layers"])) throw new TypeError("spec must be an object with a list of layers");
  const stray = Object.keys(spec).find((key) => !["$schema", "input", "layers"].includes(key));
  if (stray !== undefined) throw new RangeError(`spec has a field ${JSON.stringify(stray)}, which a network does not have`);
  const { input, layers } = spec as { input?: unknown; layers: unknown[] };
  if (input !== undefined) {
    if (!Array.isArray(input)) throw new TypeError("input must be a list of numbers");
    if (input.length !== 1 && input.length !== 3) {
      throw new RangeError(`input must be [numbers] or [channels, height, width], got ${input.length} numbers`);
    }
    for (const [i, axis] of input.entries()) checkInteger(axis, `input[${i}]`, 1, MOST_UNITS);
  }
  if (layers.length === 0) throw new RangeError("layers must hold a layer");
  const names = new Set<string>();
  for (const [i, layer] of layers.entries()) {
    const title = `layers[${i}]`;
    checkLayer(layer, title);
    if (!("name" in layer)) continue;
    if (names.has(layer.name)) throw new RangeError(`${title}.name must be free, got ${JSON.stringify(layer.name)} again`);
    names.add(layer.name);
  }
}
