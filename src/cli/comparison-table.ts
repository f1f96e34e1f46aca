import type { Comparison } from "../index.js";
import { type Column, grid } from "./grid.js";
import type { Colors, Room } from "./streams.js";
import { exactCount, measure, NOTHING, printable, shortCount } from "./text.js";

type TensorComparison = Comparison["tensors"][number];

export const COMPARISON_COLUMNS: readonly Column[] = [
  { title: "layer", left: true },
  { title: "dtype", left: true, spare: 6 },
  { title: "weights", spare: 5 },
  { title: "max abs\nerror", spare: 1 },
  { title: "RMSE", spare: 2 },
  { title: "SNR dB", spare: 3 },
  { title: "changed\nzeros", spare: 4 },
  { title: "said\nto be", left: true, spare: 0 },
  { title: "identical", left: true },
];

function row({ name, dtype, shape, maxAbs, rmse, snr, changedZeros, exact, identical }: TensorComparison): string[] {
  return [
    name,
    dtype,
    shortCount(shape.reduce((product, axis) => product * axis, 1)),
    measure(maxAbs),
    measure(rmse),
    snr === undefined || !Number.isFinite(snr) ? NOTHING : snr.toFixed(1),
    exactCount(changedZeros),
    exact ? "exact" : "lossy",
    identical ? "yes" : exact ? "NO" : "no",
  ];
}

function counted(count: number, one: string): string {
  return `${exactCount(count)} ${one}${count === 1 ? "" : "s"}`;
}

/** What differs, tensor by tensor, and whether that is what the archive says. */
export function comparisonTable(comparison: Comparison, room: Room, colors: Colors): string {
  const { ok, missing, added, tensors } = comparison;
  const broken = tensors.filter(({ exact, identical }) => exact && !identical);
  const identical = tensors.filter((tensor) => tensor.identical).length;
  const faults = [
    ...missing.map((name) => `${printable(name)}: not in the archive, or with another dtype or shape`),
    ...added.map((name) => `${printable(name)}: in the archive alone`),
    ...broken.map(({ name }) => `${printable(name)}: said to be exact, and is not`),
  ];
  const kept = identical === tensors.length ? "" : ", the others lossy as the archive says";
  const why =
    broken.length === 0
      ? []
      : ["An archive is exact to the weights that it was made of: this one was made of others, as by coppice train, which trains them on."];
  const outcome = ok
    ? `${colors.green("ok")}: ${identical} of ${counted(tensors.length, "tensor")} identical${kept}`
    : `${colors.red("not ok")}: ${counted(faults.length, "tensor")} not as the archive says`;
  const table = tensors.length === 0 ? [] : [grid(COMPARISON_COLUMNS, tensors.map(row), room, colors), ""];
  return [...table, ...faults, ...why, outcome, ""].join("\n");
}
