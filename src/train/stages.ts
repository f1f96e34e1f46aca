import { mix } from "../nn/mix.js";
import { type GradualPruning, pruneGradually } from "../nn/prune-schedule.js";
import { pruneBySaliency, type SaliencyPruning } from "../nn/saliency.js";
import { type Samples, Sequential } from "../nn/sequential.js";
import { type EpochReport, type StepReport, type Teacher, trainSteps } from "../nn/train.js";
import { turn } from "../pipeline/turn.js";
import type { Tensor } from "../types.js";
import { type Augment, augmentDraws, augmenter } from "./augment.js";
import type { PreparedData } from "./data.js";
import { type NamedStage, type PruneRule, type PruneStage, pruneOf, type ScanStage } from "./plan.js";
import { parameterNames, rulesByTensor } from "./rules.js";

/** A stage that trains. */
export type TrainingStage = Exclude<NamedStage, ScanStage>;

/** Where a stage stands, for its checkpoints. */
export interface StageStart {
  /** Epochs that were done before. */
  readonly epochsDone: number;
  /** The sparsity of each tensor that is pruned gradually, as it was at the beginning. */
  readonly sparsities: Readonly<Record<string, number>>;
}

/** What a stage works with. */
export interface StageWork {
  readonly network: Sequential;
  readonly data: PreparedData;
  readonly augment: Augment;
  /** Its number, from 0. */
  readonly index: number;
  readonly seed: number;
  readonly threads: number;
  /** The weights after the stage from which this one learns. */
  readonly teacher?: readonly Tensor[];
  readonly signal?: AbortSignal;
  onStep(report: StepReport): void;
  onEpoch(report: EpochReport): Promise<void>;
}

/** Samples between two turns of the event loop, in which signals are heard and progress is drawn, last at least that long. */
const TURN_MS = 40;

const DEFAULT_LEARNING_RATE = 0.01;
const DEFAULT_EVERY = 50;
const DEFAULT_TEMPERATURE = 4;
const DEFAULT_WEIGHT = 0.5;

/** Does at once what a stage does at its beginning: prunes, shares, and gives the optimizer a new start. */
export function beginStage(network: Sequential, stage: TrainingStage): StageStart {
  network.resetOptimizer();
  const sparsities: Record<string, number> = {};
  if (stage.type === "prune") {
    for (const [name, rule] of rulesByTensor(stage.rules, parameterNames(network))) {
      if (rule.end === undefined) network.mask(name, pruneOf(rule));
      else sparsities[name] = 1 - network.density(name);
    }
  }
  if (stage.type === "share") {
    for (const [name, { share, rate, reassign }] of rulesByTensor(stage.rules, parameterNames(network)))
      network.share(name, share, { rate, reassign });
  }
  return { epochsDone: 0, sparsities };
}

/**
 * Trains a stage from where it stands to its end. Gives way to the event loop now and then.
 *
 * @throws RangeError naming the stage, and the sample whose loss is not finite; the signal's reason, once it is aborted
 */
export async function trainStage(stage: TrainingStage, start: StageStart, work: StageWork): Promise<void> {
  const { network, data, index, signal } = work;
  const { epochs, batchSize = 128, learningRate = DEFAULT_LEARNING_RATE, optimizer, momentum, weightDecay, schedule } = stage;
  const augment = stage.augment === false ? undefined : augmenter(work.augment, data.shape, data.paper);
  const taught = teaching(stage, work, augment !== undefined);
  const steps = epochs * Math.ceil(data.train.labels.length / batchSize);
  const prune = stage.type === "prune" ? gradualPruning(network, stage, start, steps) : undefined;
  const training = trainSteps(network, taught.samples, {
    epochs,
    epochsDone: start.epochsDone,
    batchSize,
    learningRate,
    ...(optimizer ? { optimizer } : { momentum, weightDecay }),
    schedule,
    seed: mix(work.seed, index),
    threads: work.threads === 1 ? undefined : work.threads,
    augment,
    augmentDraws: augmentDraws(work.augment),
    teacher: taught.teacher,
    onStep: prune,
  });
  try {
    let turned = performance.now();
    for (;;) {
      const next = withinStage(index, stage, "training", () => training.next());
      if (next.done) break;
      if ("epoch" in next.value) await work.onEpoch(next.value);
      else work.onStep(next.value);
      signal?.throwIfAborted();
      if (performance.now() - turned < TURN_MS) continue;
      await turn();
      turned = performance.now();
    }
  } finally {
    training.return();
  }
  network.finish();
}

/**
 * What a network throws in a stage, or of what the stage left, is the recipe's fault: too high a learning rate, most likely.
 *
 * @param samples which ones `body` gives the network
 */
export function withinStage<T>(index: number, { name }: NamedStage, samples: "training" | "held-out" | "test", body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof RangeError) || !/^the loss of sample/.test(error.message)) throw error;
    const message = error.message.replace("sample", `${samples} sample`);
    throw new RangeError(`stages[${index}], ${JSON.stringify(name)}, must keep the loss finite: ${message}`);
  }
}

function gradualPruning(
  network: Sequential,
  stage: PruneStage,
  { sparsities }: StageStart,
  steps: number,
): (report: Pick<StepReport, "step">) => void {
  const schedules: Record<string, GradualPruning> = {};
  const together = new Map<PruneRule, string[]>();
  // Pruning before the first step and after the last is done at those.
  const at = (part: number): number => Math.max(1, Math.round(part * steps));
  const scheduleOf = ({ sparsity = 0, begin = 0, end = 0, every = DEFAULT_EVERY }: PruneRule, from: number): GradualPruning => ({
    from: Math.min(from, sparsity), // what is sparser already stays so
    to: sparsity,
    begin: at(begin),
    end: at(end),
    every,
  });
  for (const [name, rule] of rulesByTensor(stage.rules, parameterNames(network))) {
    if (rule.saliency) together.set(rule, [...(together.get(rule) ?? []), name]);
    else if (rule.end !== undefined && sparsities[name] < (rule.sparsity ?? 0)) schedules[name] = scheduleOf(rule, sparsities[name]);
  }
  const counts = new Map(network.tensors().map(({ name, data }) => [name, data.length / 4]));
  const plans = Array.from(together, ([rule, names]): SaliencyPruning => {
    const weights = names.reduce((sum, name) => sum + counts.get(name)!, 0);
    const pruned = names.reduce((sum, name) => sum + sparsities[name] * counts.get(name)!, 0);
    return { names, rate: rule.saliency?.rate, ...scheduleOf(rule, pruned / weights) };
  });
  const [alone, joined] = [pruneGradually(network, schedules), pruneBySaliency(network, plans)];
  return (report) => {
    alone(report);
    joined(report);
  };
}

/** The samples of a stage, and its teacher: where samples are as they are, what it says of each is asked for but once. */
function teaching({ distill }: TrainingStage, work: StageWork, augmented: boolean): { samples: Samples; teacher?: Teacher } {
  const { train } = work.data;
  if (distill === undefined || work.teacher === undefined) return { samples: train };
  const { temperature = DEFAULT_TEMPERATURE, weight = DEFAULT_WEIGHT } = distill;
  const network = new Sequential(work.network.toJSON(), { variant: work.network.variant });
  network.load(work.teacher);
  if (augmented) return { samples: train, teacher: { network, temperature, weight } };
  return { samples: { ...train, softTargets: { temperature, weight, logits: network.forward(train.inputs) } } };
}
