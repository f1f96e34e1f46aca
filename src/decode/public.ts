// What every decoder exports beside its own functions: that of `coppice/decode`, of `coppice/reference` and of `coppice`.

export type { Header, TensorEntry } from "../archive/header.js";
export { FormatError, type FormatErrorCode } from "../errors.js";
export type { Dtype, Source, Tensor, TensorInfo } from "../types.js";
export type { Archive } from "./archive.js";
export { type FileArchive, type FileInfo, files, type ToFileOptions, toFile } from "./file.js";
export type {
  Block,
  BlockOptions,
  BlockPlace,
  BlockStreamOptions,
  DecodeOptions,
  OpenOptions,
  Progress,
  TensorOptions,
  WorkOptions,
} from "./options.js";
