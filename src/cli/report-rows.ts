import type { Report } from "../index.js";
import type { Column } from "./grid.js";
import { bits, exactCount, percent, shortCount, times } from "./text.js";

// The cells of the paper's table, for whatever shows them.

type TensorReport = Report["tensors"][number];

/** Columns of `reportRow`. What stays longest is what the paper compares: bits when coded, bytes and ratio. */
export const REPORT_COLUMNS: readonly Column[] = [
  { title: "layer", left: true },
  { title: "weights", spare: 3 },
  { title: "density", spare: 2 },
  { title: "code\nbits", spare: 4 },
  { title: "codes\ncoded", spare: 1 },
  { title: "gap\nbits", spare: 5 },
  { title: "gaps\ncoded", spare: 1 },
  { title: "scan", left: true, spare: 8 },
  { title: "coding", left: true, spare: 6 },
  { title: "bytes", spare: 0 },
  { title: "rate,\nfixed", spare: 9 },
  { title: "rate,\ncoded", spare: 7 },
  { title: "ratio" },
];

/** Bytes of the dense tensor. */
function denseBytes({ bytes, ratio }: TensorReport): number {
  return Math.round(bytes * ratio);
}

/** The scan as a word that fits. An order of three axes is that of a matrix where the third is missing. */
function shortScan({ scan, shape }: TensorReport): string {
  if (scan === "row-major") return "row";
  return scan === "column-major" || shape.length <= 2 ? "col" : scan.replaceAll(" ", "");
}

/** Bits that Huffman coding makes of a code, and of nothing else: a record coded by context holds codes and places in one, and one of bytes holds no codes. */
function codedBits({ coding, codeBitsHuffman }: TensorReport): number {
  return coding === "sparse" || coding === "dense" ? codeBitsHuffman : 0;
}

export function reportRow(tensor: TensorReport): string[] {
  const { name, weights, survivors, codeBits, gapBits, gapBitsHuffman, coding, bytes, fixedBytes, ratio } = tensor;
  return [
    name,
    shortCount(weights),
    percent(survivors / weights),
    bits(codeBits),
    bits(codedBits(tensor)),
    bits(gapBits),
    bits(gapBitsHuffman),
    shortScan(tensor),
    coding,
    exactCount(bytes),
    fixedBytes === undefined ? "-" : percent(fixedBytes / denseBytes(tensor)),
    percent(1 / ratio),
    times(ratio),
  ];
}

/** The mean of `value` over the tensors that have one, each as heavy as it has symbols. */
function mean(tensors: readonly TensorReport[], value: (tensor: TensorReport) => number): number {
  const having = tensors.filter((tensor) => value(tensor) > 0);
  const heft = ({ coding, survivors, weights }: TensorReport): number =>
    coding === "sparse" || coding === "context" ? survivors : weights;
  const sum = (of: (tensor: TensorReport) => number): number => having.reduce((total, tensor) => total + of(tensor), 0);
  return sum((tensor) => heft(tensor) * value(tensor)) / sum(heft);
}

export function totalRow({ file, tensors }: Report): string[] {
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const dense = tensors.reduce((sum, tensor) => sum + denseBytes(tensor), 0);
  const fixed = tensors.filter(({ fixedBytes }) => fixedBytes !== undefined);
  const shared = tensors.filter(({ codebook }) => codebook > 0);
  return [
    "Total",
    shortCount(file.weights),
    percent(file.survivors / file.weights),
    bits(mean(shared, ({ codeBits }) => codeBits)),
    bits(mean(shared, codedBits)),
    bits(mean(tensors, ({ gapBits }) => gapBits)),
    bits(mean(tensors, ({ gapBitsHuffman }) => gapBitsHuffman)),
    "",
    "",
    exactCount(bytes),
    fixed.length === 0
      ? "-"
      : percent(
          fixed.reduce((sum, { fixedBytes = 0 }) => sum + fixedBytes, 0) / fixed.reduce((sum, tensor) => sum + denseBytes(tensor), 0),
        ),
    percent(bytes / dense),
    times(dense / bytes),
  ];
}
