// Training stage by stage, from samples to an archive.

export type { NetworkSpec, Tensor } from "../nn/index.js";
export type { Augment, ImageShape } from "./augment.js";
export { removeCheckpoints } from "./checkpoint.js";
export { type Dataset, type Images, readDataset } from "./data.js";
export { type TrainedFiles, trainFile, type WrittenFile } from "./file.js";
export {
  type DataRecipe,
  type Distill,
  type Match,
  type PruneRule,
  type PruneStage,
  parseTrainingRecipe,
  type ScanStage,
  type ShareRule,
  type ShareStage,
  type Stage,
  type TrainingFields,
  type TrainingRecipe,
  type TrainStage,
} from "./plan.js";
export type { ResumePoint, StageEnd, StageReport, TrainedEpoch, TrainedTensor, TrainingProgress, TrainingReport } from "./report.js";
export { parseNetwork, type TrainArchiveOptions, type TrainedArchive, trainArchive } from "./train.js";
