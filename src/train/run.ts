import { createHash } from "node:crypto";
import { checkInteger } from "../check.js";
import { type Sensitivity, sensitivity } from "../nn/prune-schedule.js";
import { Sequential } from "../nn/sequential.js";
import { shapesOf } from "../nn/shapes.js";
import { checkSpec, type NetworkSpec } from "../nn/spec.js";
import { compress } from "../pipeline/api.js";
import { decode } from "../pipeline/decode.js";
import type { Tensor } from "../types.js";
import { Checkpoints, cleanCheckpoints } from "./checkpoint.js";
import { type Dataset, hashOfDataset, type PreparedData, prepareData } from "./data.js";
import { type NamedStage, namedStages, parseTrainingRecipe, type ScanStage, type TrainingRecipe } from "./plan.js";
import type { StageEnd, StageReport, TrainedEpoch, TrainingProgress, TrainingReport } from "./report.js";
import { checkMatches, parameterNames, scannedNames } from "./rules.js";
import { beginStage, type StageStart, type TrainingStage, trainStage } from "./stages.js";

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

/** What a checkpoint keeps beside the network. */
interface State {
  readonly stage: number;
  readonly start?: StageStart;
  /** Of the stages that are done, and the one that is not. */
  readonly reports: readonly StageReport[];
  readonly before?: StageReport["before"];
  readonly epochs: readonly TrainedEpoch[];
  /** Of the stage that is not done, and in all. */
  readonly stageSeconds: number;
  readonly seconds: number;
}

/**
 * Checks a network, say out of a JSON file.
 *
 * @throws TypeError, RangeError naming the layer that is amiss, or does not meet the one before
 */
export function parseNetwork(value: unknown): NetworkSpec {
  checkSpec(value);
  shapesOf(value);
  return value;
}

/** Changes where a checkpoint of before would not lead to the same bits. */
const CHECKPOINT_VERSION = 1;

/**
 * Trains a network stage by stage, and compresses it: pruned weights are 0 in the archive and shared ones stay as they are, so what comes out of it is what was trained. Stopped at any time and
 * started again with the same options and checkpoints, it makes the same bytes as without a break.
 *
 * @throws TypeError, RangeError naming the key, layer, tensor or sample that is amiss; FormatError where a checkpoint is broken; the signal's reason, once it is aborted
 */
export async function trainArchive(options: TrainArchiveOptions): Promise<TrainedArchive> {
  const recipe = parseTrainingRecipe(options.recipe);
  const stages = namedStages(recipe);
  const { threads = 1, signal } = options;
  const seed = options.seed ?? recipe.seed ?? 1;
  checkInteger(threads, "threads", 1, 64);
  const network = new Sequential(options.net, { seed });
  if (options.weights) network.load(options.weights);
  checkMatches(stages, network);
  const data = prepareData(options.data, recipe.data ?? {}, { inputs: network.inputs, outputs: network.outputs, shape: options.net.input });
  const checkpoints = await openCheckpoints(options, recipe, seed, threads);
  const loaded = await checkpoints?.load(network);
  const run = new Run(options, recipe, stages, network, data, seed, checkpoints, loaded);
  const kept: (readonly Tensor[])[] = [];
  for (let i = 0; i < run.reports.length; i++) kept.push(await (checkpoints as Checkpoints<State>).loadStage(i));

  while (run.reports.length < stages.length) {
    signal?.throwIfAborted();
    await run.stage(kept);
    kept.push(network.tensors());
  }
  return { ...(await finished(run, kept, seed, threads)), network, stages: kept };
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

/** A training under way. */
class Run {
  readonly options: TrainArchiveOptions;
  readonly recipe: TrainingRecipe;
  readonly network: Sequential;
  readonly data: PreparedData;
  readonly reports: StageReport[];
  /** In runs before this one. */
  readonly secondsBefore: number;
  readonly #stages: readonly NamedStage[];
  readonly #seed: number;
  readonly #checkpoints: Checkpoints<State> | undefined;
  /** Of a stage that was begun before. */
  #loaded: State | undefined;
  readonly #epochsInAll: number;
  readonly #clock = performance.now();

  constructor(
    options: TrainArchiveOptions,
    recipe: TrainingRecipe,
    stages: readonly NamedStage[],
    network: Sequential,
    data: PreparedData,
    seed: number,
    checkpoints: Checkpoints<State> | undefined,
    loaded: State | undefined,
  ) {
    this.options = options;
    this.recipe = recipe;
    this.network = network;
    this.data = data;
    this.reports = [...(loaded?.reports ?? [])];
    this.secondsBefore = loaded?.seconds ?? 0;
    this.#stages = stages;
    this.#seed = seed;
    this.#checkpoints = checkpoints;
    this.#loaded = loaded?.start && loaded;
    this.#epochsInAll = stages.reduce((sum, stage) => sum + (stage.type === "scan" ? 0 : stage.epochs), 0);
  }

  /** Seconds since the training began, without those in which it did not run. */
  get seconds(): number {
    return this.secondsBefore + (performance.now() - this.#clock) / 1000;
  }

  /** Does the next stage, or what is left of it. */
  async stage(kept: readonly (readonly Tensor[])[]): Promise<void> {
    const index = this.reports.length;
    const stage = this.#stages[index];
    const loaded = this.#loaded;
    this.#loaded = undefined;
    const clock = performance.now() - 1000 * (loaded?.stageSeconds ?? 0);
    const seconds = (): number => (performance.now() - clock) / 1000;
    const epochs: TrainedEpoch[] = [...(loaded?.epochs ?? [])];
    const start = loaded?.start ?? (stage.type === "scan" ? undefined : beginStage(this.network, stage));
    const before = loaded?.before ?? this.#heldOut();
    let scan: Sensitivity[] | undefined;
    if (stage.type === "scan") scan = this.#scan(stage);
    else await this.#train(stage, start as StageStart, before, index, epochs, seconds, kept);
    const after = await this.#end();
    this.reports.push({ name: stage.name, type: stage.type, epochs, ...(scan && { scan }), before, after, seconds: seconds() });
    await this.#checkpoints?.saveStage(index, this.network.tensors());
    await this.#checkpoints?.save(this.network, {
      stage: index + 1,
      reports: this.reports,
      epochs: [],
      stageSeconds: 0,
      seconds: this.seconds,
    });
  }

  async #train(
    stage: TrainingStage,
    start: StageStart,
    before: StageReport["before"],
    index: number,
    epochs: TrainedEpoch[],
    seconds: () => number,
    kept: readonly (readonly Tensor[])[],
  ): Promise<void> {
    const { network, data, recipe } = this;
    const from = stage.distill && this.#stages.findIndex(({ name }) => name === stage.distill?.from);
    let since = performance.now();
    await trainStage(stage, start, {
      network,
      data,
      augment: recipe.data?.augment ?? {},
      index,
      seed: this.#seed,
      threads: this.options.threads ?? 1,
      teacher: from === undefined ? undefined : kept[from],
      signal: this.options.signal,
      onStep: ({ step, steps, loss }) => this.#tell(stage, index, epochs, loss, step / steps),
      onEpoch: async ({ epoch, loss, learningRate }) => {
        const found = this.#heldOut();
        const now = performance.now();
        epochs.push({ epoch, loss, learningRate, ...found, survivors: survivorsOf(network), seconds: (now - since) / 1000 });
        since = now;
        this.#tell(stage, index, epochs, loss, epoch / stage.epochs);
        if (epoch === stage.epochs) return; // the stage's own checkpoint follows
        await this.#checkpoints?.save(network, {
          stage: index,
          start: { ...start, epochsDone: epoch },
          reports: this.reports,
          before,
          epochs,
          stageSeconds: seconds(),
          seconds: this.seconds,
        });
      },
    });
  }

  #scan({ match, sparsities }: ScanStage): Sensitivity[] {
    return sensitivity(this.network, this.data.heldOut, { names: scannedNames(match, this.network), sparsities });
  }

  #heldOut(): { heldOut: number; heldOutLoss: number } {
    const { accuracy, loss } = this.network.evaluate(this.data.heldOut);
    return { heldOut: accuracy, heldOutLoss: loss };
  }

  async #end(): Promise<StageEnd> {
    const { archive, ratio } = await archiveOf(this.network.tensors(), this.recipe);
    return { ...this.#heldOut(), survivors: survivorsOf(this.network), bytes: archive.length, ratio };
  }

  #tell(stage: TrainingStage, index: number, epochs: readonly TrainedEpoch[], loss: number, part: number): void {
    const { onProgress } = this.options;
    if (!onProgress) return;
    const all = [...this.reports.flatMap((report) => report.epochs), ...epochs];
    const done = all.length - epochs.length + part * stage.epochs;
    const mean = all.reduce((sum, epoch) => sum + epoch.seconds, 0) / all.length;
    onProgress({
      name: stage.name,
      stage: index + 1,
      stages: this.#stages.length,
      epoch: Math.min(stage.epochs, epochs.length + 1),
      epochs: stage.epochs,
      done: done / this.#epochsInAll,
      loss,
      heldOut: all[all.length - 1]?.heldOut,
      secondsLeft: all.length > 0 ? mean * (this.#epochsInAll - done) : undefined,
    });
  }
}

function survivorsOf(network: Sequential): number {
  const counts = new Map(network.tensors().map(({ name, data }) => [name, data.length / 4]));
  return parameterNames(network).reduce((sum, name) => sum + Math.round(network.density(name) * (counts.get(name) as number)), 0);
}

async function archiveOf(tensors: readonly Tensor[], { archive }: TrainingRecipe) {
  // Without a rule all is exact: what is shared is found out, and coded by its codebook.
  const compressed = await compress(tensors, { recipe: { rules: [], contexts: archive?.contexts ?? "all" }, threads: 1 });
  const parameterBytes = tensors.reduce((sum, { data }) => sum + data.length, 0);
  return { ...compressed, parameterBytes, ratio: parameterBytes / compressed.archive.length };
}

/** The archive, and the test set, which nothing before has seen. */
async function finished(run: Run, kept: readonly (readonly Tensor[])[], seed: number, threads: number) {
  const { network, data, recipe } = run;
  const { archive, report, parameterBytes, ratio } = await archiveOf(network.tensors(), recipe);
  const test = data.test?.();
  const fresh = new Sequential(network.toJSON(), { variant: network.variant });
  const accuracyOf = (tensors: readonly Tensor[]): number => {
    fresh.load(tensors);
    return fresh.evaluate(test!).accuracy;
  };
  const stages = run.reports.map((stage, i) => (test ? { ...stage, after: { ...stage.after, test: accuracyOf(kept[i]) } } : stage));
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
      ...(test && { test: { count: test.labels.length, before: accuracyOf(kept[first]), after: accuracyOf(decode(archive)) } }),
      seconds: run.seconds,
    } satisfies TrainingReport,
  };
}
