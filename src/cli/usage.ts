import { InvalidArgumentError } from "commander";

/** What was asked for cannot be done as it was said: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws InvalidArgumentError where `text` is not a number */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 2 ** 10],
  ["m", 2 ** 20],
  ["g", 2 ** 30],
  ["t", 2 ** 40],
]);

/**
 * A number of bytes: `1000000`, `64M`, `1.5GiB`.
 *
 * @throws InvalidArgumentError where `text` is not one
 */
export function parseByteCount(text: string): number {
  const [, digits, suffix] = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("It must be a number of bytes, like 1000000, 64M or 2G.");
  return Math.floor(Number(digits) * (SUFFIXES.get(suffix.toLowerCase()) as number));
}

/** @throws InvalidArgumentError where `text` is neither a number nor two with a stroke between: `1/256` */
export function parseFraction(text: string): number {
  const [over, under, ...more] = text.split("/");
  if (more.length > 0) throw new InvalidArgumentError("It must be a number, or two as in 1/256.");
  return parseNumber(over) / (under === undefined ? 1 : parseNumber(under));
}

/** @throws InvalidArgumentError where `text` is not numbers with commas between them */
export function parseNumbers(text: string): number[] {
  return text.split(",").map(parseNumber);
}

/**
 * One more of an option that is given as `NAME=VALUE`.
 *
 * @throws InvalidArgumentError where `text` is not that, or has a name that was given before
 */
export function parseNamed<T>(
  parse: (value: string) => T,
  form: string,
): (text: string, before?: Readonly<Record<string, T>>) => Record<string, T> {
  return (text, before = {}) => {
    // The names of a model's inputs may have the sign in them, what they are given may not.
    const at = text.lastIndexOf("=");
    const name = text.slice(0, at);
    if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`It must be ${form}.`);
    if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
    return { ...before, [name]: parse(text.slice(at + 1)) };
  };
}
