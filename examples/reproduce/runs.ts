import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { NetworkSpec, Tensor } from "../../src/nn/index.js";
import { writeWhole } from "../../src/pipeline/output.js";
import { clearCheckpoints } from "../../src/train/checkpoint.js";
import { hashOfDataset } from "../../src/train/data.js";
import {
  type Dataset,
  parseTrainingRecipe,
  type TrainingProgress,
  type TrainingRecipe,
  type TrainingReport,
} from "../../src/train/index.js";
import { CHECKPOINT_VERSION, withTrained } from "../../src/train/train.js";
import { readTensors, safetensorsBytes } from "../lenet-300-100.js";

/** A training that was done. */
export interface Done {
  readonly report: TrainingReport;
  readonly archive: Uint8Array;
  /** The network's tensors after each stage, by its name. */
  readonly stages: ReadonlyMap<string, readonly Tensor[]>;
}

/** What every training of a command has in common. */
export interface Setting {
  readonly net: NetworkSpec;
  /** Without a test set: that is for those who measure what was trained. */
  readonly data: Pick<Dataset, "train">;
  readonly seed: number;
  readonly threads: number;
  /** By what all epochs are multiplied, rounded up: 1, or less for a look at the command. */
  readonly scale: number;
  /** Where trainings are kept. */
  readonly folder: string;
  /** Called before each training, with the folder that has it where it is done. */
  readonly onBegin: (title: string, kept?: string) => void;
  readonly onProgress: (title: string, progress: TrainingProgress) => void;
}

/** A recipe of this folder. */
export async function readRecipe(name: string): Promise<TrainingRecipe> {
  return parseTrainingRecipe(JSON.parse(await readFile(path.join("examples/reproduce", `${name}.json`), "utf8")));
}

/** A recipe with all its epochs multiplied. */
function scaled(recipe: TrainingRecipe, scale: number): TrainingRecipe {
  return {
    ...recipe,
    stages: recipe.stages.map((stage) => (stage.type === "scan" ? stage : { ...stage, epochs: Math.ceil(stage.epochs * scale) })),
  };
}

/**
 * Trains, or takes what an earlier run of the command left: nothing is trained twice, and a training that was stopped goes on from its last epoch.
 *
 * @param weights to begin with
 */
export async function train(title: string, given: TrainingRecipe, setting: Setting, weights?: readonly Tensor[]): Promise<Done> {
  const { net, data, seed, threads, folder } = setting;
  const recipe = scaled(given, setting.scale);
  const hash = createHash("sha256").update(JSON.stringify([CHECKPOINT_VERSION, net, recipe, seed, threads, hashOfDataset(data)]));
  for (const tensor of weights ?? []) hash.update(tensor.name).update(tensor.data);
  const place = path.join(folder, `${title}.${seed}.${hash.digest("hex").slice(0, 12)}`);
  const names = recipe.stages.map((stage) => stage.name as string);
  const stageFile = (i: number): string => path.join(place, `${i}.safetensors`);
  const reportFile = path.join(place, "report.json");
  const archiveFile = path.join(place, "net.coppice");
  const kept = await readFile(reportFile, "utf8").catch(() => undefined);
  setting.onBegin(`${title}, seed ${seed}`, kept === undefined ? undefined : place);
  if (kept !== undefined) {
    const stages = new Map<string, Tensor[]>();
    for (const [i, name] of names.entries()) stages.set(name, await readTensors(stageFile(i)));
    return { report: JSON.parse(kept), archive: await readFile(archiveFile), stages };
  }
  await mkdir(place, { recursive: true });
  const checkpoint = path.join(place, "checkpoint");
  const onProgress = (progress: TrainingProgress): void => setting.onProgress(`${title}, seed ${seed}`, progress);
  return withTrained({ net, data, recipe, seed, threads, weights, checkpoint, onProgress }, async ({ report, archive, stages }) => {
    const write = (file: string, bytes: Uint8Array): Promise<void> => writeWhole(file, true, (sink) => sink(bytes));
    for (const [i, tensors] of stages.entries()) await write(stageFile(i), safetensorsBytes(tensors, new Map()));
    await write(archiveFile, archive);
    // The report last: where it is, the rest is.
    await write(reportFile, new TextEncoder().encode(JSON.stringify(report)));
    await clearCheckpoints(checkpoint);
    return { report, archive, stages: new Map(names.map((name, i) => [name, stages[i]])) };
  });
}
