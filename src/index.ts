// The public API for Node.

export type { Init, Prune, Share } from "./codec/quantize.js";
export { type DecodeOptions, decode, decodeStream, type Header, open, readHeader } from "./decode/index.js";
export { FormatError, type FormatErrorCode } from "./errors.js";
export {
  compress,
  compressFile,
  compressTo,
  decompress,
  decompressFile,
  decompressTo,
  type FileOptions,
  type Input,
  inspect,
  type ModelFile,
  verify,
} from "./pipeline/api.js";
export type { CompressOptions, Progress } from "./pipeline/compress.js";
export { OutputExistsError } from "./pipeline/output.js";
export {
  type Overrides,
  overrideRecipe,
  PRESETS,
  type Preset,
  parseRecipe,
  presetRecipe,
  type Recipe,
  type Rule,
} from "./pipeline/recipe.js";
export type { FileReport, Report, TensorReport } from "./pipeline/report.js";
export type { Comparison, TensorComparison } from "./pipeline/verify.js";
export type { Dtype, Source, Tensor, TensorInfo } from "./types.js";
