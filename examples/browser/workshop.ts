import { concat } from "../../src/archive/bytes.js";
import { MAGIC } from "../../src/archive/limits.js";
import { valuesOf } from "../../src/codec/errors.js";
import { decodeStream, type WorkOptions } from "../../src/decode/index.js";
import { FormatError } from "../../src/errors.js";
import { openSafetensors } from "../../src/formats/safetensors.js";
import { engineKernels } from "../../src/kernels/engine-kernels.js";
import { openArchive, type PlannedArchive } from "../../src/pipeline/archive.js";
import { compressModel } from "../../src/pipeline/compress.js";
import { inspectArchive } from "../../src/pipeline/inspect.js";
import { memoryHost } from "../../src/pipeline/memory-host.js";
import { overrideRecipe, presetRecipe } from "../../src/pipeline/recipe.js";
import type { Report } from "../../src/pipeline/report.js";
import { isFloatDtype, type OpenModel, type TensorInfo, tensorByteLength } from "../../src/types.js";
import { blobSource, chunksOf } from "./blob-source.js";
import { centroidsOf, histogramOf, type Look, patternOf, type Range, rangeOf, type Weights } from "./look.js";
import type { Choice } from "./messages.js";
import { type Reader, specOf } from "./network.js";

export interface OpenOptions {
  /** Told how many bytes have come. */
  readonly watch: (byteLength: number) => void;
  /** Told of each tensor of an archive as soon as its bytes have come. */
  readonly onTensor: (tensor: TensorInfo) => void;
}

/** Bytes of a block of 2^20 elements of 8 bytes. */
const MOST_BLOCK_BYTES = 1 << 23;

/** Bytes of a model that are read at a time. */
const STEP_BYTES = 1 << 22;

/** The file that is open: a model, an archive, or a model and the archive that was made of it. */
export class Workshop {
  readonly name: string;
  readonly model: OpenModel | undefined;
  archive: PlannedArchive | undefined;

  private constructor(name: string, model: OpenModel | undefined, archive: PlannedArchive | undefined) {
    this.name = name;
    this.model = model;
    this.archive = archive;
  }

  /**
   * Opens what a stream brings. An archive is decoded as it comes, and so proven to be whole; then it is read by range.
   *
   * @param from the file, where that is what the stream is of
   */
  static async open(name: string, stream: ReadableStream<Uint8Array>, from: Blob | string, options: OpenOptions): Promise<Workshop> {
    const kept: Uint8Array<ArrayBuffer>[] = [];
    const chunks = chunksOf(stream, options.watch);
    let head: Uint8Array = new Uint8Array(0);
    async function* whole(): AsyncGenerator<Uint8Array> {
      for (let next = head; ; ) {
        if (typeof from === "string") kept.push(next.slice());
        yield next;
        const { done, value } = await chunks.next();
        if (done) return;
        next = value;
      }
    }
    let isArchive = false;
    try {
      while (head.length < MAGIC.length) {
        const { done, value } = await chunks.next();
        if (done) break;
        head = concat([head, value]);
      }
      isArchive = MAGIC.every((byte, i) => head[i] === byte);
      if (isArchive) {
        const buffer = new Uint8Array(MOST_BLOCK_BYTES);
        const into = (_: TensorInfo, { byteLength }: { byteLength: number }): Uint8Array => buffer.subarray(0, byteLength);
        for await (const { tensor, offset, data } of decodeStream(whole(), { blocks: true, into }))
          if (offset + data.length === tensor.byteLength) options.onTensor(tensor);
      } else if (typeof from === "string") {
        for await (const _ of whole());
      }
    } finally {
      await chunks.return(undefined);
    }
    const source = blobSource(typeof from === "string" ? new Blob(kept) : from);
    if (isArchive) return new Workshop(name, undefined, await openArchive(source, engineKernels()));
    // A safetensors header is JSON, after its length.
    if ((await source.read(8, 1))[0] !== 0x7b)
      throw new FormatError("MAGIC", 0, "not a file of a format that this page reads (coppice, safetensors); the command line reads more");
    return new Workshop(name, await openSafetensors(source), undefined);
  }

  /** What the archive holds, as `coppice inspect` tells it. */
  inspect(options: WorkOptions): Promise<Report> {
    return inspectArchive(this.archive!, engineKernels(), options);
  }

  /** Compresses the model: its archive is the one that Node makes, byte for byte. */
  async compress({ preset, bits, sparsity }: Choice, options: WorkOptions): Promise<{ report: Report; file: Blob }> {
    if (this.model === undefined) throw new Error("only a safetensors file can be compressed");
    const recipe = overrideRecipe(presetRecipe(preset), { bits, prune: sparsity === undefined ? undefined : { sparsity } });
    const chunks: Uint8Array[] = [];
    const report = await compressModel(this.model, async (chunk) => void chunks.push(chunk), { ...options, recipe }, memoryHost);
    const file = new Blob([concat(chunks) as Uint8Array<ArrayBuffer>]);
    this.archive = await openArchive(blobSource(file), engineKernels());
    return { report, file };
  }

  /** The archive as bytes, where it is a network that reads digits. */
  async network(): Promise<Reader | undefined> {
    const archive = this.archive!;
    const { tensors } = archive.header;
    const spec = specOf(tensors);
    if (spec === undefined) return undefined;
    // Records end where the archive does.
    const end = Math.max(...tensors.map(({ recordOffset, recordByteLength }) => recordOffset + recordByteLength));
    return { spec, archive: (await archive.read(0, end)).slice() };
  }

  /** What there is to see of a tensor, whose record alone is read; nothing where its elements are not floating. */
  async look(index: number): Promise<Look | undefined> {
    const info = (this.archive?.header.tensors ?? this.model!.tensors)[index];
    if (!isFloatDtype(info.dtype) || info.shape.includes(0)) return undefined;
    const before = this.model && this.#modelWeights(this.model, index);
    const after = this.archive && this.#archiveWeights(this.archive, index);
    const range = widest(before && (await rangeOf(before)), after && (await rangeOf(after)));
    const { pattern, survivors } = await patternOf((after ?? before)!, info.shape);
    const codebook = this.archive && (await this.archive.plan(this.archive.header.tensors[index])).codebook;
    const shared = codebook && codebook.length > 0;
    return {
      weights: info.shape.reduce((product, axis) => product * axis, 1),
      survivors,
      range,
      before: before && (await histogramOf(before, range)),
      after: after && !shared ? await histogramOf(after, range) : undefined,
      centroids: after && shared ? await centroidsOf(after, valuesOf(engineKernels(), codebook, info.dtype)) : undefined,
      pattern,
    };
  }

  #archiveWeights(archive: PlannedArchive, index: number): Weights {
    const entry = archive.header.tensors[index];
    return async function* () {
      for await (const block of archive.blocks(entry)) if (isFloatDtype(entry.dtype)) yield valuesOf(engineKernels(), block, entry.dtype);
    };
  }

  #modelWeights(model: OpenModel, index: number): Weights {
    const { dtype, shape } = model.tensors[index];
    const byteLength = tensorByteLength(dtype, shape);
    return async function* () {
      for (let at = 0; at < byteLength && isFloatDtype(dtype); at += STEP_BYTES)
        yield valuesOf(engineKernels(), await model.read(index, at, Math.min(STEP_BYTES, byteLength - at)), dtype);
    };
  }
}

function widest(...ranges: readonly (Range | undefined)[]): Range {
  const known = ranges.filter((range) => range !== undefined);
  return { low: Math.min(...known.map(({ low }) => low)), high: Math.max(...known.map(({ high }) => high)) };
}
