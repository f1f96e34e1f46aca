import Table from "cli-table3";
import type { Colors, Room } from "./streams.js";
import { NOTHING, printable, shortName } from "./text.js";

/** A column's head, of one line or more. The cells of a column that is not `left` end below each other, as numbers do. */
export interface Column {
  readonly title: string;
  readonly left?: boolean;
  /** How well a narrow terminal does without it: those with the highest number go first, those without one stay. */
  readonly spare?: number;
}

const GAP = 2;
const NARROWEST_NAME = 12;

/** Names of up to this many characters, and so most that are abbreviated, are told apart before columns that can be spared are shown. */
const SHORT_NAME = 22;

const NO_LINES = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
    .map((part) => [part, ""]),
);

/**
 * A table with nothing but space between its columns, at most as wide as its room: names, in the first column, give way, and columns that say nothing go. Where
 * lines would wrap, columns that can be spared go too, and a line below says how many.
 *
 * @param total a last row, set apart
 */
export function grid(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, wraps }: Room,
  colors: Colors,
  total?: readonly string[],
): string {
  const widest = (i: number): number =>
    [...columns[i].title.split("\n"), ...rows.map((row) => row[i]), total?.[i] ?? ""].reduce(
      (most, { length }) => Math.max(most, length),
      0,
    );
  const names = rows.map(([name]) => printable(name));
  const spoken = [...columns.keys()].filter((i) => rows.length === 0 || rows.some((row) => row[i] !== NOTHING));
  const left = (shown: readonly number[]): number => shown.slice(1).reduce((sum, i) => sum - GAP - widest(i), width);

  let shown = spoken;
  if (wraps) {
    const wanted = names.reduce((most, name) => Math.max(most, shortName(name, SHORT_NAME).length), columns[0].title.length);
    const spared = spoken.filter((i) => columns[i].spare !== undefined).sort((a, b) => columns[b].spare! - columns[a].spare!);
    for (const next of spared) if (left(shown) < wanted) shown = shown.filter((i) => i !== next);
  }
  const nameWidth = Math.max(NARROWEST_NAME, left(shown));

  const table = new Table({
    head: shown.map((i) => colors.bold(columns[i].title)),
    colAligns: shown.map((i) => (columns[i].left ? "left" : "right")),
    chars: { ...NO_LINES, middle: " ".repeat(GAP) },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const [at, row] of rows.entries()) table.push(shown.map((i) => (i === 0 ? shortName(names[at], nameWidth) : row[i])));
  if (total) table.push(shown.map((i) => colors.bold(total[i])));
  const gone = spoken.length - shown.length;
  const hint = gone === 0 ? [] : [colors.dim(`(${gone} more ${gone === 1 ? "column" : "columns"} if wider, or piped)`)];
  return [table.toString().replace(/ +$/gm, ""), ...hint].join("\n");
}
