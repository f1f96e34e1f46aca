// TF.js models straight out of an archive: what tf.loadLayersModel and tf.loadGraphModel take in place of an address.

import { type Archive, FormatError, files, type OpenOptions, toFile } from "../decode/index.js";
import { type ArchiveSource, archiveOf, isArchive } from "./source.js";

export type { ArchiveSource } from "./source.js";

/** An entry of a weights manifest, as TF.js has it. */
export interface WeightSpec {
  name: string;
  shape: number[];
  dtype: "float32" | "int32" | "bool" | "string" | "complex64";
  group?: "model" | "optimizer";
  quantization?: { scale?: number; min?: number; dtype: "uint16" | "uint8" | "float16" };
}

/** `tf.io.ModelArtifacts`: the fields of model.json, and the weights. */
export interface Artifacts {
  modelTopology?: Record<string, unknown>;
  weightSpecs: WeightSpec[];
  /** In pieces, all but the last of the same size: no buffer holds all of them. */
  weightData?: ArrayBuffer[];
  getWeightStream?: () => ReadableStream<ArrayBuffer>;
  format?: string;
  generatedBy?: string;
  convertedBy?: string | null;
  signature?: Record<string, unknown>;
  userDefinedMetadata?: Record<string, Record<string, unknown>>;
  modelInitializer?: Record<string, unknown>;
  initializerSignature?: Record<string, unknown>;
}

/** `tf.io.IOHandler`, for loading. */
export interface CoppiceIO {
  load(): Promise<Artifacts>;
}

export interface CoppiceIOOptions extends OpenOptions {
  /** Gives the weights as a stream, of which TF.js makes tensors as they come. For `tf.loadGraphModel` alone: layers models cannot be loaded so. */
  readonly streamWeights?: boolean;
  /** Told the part of the weights that is there, from 0 to 1. What it throws stops the loading, and comes out of it. */
  readonly onProgress?: (fraction: number) => void;
}

/** Bytes of a piece of the weights: as TF.js cuts its own files. TF.js finds a byte fastest where all pieces have the same size. */
const PIECE_BYTES = 2 ** 22;

/**
 * Loads a TF.js model, layers or graph, out of the archive that it was compressed into.
 *
 *     const model = await tf.loadLayersModel(coppiceIO("/model.json.coppice"));
 *
 * Of an archive of a weights manifest alone, `load()` gives what `tf.io.decodeWeights` takes. A stream and a Response can be loaded once, an address again and again.
 *
 * @param source the archive: its address, a Response, a stream, its bytes, or what `open` of `coppice/decode` gave, which stays open
 * @returns what loads: its `load()` throws FormatError where the archive is at fault, `UNSUPPORTED` where it is none of a TF.js model; TypeError where nothing could be fetched; the
 * reason of `options.signal`
 */
export function coppiceIO(source: ArchiveSource, options: CoppiceIOOptions = {}): CoppiceIO {
  return { load: () => load(source, options) };
}

async function load(source: ArchiveSource, options: CoppiceIOOptions): Promise<Artifacts> {
  const archive = await archiveOf(source, options);
  const close = async (): Promise<void> => {
    if (!isArchive(source)) await archive.close();
  };
  let streamed = false;
  try {
    const { weightsManifest, ...model } = await readModel(archive, options.signal);
    const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
    const weights = await Weights.of(archive, weightsManifest, options);
    if (!options.streamWeights) return { ...model, weightSpecs, weightData: await weights.pieces() };
    streamed = true;
    return { ...model, weightSpecs, getWeightStream: () => weights.stream(close) };
  } finally {
    if (!streamed) await close();
  }
}

interface Group {
  readonly paths: readonly string[];
  readonly weights: readonly WeightSpec[];
}

type ModelJson = Omit<Artifacts, "weightSpecs" | "weightData" | "getWeightStream"> & { readonly weightsManifest: readonly Group[] };

/** The first file of the archive's model: model.json, or a weights manifest alone. */
async function readModel(archive: Archive, signal?: AbortSignal): Promise<ModelJson> {
  const [{ path }] = await files(archive);
  const refuse = (): FormatError =>
    new FormatError("UNSUPPORTED", 0, `a TF.js model is wanted, the archive is of ${path ? JSON.stringify(path) : "a model of one file"}`);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  try {
    for await (const chunk of toFile(archive, { path, signal })) {
      // In JSON there is none; in the head of any file of tensors there is.
      if (chunk.includes(0)) throw refuse();
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    throw error instanceof TypeError ? refuse() : error;
  }
  const json = parsed(text);
  const model: unknown = Array.isArray(json) ? { weightsManifest: json } : json;
  if (!isModel(model)) throw refuse();
  return model;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isModel(model: unknown): model is ModelJson {
  const groups = (model as ModelJson | undefined)?.weightsManifest;
  return (
    Array.isArray(groups) && groups.every((group: Partial<Group> | null) => Array.isArray(group?.paths) && Array.isArray(group?.weights))
  );
}

/** The bytes of the files that a manifest names, one after another. */
class Weights {
  readonly #archive: Archive;
  readonly #paths: readonly string[];
  readonly #options: CoppiceIOOptions;
  readonly #byteLength: number;

  private constructor(archive: Archive, paths: readonly string[], options: CoppiceIOOptions, byteLength: number) {
    this.#archive = archive;
    this.#paths = paths;
    this.#options = options;
    this.#byteLength = byteLength;
  }

  /** @throws FormatError `CORRUPT` where the archive has no such file */
  static async of(archive: Archive, groups: readonly Group[], options: CoppiceIOOptions): Promise<Weights> {
    const sizes = new Map((await files(archive)).map(({ path, byteLength }) => [path, byteLength]));
    const paths = groups.flatMap(({ paths }) => paths.map((path) => String(path).replace(/^(?:\.\/)+/, "")));
    let byteLength = 0;
    for (const path of paths) {
      const size = sizes.get(path);
      if (size === undefined) throw new FormatError("CORRUPT", 0, `the model names ${JSON.stringify(path)}, which is not in the archive`);
      byteLength += size;
    }
    return new Weights(archive, paths, options, byteLength);
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, onProgress } = this.#options;
    let done = 0;
    for (const path of this.#paths) {
      for await (const chunk of toFile(this.#archive, { path, signal })) {
        done += chunk.length;
        onProgress?.(done / this.#byteLength);
        yield chunk;
      }
    }
  }

  async pieces(): Promise<ArrayBuffer[]> {
    const pieces: ArrayBuffer[] = [];
    let left = this.#byteLength;
    let piece = new Uint8Array(0);
    let filled = 0;
    for await (const chunk of this.#chunks()) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === piece.length) {
          piece = new Uint8Array(Math.min(PIECE_BYTES, left));
          pieces.push(piece.buffer);
          filled = 0;
        }
        const part = chunk.subarray(at, at + piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        at += part.length;
        left -= part.length;
      }
    }
    return pieces;
  }

  stream(close: () => Promise<void>): ReadableStream<ArrayBuffer> {
    const chunks = this.#chunks();
    let left = this.#byteLength;
    return new ReadableStream<ArrayBuffer>({
      async pull(controller): Promise<void> {
        try {
          const { done, value } = await chunks.next();
          if (value) {
            controller.enqueue(bufferOf(value));
            left -= value.length;
          }
          // TF.js does not read on when it has all.
          if (!done && left > 0) return;
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await close();
      },
      async cancel(): Promise<void> {
        await chunks.return();
        await close();
      },
    });
  }
}

/** A buffer of the chunk's bytes alone. */
function bufferOf(chunk: Uint8Array): ArrayBuffer {
  const whole = chunk.byteLength === chunk.buffer.byteLength ? chunk : chunk.slice();
  return whole.buffer as ArrayBuffer;
}
