import type { Tensor } from "../../src/nn/index.js";
import type { TrainedTensor } from "../../src/train/report.js";
import type { Measured, Point, Tuned } from "./figures.js";
import { fixedLength } from "./fixed-length.js";
import type { PaperNetwork } from "./paper.js";

// Tables in Markdown: of several seeds the mean, and the least and the greatest in brackets.

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `1.52 (1.47 to 1.60)`, or the one value. */
function spread(values: readonly number[], format: (value: number) => string): string {
  const [least, greatest] = [format(Math.min(...values)), format(Math.max(...values))];
  return least === greatest ? least : `${format(mean(values))} (${least} to ${greatest})`;
}

/** `spread` of a figure of each seed. */
function spreadOf<T>(seeds: readonly T[], figure: (seed: T) => number, format: (value: number) => string): string {
  return spread(seeds.map(figure), format);
}

export const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const times = (ratio: number): string => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(1)}x`;
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Stage by stage, over seeds. */
export function stageTable(seeds: readonly (readonly Point[])[], judge: string): string {
  const rows = seeds[0].map(({ stage, seconds }, i) => {
    const points = seeds.map((of) => of[i]);
    return [
      stage,
      spreadOf(points, ({ error }) => error, percent),
      spreadOf(points, ({ bytes }) => bytes, whole),
      spreadOf(points, ({ ratio }) => ratio, times),
      seconds === undefined ? "" : spreadOf(points, (point) => point.seconds!, whole),
    ];
  });
  return table(["stage", `error on the ${judge}`, "bytes", "ratio", "seconds"], rows);
}

/** The paper's Table 1 beside ours: the first point of each seed, and the last. */
export function firstTable(
  { title, error, ratio }: PaperNetwork,
  settings: readonly { readonly title: string; readonly seeds: readonly (readonly Point[])[] }[],
): string {
  const rows = settings.map(({ title: setting, seeds }) => {
    const last = seeds.map((points) => points[points.length - 1]);
    const seconds = seeds.map((points) => points.reduce((sum, point) => sum + (point.seconds ?? 0), 0));
    return [
      setting,
      spreadOf(seeds, ([first]) => first.error, percent),
      spreadOf(last, (point) => point.error, percent),
      spreadOf(last, ({ bytes }) => bytes, whole),
      spreadOf(last, (point) => point.ratio, times),
      spread(seconds, whole),
    ];
  });
  const [dense, compressed] = error;
  const theirs = ["the paper", percent(dense / 100), percent(compressed / 100), "", times(ratio), ""];
  return table([title, "error, dense", "error, compressed", "bytes of the file", "ratio", "seconds"], [theirs, ...rows]);
}

/**
 * The paper's Table 2 or 3 beside ours, of one seed. With codes and gaps of fixed lengths, a layer whose survivors have more than 256 values has none: `-`.
 *
 * @param shared the tensors that are coded
 * @param file bytes of the archive, which the bottom line has whole
 */
export function layerTable(paper: PaperNetwork, tensors: readonly TrainedTensor[], shared: readonly Tensor[], file: number): string {
  const both = (theirs: string, ours: string): string => `${theirs} / ${ours}`;
  const fixedOf = new Map(shared.map((tensor) => [tensor.name, fixedLength(tensor)]));
  const rows = paper.layers.map(({ name, density, codeBits, gapBits, rate }) => {
    const ours = tensors.find((tensor) => tensor.name === `${name}.weight`)!;
    const fixed = fixedOf.get(ours.name)!;
    return [
      name,
      whole(ours.weights),
      both(`${density} %`, `${(100 * ours.density).toFixed(1)} %`),
      both(`${codeBits[0]}`, fixed.codeBits > 8 ? "-" : `${fixed.codeBits}`),
      both(`${codeBits[1]}`, ours.codeBitsHuffman.toFixed(1)),
      both(`${gapBits[0]}`, `${fixed.gapBits}`),
      both(`${gapBits[1]}`, ours.gapBitsHuffman.toFixed(1)),
      both(`${rate[0]} %`, `${((100 * fixed.bytes) / (4 * ours.weights)).toFixed(2)} %`),
      both(`${rate[1]} %`, `${(100 / ours.ratio).toFixed(2)} %`),
    ];
  });
  const sum = (figure: (tensor: TrainedTensor) => number): number => tensors.reduce((all, tensor) => all + figure(tensor), 0);
  const [weights, survivors] = [sum((tensor) => tensor.weights), sum((tensor) => tensor.survivors)];
  const fixed = sum(({ name }) => fixedOf.get(name)!.bytes);
  const { total } = paper;
  const rate = (bytes: number): string => `${((100 * bytes) / (4 * weights)).toFixed(2)} % (${times((4 * weights) / bytes)})`;
  const theirs = (percent: number): string => `${percent} % (${Math.floor(100 / percent)}x)`;
  const bottom = [
    "total, biases too",
    whole(weights),
    both(`${total.density} %`, `${((100 * survivors) / weights).toFixed(1)} %`),
    ...["", "", "", ""],
    both(theirs(total.rate[0]), rate(fixed)),
    both(theirs(total.rate[1]), rate(file)),
  ];
  return table(
    ["paper / ours", "weights", "density", "code bits", "Huffman-coded", "gap bits", "Huffman-coded", "rate, P+Q", "rate, P+Q+H"],
    [...rows, bottom],
  );
}

/** Tensor by tensor, of one seed. */
export function tensorTable(tensors: readonly TrainedTensor[]): string {
  const rows = tensors.map(({ name, weights, survivors, codebook, coding, bytes }) => [
    name,
    whole(weights),
    whole(survivors),
    `${codebook}`,
    coding,
    whole(bytes),
  ]);
  return table(["tensor", "weights", "survivors", "centroids", "coding", "bytes"], rows);
}

/** What sharing must have cost for anybody to tell how much of it came back: a thousandth of the samples, all seeds together. */
const LEAST_LOST = 0.001;

/** What fine-tuning brings back of what sharing lost. */
export function tunedTable(seeds: readonly (readonly Tuned[])[], samples: (tuned: Tuned) => readonly Measured[] | undefined): string {
  const rows = seeds[0].map(({ bits }, i) => {
    const found = seeds.map((tuned) => samples(tuned[i])!);
    const column = (figure: (measured: Measured) => number, format: (value: number) => string): string[] =>
      [0, 1, 2].map((stage) => spreadOf(found, (measured) => figure(measured[stage]), format));
    return [
      `${bits}`,
      ...column(({ error }) => error, percent),
      recovered(found, ({ error }) => error, LEAST_LOST),
      ...column(
        ({ loss }) => loss,
        (loss) => loss.toFixed(4),
      ),
      recovered(found, ({ loss }) => loss, 0),
    ];
  });
  return table(
    ["bits", "error, pruned", "shared", "fine-tuned", "recovered", "cross-entropy, pruned", "shared", "fine-tuned", "recovered"],
    rows,
  );
}

/** Of the means of all seeds. */
function recovered(seeds: readonly (readonly Measured[])[], figure: (measured: Measured) => number, least: number): string {
  const [pruned, shared, tuned] = [0, 1, 2].map((stage) => mean(seeds.map((measured) => figure(measured[stage]))));
  if (shared - pruned <= least) return "-";
  return tuned <= pruned ? "all" : `${((100 * (shared - tuned)) / (shared - pruned)).toFixed(0)} %`;
}
