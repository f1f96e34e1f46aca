import type { TrainedTensor } from "../../src/train/report.js";
import type { Point, Tuned } from "./figures.js";
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
export function spread(values: readonly number[], format: (value: number) => string): string {
  const [least, greatest] = [format(Math.min(...values)), format(Math.max(...values))];
  return least === greatest ? least : `${format(mean(values))} (${least} to ${greatest})`;
}

export const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const times = (ratio: number): string => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(1)}x`;
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Stage by stage, over seeds. */
export function stageTable(seeds: readonly (readonly Point[])[]): string {
  const rows = seeds[0].map(({ stage, seconds }, i) => {
    const of = (field: (point: Point) => number): number[] => seeds.map((points) => field(points[i]));
    const time =
      seconds === undefined
        ? ""
        : spread(
            of((point) => point.seconds!),
            whole,
          );
    return [
      stage,
      spread(
        of(({ error }) => error),
        percent,
      ),
      spread(
        of(({ bytes }) => bytes),
        whole,
      ),
      spread(
        of(({ ratio }) => ratio),
        times,
      ),
      time,
    ];
  });
  return table(["stage", "error on the test images", "bytes of the archive", "ratio", "seconds"], rows);
}

/** The paper's Table 1 beside ours. */
export function firstTable(
  paper: PaperNetwork,
  settings: readonly { readonly title: string; readonly seeds: readonly (readonly Point[])[] }[],
): string {
  const rows = settings.map(({ title, seeds }) => {
    const last = seeds.map((points) => points[points.length - 1]);
    return [
      title,
      spread(
        seeds.map((points) => points[0].error),
        percent,
      ),
      spread(
        last.map(({ error }) => error),
        percent,
      ),
      spread(
        last.map(({ bytes }) => bytes),
        whole,
      ),
      spread(
        last.map(({ ratio }) => ratio),
        times,
      ),
    ];
  });
  const [dense, compressed] = paper.error;
  const theirs = ["the paper", percent(dense / 100), percent(compressed / 100), "", times(paper.ratio)];
  return table([paper.title, "error, dense", "error, compressed", "bytes", "ratio"], [theirs, ...rows]);
}

/** The paper's Table 2 or 3 beside ours, of one seed. Where each survivor has its own weight, since that takes less than a codebook, there are no code bits. */
export function layerTable(paper: PaperNetwork, tensors: readonly TrainedTensor[]): string {
  const both = (theirs: string, ours: string): string => `${theirs} / ${ours}`;
  const rows = paper.layers.map(({ name, density, codeBits, gapBits, rate }) => {
    const ours = tensors.find((tensor) => tensor.name === `${name}.weight`)!;
    const fixed = ours.fixedBytes === undefined ? "-" : `${((100 * ours.fixedBytes) / (4 * ours.weights)).toFixed(1)} %`;
    return [
      name,
      ours.weights.toLocaleString("en-US"),
      both(`${density} %`, `${(100 * ours.density).toFixed(1)} %`),
      both(`${codeBits[0]}`, `${ours.codeBits || "-"}`),
      both(`${codeBits[1]}`, ours.codeBitsHuffman.toFixed(1)),
      both(`${gapBits[0]}`, `${ours.gapBits}`),
      both(`${gapBits[1]}`, ours.gapBitsHuffman.toFixed(1)),
      both(`${rate[0]} %`, fixed),
      both(`${rate[1]} %`, `${(100 / ours.ratio).toFixed(2)} %`),
    ];
  });
  return table(
    ["paper / ours", "weights", "density", "code bits", "Huffman-coded", "gap bits", "Huffman-coded", "rate, P+Q", "rate, P+Q+H"],
    rows,
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

/** What part of the loss from sharing fine-tuning brings back: by the cross-entropy, since a digit more or less of 10,000 is chance. */
export function tunedTable(seeds: readonly (readonly Tuned[])[]): string {
  const rows = seeds[0].map(({ bits }, i) => {
    const of = (field: (tuned: Tuned) => number): number[] => seeds.map((tuned) => field(tuned[i]));
    const [pruned, shared, tuned] = [
      mean(of((one) => one.pruned.loss)),
      mean(of((one) => one.shared.loss)),
      mean(of((one) => one.tuned.loss)),
    ];
    return [
      `${bits}`,
      spread(
        of((one) => one.pruned.error),
        percent,
      ),
      spread(
        of((one) => one.shared.error),
        percent,
      ),
      spread(
        of((one) => one.tuned.error),
        percent,
      ),
      [pruned, shared, tuned].map((loss) => loss.toFixed(4)).join(", "),
      tuned <= pruned ? "all" : `${((100 * (shared - tuned)) / (shared - pruned)).toFixed(0)} %`,
      spread(
        of((one) => one.bytes),
        whole,
      ),
    ];
  });
  return table(["bits", "error, pruned", "shared", "fine-tuned", "cross-entropy of the three", "of that lost, recovered", "bytes"], rows);
}
