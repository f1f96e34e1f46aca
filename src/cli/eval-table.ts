import type { Evaluation } from "../eval/index.js";
import { type Column, grid } from "./grid.js";
import type { Colors, Room } from "./streams.js";
import { exactCount, measure, NOTHING, percent, accuracy as shownAccuracy } from "./text.js";

const COLUMNS: readonly Column[] = [
  { title: "output", left: true },
  { title: "dtype", left: true, spare: 1 },
  { title: "elements", spare: 2 },
  { title: "max abs\ndifference" },
  { title: "mean abs\ndifference" },
  { title: "cosine" },
  { title: "same\ntop-1" },
  { title: "identical", left: true, spare: 3 },
];

type Output = Evaluation["outputs"][number];

function row({ name, dtype, elements, maxAbs, meanAbs, cosine, top1, identical }: Output): string[] {
  return [
    name,
    dtype,
    exactCount(elements),
    measure(maxAbs),
    measure(meanAbs),
    Number.isNaN(cosine) ? NOTHING : cosine.toFixed(6),
    top1 ? percent(top1.agreed / top1.samples) : NOTHING,
    identical ? "yes" : "no",
  ];
}

/** What two models answered, output by output. */
export function evalTable({ ok, samples, outputs, accuracy }: Evaluation, bounded: boolean, room: Room, colors: Colors): string {
  const lines = [grid(COLUMNS, outputs.map(row), room, colors), "", `${exactCount(samples)} sample${samples === 1 ? "" : "s"}`];
  if (accuracy) {
    const { before, after } = accuracy;
    const points = (100 * (after - before)) / accuracy.samples;
    lines.push(
      `accuracy: ${shownAccuracy(before / accuracy.samples)} -> ${shownAccuracy(after / accuracy.samples)} (${points < 0 ? "" : "+"}${points.toFixed(2)} points)`,
    );
  }
  if (bounded) lines.push(ok ? `${colors.green("ok")}: within what was allowed` : `${colors.red("not ok")}: more than was allowed`);
  return `${lines.join("\n")}\n`;
}
