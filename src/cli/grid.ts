import Table from "cli-table3";
import type { Colors } from "./streams.js";
import { NOTHING, printable, shortName } from "./text.js";

/** A column's head, of one line or more. The cells of a column that is not `left` end below each other, as numbers do. */
export interface Column {
  readonly title: string;
  readonly left?: boolean;
}

const GAP = 2;
const NARROWEST_NAME = 12;

const NO_LINES = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
    .map((part) => [part, ""]),
);

/**
 * A table with nothing but space between its columns, at most `width` wide: names, in the first column, give way, and columns that say nothing go.
 *
 * @param total a last row, set apart
 */
export function grid(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  colors: Colors,
  total?: readonly string[],
): string {
  const spoken = columns.map((_, i) => rows.length === 0 || rows.some((row) => row[i] !== NOTHING));
  const shown = <T>(cells: readonly T[]): T[] => cells.filter((_, i) => spoken[i]);
  const heads = shown(columns);
  const cells = rows.map(shown);
  const last = total && shown(total);

  const widest = (i: number): number =>
    [...heads[i].title.split("\n"), ...cells.map((row) => row[i]), last?.[i] ?? ""].reduce((most, { length }) => Math.max(most, length), 0);
  const taken = heads.reduce((sum, _, i) => (i === 0 ? 0 : sum + GAP + widest(i)), 0);
  const nameWidth = Math.max(NARROWEST_NAME, width - taken);

  const table = new Table({
    head: heads.map(({ title }) => colors.bold(title)),
    colAligns: heads.map(({ left }) => (left ? "left" : "right")),
    chars: { ...NO_LINES, middle: " ".repeat(GAP) },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const [name, ...others] of cells) table.push([shortName(printable(name), nameWidth), ...others]);
  if (last) table.push(last.map((text) => colors.bold(text)));
  return table.toString().replace(/ +$/gm, "");
}
