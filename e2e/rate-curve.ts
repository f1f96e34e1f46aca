import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { cases, evaluated } from "./evaluations.ts";
import { ROOT } from "./paths.ts";
import { makeProject } from "./project.ts";
import { type Curve, rateChart } from "./rate-chart.ts";

// npm --prefix e2e run rate-curve: accuracy against ratio for both objectives of sharing, without retraining, as Markdown, and as docs/rate.svg.

const NETWORKS = { resnet20: "ResNet-20", resnet32: "ResNet-32" } as const;
const CENTROIDS = [16, 20, 24, 28, 32, 40, 48, 64, 96, 128];
const TRADEOFFS = [0.02, 0.016, 0.012, 0.01, 0.008, 0.006, 0.005, 0.004, 0.003, 0.002, 0.0015, 0.001, 0.0005];

/** What a network may lose, in percentage points. */
const ALLOWED = 0.3;

const folder = await mkdtemp(path.join(tmpdir(), "coppice-rate-"));
// It builds dist/ where it is older than its sources.
await rm(await makeProject(), { recursive: true });
const there = await cases();
const curves: Curve[] = [];
for (const [name, title] of Object.entries(NETWORKS)) {
  const found = there.get(name);
  if (!found) throw new Error(`the data of ${name} is not there`);
  const run = async (label: string, share: object) => {
    const recipe = path.join(folder, "recipe.json");
    await writeFile(recipe, JSON.stringify({ rules: [{ role: "weight", minRank: 2, share }] }));
    const { bytes, ratio, evaluation } = await evaluated(found, "--recipe", recipe);
    const { before, after, samples } = evaluation.accuracy!;
    return { label, bytes, ratio, accuracy: (100 * after) / samples, original: (100 * before) / samples };
  };
  const shares = {
    distortion: CENTROIDS.map((centroids) => [`${centroids} centroids`, { centroids }] as const),
    rate: TRADEOFFS.map((tradeoff) => [`trade-off ${tradeoff}`, { objective: "rate", tradeoff }] as const),
  };
  for (const [objective, list] of Object.entries(shares)) {
    const points = [];
    for (const [label, share] of list) points.push(await run(label, share));
    curves.push({ network: title, objective, original: points[0].original, points: points.sort((a, b) => b.bytes - a.bytes) });
  }
}
await rm(folder, { recursive: true });

console.log("| network | objective | | archive | ratio | accuracy |\n| --- | --- | --- | ---: | ---: | ---: |");
for (const { network, objective, points } of curves) {
  for (const { label, bytes, ratio, accuracy } of points)
    console.log(`| ${network} | ${objective} | ${label} | ${bytes} | ${ratio.toFixed(2)} | ${accuracy.toFixed(1)} % |`);
}

/** The smallest archive whose network is within what is allowed. */
function smallest({ original, points }: Curve): Curve["points"][number] {
  const within = points.filter(({ accuracy }) => accuracy >= original - ALLOWED);
  if (within.length === 0) throw new Error("no archive is within what is allowed");
  return within[within.length - 1];
}

console.log("");
for (const rates of curves.filter(({ objective }) => objective === "rate")) {
  const rate = smallest(rates);
  const distortion = smallest(curves.find(({ network, objective }) => network === rates.network && objective === "distortion")!);
  const less = 100 * (1 - rate.bytes / distortion.bytes);
  console.log(
    `${rates.network}, within ${ALLOWED} points: ${rate.label}, ${rate.bytes} bytes, is ${less.toFixed(1)} % smaller than ${distortion.label}, ${distortion.bytes} bytes`,
  );
}
await writeFile(path.join(ROOT, "docs/rate.svg"), rateChart(curves, ALLOWED));
