import { checkInteger, checkNumber } from "../check.js";
import { seededRandom } from "../codec/random.js";
import { checkSchedule, type Schedule, scheduleFactor } from "./schedule.js";
import type { Samples, Sequential } from "./sequential.js";

/** How one pass over the samples went. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** How many there are to be. */
  readonly epochs: number;
  /** Mean cross-entropy of the epoch's samples, each before the step that it took part in, in nats. */
  readonly loss: number;
  /** Of the last step of the epoch, as the schedule has it. */
  readonly learningRate: number;
}

/** What a step of a training came to. */
export interface StepReport {
  /** Steps done, this one with them, since the training began. */
  readonly step: number;
  /** Of the whole training. */
  readonly steps: number;
  /** Mean loss of the batch before the step, in nats. */
  readonly loss: number;
}

/** How a network is trained. */
export interface TrainOptions {
  /** Passes over the samples, 0 or more. */
  readonly epochs: number;
  /** Of the first step, 0 or more. */
  readonly learningRate: number;
  /** Samples a step, 128 unless given; the last step of an epoch takes what is left. */
  readonly batchSize?: number;
  /** 0 to 1; 0.9 unless given. */
  readonly momentum?: number;
  /** Added to the gradient of a weight, times the weight; 0 unless given. */
  readonly weightDecay?: number;
  /** `constant` unless given. */
  readonly schedule?: Schedule;
  /** Of the order of the samples and of `augment`: a u32, 1 unless given. */
  readonly seed?: number;
  /** Changes a copy of one sample, f32[in], in place, before it is trained on; `random` gives numbers in [0, 1). */
  readonly augment?: (input: Float32Array, random: () => number) => void;
  /** Called after each step; it may prune and share. What it throws ends the training. */
  readonly onStep?: (report: StepReport) => void;
  /** Called after each epoch. What it throws ends the training; the weights stay as they are then. */
  readonly onEpoch?: (report: EpochReport) => void;
}

/** Fisher and Yates. */
function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}

/**
 * Trains a network by stochastic gradient descent with momentum, the samples shuffled anew for each epoch. Synchronous.
 *
 * @returns the report of each epoch
 * @throws TypeError or RangeError naming the option that is out of range, or the sample (by its place in `samples`) whose label is not a
 * class or whose loss is not finite
 */
export function train(network: Sequential, samples: Samples, options: TrainOptions): EpochReport[] {
  const { epochs, learningRate, batchSize = 128, momentum = 0.9, weightDecay = 0, seed = 1 } = options;
  const schedule = options.schedule ?? { type: "constant" };
  checkInteger(epochs, "epochs", 0, Number.MAX_SAFE_INTEGER);
  checkNumber(learningRate, "learningRate", 0, Number.MAX_VALUE);
  checkInteger(batchSize, "batchSize", 1, 2 ** 24);
  checkNumber(momentum, "momentum", 0, 1);
  checkNumber(weightDecay, "weightDecay", 0, Number.MAX_VALUE);
  checkInteger(seed, "seed", 0, 2 ** 32 - 1);
  checkSchedule(schedule);
  const labels = network.checkSamples(samples);

  const width = network.inputs;
  const count = labels.length;
  const stepsPerEpoch = Math.ceil(count / batchSize);
  const random = seededRandom(seed);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const inputs = new Float32Array(Math.min(batchSize, count) * width);
  const reports: EpochReport[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    let loss = 0;
    let rate = learningRate;
    for (let step = 0; step < stepsPerEpoch; step++) {
      const indices = order.subarray(step * batchSize, (step + 1) * batchSize);
      for (const [i, index] of indices.entries()) {
        const input = inputs.subarray(i * width, (i + 1) * width);
        input.set(samples.inputs.subarray(index * width, (index + 1) * width));
        options.augment?.(input, random);
      }
      const batch = { inputs: inputs.subarray(0, indices.length * width), labels: Array.from(indices, (index) => labels[index]) };
      rate = learningRate * scheduleFactor(schedule, epoch * stepsPerEpoch + step, epochs * stepsPerEpoch, stepsPerEpoch);
      const before = network.step(batch, { learningRate: rate, momentum, weightDecay }, indices);
      loss += indices.length * before;
      options.onStep?.({ step: epoch * stepsPerEpoch + step + 1, steps: epochs * stepsPerEpoch, loss: before });
    }
    const report = { epoch: epoch + 1, epochs, loss: loss / count, learningRate: rate };
    reports.push(report);
    options.onEpoch?.(report);
  }
  return reports;
}
