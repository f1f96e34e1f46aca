import { createHash } from "node:crypto";
import { checkInteger } from "../check.js";
import { checkRoom, onlyRuns, shapesOf } from "../network/shapes.js";
import { checkSpec, type NetworkSpec } from "../network/spec.js";
import { type Samples, Sequential } from "../nn/sequential.js";
import { decode } from "../pipeline/decode.js";
import { turn } from "../pipeline/turn.js";
import type { Tensor } from "../types.js";
import { Checkpoints, cleanCheckpoints } from "./checkpoint.js";
import { claimFolder } from "./claim.js";
import { type Dataset, hashOfDataset, prepareData } from "./data.js";
import { archiveOf } from "./measure.js";
import { namedStages, parseTrainingRecipe, type TrainingRecipe } from "./plan.js";
import type { ResumePoint, StageReport, TrainingProgress, TrainingReport } from "./report.js";
import { checkMatches } from "./rules.js";
import { Run, type State } from "./run.js";
import { withinStage } from "./stages.js";

/** What is trained, on what, and how. The archive depends on all but what stands below `threads`. */
export interface TrainArchiveOptions {
  readonly net: NetworkSpec;
  readonly data: Dataset;
  readonly recipe: TrainingRecipe;
  /** Weights to begin with, named as the network's layers say. */
  readonly weights?: readonly Tensor[];
  /** Instead of the recipe's. */
  readonly seed?: number;
  /** Threads that share each batch: 1 unless given. */
  readonly threads?: number;
  /** A folder for checkpoints, one after each epoch: where it holds one of this training, that goes on from there. It stays at the end; `removeCheckpoints` removes it. */
  readonly checkpoint?: string;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Called where it goes on from a checkpoint. */
  readonly onResume?: (from: ResumePoint) => void;
  /** Called as each stage ends, with its number from 1. */
  readonly onStage?: (report: StageReport, stage: number, stages: number) => void;
  readonly signal?: AbortSignal;
}

/** What a training gives. */
export interface TrainedArchive {
  readonly archive: Uint8Array;
  readonly report: TrainingReport;
  readonly network: Sequential;
  /** The network's tensors after each stage. */
  readonly stages: readonly (readonly Tensor[])[];
}

/**
 * Checks a network that is to be trained, say out of a JSON file.
 *
 * @throws TypeError, RangeError naming the layer that is amiss, does not meet the one before, is too large, or cannot be trained
 */
export function parseNetwork(value: unknown): NetworkSpec {
  checkSpec(value);
  shapesOf(value);
  checkRoom(value);
  for (const [i, layer] of value.layers.entries()) if (layer.type === "localresponsenorm") throw onlyRuns(layer, i);
  return value;
}

/** Changes where a checkpoint of before would not lead to the same bits. */
export const CHECKPOINT_VERSION = 1;

/**
 * Trains a network stage by stage, and compresses it: pruned weights are 0 in the archive and shared ones stay as they are, so what comes out of it is what was trained. Stopped at any time and
 * started again with the same options and checkpoints, it makes the same bytes as without a break.
 *
 * @throws TypeError, RangeError naming the key, layer, tensor or sample that is amiss, or a checkpoint that is another training's; FormatError where a checkpoint is broken; the signal's reason,
 * once it is aborted
 */
export async function trainArchive(options: TrainArchiveOptions): Promise<TrainedArchive> {
  return withTrained(options, async (trained) => trained);
}

/** Trains, as `trainArchive` does, and keeps other trainings out of the folder of checkpoints until `body` is through with what came of it. */
export async function withTrained<T>(options: TrainArchiveOptions, body: (trained: TrainedArchive) => Promise<T>): Promise<T> {
  const recipe = parseTrainingRecipe(options.recipe);
  const stages = namedStages(recipe);
  const { threads = 1, onProgress, onResume, onStage, signal } = options;
  const seed = options.seed ?? recipe.seed ?? 1;
  checkInteger(threads, "threads", 1, 64);
  const network = new Sequential(options.net, { seed });
  if (options.weights) network.load(options.weights);
  checkMatches(stages, network);
  const data = prepareData(options.data, recipe.data ?? {}, { inputs: network.inputs, outputs: network.outputs, shape: options.net.input });
  const release = options.checkpoint === undefined ? undefined : await claimFolder(options.checkpoint);
  try {
    const checkpoints = await openCheckpoints(options, recipe, seed, threads);
    const loaded = await checkpoints?.load(network);
    const run = new Run({ recipe, stages, network, data, seed, threads, checkpoints, onProgress, onStage, signal }, loaded);
    if (loaded) onResume?.(run.place);
    const kept: (readonly Tensor[])[] = [];
    for (let i = 0; i < run.reports.length; i++) kept.push(await (checkpoints as Checkpoints<State>).loadStage(i));

    while (run.reports.length < stages.length) {
      signal?.throwIfAborted();
      await run.stage(kept);
      kept.push(network.tensors());
    }
    return await body({ ...(await finished(run, kept)), network, stages: kept });
  } finally {
    await release?.();
  }
}

async function openCheckpoints(
  { net, data, weights, checkpoint }: TrainArchiveOptions,
  recipe: TrainingRecipe,
  seed: number,
  threads: number,
): Promise<Checkpoints<State> | undefined> {
  if (checkpoint === undefined) return undefined;
  await cleanCheckpoints(checkpoint);
  const hash = createHash("sha256").update(JSON.stringify([CHECKPOINT_VERSION, net, recipe, seed, threads, hashOfDataset(data)]));
  for (const { name, data: bytes } of weights ?? []) hash.update(name).update(bytes);
  return new Checkpoints(checkpoint, hash.digest("hex"));
}

/** The archive, and what the network of each stage makes of the test set, by which nothing was chosen. */
async function finished(run: Run, kept: readonly (readonly Tensor[])[]): Promise<Pick<TrainedArchive, "archive" | "report">> {
  const { network, data, recipe, seed, threads, signal } = run.parts;
  const { archive, report, parameterBytes, ratio } = await archiveOf(network.tensors(), recipe);
  const test = data.test?.();
  const fresh = new Sequential(network.toJSON(), { variant: network.variant });
  const accuracyOf = async (stage: number, tensors: readonly Tensor[]): Promise<number> => {
    await turn();
    signal?.throwIfAborted();
    fresh.load(tensors);
    return withinStage(stage, run.parts.stages[stage], "test", () => fresh.evaluate(test as Samples).accuracy);
  };
  const stages: StageReport[] = [];
  for (const [i, stage] of run.reports.entries())
    stages.push(test ? { ...stage, after: { ...stage.after, test: await accuracyOf(i, kept[i]) } } : stage);
  const first = Math.max(
    0,
    stages.findIndex(({ epochs }) => epochs.length > 0),
  );
  return {
    archive,
    report: {
      seed,
      threads,
      data: { train: data.train.labels.length, heldOut: data.heldOut.labels.length, test: test?.labels.length ?? 0 },
      stages,
      tensors: report.tensors.map((tensor) => ({ ...tensor, density: tensor.survivors / tensor.weights })),
      archive: { bytes: archive.length, parameterBytes, ratio, weights: report.file.weights, survivors: report.file.survivors },
      ...(test && {
        test: {
          count: test.labels.length,
          before: await accuracyOf(first, kept[first]),
          after: await accuracyOf(kept.length - 1, decode(archive)),
        },
      }),
      seconds: run.seconds,
    },
  };
}
