// Two models, run side by side: onnxruntime-node is asked for when a model is opened.

export type { Input } from "../pipeline/api.js";
export { MissingPackageError } from "../runtime/node/runtime.js";
export { type ArrayOptions, readArrays } from "./array-file.js";
export { arraySamples } from "./arrays.js";
export type { OutputComparison } from "./compare.js";
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.js";
export { type ImageOptions, readImages } from "./images.js";
export type { FileOptions } from "./input-file.js";
export { readLabels } from "./labels.js";
export { randomSamples } from "./random.js";
export type { Accuracy } from "./scoring.js";
export { openOnnxModel } from "./session.js";
export type { Shapes } from "./shapes.js";
export type { Run, RunnableModel, RunOptions, RunPlan, Samples, Signature, ValueInfo } from "./types.js";
export type { ValueDtype } from "./values.js";
