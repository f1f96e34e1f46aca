import type { Sensitivity } from "../nn/prune-schedule.js";
import type { TensorReport } from "../pipeline/report.js";
import type { Stage } from "./plan.js";

/** What an epoch of a stage came to. */
export interface TrainedEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss of the samples, each before the step that it took part in, in nats. */
  readonly loss: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** Accuracy and mean loss on the samples that are held out. */
  readonly heldOut: number;
  readonly heldOutLoss: number;
  /** Weights that are kept. */
  readonly survivors: number;
  readonly seconds: number;
}

/** The network at the end of a stage. */
export interface StageEnd {
  /** Accuracy on the samples that are held out. */
  readonly heldOut: number;
  readonly heldOutLoss: number;
  readonly survivors: number;
  /** Of the archive that it would make, its ratio that of the float32 parameters over them. */
  readonly bytes: number;
  readonly ratio: number;
  /** Accuracy on the test set, which is read when all stages are done, so that none goes by it; undefined where there is none. */
  readonly test?: number;
}

export interface StageReport {
  readonly name: string;
  readonly type: Stage["type"];
  readonly epochs: readonly TrainedEpoch[];
  /** Of a scan: how well the network does with one tensor after the other pruned. */
  readonly scan?: readonly Sensitivity[];
  /** Accuracy on the samples that are held out, once the stage pruned or shared what it does at once, before it trained. */
  readonly before: { readonly heldOut: number; readonly heldOutLoss: number };
  readonly after: StageEnd;
  readonly seconds: number;
}

/** A tensor of the archive. */
export interface TrainedTensor extends TensorReport {
  /** survivors / weights */
  readonly density: number;
}

/** What a training came to. */
export interface TrainingReport {
  readonly seed: number;
  readonly threads: number;
  /** Samples. */
  readonly data: { readonly train: number; readonly heldOut: number; readonly test: number };
  readonly stages: readonly StageReport[];
  readonly tensors: readonly TrainedTensor[];
  readonly archive: {
    readonly bytes: number;
    /** Bytes of the network's tensors as float32. */
    readonly parameterBytes: number;
    readonly ratio: number;
    readonly weights: number;
    readonly survivors: number;
  };
  /** Accuracy on the test set after the first stage that trained, and of the tensors that come out of the archive; undefined where there is no test set. */
  readonly test?: { readonly count: number; readonly before: number; readonly after: number };
  /** Of training and all else, the runs before one that was stopped among them. */
  readonly seconds: number;
}

/** From where a training goes on that was stopped. */
export interface ResumePoint {
  readonly stagesDone: number;
  readonly stages: number;
  /** Of the next stage, or the one that was under way; undefined where all are done. */
  readonly name?: string;
  /** Of that stage. */
  readonly epochsDone: number;
  readonly epochs: number;
}

/** How far a training is. */
export interface TrainingProgress {
  readonly name: string;
  /** From 1. */
  readonly stage: number;
  readonly stages: number;
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The part of all epochs that is done, 0 to 1. */
  readonly done: number;
  /** Of the batch before the last step, in nats. */
  readonly loss: number;
  /** Accuracy on the samples that are held out, after the last epoch; undefined before there was one. */
  readonly heldOut?: number;
  /** Estimated from the epochs so far; undefined before there was one. */
  readonly secondsLeft?: number;
}
