import { stat } from "node:fs/promises";
import path from "node:path";
import { concat } from "../archive/bytes.js";
import type { OpenOptions, WorkOptions } from "../decode/options.js";
import { FormatError } from "../errors.js";
import { bytesSource } from "../formats/bytes-source.js";
import { ModelFolder } from "../formats/folder.js";
import { openModel } from "../formats/index.js";
import { fileSource } from "../formats/source.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import type { OpenModel, Place, Source, Tensor } from "../types.js";
import { openArchive, type PlannedArchive } from "./archive.js";
import { type CompressOptions, compressModel } from "./compress.js";
import { filesAs, type Target } from "./convert.js";
import { denseByteLength, fileReader } from "./decompress.js";
import type { Sink, ThreadOptions } from "./host.js";
import { inspectArchive } from "./inspect.js";
import { nodeHost } from "./node-host.js";
import { placeOf, writeAllWhole, writeWhole } from "./output.js";
import { Pool } from "./pool.js";
import { Meter } from "./progress.js";
import type { Report } from "./report.js";
import { tensorsModel } from "./tensors.js";
import { checkThreads, threadCount } from "./threads.js";
import { type BlockJob, FileUnpacker, type Unpacking, unpackHere } from "./unpack.js";
import { type Comparison, verifyArchive } from "./verify.js";

/** Below this many bytes of tensors starting threads takes longer than they save. */
const UNPACK_THREADS_FROM_BYTES = 1 << 27;

/** Blocks that may wait for each thread. */
const AHEAD = 3;

/** A file's path, or its bytes. */
export type Input = string | Uint8Array;

/** One file of a model. */
export interface ModelFile {
  /** Relative to the model, with `/`; `""` for a model of one file. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** How files are written. */
export interface FileOptions {
  /** Overwrite what is there; the new file keeps the mode bits of the old one. Unless set, that is an OutputExistsError. */
  readonly force?: boolean;
}

/** How an archive is read. */
export interface ArchiveOptions extends OpenOptions, WorkOptions {}

/** How a model is given back. */
export interface DecompressOptions extends ArchiveOptions {
  /** As one file of this format, instead of the files that were compressed. Of PyTorch's tensors that share bytes it has the one that the archive lists. */
  readonly to?: Target;
}

async function sourceOf(input: Input): Promise<Source> {
  if (typeof input === "string") return fileSource(input);
  if (input instanceof Uint8Array) return bytesSource(input);
  throw new TypeError("input must be a path or a Uint8Array");
}

/** `work` with what `open` gives, closed after it. */
async function using<T extends { close(): Promise<void> }, R>(opened: Promise<T>, work: (opened: T) => Promise<R>): Promise<R> {
  const it = await opened;
  try {
    return await work(it);
  } finally {
    await it.close();
  }
}

/** What `open` makes of a source, which is closed where that fails. */
async function opening<T>(source: Source, open: (source: Source) => Promise<T>): Promise<T> {
  try {
    return await open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function modelOf(input: Input | readonly Tensor[]): Promise<OpenModel> {
  if (Array.isArray(input)) return tensorsModel(input);
  if (typeof input !== "string") return opening(await sourceOf(input as Input), (source) => openModel(source));
  const file = await fileSource(input);
  const folder = new ModelFolder(input);
  const close = async (): Promise<void> => {
    await folder.close();
    await file.close();
  };
  return opening({ ...file, close }, (source) => openModel(source, { name: input, beside: (other) => folder.open(other) }));
}

/** An archive, and where its bytes stand, of a file. */
interface OpenArchive {
  readonly archive: PlannedArchive;
  readonly place: Place | undefined;
  close(): Promise<void>;
}

async function archiveOf(input: Input, options: OpenOptions): Promise<OpenArchive> {
  return opening(await sourceOf(input), async (source) => {
    const archive = await openArchive(source, engineKernels(), options);
    return { archive, place: source.place, close: () => archive.close() };
  });
}

/**
 * Compresses a model into `sink`, which gets the archive's bytes in order.
 *
 * @param input a model file's path or bytes (ONNX, safetensors, PyTorch, Keras, npy, npz), or tensors; the files of a model that are beside it are found by its path
 * @throws FormatError where the model is at fault; TypeError, RangeError where an option is; what the system throws where a file cannot be read
 */
export function compressTo(input: Input | readonly Tensor[], sink: Sink, options: CompressOptions = {}): Promise<Report> {
  return using(modelOf(input), (model) => compressModel(model, sink, options, nodeHost()));
}

/** Compresses a model into memory. See `compressTo`. */
export async function compress(
  input: Input | readonly Tensor[],
  options: CompressOptions = {},
): Promise<{ archive: Uint8Array; report: Report }> {
  const chunks: Uint8Array[] = [];
  const report = await compressTo(input, async (chunk) => void chunks.push(chunk), options);
  return { archive: concat(chunks), report };
}

/**
 * Compresses a model into a file, which appears whole or not at all. See `compressTo`.
 *
 * @throws OutputExistsError where `output` is there and `force` is not set
 */
export function compressFile(
  input: Input | readonly Tensor[],
  output: string,
  options: CompressOptions & FileOptions = {},
): Promise<Report> {
  return using(modelOf(input), (model) =>
    writeWhole(output, options.force ?? false, (sink) => compressModel(model, sink, options, nodeHost(path.dirname(output)))),
  );
}

/**
 * Gives the files of a model back, from the archive's path or bytes. An archive of tensors alone comes back as one safetensors file.
 *
 * @throws FormatError where the archive is at fault
 */
export function decompress(input: Input, options: DecompressOptions = {}): Promise<ModelFile[]> {
  return using(archiveOf(input, options), async ({ archive }) => {
    const templates = filesAs(archive, options.to);
    const meter = new Meter(denseByteLength(archive, templates), options);
    const bytesOf = fileReader(archive, meter);
    const files: ModelFile[] = [];
    for (const file of templates) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytesOf(file)) chunks.push(chunk);
      files.push({ path: file.path, bytes: concat(chunks) });
    }
    return files;
  });
}

/**
 * Writes the one file of an archive's model into `sink`, in order, and so in one thread.
 *
 * @throws FormatError where the archive is at fault, and `UNSUPPORTED` where its model has several files
 */
export async function decompressTo(input: Input, sink: Sink, options: DecompressOptions & ThreadOptions = {}): Promise<void> {
  checkThreads(options.threads);
  return using(archiveOf(input, options), async ({ archive }) => {
    const files = filesAs(archive, options.to);
    if (files.length > 1) throw new FormatError("UNSUPPORTED", 0, `the model has ${files.length} files, which need a folder`);
    const meter = new Meter(denseByteLength(archive, files), options);
    for await (const chunk of fileReader(archive, meter)(files[0])) await sink(chunk);
  });
}

/**
 * Writes the files of an archive's model: the one file to `output`, several into the folder `output`. Each appears whole or not at all, and none before all are written.
 *
 * @param output the file or folder, or what gives it, told the paths of the model's files: one that may be `""`, or several
 * @returns the paths written
 * @throws FormatError where the archive is at fault; OutputExistsError where a file is there and `force` is not set
 */
export function decompressFile(
  input: Input,
  output: string | ((paths: readonly string[]) => string),
  options: DecompressOptions & FileOptions & ThreadOptions = {},
): Promise<string[]> {
  return using(archiveOf(input, options), async ({ archive, place }) => {
    const { force = false } = options;
    const templates = filesAs(archive, options.to);
    const meter = new Meter(denseByteLength(archive, templates), options);
    const to = typeof output === "string" ? output : output(templates.map((file) => file.path));
    if (templates.length > 1) await checkFolder(to, templates.length);
    const paths = templates.map((file) => path.join(to, ...file.path.split("/")));
    for (const one of paths) await placeOf(one, force);
    await unpacked(
      archive,
      place,
      threadCount(options.threads, archive.header.tensors, UNPACK_THREADS_FROM_BYTES),
      options.signal,
      async (unpacking) => {
        const unpacker = new FileUnpacker(archive, meter, unpacking);
        await writeAllWhole(paths, force, (index, _, fd) => unpacker.write(templates[index], fd));
      },
    );
    return paths;
  });
}

/** @throws TypeError where something else than a folder is there */
async function checkFolder(output: string, fileCount: number): Promise<void> {
  const there = await stat(output).catch(() => undefined);
  if (there && !there.isDirectory())
    throw new TypeError(`output must name a folder for the ${fileCount} files of the model, got ${JSON.stringify(output)}`);
}

/** `work` with who decodes blocks. */
async function unpacked(
  archive: PlannedArchive,
  place: Place | undefined,
  threads: number,
  signal: AbortSignal | undefined,
  work: (unpacking: Unpacking) => Promise<void>,
): Promise<void> {
  if (threads === 1) return work(unpackHere(archive));
  const pool = new Pool(threads, engineKernels(), signal);
  const block = async ({ span }: BlockJob) => place ?? (await archive.bytes(span.offset, span.byteLength)).slice();
  try {
    await work({ ahead: AHEAD * threads, unpack: async (job) => pool.unpack(job, await block(job)), stop: () => pool.close() });
  } finally {
    await pool.close();
  }
}

/**
 * What an archive holds, tensor by tensor.
 *
 * @throws FormatError where the archive is at fault
 */
export function inspect(input: Input, options: ArchiveOptions = {}): Promise<Report> {
  return using(archiveOf(input, options), ({ archive }) => inspectArchive(archive, engineKernels(), options));
}

/**
 * Compares a model with an archive of it.
 *
 * @throws FormatError where one of them is at fault
 */
export function verify(model: Input, archive: Input, options: ArchiveOptions = {}): Promise<Comparison> {
  return using(modelOf(model), (opened) =>
    using(archiveOf(archive, options), (held) => verifyArchive(opened, held.archive, engineKernels(), options)),
  );
}
