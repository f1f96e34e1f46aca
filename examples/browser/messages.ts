import type { Preset } from "../../src/pipeline/recipe.js";
import type { Report } from "../../src/pipeline/report.js";
import type { TensorInfo } from "../../src/types.js";
import type { Look } from "./look.js";
import type { Reader } from "./network.js";

// What the page and its worker say to each other.

/** How to compress: a preset, and what of it is asked for otherwise. */
export interface Choice {
  readonly preset: Preset;
  readonly bits?: number;
  readonly sparsity?: number;
}

/** To the worker. A new file or compression stops the one before. */
export type Wish =
  /** A file, or the address of one. */
  | { readonly kind: "open"; readonly name: string; readonly from: Blob | string }
  | { readonly kind: "compress"; readonly choice: Choice }
  /** What there is to see of a tensor of the file that is open; the answer has the same number. */
  | { readonly kind: "look"; readonly tensor: number; readonly number: number }
  | { readonly kind: "stop" };

/** From the worker. */
export type News =
  | { readonly kind: "progress"; readonly doing: string; readonly doneBytes: number; readonly totalBytes: number }
  /** A tensor of an archive that is being streamed. */
  | { readonly kind: "arrived"; readonly tensor: TensorInfo }
  /** A model that is not compressed yet was opened. */
  | { readonly kind: "model"; readonly name: string; readonly byteLength: number; readonly tensors: readonly TensorInfo[] }
  | {
      readonly kind: "archive";
      readonly name: string;
      readonly report: Report;
      /** Where the archive holds a network that reads digits. */
      readonly network?: Reader;
      /** Of a compression: the archive, and how long it took. */
      readonly made?: { readonly file: Blob; readonly milliseconds: number };
    }
  | { readonly kind: "look"; readonly number: number; readonly look: Look | undefined }
  /** `file`: what was to be opened, or is open. */
  | { readonly kind: "failed"; readonly text: string; readonly file?: string }
  | { readonly kind: "stopped" };
