import { aligned, machineLines, markdownTable, threeDigits } from "../report.js";
import { formNames, type LayerResult, type RunDocument, timeOf, withoutTimes } from "./document.js";
import { OURS } from "./names.js";

// The document of the suite as text for a terminal, and as Markdown.

interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const LEGEND = [
  "Times are microseconds a sample. CSR: float32 values, 32-bit columns; ORT:",
  "onnxruntime, dense; x2: two threads, where all others have one, and WASM x2 has",
  "SIMD; i7-5930K and Titan X: what EIE's authors measured. Copies that an",
  "interface makes its callers pay are in: into and out of the module's memory",
  "(WASM), tensors around inputs and new outputs (ORT), new outputs (SciPy).",
  "Outputs were compared first: none is further from the sum in float64 than 1e-4",
  "of the largest. Ratios are of medians; six, nine: geometric means of AlexNet's",
  "and VGG-16's layers, and of all. Batch MB: what a layer has of memory after its",
  "first batch.",
];

const cell = (value: number | undefined): string => (value === undefined ? "-" : threeDigits(value));

const namesOf = (layers: readonly LayerResult[]): string[] => layers.map(({ layer }) => layer.name);

function timesTable({ layers, paper }: RunDocument, batch: number, of: "median" | "minimum"): Table {
  const rows = formNames(layers, batch).map((form) => [form, ...layers.map((result) => cell(timeOf(result, batch, form, of)))]);
  const published = paper
    .filter((row) => row.batch === batch)
    .map(({ name, times }) => [name, ...namesOf(layers).map((layer) => cell(times[layer]))]);
  return {
    title: `Batch ${batch}, ${of === "median" ? "medians" : "least times"}, us a sample`,
    heads: ["form", ...namesOf(layers)],
    rows: of === "median" ? [...rows, ...published] : rows,
  };
}

function ratioTable({ layers, ratios }: RunDocument, batch: number): Table {
  const found = ratios.find((each) => each.batch === batch)?.forms ?? [];
  const names = namesOf(layers);
  return {
    title: `Batch ${batch}, how many times as fast ${OURS} is`,
    heads: ["as", ...names, "six", "nine"],
    rows: found.map(({ form, layers, six, nine }) => [form, ...names.map((name) => cell(layers[name])), cell(six), cell(nine)]),
  };
}

function loadTable({ layers }: RunDocument): Table {
  return {
    title: "Loading: from the archive in memory to a layer that runs",
    heads: ["layer", "survivors", "archive MB", "loaded MB", "B/survivor", "batch MB", "dense MB", "ms", "median"],
    rows: layers.map(({ layer, loaded }) => [
      layer.name,
      loaded.survivors.toLocaleString("en-US"),
      threeDigits(loaded.archiveBytes / 1e6),
      threeDigits(loaded.byteLength / 1e6),
      threeDigits(loaded.byteLength / loaded.survivors),
      threeDigits(loaded.batchByteLength / 1e6),
      threeDigits((4 * layer.inputs * layer.outputs) / 1e6),
      threeDigits(loaded.minimum),
      threeDigits(loaded.median),
    ]),
  };
}

function tablesOf(document: RunDocument): Table[] {
  const batches = document.ratios.map(({ batch }) => batch);
  return [
    ...batches.flatMap((batch) => [
      timesTable(document, batch, "median"),
      timesTable(document, batch, "minimum"),
      ratioTable(document, batch),
    ]),
    loadTable(document),
  ];
}

function about({ machine, peers, rounds }: RunDocument): string[] {
  return [...machineLines(machine), ...Object.entries(peers).map(([name, version]) => `${name}: ${version}`), `${rounds} rounds`];
}

const without = ({ layers }: RunDocument): string[] => withoutTimes(layers).map(({ form, reason }) => `${form} is left out: ${reason}`);

/** For a terminal. */
export function runText(document: RunDocument): string {
  const lines = [...about(document), ...LEGEND];
  for (const { title, heads, rows } of tablesOf(document)) {
    lines.push("", title, ...aligned([heads, ...rows], " "));
  }
  return [...lines, "", ...without(document)].join("\n").trimEnd();
}

export function runMarkdown(document: RunDocument): string {
  const lines = [...about(document).map((line) => `- ${line}`), "", LEGEND.join(" ")];
  for (const { title, heads, rows } of tablesOf(document)) {
    lines.push("", `**${title}**`, "", ...markdownTable(heads, rows));
  }
  for (const line of without(document)) lines.push("", `${line}.`);
  return `${lines.join("\n")}\n`;
}
