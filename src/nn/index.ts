// Sequential networks.

export type { Prune, Share } from "../codec/quantize.js";
export type { SgdStep } from "../kernel-types.js";
export type { Variant } from "../kernels/variant.js";
export type { Tensor } from "../types.js";
export type { Mask } from "./mask.js";
export {
  cubicSparsity,
  type GradualPruning,
  pruneGradually,
  type Sensitivity,
  type SensitivityPoint,
  sensitivity,
} from "./prune-schedule.js";
export type { Schedule } from "./schedule.js";
export { type Evaluation, type NetworkOptions, type Samples, Sequential } from "./sequential.js";
export type { Codebook, SharedWeights } from "./shared.js";
export type { LayerSpec, LinearSpec, NetworkSpec, ReluSpec } from "./spec.js";
export { type EpochReport, type StepReport, type TrainOptions, train } from "./train.js";
export { aggregateGradient, CodebookTuner, maskGradient, type TunerStep } from "./tuner.js";
