// Two models, run side by side: onnxruntime-node is asked for when a model is opened.

export type { Input } from "../pipeline/api.js";
export { MissingPackageError } from "../runtime/node/runtime.js";
export { type ArrayOptions, arraySamples, readArrays } from "./arrays.js";
export type { OutputComparison } from "./compare.js";
export { type Accuracy, type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.js";
export { type ImageOptions, readImages, readLabels } from "./images.js";
export { randomSamples } from "./random.js";
export { openOnnxModel } from "./session.js";
export type { Run, RunnableModel, RunOptions, RunPlan, Samples, Signature, ValueInfo } from "./types.js";
export type { ValueDtype } from "./values.js";
