// npm run reproduce -- lenet-300-100|lenet-5 [--setting paper|ours|all] [--seeds 3] [--seed N] [--quick] [--threads 1] [--out FILE.md]
//                      [--dense FILE.safetensors] [--keep FILE.coppice]
// From MNIST to the paper's Tables 1 to 3 beside ours: each stage of the recipes in examples/reproduce, for seeds 1, 2, ... 5,000 digits are held out to choose by;
// the 10,000 test images are counted once a training is done. Trainings are kept in build/reproduce: what is there is not trained again, and what was stopped goes on.

import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { NetworkSpec, Tensor } from "../src/nn/index.js";
import { writeWhole } from "../src/pipeline/output.js";
import type { Dataset, TrainingProgress } from "../src/train/index.js";
import { LENET_5 } from "./lenet-5.js";
import { LENET_300_100, readTensors } from "./lenet-300-100.js";
import { type Digits, loadMnist, SIDE, samplesOf } from "./mnist.js";
import { measure, type Point, parameterBytes, pointsOf, type Tuned, tunedCodebooks, withoutRetraining } from "./reproduce/figures.js";
import { type NetworkName, PAPER } from "./reproduce/paper.js";
import { type Done, readRecipe, type Setting, train } from "./reproduce/runs.js";
import { firstTable, layerTable, percent, stageTable, tensorTable, tunedTable } from "./reproduce/tables.js";

const FOLDER = "build/reproduce";
const DIVISOR = 255;
const QUICK = 0.05;

const NETWORKS: Readonly<Record<NetworkName, NetworkSpec>> = { "lenet-300-100": LENET_300_100, "lenet-5": LENET_5 };
const SETTINGS = { paper: "the paper's setting", ours: "ours" } as const;
type SettingName = keyof typeof SETTINGS;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    setting: { type: "string", default: "all" },
    seeds: { type: "string", default: "3" },
    seed: { type: "string" },
    threads: { type: "string", default: "1" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
    dense: { type: "string" },
    keep: { type: "string" },
  },
});
const [name] = positionals as NetworkName[];
/** The first so many, or one alone. */
const seeds = values.seed === undefined ? Array.from({ length: Number(values.seeds) || 0 }, (_, i) => i + 1) : [Number(values.seed)];
const threads = Number(values.threads);
const wanted = (values.setting === "all" ? Object.keys(SETTINGS) : [values.setting]) as SettingName[];
if (
  positionals.length !== 1 ||
  !(name in NETWORKS) ||
  !(seeds[0] >= 0) ||
  !(threads >= 1) ||
  !wanted.every((setting) => setting in SETTINGS)
) {
  console.error(
    "usage: npm run reproduce -- lenet-300-100|lenet-5 [--setting paper|ours|all] [--seeds 3] [--seed N] [--quick] [--threads 1] [--out FILE.md] [--dense FILE] [--keep FILE]",
  );
  process.exit(2);
}

const images = ({ pixels, labels }: Digits, title: string): Dataset["train"] => ({ shape: [1, SIDE, SIDE], pixels, labels, title });
const [learnt, unseen] = [await loadMnist("train"), await loadMnist("test")];
const data: Dataset = { train: images(learnt, "MNIST"), test: images(unseen, "MNIST, test") };
const test = samplesOf(unseen, DIVISOR);
const net = NETWORKS[name];
const given = values.dense === undefined ? undefined : await readTensors(values.dense);

/** A line on standard error for each epoch. */
let told = "";
function tell(title: string, seed: number, { name: stage, epoch, epochs, loss, heldOut, secondsLeft }: TrainingProgress): void {
  const epochTitle = `seed ${seed}, ${title}, ${stage}, epoch ${epoch} of ${epochs}`;
  if (epochTitle === told) return;
  told = epochTitle;
  const found = heldOut === undefined ? "" : `, held-out error of the epoch before ${percent(1 - heldOut)}`;
  const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left`;
  console.error(`${epochTitle}: loss ${loss.toFixed(3)}${found}${left}`);
}

interface Outcome {
  readonly dense: readonly Tensor[];
  readonly done: Partial<Record<SettingName, Done>>;
  readonly points: Partial<Record<SettingName, readonly Point[]>>;
  readonly untrained: Partial<Record<SettingName, Point>>;
  readonly tuned?: readonly Tuned[];
}

async function runSeed(seed: number): Promise<Outcome> {
  const setting: Setting = {
    net,
    data,
    seed,
    threads,
    scale: values.quick ? QUICK : 1,
    folder: FOLDER,
    onProgress: (title, progress) => tell(title, seed, progress),
  };
  const base = given === undefined ? await train(`${name}.dense`, await readRecipe(`${name}.dense`), setting) : undefined;
  const dense = given ?? base!.stages.get("dense")!;
  const outcome: { -readonly [key in keyof Outcome]: Outcome[key] } = { dense, done: {}, points: {}, untrained: {} };
  for (const which of wanted) {
    const recipe = await readRecipe(`${name}.${which}`);
    const done = await train(`${name}.${which}`, recipe, setting, dense);
    const points = pointsOf(done);
    // The dense network was trained by a recipe of its own.
    if (base) points[0] = { ...points[0], seconds: base.report.seconds };
    outcome.done[which] = done;
    outcome.points[which] = points;
    outcome.untrained[which] = await withoutRetraining(dense, done, recipe, net, test);
    if (which === "paper") outcome.tuned = await tunedCodebooks(`${name}.codebooks`, done, recipe, setting, test);
  }
  return outcome;
}

const outcomes: Outcome[] = [];
for (const seed of seeds) outcomes.push(await runSeed(seed));

const paper = PAPER[name];
const [first] = outcomes;
const seedsTitle = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds 1 to ${seeds.length}, mean (least to greatest)`;
const parts = [
  `# ${paper.title}, reproduced`,
  `\`npm run reproduce -- ${process.argv
    .slice(2)
    .filter((arg, i, all) => arg !== "--out" && all[i - 1] !== "--out")
    .join(
      " ",
    )}\`: ${seedsTitle}. Errors are of the 10,000 test images of MNIST; 5,000 of the training digits were held out to choose by. ` +
    `The ratio is that of ${parameterBytes(first.dense).toLocaleString("en-US")} bytes of float32 parameters over the bytes of the archive file, everything in it counted. ${cpus()[0].model.trim()}, Node ${process.versions.node}, ${threads === 1 ? "one thread" : `${threads} threads`}.${values.quick ? " With a twentieth of the epochs: a look at the command, no result." : ""}`,
  "## Table 1",
  firstTable(
    paper,
    wanted.map((which) => ({ title: SETTINGS[which], seeds: outcomes.map(({ points }) => points[which]!) })),
  ),
];
for (const which of wanted) {
  parts.push(`## Stage by stage: ${SETTINGS[which]}`);
  const rows = outcomes.map(({ points, untrained }) => [...points[which]!, untrained[which]!]);
  parts.push(stageTable(rows));
  parts.push(
    "*Without retraining* is the dense network pruned to the same sparsity and shared with as many centroids, tensor by tensor, and nothing trained after it.",
  );
  const { tensors } = first.done[which]!.report;
  if (which === "paper")
    parts.push(`The paper's Table ${name === "lenet-5" ? 3 : 2} and ours, seed ${seeds[0]}:`, layerTable(paper, tensors));
  parts.push(`The file, seed ${seeds[0]}:`, tensorTable(tensors));
}
if (first.tuned) {
  parts.push(
    "## Fine-tuning codebooks",
    "The pruned network of the paper's setting, shared by k-means with few bits, before and after its centroids were trained:",
  );
  parts.push(tunedTable(outcomes.map(({ tuned }) => tuned!)));
}
const text = `${parts.join("\n\n")}\n`;
process.stdout.write(text);
if (values.out !== undefined) await writeWhole(values.out, true, (sink) => sink(new TextEncoder().encode(text)));
if (values.keep !== undefined) {
  // Of several seeds that which does best on what was held out, not on the test set.
  const heldOut = ({ done }: Outcome): number => done.ours!.report.stages.at(-1)!.after.heldOut;
  const best = outcomes.reduce((kept, outcome) => (heldOut(outcome) > heldOut(kept) ? outcome : kept));
  const { archive } = best.done.ours!;
  await writeWhole(values.keep, true, (sink) => sink(archive));
  console.error(
    `${values.keep}: ${archive.length} bytes, error ${percent(measure(net, best.done.ours!.stages.get("fine-tuned")!, test).error)}`,
  );
}
