// Sequential networks.

export type { Prune, Share } from "../codec/quantize.js";
export type { SgdStep, SoftTargets } from "../kernel-types.js";
export type { Variant } from "../kernels/variant.js";
export type {
  AveragePool2dSpec,
  BatchNormSpec,
  Conv2dSpec,
  DropoutSpec,
  FlattenSpec,
  LayerSpec,
  LinearSpec,
  LocalResponseNormSpec,
  MaxPool2dSpec,
  NetworkSpec,
  ReluSpec,
  Size,
} from "../network/spec.js";
export type { Tensor } from "../types.js";
export type { Mask } from "./mask.js";
export type { AdamOptions, OptimizerOptions, SgdOptions, StepOptions } from "./optimizer.js";
export {
  cubicSparsity,
  type GradualPruning,
  pruneGradually,
  type Sensitivity,
  type SensitivityPoint,
  sensitivity,
} from "./prune-schedule.js";
export { pruneBySaliency, type SaliencyPruning } from "./saliency.js";
export type { Schedule } from "./schedule.js";
export { type Evaluation, type NetworkOptions, type Samples, Sequential } from "./sequential.js";
export type { Codebook, SharedWeights, ShareOptions } from "./shared.js";
export { type EpochReport, type StepReport, type Teacher, type TrainOptions, train, trainSteps } from "./train.js";
export { aggregateGradient, CodebookTuner, maskGradient, type TunerStep } from "./tuner.js";
