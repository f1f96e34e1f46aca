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
