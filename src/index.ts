// The public API for Node.

export type { TensorError, TensorErrors } from "./codec/errors.js";
export type { Contexts, Init, Prune, Round, Share } from "./codec/quantize.js";
export * from "./decode/public.js";
export type { Coding, EncodeKernels } from "./kernel-types.js";
export {
  type ArchiveOptions,
  compress,
  compressFile,
  compressTo,
  type DecompressOptions,
  decompress,
  decompressFile,
  decompressTo,
  type FileOptions,
  type Input,
  inspect,
  type ModelFile,
  verify,
} from "./pipeline/api.js";
export type { CompressOptions } from "./pipeline/compress.js";
export type { Target } from "./pipeline/convert.js";
export { decode, decodeStream, open, readHeader } from "./pipeline/decode.js";
export type { Sink } from "./pipeline/host.js";
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
