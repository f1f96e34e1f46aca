import { FormatError } from "../errors.js";
import type { OpenModel, Source } from "../types.js";
import { h5Offset } from "./h5-file.js";
import { isJson, openJson } from "./json-model.js";
import { isH5, isKerasZip, openKeras, openKerasZip } from "./keras.js";
import { NPY_MAGIC, openNpy } from "./npy.js";
import { openNpz } from "./npz.js";
import { isOnnx, openOnnx } from "./onnx.js";
import { isPytorchLegacy, openPytorchLegacy } from "./pytorch-legacy.js";
import { isPytorchZip, openPytorchZip } from "./pytorch-zip.js";
import { readAhead } from "./read-ahead.js";
import { openSafetensors } from "./safetensors.js";
import { readZip } from "./zip.js";

export { safetensorsHeader } from "../archive/safetensors-header.js";
export { bytesSource } from "./bytes-source.js";
export { openKeras } from "./keras.js";
export { openNpy } from "./npy.js";
export { openNpz } from "./npz.js";
export { openOnnx } from "./onnx.js";
export { openSafetensors } from "./safetensors.js";
export { fileSource } from "./source.js";

/** What is known of a model beside its bytes. */
export interface OpenHint {
  /** File name, from which a tensor that has no name of its own takes one. */
  readonly name?: string;
  /**
   * Opens a file of the model beside the one that is opened, by its relative path with `/`. The source is closed with that of the model, by who gave it.
   * Undefined where there is nothing beside: of bytes, or a stream.
   *
   * @throws FormatError where the path leaves the model's folder, or there is no such file
   */
  readonly beside?: (path: string) => Promise<Source>;
}

export interface Format {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Whether a file that starts with `head`, its first bytes, is of this format. */
  detect(head: Uint8Array): boolean;
  open(source: Source, hint: OpenHint): Promise<OpenModel>;
}

/** Enough of a file for every `detect`. */
const HEAD_BYTES = 16;

const startsWith = (head: Uint8Array, magic: ArrayLike<number>): boolean =>
  head.length >= magic.length && Array.from(magic).every((byte, i) => head[i] === byte);

/** "models/fc1.npy" gives "fc1.npy". */
function base(name: string | undefined): string | undefined {
  return name?.split(/[\\/]/).at(-1) || undefined;
}

/** "models/fc1.npy" gives "fc1". */
function stem(name: string | undefined): string | undefined {
  return base(name)?.replace(/(?<=.)\.[^.]*$/, "");
}

/** A local header, or the end record of a zip with no members. */
function isZip(head: Uint8Array): boolean {
  return startsWith(head, [0x50, 0x4b, 3, 4]) || startsWith(head, [0x50, 0x4b, 5, 6]);
}

/** Which of the formats that are a zip it is, the names of its members say. */
async function openZip(file: Source, hint: OpenHint): Promise<OpenModel> {
  const source = readAhead(file);
  const zip = await readZip(source);
  if (isPytorchZip(zip)) return openPytorchZip(source, zip, stem(hint.name));
  return isKerasZip(zip) ? openKerasZip(source, zip) : openNpz(source, zip);
}

/** The names of the formats, for messages. */
const names = (): string => FORMATS.map(({ name }) => name).join(", ");

/** Formats in the order in which they are tried. */
export const FORMATS: readonly Format[] = [
  {
    name: "json",
    extensions: [".json"],
    detect: isJson,
    open: (source, hint) => openJson(source, hint, (shard) => openModel(shard)),
  },
  {
    name: "npy",
    extensions: [".npy"],
    detect: (head) => startsWith(head, NPY_MAGIC),
    open: (source, hint) => openNpy(source, stem(hint.name)),
  },
  {
    name: "npz",
    extensions: [".npz"],
    detect: isZip,
    open: openZip,
  },
  {
    name: "pytorch",
    extensions: [".pt", ".pth", ".th", ".bin", ".ckpt"],
    // Its newer form is a zip, which is told above.
    detect: isPytorchLegacy,
    open: (source, hint) => openPytorchLegacy(source, stem(hint.name)),
  },
  {
    name: "keras",
    // `.keras` is a zip, which is told above.
    extensions: [".h5", ".hdf5", ".keras"],
    detect: isH5,
    open: (source) => openKeras(source),
  },
  {
    name: "onnx",
    extensions: [".onnx"],
    detect: isOnnx,
    open: (source, { name, beside }) => openOnnx(source, base(name), beside),
  },
  {
    name: "safetensors",
    extensions: [".safetensors"],
    detect: (head) => head[8] === 0x7b,
    open: (source) => openSafetensors(source),
  },
];

/**
 * Opens a model file of any format, which is told by its first bytes.
 *
 * @throws FormatError `MAGIC` where no format has such bytes; the source stays the caller's whenever it throws.
 */
export async function openModel(source: Source, hint: OpenHint = {}): Promise<OpenModel> {
  const head = (await source.read(0, Math.min(HEAD_BYTES, source.byteLength))).slice();
  const format = FORMATS.find(({ detect }) => detect(head));
  if (format) return format.open(source, hint);
  const offset = await h5Offset(source);
  if (offset !== undefined) return openKeras(source, offset);
  // The shortest file whose format can be told has a safetensors header of one byte.
  if (head.length <= 8) throw new FormatError("TRUNCATED", head.length, "too short for a model file");
  throw new FormatError("MAGIC", 0, `not a model file of a known format (${names()})`);
}
