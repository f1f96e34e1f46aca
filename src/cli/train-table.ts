import type { StageReport, TrainingProgress, TrainingReport } from "../train/index.js";
import { type Column, grid } from "./grid.js";
import { barOf } from "./progress.js";
import type { Colors, Room } from "./streams.js";
import { exactCount, measure, NOTHING, percent, printable, shortName, times } from "./text.js";

const STAGE_COLUMNS: readonly Column[] = [
  { title: "stage", left: true },
  { title: "epochs", spare: 3 },
  { title: "loss", spare: 2 },
  { title: "survivors" },
  { title: "held out" },
  { title: "test" },
  { title: "bytes" },
  { title: "ratio" },
  { title: "seconds", spare: 1 },
];

const TENSOR_COLUMNS: readonly Column[] = [
  { title: "layer", left: true },
  { title: "shape", left: true, spare: 1 },
  { title: "weights" },
  { title: "survivors", spare: 3 },
  { title: "density" },
  { title: "shared\nweights" },
  { title: "bits a\nsurvivor", spare: 2 },
  { title: "bytes" },
];

const NAME_WIDTH = 24;

/** An accuracy with two digits behind the point: 98.36 %. */
function accuracy(part: number | undefined): string {
  return part === undefined ? NOTHING : `${(100 * part).toFixed(2)} %`;
}

function stageRow({ name, epochs, after, seconds }: StageReport): string[] {
  const { survivors, heldOut, test, bytes, ratio } = after;
  const last = epochs[epochs.length - 1];
  const length = epochs.length === 0 ? NOTHING : String(epochs.length);
  return [
    name,
    length,
    measure(last?.loss),
    exactCount(survivors),
    accuracy(heldOut),
    accuracy(test),
    exactCount(bytes),
    times(ratio),
    seconds.toFixed(0),
  ];
}

/** A training, stage by stage, and what the archive holds, tensor by tensor. */
export function trainTable({ stages, tensors, archive, test, seconds }: TrainingReport, room: Room, colors: Colors): string {
  const rows = tensors.map(({ name, shape, weights, survivors, density, codebook, bytes }) => [
    name,
    shape.join("x"),
    exactCount(weights),
    exactCount(survivors),
    percent(density),
    codebook > 0 ? String(codebook) : NOTHING,
    survivors > 0 ? ((8 * bytes) / survivors).toFixed(2) : NOTHING,
    exactCount(bytes),
  ]);
  const tested = test ? `, ${accuracy(test.before)} -> ${accuracy(test.after)} of ${exactCount(test.count)} test samples` : "";
  return [
    grid(STAGE_COLUMNS, stages.map(stageRow), room, colors),
    "",
    grid(TENSOR_COLUMNS, rows, room, colors),
    "",
    `${exactCount(archive.parameterBytes)} -> ${exactCount(archive.bytes)} bytes: ${colors.bold(times(archive.ratio))} smaller${tested}, in ${duration(seconds)}`,
    "",
  ].join("\n");
}

/** 45 s, 12 min, 3.4 h */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return seconds < 5970 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A training under way, in a line of at most `width` characters. */
export function trainLine(progress: TrainingProgress, width: number): string {
  const { name, stage, stages, epoch, epochs, done, loss, heldOut, secondsLeft } = progress;
  const parts = [
    `${barOf(done)}  ${shortName(printable(name), NAME_WIDTH)} (${stage} of ${stages})  epoch ${epoch} of ${epochs}  loss ${loss.toFixed(4)}`,
    ...(heldOut === undefined ? [] : [`held out ${accuracy(heldOut)}`]),
    ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
  ];
  return Array.from(parts.join("  ")).slice(0, width).join("");
}
