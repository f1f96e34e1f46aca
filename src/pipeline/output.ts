import { randomBytes } from "node:crypto";
import { link, mkdir, open, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
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

/** Writes a file whole or not at all. See `writeAllWhole`. */
export async function writeWhole<T>(file: string, force: boolean, body: (sink: Sink, fd: number) => Promise<T>): Promise<T> {
  let result: T | undefined;
  await writeAllWhole([file], force, async (_, sink, fd) => void (result = await body(sink, fd)));
  return result as T;
}

/** A file that was written, under another name. */
interface Staged {
  readonly temporary: string;
  readonly place: string;
}

/**
 * Writes files, each whole or not at all: `body` writes one after another to a temporary file beside it. Once all are written, they take their places, and the mode bits of what was there. Whatever stops
 * the writing leaves the old files, or none, and no folder that was made for them.
 *
 * @param body is given the index of the file, a sink for bytes in order, and the number of the open file for those that go where they belong
 * @throws OutputExistsError where a file is there and `force` is not set; TypeError where something else than a file is; what `body` and the system throw
 */
export async function writeAllWhole(
  files: readonly string[],
  force: boolean,
  body: (index: number, sink: Sink, fd: number) => Promise<void>,
): Promise<void> {
  const places: string[] = [];
  for (const file of files) places.push(await placeOf(file, force)); // before anything is written
  const staged: Staged[] = [];
  const made: string[] = [];
  let taken = 0;
  try {
    for (const [index, place] of places.entries()) {
      await makeFolder(path.dirname(place), made);
      await stage(place, staged, (sink, fd) => body(index, sink, fd));
    }
    for (const { temporary, place } of staged) {
      if (force) await rename(temporary, place);
      else await linkNew(temporary, place);
      taken++;
    }
    for (const folder of new Set(places.map((place) => path.dirname(place)))) await syncFolder(folder);
  } finally {
    for (const { temporary } of staged) await rm(temporary, { force: true });
    if (taken === 0) for (const folder of made.reverse()) await rmdir(folder).catch(() => undefined); // others may use it by now
  }
}

/** Makes a folder, and those on its way; `made` learns of each. */
async function makeFolder(folder: string, made: string[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const below: string[] = [];
  for (let one = path.resolve(folder); one.length > path.resolve(first).length; one = path.dirname(one)) below.unshift(one);
  made.push(path.resolve(first), ...below);
}

async function stage(place: string, staged: Staged[], body: (sink: Sink, fd: number) => Promise<void>): Promise<void> {
  const temporary = path.join(path.dirname(place), `.${path.basename(place)}.${randomBytes(6).toString("hex")}.tmp`);
  const mode = await modeBits(place);
  const handle = await open(temporary, "wx", mode);
  staged.push({ temporary, place });
  try {
    if (mode !== undefined) await handle.chmod(mode); // the umask may have taken some away
    await body((bytes) => writeFully(handle, bytes), handle.fd);
    await handle.sync();
  } finally {
    await handle.close();
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
