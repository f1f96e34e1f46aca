// Arguments of our callers. Bytes of a file are never checked here: they give a FormatError.

/** The largest number of float32: what is beyond becomes infinite in a kernel. */
export const MOST_FLOAT32: number = (2 - 2 ** -23) * 2 ** 127;

/** The smallest number of float32 that has all its bits: far below it, what is above 0 becomes 0 in a kernel. */
export const LEAST_FLOAT32: number = 2 ** -126;

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return String(value);
  return classOf(value);
}

/** Its class, as the language names it. */
function classOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/** @throws TypeError where `value` is not an integer, RangeError where it is outside `[least, most]`. */
export function checkInteger(value: unknown, title: string, least: number, most: number): asserts value is number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw new TypeError(`${title} must be an integer, got ${shown(value)}`);
  if (value < least || value > most) throw new RangeError(`${title} must be in [${least}, ${most}], got ${value}`);
}

/** @throws TypeError where `value` is not a number, RangeError where it is NaN or outside `[least, most]`. */
export function checkNumber(value: unknown, title: string, least: number, most: number): asserts value is number {
  if (typeof value !== "number") throw new TypeError(`${title} must be a number, got ${classOf(value)}`);
  if (!(value >= least && value <= most)) throw new RangeError(`${title} must be in [${least}, ${most}], got ${value}`);
}

/** @throws TypeError where `value` is not a Uint8Array. */
export function checkBytes(value: unknown, title: string): asserts value is Uint8Array {
  // Not by `instanceof`: another realm has a Uint8Array of its own.
  if (!ArrayBuffer.isView(value) || classOf(value) !== "[object Uint8Array]")
    throw new TypeError(`${title} must be a Uint8Array, got ${classOf(value)}`);
}

/**
 * Bytes as a Uint8Array and nothing more, not copied: a Buffer of Node is one too, but its `slice` does not copy, and its `buffer` is shared with others.
 *
 * @throws TypeError where `value` is not a Uint8Array.
 */
export function plainBytes(value: unknown, title: string): Uint8Array {
  checkBytes(value, title);
  return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** @throws TypeError where `value` is not a Float32Array. */
export function checkFloat32(value: unknown, title: string): asserts value is Float32Array {
  if (!ArrayBuffer.isView(value) || classOf(value) !== "[object Float32Array]")
    throw new TypeError(`${title} must be a Float32Array, got ${classOf(value)}`);
}

/** @throws TypeError where `value` is not one of `choices`. */
export function checkOneOf<T extends string>(value: unknown, title: string, choices: readonly T[]): asserts value is T {
  if (typeof value !== "string" || !(choices as readonly string[]).includes(value)) {
    throw new TypeError(`${title} must be one of ${choices.join(", ")}, got ${shown(value)}`);
  }
}

/** @throws TypeError where `value` is not a string with at least one character. */
export function checkText(value: unknown, title: string): asserts value is string {
  if (typeof value !== "string" || value.length === 0)
    throw new TypeError(`${title} must be a string that is not empty, got ${shown(value)}`);
}

type Fields = Record<string, unknown>;

/** @throws TypeError where `value` is not an object, or has a key that is not among `keys` */
export function fieldsOf(value: unknown, title: string, keys: readonly string[]): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${title} must be an object`);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw new TypeError(`${title} has the unknown key ${JSON.stringify(key)}; it may have ${keys.join(", ")}`);
  }
  return value as Fields;
}
