// Sequential networks.

export type { SgdStep, SoftTargets } from "../kernel-types.js";
export type { Variant } from "../kernels/variant.js";
export type { Tensor } from "../types.js";
export type { AdamOptions, OptimizerOptions, SgdOptions, StepOptions } from "./optimizer.js";
export type { Schedule } from "./schedule.js";
export { type Evaluation, type NetworkOptions, type Samples, Sequential } from "./sequential.js";
export type {
  AveragePool2dSpec,
  BatchNormSpec,
  Conv2dSpec,
  DropoutSpec,
  FlattenSpec,
  LayerSpec,
  LinearSpec,
  MaxPool2dSpec,
  NetworkSpec,
  ReluSpec,
  Size,
} from "./spec.js";
export { type EpochReport, type TrainOptions, train } from "./train.js";
