import { randomBytes } from "node:crypto";
import { link, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Sink } from "./host.js";

/** The output is there already, and was not to be overwritten. */
export class OutputExistsError extends Error {
  override readonly name = "OutputExistsError";
  /** The output, as it was named. */
  readonly path: string;

  constructor(file: string) {
    super(`${file} exists already`);
    this.path = file;
  }
}

/** What of an open file takes bytes. In words of its own: Node's would make whoever uses the library's types need those of Node. */
interface Taker {
  write(bytes: Uint8Array, offset: number, byteLength: number): Promise<{ readonly bytesWritten: number }>;
}

/** All of `bytes`, whatever the system takes at a time. */
export async function writeFully(handle: Taker, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
}

/**
 * Writes a file whole or not at all: `body` writes to a temporary file beside it, which then takes its place, and its mode bits. Whatever stops it leaves the old file, or none.
 *
 * @param body is given a sink for bytes in order, and the number of the open file for those that go where they belong
 * @throws OutputExistsError where the file is there and `force` is not set; TypeError where something else than a file is; what `body` and the system throw
 */
export async function writeWhole<T>(file: string, force: boolean, body: (sink: Sink, fd: number) => Promise<T>): Promise<T> {
  const place = await placeOf(file, force);
  const folder = path.dirname(place);
  await mkdir(folder, { recursive: true });
  const temporary = path.join(folder, `.${path.basename(place)}.${randomBytes(6).toString("hex")}.tmp`);
  const mode = await modeBits(place);
  const handle = await open(temporary, "wx", mode);
  try {
    let result: T;
    try {
      if (mode !== undefined) await handle.chmod(mode); // the umask may have taken some away
      result = await body((bytes) => writeFully(handle, bytes), handle.fd);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (force) await rename(temporary, place);
    else await linkNew(temporary, place);
    await syncFolder(folder);
    return result;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * What is to be written in the place of `file`: where that is a link, what it names, so that the link stays.
 *
 * @throws as `writeWhole` does, before anything is written
 */
export async function placeOf(file: string, force: boolean): Promise<string> {
  try {
    // A rename would put a file in the place of a device, and opening a pipe would wait for its other end.
    if (!(await stat(file)).isFile()) throw new TypeError(`output must name a regular file, got ${JSON.stringify(file)}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return file;
    throw error;
  }
  if (!force) throw new OutputExistsError(file);
  return realpath(file);
}

/** Who may do what with a file; undefined where there is none. */
async function modeBits(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o777;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A rename would overwrite a file that came to be in the meantime; a link does not. Some file systems have no links. */
async function linkNew(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new OutputExistsError(file);
    await placeOf(file, false);
    await rename(temporary, file);
  }
}

/** So that the new name outlives a power cut, where the system can promise that. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders.
  }
}
