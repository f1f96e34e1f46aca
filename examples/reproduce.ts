// npm run reproduce -- lenet-300-100|lenet-5 [options], which --help tells.
// From MNIST to the paper's Tables 1 to 3 beside ours: each stage of the recipes in examples/reproduce, for seeds 1, 2, ... 5,000 digits are held out to choose by;
// the 10,000 test images are counted once a training is done. Trainings are kept in build/reproduce: what is there is not trained again, and what was stopped goes on.

import { existsSync } from "node:fs";
import type { NetworkSpec } from "../src/nn/index.js";
import { writeWhole } from "../src/pipeline/output.js";
import type { TrainingProgress } from "../src/train/index.js";
import { LENET_5 } from "./lenet-5.js";
import { LENET_300_100, readTensors } from "./lenet-300-100.js";
import { loadMnist, SIDE, samplesOf } from "./mnist.js";
import { documentOf, type SeedOutcome } from "./reproduce/document.js";
import { type Judges, outcomeOf, type Tuned, tunedCodebooks } from "./reproduce/figures.js";
import { type Options, parseOptions, type SettingName, USAGE } from "./reproduce/options.js";
import type { NetworkName } from "./reproduce/paper.js";
import { exitCodeOf } from "./reproduce/refusal.js";
import { readRecipe, type Setting, train } from "./reproduce/runs.js";
import { percent } from "./reproduce/tables.js";

const FOLDER = "build/reproduce";
const DIVISOR = 255;
const HELD_OUT = 5000;
const QUICK = 0.05;

/** Trainings of a setting: itself, and of the paper's the codebooks of 2, 3 and 4 bits. */
const TRAININGS: Readonly<Record<SettingName, number>> = { paper: 4, ours: 1 };

const NETWORKS: Readonly<Record<NetworkName, NetworkSpec>> = { "lenet-300-100": LENET_300_100, "lenet-5": LENET_5 };

const EXIT_USAGE = 2;
const EXIT_FILE = 3;

function fail(error: unknown, code: number, hint = ""): never {
  console.error(`reproduce: ${(error as Error).message}${hint}`);
  process.exit(code);
}

function refused(error: unknown): never {
  const code = exitCodeOf(error);
  if (code === undefined) throw error;
  return fail(error, code);
}

function optionsOrExit(): Options {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options) return options;
  } catch (error) {
    fail(error, EXIT_USAGE, "\nnpm run reproduce -- --help tells the options");
  }
  console.log(USAGE);
  process.exit(0);
}

const options = optionsOrExit();
const { network: name, settings, seeds, threads } = options;
const net = NETWORKS[name];
if (options.dense !== undefined && !existsSync(options.dense)) fail(new Error(`--dense: there is no file ${options.dense}`), EXIT_FILE);
const given = options.dense === undefined ? undefined : await readTensors(options.dense).catch((error) => fail(error, EXIT_FILE));
const learnt = await loadMnist("train").catch((error) => fail(error, EXIT_FILE));
const judges: Judges = {
  heldOut: samplesOf(learnt, DIVISOR, learnt.count - HELD_OUT),
  ...(!options.heldOut && { test: samplesOf(await loadMnist("test").catch((error) => fail(error, EXIT_FILE)), DIVISOR) }),
};
const data: Setting["data"] = { train: { shape: [1, SIDE, SIDE], pixels: learnt.pixels, labels: learnt.labels, title: "MNIST" } };

const trainings = seeds.length * ((given ? 0 : 1) + settings.reduce((sum, setting) => sum + TRAININGS[setting], 0));
let begun = 0;
let told = "";

/** The training that a title is of, and its number. */
function training(title: string): string {
  return `${begun} of ${trainings}: ${title}`;
}

/** A line on standard error for each epoch. */
function tell(title: string, { name: stage, epoch, epochs, done, loss, heldOut, secondsLeft }: TrainingProgress): void {
  const line = `${training(title)}, ${stage}, epoch ${epoch} of ${epochs}`;
  if (line === told) return;
  told = line;
  const found = heldOut === undefined ? "" : `, held-out error of the epoch before ${percent(1 - heldOut)}`;
  const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left of this training`;
  console.error(`${line}: ${Math.floor(100 * done)} % of it done, loss ${loss.toFixed(3)}${found}${left}`);
}

async function runSeed(seed: number): Promise<SeedOutcome> {
  const setting: Setting = {
    ...{ net, data, seed, threads, folder: FOLDER },
    scale: options.quick ? QUICK : 1,
    onBegin: (title, kept) => {
      begun++;
      if (kept !== undefined) console.error(`${training(title)} was trained before: taken from ${kept}`);
    },
    onProgress: tell,
  };
  const base = given === undefined ? await train(`${name}.dense`, await readRecipe(`${name}.dense`), setting) : undefined;
  const dense = given ?? base!.stages.get("dense")!;
  const found: Partial<Record<SettingName, Awaited<ReturnType<typeof outcomeOf>>>> = {};
  let tuned: Tuned[] | undefined;
  for (const which of settings) {
    const outcome = await outcomeOf(
      `${name}.${which}`,
      await readRecipe(`${name}.${which}`),
      setting,
      dense,
      judges.test ?? judges.heldOut,
    );
    // The dense network was trained by a recipe of its own.
    const [first, ...points] = outcome.points;
    found[which] = base ? { ...outcome, points: [{ ...first, seconds: base.report.seconds }, ...points] } : outcome;
    if (which !== "paper") continue;
    const pruned = outcome.done.stages.get("pruned")!;
    tuned = await tunedCodebooks(`${name}.codebooks`, pruned, await readRecipe(`${name}.codebooks`), setting, judges);
  }
  return { settings: found, tuned };
}

const outcomes: SeedOutcome[] = [];
for (const seed of seeds) outcomes.push(await runSeed(seed).catch(refused));

const text = documentOf(options, judges, outcomes);
process.stdout.write(text);
if (options.out !== undefined) await writeWhole(options.out, true, (sink) => sink(new TextEncoder().encode(text)));
if (options.keep !== undefined) {
  // Of several seeds that which does best on what was held out, not on the test set.
  const ours = outcomes.map((outcome) => outcome.settings.ours!);
  const heldOut = ({ done }: (typeof ours)[number]): number => done.report.stages.at(-1)!.after.heldOut;
  const best = ours.reduce((kept, outcome) => (heldOut(outcome) > heldOut(kept) ? outcome : kept));
  await writeWhole(options.keep, true, (sink) => sink(best.done.archive));
  const { error, bytes, ratio } = best.points.at(-1)!;
  console.error(
    `${options.keep}: seed ${seeds[ours.indexOf(best)]}, the best on what was held out (${percent(1 - heldOut(best))}): ${bytes} bytes, ${ratio.toFixed(1)}x, error ${percent(error)}`,
  );
}
if (options.oneSeed)
  console.error(`seed ${seeds[0]} is kept; without --seed, once all are, the same command makes the tables of all from them`);
