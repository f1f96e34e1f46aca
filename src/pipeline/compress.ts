import { availableParallelism } from "node:os";
import { deflateRaw } from "pako";
import { type TensorEntry, writeHeader } from "../archive/header.js";
import { MAX_NAME_BYTES, MAX_RANK } from "../archive/limits.js";
import { writeShell } from "../archive/shell.js";
import { checkInteger } from "../check.js";
import { type EncodedTensor, encodeTensor } from "../codec/tensor.js";
import { decodeRecord } from "../decode/decode.js";
import { FormatError } from "../errors.js";
import type { EncodeKernels } from "../kernel-types.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import { type OpenModel, type TensorInfo, tensorByteLength } from "../types.js";
import type { Sink } from "./output.js";
import { EncodePool } from "./pool.js";
import { Meter, type WorkOptions } from "./progress.js";
import { idleRules, type Preset, parseRecipe, presetRecipe, type Recipe, treatmentOf } from "./recipe.js";
import { fileReport, type Report, type TensorReport, tensorReport } from "./report.js";
import { Spool } from "./spool.js";

/** What compressing does, and with what. The archive depends on `recipe` or `preset` alone. */
export interface CompressOptions extends WorkOptions {
  /** What happens to which tensor; instead of `preset`. */
  readonly recipe?: Recipe;
  /** `default` unless given. */
  readonly preset?: Preset;
  /** Worker threads, 1 to 64; 1 works in the calling thread. Unless given, as many as there are processors for a large model. */
  readonly threads?: number;
  /** Kernels for the calling thread: the engine's unless given. */
  readonly kernels?: EncodeKernels;
}

const MOST_THREADS = 64;

/** Below this many bytes starting threads takes longer than they save. */
const THREADS_FROM_BYTES = 1 << 24;

/** How often a tensor is read, about: to be counted and to be written; a lossy one before that for its centroids, and after it for what was lost. */
const EXACT_READINGS = 2;
const LOSSY_READINGS = 6;

/** Records that may be ready before their turn, for each thread. */
const AHEAD = 2;

/**
 * Compresses a model: its archive goes to `sink` in order, once all of it is known.
 *
 * @throws FormatError where the model is at fault; TypeError, RangeError where an option is
 */
export async function compressModel(
  model: OpenModel,
  sink: Sink,
  options: CompressOptions = {},
  temporaryFolder?: string,
): Promise<Report> {
  const recipe = options.recipe ? parseRecipe(options.recipe) : presetRecipe(options.preset ?? "default");
  const treatment = treatmentOf(recipe);
  const kernels = options.kernels ?? engineKernels();
  const { tensors } = model;
  checkNames(tensors);
  const sizes = tensors.map(({ dtype, shape }) => tensorByteLength(dtype, shape));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const threads = threadCount(options, totalBytes, tensors.length);

  const spool = new Spool(temporaryFolder);
  const pool = threads > 1 ? new EncodePool(threads) : undefined;
  try {
    const meter = new Meter(totalBytes, options);
    const counted = sizes.map(() => 0);
    const count = (index: number, byteLength: number): void => {
      const more = Math.min(byteLength, sizes[index] - counted[index]);
      counted[index] += more;
      meter.add(tensors[index].name, more);
    };
    const encode = (index: number): Promise<EncodedTensor> => {
      const job = { tensor: plain(tensors[index]), treatment: treatment(tensors[index]) };
      const readings = job.treatment.prune || job.treatment.share ? LOSSY_READINGS : EXACT_READINGS;
      const read = async (offset: number, byteLength: number) => {
        meter.check();
        const bytes = await model.read(index, offset, byteLength);
        if (byteLength < sizes[index]) count(index, Math.floor(byteLength / readings));
        return bytes;
      };
      return pool ? pool.encode(job, read) : encodeTensor(kernels, job.tensor, read, job.treatment);
    };
    const entries: TensorEntry[] = [];
    const reports: TensorReport[] = [];
    let recordBytes = 0;
    for await (const encoded of inOrder(tensors.length, pool ? AHEAD * threads : 1, encode)) {
      meter.check();
      const index = entries.length;
      const { byteLength, pieces } = encoded;
      entries.push({ ...plain(tensors[index]), byteLength: sizes[index], recordOffset: recordBytes, recordByteLength: byteLength });
      reports.push(tensorReport(tensors[index], encoded.stats, sizes[index], byteLength, encoded));
      await spool.add(pieces);
      recordBytes += byteLength;
      count(index, sizes[index]);
    }

    const templates = await model.templates({
      exact: (index) => reports[index].exact,
      bytes: (index) => restoredBytes(kernels, spool, entries[index]),
    });
    const shell = writeShell(templates, tensors, (bytes) => deflateRaw(bytes, { level: 9 }));
    const header = writeHeader(entries, shell, (bytes) => kernels.crc32c(bytes));
    await sink(header);
    await spool.copyTo(sink);
    const sourceBytes = templates.length > 0 ? model.byteLength : totalBytes;
    return {
      file: fileReport(reports, header.length + recordBytes, header.length, sourceBytes),
      tensors: reports,
      notes: idleRules(recipe, tensors),
    };
  } finally {
    await Promise.all([pool?.close(), spool.close()]);
  }
}

/** What decompressing will give for a tensor. */
async function* restoredBytes(kernels: EncodeKernels, spool: Spool, entry: TensorEntry): AsyncGenerator<Uint8Array> {
  const record = await spool.read(entry.recordOffset, entry.recordByteLength);
  yield decodeRecord(kernels, { ...entry, recordOffset: 0 }, record).data;
}

/** Results of `work` in order, with up to `ahead` of it going on. */
async function* inOrder<T>(count: number, ahead: number, work: (index: number) => Promise<T>): AsyncGenerator<T> {
  const going: Promise<T>[] = [];
  for (let index = 0; index < count || going.length > 0; ) {
    while (index < count && going.length < ahead) {
      const next = work(index++);
      next.catch(() => undefined); // its turn to be told comes below
      going.push(next);
    }
    yield await (going.shift() as Promise<T>);
  }
}

function threadCount({ threads }: CompressOptions, totalBytes: number, tensors: number): number {
  if (threads !== undefined) checkInteger(threads, "threads", 1, MOST_THREADS);
  const wanted = threads ?? (totalBytes < THREADS_FROM_BYTES ? 1 : Math.min(availableParallelism(), MOST_THREADS));
  return Math.min(wanted, Math.max(1, tensors));
}

/** What the archive cannot hold. */
function checkNames(tensors: readonly TensorInfo[]): void {
  for (const { name, shape } of tensors) {
    if (new TextEncoder().encode(name).length > MAX_NAME_BYTES)
      throw new FormatError("LIMIT", 0, `a tensor name of ${name.length} characters`);
    if (shape.length > MAX_RANK)
      throw new FormatError("LIMIT", 0, `${JSON.stringify(name)} has ${shape.length} axes, an archive holds ${MAX_RANK}`);
  }
}

/** Only what a message to a worker thread should carry. */
function plain({ name, dtype, shape }: TensorInfo): TensorInfo {
  return { name, dtype, shape: [...shape] };
}
