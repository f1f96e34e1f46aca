// Numbers and names for people's eyes.

/** What a cell of a table says that has nothing to say. */
export const NOTHING = "-";

/** What a terminal might obey instead of showing, or hide: control and format characters, line separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text out of a file or a path, with whatever a terminal could take for a command made visible. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`);
}

/** `text` in at most `width` characters, cut in the middle. */
export function cutMiddle(text: string, width: number): string {
  const chars = Array.from(text);
  if (chars.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${chars.slice(0, width - 1 - tail).join("")}…${tail === 0 ? "" : chars.slice(-tail).join("")}`;
}

/** A tensor's name in at most `width` characters: `m.l.31.s.q_proj.weight`. Numbers tell layers apart, and stay longest. */
export function shortName(name: string, width: number): string {
  const parts = name.split(".");
  for (let i = 0; i < parts.length - 1 && parts.join(".").length > width; i++) {
    if (!/^\d*$/.test(parts[i])) parts[i] = Array.from(parts[i])[0];
  }
  return cutMiddle(parts.join("."), width);
}

/** Every digit of a whole number: 1,066,896. By hand, since loading the tables for `toLocaleString` takes longer than all else that a report needs. */
export function exactCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

const UNITS = ["", "K", "M", "G", "T"];

/** Three digits, as the paper has them: 235K, 1.07M. */
export function shortCount(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? String(count) : `${Number(value.toPrecision(3))}${UNITS[unit]}`;
}

/** A part of one as per cent: 8.03%. */
export function percent(part: number): string {
  if (!Number.isFinite(part)) return NOTHING;
  const value = 100 * part;
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(value >= 9.995 ? 1 : 2)}%`;
}

/** How many times smaller: 40.1x. */
export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio >= 99.95 ? ratio.toFixed(0) : ratio.toFixed(ratio >= 9.995 ? 1 : 2)}x` : NOTHING;
}

/** Bits of a symbol, a mean with two digits; a dash where there are no symbols. */
export function bits(value: number | undefined): string {
  if (!value) return NOTHING;
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/** Three digits; a dash where there is nothing to measure. */
export function measure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return NOTHING;
  return value === 0 ? "0" : value.toPrecision(3);
}

/** An accuracy with two digits behind the point: 98.36 %. */
export function accuracy(part: number | undefined): string {
  return part === undefined ? NOTHING : `${(100 * part).toFixed(2)} %`;
}

/** The error that an accuracy leaves: 1.64 %. */
export function errorOf(accuracyPart: number | undefined): string {
  return accuracyPart === undefined ? NOTHING : accuracy(1 - accuracyPart);
}

/** 45 s, 12 min, 3.4 h */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return seconds < 5970 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
