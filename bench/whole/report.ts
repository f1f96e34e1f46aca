import { barChart, COLORS, type Group } from "../chart.js";
import { aligned, machineLines, markdownTable, threeDigits } from "../report.js";
import { OURS } from "../run/names.js";
import type { WholeDocument } from "./bench.js";
import type { WholeResult } from "./suite.js";

// The document of whole networks as text for a terminal, as Markdown, and as a chart.

const LEGEND = [
  "Times are milliseconds of one image, by one thread. ORT: onnxruntime, dense.",
  "Outputs were compared first: none is further from ours than 1e-4 of the largest.",
  "Memory: of the module, all in it (WASM, ORT web), what the process grew by (ORT",
  "node). Loading: from the archive in memory, or the model's files.",
];

const HEADS = ["form", "ms", "median", `of ${OURS}`, "memory MB", "loading ms"];

function rowsOf({ forms }: WholeResult): string[][] {
  const ours = forms.find(({ form }) => form === OURS)?.median;
  return forms.map(({ form, minimum, median, bytes, load }) => [
    form,
    threeDigits(minimum),
    threeDigits(median),
    ours === undefined ? "-" : threeDigits(median / ours),
    threeDigits(bytes / 1e6),
    threeDigits(load),
  ]);
}

const titleOf = ({ name, archiveBytes, denseBytes }: WholeResult): string =>
  `${name}: ${threeDigits(denseBytes / 1e6)} MB dense, ${threeDigits(archiveBytes / 1e6)} MB as an archive`;

function about({ machine, peers, rounds }: WholeDocument): string[] {
  const [processor, runtime] = machineLines(machine);
  return [processor, runtime, ...Object.entries(peers).map(([name, version]) => `${name}: ${version}`), `${rounds} rounds`];
}

function without({ networks }: WholeDocument): string[] {
  const left = networks.flatMap(({ leftOut }) => leftOut.map(({ form, reason }) => `${form} is left out: ${reason}`));
  const refused = networks.flatMap((network) =>
    network.refused.map(({ form, reason }) => `${form} is left out: on ${network.name}, ${reason}`),
  );
  return [...new Set([...left, ...refused])];
}

/** For a terminal. */
export function networksText(document: WholeDocument): string {
  const lines = [...about(document), ...LEGEND];
  for (const network of document.networks) lines.push("", titleOf(network), ...aligned([HEADS, ...rowsOf(network)], "  "));
  return [...lines, "", ...without(document)].join("\n").trimEnd();
}

export function networksMarkdown(document: WholeDocument): string {
  const lines = [...about(document).map((line) => `- ${line}`), "", LEGEND.join(" ")];
  for (const network of document.networks) lines.push("", `**${titleOf(network)}**`, "", ...markdownTable(HEADS, rowsOf(network)));
  for (const line of without(document)) lines.push("", `${line}.`);
  return `${lines.join("\n")}\n`;
}

function colorOf(form: string): string {
  if (form === OURS) return COLORS.simd;
  return form.startsWith("WASM") ? COLORS.scalar : COLORS.other;
}

/** A group for each network. */
export function networksChart({ machine, rounds, networks }: WholeDocument): string {
  const [processor, runtime] = machineLines(machine);
  const groups = networks.map(
    (network): Group => ({
      title: titleOf(network),
      bars: network.forms.map(({ form, median, bytes }) => ({
        label: form,
        length: 1 / median,
        color: colorOf(form),
        text: `${threeDigits(median)} ms, ${threeDigits(bytes / 1e6)} MB`,
      })),
    }),
  );
  const heading = `Coppice: milliseconds an image, medians of ${rounds} rounds, longer is faster; beside them the memory`;
  return barChart("Coppice: networks run", heading, [processor, runtime], [groups]);
}
