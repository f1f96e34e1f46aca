import { type Sensitivity, sensitivitySteps } from "../nn/prune-schedule.js";
import type { Sequential } from "../nn/sequential.js";
import { turn } from "../pipeline/turn.js";
import type { Tensor } from "../types.js";
import type { Checkpoints } from "./checkpoint.js";
import type { PreparedData } from "./data.js";
import { archiveOf, survivorsOf } from "./measure.js";
import type { NamedStage, ScanStage, TrainingRecipe } from "./plan.js";
import type { ResumePoint, StageEnd, StageReport, TrainedEpoch, TrainingProgress } from "./report.js";
import { scannedNames } from "./rules.js";
import { beginStage, type StageStart, type TrainingStage, trainStage, withinStage } from "./stages.js";

/** What a checkpoint keeps beside the network. */
export interface State {
  readonly start?: StageStart;
  /** Of the stages that are done. */
  readonly reports: readonly StageReport[];
  readonly before?: StageReport["before"];
  /** Of the stage that is not done. */
  readonly epochs: readonly TrainedEpoch[];
  /** Of the stage that is not done, and in all. */
  readonly stageSeconds: number;
  readonly seconds: number;
}

/** What a training under way works with. */
export interface RunParts {
  readonly onProgress: ((progress: TrainingProgress) => void) | undefined;
  readonly onStage: ((report: StageReport, stage: number, stages: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
  readonly recipe: TrainingRecipe;
  readonly stages: readonly NamedStage[];
  readonly network: Sequential;
  readonly data: PreparedData;
  readonly seed: number;
  readonly threads: number;
  readonly checkpoints: Checkpoints<State> | undefined;
}

/** A training under way. */
export class Run {
  readonly parts: RunParts;
  readonly reports: StageReport[];
  /** In runs before this one. */
  readonly #secondsBefore: number;
  /** Of a stage that was begun before. */
  #loaded: State | undefined;
  readonly #epochsInAll: number;
  readonly #clock = performance.now();

  constructor(parts: RunParts, loaded: State | undefined) {
    this.parts = parts;
    this.reports = [...(loaded?.reports ?? [])];
    this.#secondsBefore = loaded?.seconds ?? 0;
    this.#loaded = loaded?.start && loaded;
    this.#epochsInAll = parts.stages.reduce((sum, stage) => sum + (stage.type === "scan" ? 0 : stage.epochs), 0);
  }

  /** Seconds since the training began, without those in which it did not run. */
  get seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#clock) / 1000;
  }

  /** Where it is, before a stage. */
  get place(): ResumePoint {
    const { stages } = this.parts;
    const stagesDone = this.reports.length;
    const stage = stages.at(stagesDone);
    const epochs = stage === undefined || stage.type === "scan" ? 0 : stage.epochs;
    return { stagesDone, stages: stages.length, name: stage?.name, epochsDone: this.#loaded?.epochs.length ?? 0, epochs };
  }

  /** Does the next stage, or what is left of it. */
  async stage(kept: readonly (readonly Tensor[])[]): Promise<void> {
    const index = this.reports.length;
    const { network, stages, checkpoints, onStage } = this.parts;
    const stage = stages[index];
    const loaded = this.#loaded;
    this.#loaded = undefined;
    const clock = performance.now() - 1000 * (loaded?.stageSeconds ?? 0);
    const seconds = (): number => (performance.now() - clock) / 1000;
    const epochs: TrainedEpoch[] = [...(loaded?.epochs ?? [])];
    const start = loaded?.start ?? (stage.type === "scan" ? undefined : beginStage(network, stage));
    const before = loaded?.before ?? this.#heldOut(index);
    let scan: Sensitivity[] | undefined;
    if (stage.type === "scan") scan = await this.#scan(stage, index);
    else await this.#train(stage, start as StageStart, before, index, epochs, seconds, kept);
    const after = await this.#end(index);
    this.reports.push({ name: stage.name, type: stage.type, epochs, ...(scan && { scan }), before, after, seconds: seconds() });
    await checkpoints?.saveStage(index, network.tensors());
    await checkpoints?.save(network, {
      reports: this.reports,
      epochs: [],
      stageSeconds: 0,
      seconds: this.seconds,
    });
    onStage?.(this.reports[index], index + 1, stages.length);
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
    const { signal, recipe, stages, network, data, seed, threads, checkpoints } = this.parts;
    const from = stage.distill && stages.findIndex(({ name }) => name === stage.distill?.from);
    let since = performance.now();
    await trainStage(stage, start, {
      network,
      data,
      augment: recipe.data?.augment ?? {},
      index,
      seed,
      threads,
      teacher: from === undefined ? undefined : kept[from],
      signal,
      onStep: ({ step, steps, loss }) => this.#tell(stage, index, epochs, loss, step / steps),
      onEpoch: async ({ epoch, loss, learningRate }) => {
        const found = this.#heldOut(index);
        const now = performance.now();
        epochs.push({ epoch, loss, learningRate, ...found, survivors: survivorsOf(network), seconds: (now - since) / 1000 });
        since = now;
        this.#tell(stage, index, epochs, loss, epoch / stage.epochs);
        if (epoch === stage.epochs) return; // the stage's own checkpoint follows
        await checkpoints?.save(network, {
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

  async #scan(stage: NamedStage & ScanStage, index: number): Promise<Sensitivity[]> {
    const { network, data, signal } = this.parts;
    const options = { names: scannedNames(stage.match, network), sparsities: stage.sparsities };
    const steps = sensitivitySteps(network, data.heldOut, options);
    for (;;) {
      const { done, value } = withinStage(index, stage, "held-out", () => steps.next());
      if (done) return value;
      await turn();
      signal?.throwIfAborted();
    }
  }

  #heldOut(index: number): { heldOut: number; heldOutLoss: number } {
    const { network, stages, data } = this.parts;
    const { accuracy, loss } = withinStage(index, stages[index], "held-out", () => network.evaluate(data.heldOut));
    return { heldOut: accuracy, heldOutLoss: loss };
  }

  async #end(index: number): Promise<StageEnd> {
    const { network, recipe } = this.parts;
    const { archive, ratio } = await archiveOf(network.tensors(), recipe);
    return { ...this.#heldOut(index), survivors: survivorsOf(network), bytes: archive.length, ratio };
  }

  #tell(stage: TrainingStage, index: number, epochs: readonly TrainedEpoch[], loss: number, part: number): void {
    const { onProgress, stages } = this.parts;
    if (!onProgress) return;
    const all = [...this.reports.flatMap((report) => report.epochs), ...epochs];
    const done = all.length - epochs.length + part * stage.epochs;
    const mean = all.reduce((sum, epoch) => sum + epoch.seconds, 0) / all.length;
    onProgress({
      name: stage.name,
      stage: index + 1,
      stages: stages.length,
      epoch: Math.min(stage.epochs, epochs.length + 1),
      epochs: stage.epochs,
      done: done / this.#epochsInAll,
      loss,
      heldOut: all[all.length - 1]?.heldOut,
      secondsLeft: all.length > 0 ? mean * (this.#epochsInAll - done) : undefined,
    });
  }
}
