import { createReadStream, rmSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { FormatError } from "../errors.js";
import type { Input } from "../index.js";
import { UsageError } from "./usage.js";

/** A model or an archive that the command line names. */
export interface OpenedInput {
  readonly input: Input;
  /** For messages. */
  readonly title: string;
  close(): Promise<void>;
}

/** Up to this many bytes of a stream stay in memory; more go to a temporary file, as a model may be larger than the memory. */
const MEMORY_BYTES = 1 << 26;

/** A .npy file names its one tensor by its file; from a stream it is called the same, whether that is in memory or in a file. */
const SPOOL_NAME = "array";

/**
 * Finds what `name` names: a file, `-` for standard input, or a pipe, which is read to its end.
 *
 * @throws UsageError where there is nothing to read
 */
export async function openInput(name: string, signal: AbortSignal): Promise<OpenedInput> {
  if (name === "-") {
    if (process.stdin.isTTY) throw new UsageError("standard input is a terminal; name a file, or pipe one in");
    return spooled(process.stdin, "standard input", signal);
  }
  const stats = await stat(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new UsageError(`${name || "the empty name"}: there is no such file`);
    throw error;
  });
  if (stats.isDirectory()) throw new UsageError(`${name} is a folder; name a file`);
  if (!stats.isFile()) return spooled(createReadStream(name), name, signal);
  return { input: name, title: name, close: async () => undefined };
}

async function spooled(stream: AsyncIterable<Uint8Array>, title: string, signal: AbortSignal): Promise<OpenedInput> {
  const chunks: Uint8Array[] = [];
  let held = 0;
  let file: SpoolFile | undefined;
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      chunks.push(chunk);
      held += chunk.length;
      if (held <= MEMORY_BYTES) continue;
      file ??= await spoolFile();
      for (const piece of chunks.splice(0)) await file.write(piece);
      held = 0;
    }
    if (file === undefined) return { input: Buffer.concat(chunks), title, close: async () => undefined };
    for (const piece of chunks) await file.write(piece);
    await file.handle.close();
    return { input: file.path, title, close: file.remove };
  } catch (error) {
    await file?.handle.close();
    await file?.remove();
    throw error;
  }
}

interface SpoolFile {
  readonly path: string;
  readonly handle: FileHandle;
  write(bytes: Uint8Array): Promise<void>;
  remove(): Promise<void>;
}

async function spoolFile(): Promise<SpoolFile> {
  const folder = await mkdtemp(path.join(tmpdir(), "coppice-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, SPOOL_NAME);
  const handle = await open(file, "wx", 0o600);
  return {
    path: file,
    handle,
    write: (bytes) => handle.writeFile(bytes),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A file whose bytes are at fault. */
export class FileFault extends Error {
  override readonly name = "FileFault";
  readonly title: string;
  override readonly cause: FormatError;

  constructor(title: string, cause: FormatError) {
    super(`${title}: ${cause.message}`);
    this.title = title;
    this.cause = cause;
  }
}

/** `work` on `opened`, which is closed after it; a FormatError is told of it by name. */
export async function withInput<T>(opened: OpenedInput, work: (input: Input) => Promise<T>): Promise<T> {
  try {
    return await faultOf(opened, () => work(opened.input));
  } finally {
    await opened.close();
  }
}

/** `work` on what stays open; a FormatError is told of it by name. */
export async function faultOf<T>({ title }: OpenedInput, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FormatError ? new FileFault(title, error) : error;
  }
}
