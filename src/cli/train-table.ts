import type { StageReport, TrainingReport } from "../train/index.js";
import { type Column, grid } from "./grid.js";
import type { Colors, Room } from "./streams.js";
import { duration, errorOf, exactCount, measure, NOTHING, percent, times } from "./text.js";

const STAGE_COLUMNS: readonly Column[] = [
  { title: "stage", left: true },
  { title: "epochs", spare: 3 },
  { title: "loss", spare: 2 },
  { title: "survivors" },
  { title: "error,\nheld out" },
  { title: "error,\ntest" },
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

function stageRow({ name, epochs, after, seconds }: StageReport): string[] {
  const { survivors, heldOut, test, bytes, ratio } = after;
  const last = epochs[epochs.length - 1];
  const length = epochs.length === 0 ? NOTHING : String(epochs.length);
  return [
    name,
    length,
    measure(last?.loss),
    exactCount(survivors),
    errorOf(heldOut),
    errorOf(test),
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
  const tested = test ? `, error ${errorOf(test.before)} -> ${errorOf(test.after)} on ${exactCount(test.count)} test samples` : "";
  return [
    grid(STAGE_COLUMNS, stages.map(stageRow), room, colors),
    "",
    grid(TENSOR_COLUMNS, rows, room, colors),
    "",
    `${exactCount(archive.parameterBytes)} -> ${exactCount(archive.bytes)} bytes: ${colors.bold(times(archive.ratio))} smaller${tested}, in ${duration(seconds)}`,
    "",
  ].join("\n");
}
