import { STYLE } from "./page-style.js";
import { type Band, escaped, type Line, plotSvg } from "./plot.js";
import type { StageReport, TrainedEpoch, TrainingReport } from "./report.js";

// A training's report for people: one page of HTML that asks for nothing, and needs no script.

const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;
const times = (ratio: number): string => `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(1)}x`;
const digits = (value: number): string => String(Number(value.toPrecision(3)));
const duration = (seconds: number): string => (seconds < 100 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`);

/** An epoch, by its number among those of all stages. */
interface Placed {
  readonly x: number;
  readonly stage: string;
  readonly epoch: TrainedEpoch;
}

function placedEpochs(stages: readonly StageReport[]): { epochs: Placed[]; bands: Band[] } {
  const epochs: Placed[] = [];
  const bands: Band[] = [];
  for (const { name, epochs: own } of stages) {
    if (own.length === 0) continue;
    bands.push({ name, from: epochs.length, to: epochs.length + own.length });
    for (const epoch of own) epochs.push({ x: epochs.length + 1, stage: name, epoch });
  }
  return { epochs, bands };
}

function line(name: string, epochs: readonly Placed[], of: (epoch: TrainedEpoch) => number, format: (value: number) => string): Line {
  const points = epochs.map(({ x, stage, epoch }) => ({
    x,
    y: of(epoch),
    label: `${stage}, epoch ${epoch.epoch}: ${name} ${format(of(epoch))}`,
  }));
  return { name, points };
}

function plots({ stages, archive }: TrainingReport): string[] {
  const { epochs, bands } = placedEpochs(stages);
  const across = "epochs";
  const error = ({ heldOut }: TrainedEpoch): number => 100 * (1 - heldOut);
  const density = ({ survivors }: TrainedEpoch): number => (100 * survivors) / archive.weights;
  const inPercent = (value: number): string => `${digits(value)} %`;
  return [
    plotSvg({
      title: "Loss, nats a sample",
      lines: [line("in training", epochs, ({ loss }) => loss, digits), line("held out", epochs, ({ heldOutLoss }) => heldOutLoss, digits)],
      bands,
      across,
      log: true,
      formatY: digits,
    }),
    plotSvg({
      title: "Error on the samples held out",
      lines: [line("error", epochs, error, inPercent)],
      bands,
      across,
      formatY: inPercent,
    }),
    plotSvg({
      title: "Weights that survive: what sparsity leaves",
      lines: [line("survivors", epochs, density, (value) => `${digits(value)} %, sparsity ${(100 - value).toFixed(2)} %`)],
      bands,
      across,
      log: true,
      formatY: inPercent,
    }),
    ...stages.flatMap(({ name, scan }) => (scan === undefined ? [] : [scanPlot(name, scan)])),
  ];
}

function scanPlot(stage: string, scan: NonNullable<StageReport["scan"]>): string {
  const lines = scan.map(({ name, points }) => ({
    name,
    points: points.map(({ sparsity, accuracy }) => ({
      x: 100 * sparsity,
      y: 100 * (1 - accuracy),
      label: `${name} at a sparsity of ${percent(sparsity)}: error ${percent(1 - accuracy)}`,
    })),
  }));
  return plotSvg({
    title: `Error on the samples held out, one layer pruned alone (${stage})`,
    lines,
    across: "sparsity of the layer",
    log: true,
    formatX: (value) => `${digits(value)} %`,
    formatY: (value) => `${digits(value)} %`,
  });
}

type Cell = { readonly text: string; readonly left?: boolean };

const cell = (text: string): Cell => ({ text });
const left = (text: string): Cell => ({ text, left: true });

function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const row = (cells: readonly Cell[], tag: string): string =>
    `<tr>${cells.map(({ text, left = false }) => `<${tag}${left ? ' class="left"' : ""}>${escaped(text)}</${tag}>`).join("")}</tr>`;
  return `<div class="wide"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((cells) => row(cells, "td")).join("")}</tbody></table></div>`;
}

function stageTable({ stages }: TrainingReport): string {
  const tested = stages.some(({ after }) => after.test !== undefined);
  const head = [
    left("stage"),
    left("does"),
    ...["epochs", "survivors", "held out, error", ...(tested ? ["test, error"] : []), "bytes", "ratio", "time"].map(cell),
  ];
  return table(
    head,
    stages.map(({ name, type, epochs, after, seconds }) => [
      left(name),
      left(type),
      cell(String(epochs.length)),
      cell(count(after.survivors)),
      cell(percent(1 - after.heldOut)),
      ...(tested ? [cell(after.test === undefined ? "-" : percent(1 - after.test))] : []),
      cell(count(after.bytes)),
      cell(times(after.ratio)),
      cell(duration(seconds)),
    ]),
  );
}

function tensorTable({ tensors }: TrainingReport): string {
  return table(
    [left("layer"), left("shape"), ...["weights", "survivors", "density", "shared weights", "bits a survivor", "bytes", "ratio"].map(cell)],
    tensors.map(({ name, shape, weights, survivors, density, codebook, bytes, ratio }) => [
      left(name),
      left(shape.join(" x ")),
      cell(count(weights)),
      cell(count(survivors)),
      cell(percent(density)),
      cell(codebook > 0 ? String(codebook) : "-"),
      cell(survivors > 0 ? ((8 * bytes) / survivors).toFixed(2) : "-"),
      cell(count(bytes)),
      cell(times(ratio)),
    ]),
  );
}

/** The report as a page, under the name of the archive. */
export function reportPage(report: TrainingReport, archive: string): string {
  const { archive: file, test, data, seed, threads, seconds } = report;
  const facts: [string, string][] = [
    ["archive", `${count(file.bytes)} bytes`],
    ["parameters as float32", `${count(file.parameterBytes)} bytes`],
    ["ratio", times(file.ratio)],
    ...(test ? ([["test error", `${percent(1 - test.before)} before, ${percent(1 - test.after)} after`]] as [string, string][]) : []),
    ["time", duration(seconds)],
  ];
  const samples = `${count(data.train)} samples to train on, ${count(data.heldOut)} held out${data.test > 0 ? `, ${count(data.test)} to test with once all stages were done` : ""}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(archive)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(archive)}</h1>
<p>${samples}; seed ${seed}, ${threads} thread${threads === 1 ? "" : "s"}.</p>
<dl>${facts.map(([term, text]) => `<div><dt>${escaped(term)}</dt><dd>${escaped(text)}</dd></div>`).join("")}</dl>
<h2>Stages</h2>
${stageTable(report)}
${plots(report).join("\n")}
<h2>Layers</h2>
${tensorTable(report)}
</main>
</body>
</html>
`;
}
