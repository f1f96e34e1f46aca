import { deflateRaw } from "pako";
import { coreOf } from "../archive/core.js";
import { type TensorEntry, writeHeader } from "../archive/header.js";
import { MAX_NAME_BYTES, MAX_RANK } from "../archive/limits.js";
import { elementsOf } from "../archive/record.js";
import { writeShell } from "../archive/shell.js";
import { blocksIn, type ReadRange } from "../codec/blocks.js";
import type { PartWork } from "../codec/part.js";
import { dividedWork, type EncodedTensor, encodeTensor, encodeWork } from "../codec/tensor.js";
import { drive } from "../decode/drive.js";
import type { BlockPlace, WorkOptions } from "../decode/options.js";
import { tensorSteps } from "../decode/tensor.js";
import { FormatError } from "../errors.js";
import type { EncodeKernels } from "../kernel-types.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import { type OpenModel, type TensorInfo, tensorByteLength } from "../types.js";
import type { Host, RecordStore, Sink, ThreadOptions } from "./host.js";
import { Meter } from "./progress.js";
import { type Preset, parseRecipe, presetRecipe, type Recipe } from "./recipe.js";
import { fileReport, type Report, type TensorReport, tensorReport } from "./report.js";
import { idleRules, treatmentsOf } from "./treatments.js";
import { Turns } from "./turns.js";

/** What compressing does, and with what. The archive depends on `recipe` or `preset` alone. */
export interface CompressOptions extends WorkOptions, ThreadOptions {
  /** What happens to which tensor; instead of `preset`. */
  readonly recipe?: Recipe;
  /** `default` unless given. */
  readonly preset?: Preset;
  /** Kernels for the calling thread: the engine's unless given. */
  readonly kernels?: EncodeKernels;
}

/** A tensor of so many blocks is divided among the threads. */
const DIVIDED_FROM_BLOCKS = 4;

/** How often a block is worked on: to be counted and to be written; of a lossy tensor, to be sifted before, and given its centroids or compared. */
const EXACT_ROUNDS = 2;
const LOSSY_ROUNDS = 3;

/** Tensors that are worked on at a time, or wait for their turn, for each thread; and their bytes in all, but for a single one. */
const AHEAD = 4;
const AHEAD_BYTES = 1 << 28;

/**
 * Compresses a model: its archive goes to `sink` in order, once all of it is known.
 *
 * @throws FormatError where the model is at fault; TypeError, RangeError where an option is
 */
export async function compressModel(model: OpenModel, sink: Sink, options: CompressOptions, host: Host): Promise<Report> {
  const recipe = options.recipe ? parseRecipe(options.recipe) : presetRecipe(options.preset ?? "default");
  const kernels = options.kernels ?? engineKernels();
  const { tensors } = model;
  checkNames(tensors);
  const treatments = treatmentsOf(recipe, tensors, (index) => model.role?.(index));
  const sizes = tensors.map(({ dtype, shape }) => tensorByteLength(dtype, shape));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);

  const pool = host.pool(tensors, kernels, options);
  const records = host.records();
  try {
    const meter = new Meter(totalBytes, options);
    const places = host.placeReader?.();
    const counted = sizes.map(() => 0);
    const count = (index: number, byteLength: number): void => {
      const more = Math.min(byteLength, sizes[index] - counted[index]);
      counted[index] += more;
      meter.add(tensors[index].name, more);
    };
    const encode = (index: number): Promise<EncodedTensor> => {
      const tensor = plain(tensors[index]);
      const treated = treatments[index];
      const blocks = blocksIn(elementsOf(tensor).elements);
      const rounds = treated.prune || treated.share || treated.round ? LOSSY_ROUNDS : EXACT_ROUNDS;
      const onBlock = (byteLength: number): void => {
        if (blocks > 1) count(index, Math.floor(byteLength / rounds));
      };
      const place = model.place?.(index);
      const bytes =
        place && places && !pool ? places.from(place) : (offset: number, byteLength: number) => model.read(index, offset, byteLength);
      const read: ReadRange = async (offset, byteLength) => {
        await meter.turn();
        return bytes(offset, byteLength);
      };
      const emit = async (piece: Uint8Array): Promise<void> => {
        meter.check();
        await turns.of(index);
        await records.add([piece]);
      };
      if (pool === undefined) return encodeTensor(kernels, tensor, read, treated, { onBlock }, blocks > 1 ? emit : undefined);
      const job = { tensor, place, read, onBlock };
      if (blocks < DIVIDED_FROM_BLOCKS) return pool.encode(job, treated);
      const work = (parts: readonly PartWork[]) => encodeWork(kernels, tensor.dtype, dividedWork(tensor, parts, emit), treated);
      return model.checkedInOrder ? pool.undivided(job, work) : pool.divided(job, work);
    };
    const turns = new Turns();
    const entries: TensorEntry[] = [];
    const reports: TensorReport[] = [];
    let recordBytes = 0;
    for await (const encoded of inOrder(sizes, pool ? AHEAD * pool.threadCount : 1, encode)) {
      meter.check();
      const index = entries.length;
      const { byteLength, pieces } = encoded;
      const { name, dtype, shape } = tensors[index];
      entries.push({ name, dtype, shape, byteLength: sizes[index], recordOffset: recordBytes, recordByteLength: byteLength });
      reports.push(tensorReport(tensors[index], encoded.stats, sizes[index], byteLength, encoded));
      await records.add(pieces);
      recordBytes += byteLength;
      count(index, sizes[index]);
      turns.next();
    }

    const templates = await model.templates({
      exact: (index) => reports[index].exact,
      bytes: (index) => restoredBytes(kernels, records, entries[index], options.signal),
    });
    const shell = writeShell(templates, tensors, (bytes) => deflateRaw(bytes, { level: 9 }));
    const header = writeHeader(entries, shell, (bytes) => kernels.crc32c(bytes));
    await sink(header);
    await records.copyTo(sink);
    const sourceBytes = templates.length > 0 ? model.byteLength : totalBytes;
    return {
      file: fileReport(reports, header.length + recordBytes, header.length, sourceBytes),
      tensors: reports,
      notes: idleRules(recipe, tensors),
    };
  } finally {
    await Promise.all([pool?.close(), records.close()]);
  }
}

/** What decompressing will give for a tensor, block by block: one buffer serves for all, so that a chunk holds until the next. */
async function* restoredBytes(
  kernels: EncodeKernels,
  records: RecordStore,
  entry: TensorEntry,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(0);
  const into = (_: TensorEntry, { byteLength }: BlockPlace): Uint8Array => {
    if (buffer.length < byteLength) buffer = new Uint8Array(byteLength);
    return buffer.subarray(0, byteLength);
  };
  const steps = tensorSteps(coreOf(kernels), entry, { blocks: true, into });
  for await (const { data } of drive(steps, (offset, byteLength) => records.read(offset, byteLength), signal)) yield data;
}

/** Results of `work` in order, with up to `ahead` of it going on, of no more than `AHEAD_BYTES` but for a single one. */
async function* inOrder<T>(sizes: readonly number[], ahead: number, work: (index: number) => Promise<T>): AsyncGenerator<T> {
  const going: { readonly size: number; readonly result: Promise<T> }[] = [];
  let bytes = 0;
  for (let index = 0; index < sizes.length || going.length > 0; ) {
    while (index < sizes.length && going.length < ahead && (going.length === 0 || bytes + sizes[index] <= AHEAD_BYTES)) {
      const size = sizes[index];
      const result = work(index++);
      result.catch(() => undefined); // its turn to be told comes below
      bytes += size;
      going.push({ size, result });
    }
    const next = going[0];
    yield await next.result;
    going.shift();
    bytes -= next.size;
  }
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
