import { archiveFiles, type Framed, fileByteLength } from "../archive/files.js";
import type { TensorEntry } from "../archive/header.js";
import { tensorBytes } from "../archive/parts.js";
import { renderTemplate } from "../archive/template.js";
import type { FileTemplate } from "../types.js";

/** What an archive that was opened gives for its files to be made: any `Archive` has it. */
export interface FileArchive extends Framed {
  blocks(entry: TensorEntry, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
}

/** A file of an archive's model. */
export interface FileInfo {
  /** Relative to the model, with `/`; `""` for a model of one file without a name. */
  readonly path: string;
  readonly byteLength: number;
}

export interface ToFileOptions {
  /** Which file, as `files` lists them; unless there is only one, it must be given. */
  readonly path?: string;
  /** Stops the work: the generator then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The files of the model that an archive was made of; of tensors alone, one safetensors file. Nothing is read but the header, which is there.
 *
 * @throws FormatError where the shell is at fault, `UNSUPPORTED` where no safetensors file can hold the tensors
 */
export async function files(archive: FileArchive): Promise<FileInfo[]> {
  checkArchive(archive);
  return archiveFiles(archive).map((file) => ({ path: file.path, byteLength: fileByteLength(archive, file) }));
}

/**
 * The bytes of a file of the model, in order: what another runtime loads, and the file that was compressed, bit for bit, where its tensors are exact. Each chunk is the
 * caller's. Records are read when their bytes are due; a tensor that the file wants column-major is held whole, of others a block at a time. Of a tensor that
 * began in another file the blocks before are read, too.
 *
 * @throws FormatError where the archive is at fault, after the bytes that came before; TypeError, RangeError naming `archive` or `path`
 */
export function toFile(archive: FileArchive, options: ToFileOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  checkArchive(archive);
  const { path } = options;
  if (path !== undefined && typeof path !== "string") throw new TypeError("path must be a string");
  return fileBytes(archive, options);
}

/** @throws TypeError where `archive` was not opened */
function checkArchive(archive: unknown): void {
  if (typeof (archive as FileArchive | undefined)?.blocks !== "function") throw new TypeError("archive must be what open gives");
}

async function* fileBytes(archive: FileArchive, { path, signal }: ToFileOptions): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  const file = chosen(archiveFiles(archive), path);
  const { tensors } = archive.header;
  const bytes = tensorBytes((tensor) => archive.blocks(tensors[tensor], { signal }));
  for await (const chunk of renderTemplate(file, tensors, bytes)) {
    signal?.throwIfAborted();
    yield chunk;
    signal?.throwIfAborted();
  }
}

/** @throws RangeError where no file has the path, or it does not say which */
function chosen(all: readonly FileTemplate[], path: string | undefined): FileTemplate {
  if (path === undefined) {
    if (all.length > 1) throw new RangeError(`path must be given: the model has ${all.length} files`);
    return all[0];
  }
  const file = all.find((one) => one.path === path);
  if (!file) throw new RangeError(`path must be that of a file of the model, got ${JSON.stringify(path)}`);
  return file;
}
