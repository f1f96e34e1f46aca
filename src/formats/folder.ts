import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { isModelPath } from "../archive/paths.js";
import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import { checkRange } from "./bytes-source.js";
import { fileSource } from "./source.js";

/** Files that are held open. A system may allow a process 256 in all. */
const MOST_OPEN = 64;

/** The files beside a model. Their number is that of the model: few are held open, the others are opened for each reading. */
export class ModelFolder {
  readonly #model: string;
  readonly #sources = new Map<string, Promise<Source>>();
  readonly #open: Source[] = [];
  #reserved = 0;

  /** @param model the path of the model's file */
  constructor(model: string) {
    this.#model = model;
  }

  /**
   * A file of the folder, by its relative path with `/`. It is closed with the folder.
   *
   * @throws FormatError where the path leaves the folder or nothing is there: the model's bytes name it
   */
  open(name: string): Promise<Source> {
    let source = this.#sources.get(name);
    if (!source) {
      source = this.#opened(name);
      this.#sources.set(name, source);
    }
    return source;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#sources.values());
    for (const source of this.#open.splice(0)) await source.close();
  }

  async #opened(name: string): Promise<Source> {
    const file = await this.#resolved(name);
    if (this.#reserved < MOST_OPEN) {
      this.#reserved++;
      const source = await fileSource(file);
      this.#open.push(source);
      return { ...source, close: async () => undefined };
    }
    const { size } = await stat(file);
    return {
      byteLength: size,
      async read(offset: number, byteLength: number): Promise<Uint8Array> {
        checkRange(offset, byteLength, size);
        const source = await fileSource(file);
        try {
          if (source.byteLength < offset + byteLength) {
            throw new FormatError("TRUNCATED", source.byteLength, `${JSON.stringify(name)} became shorter while it was read`);
          }
          return await source.read(offset, byteLength);
        } finally {
          await source.close();
        }
      },
      close: async () => undefined,
    };
  }

  /** The file itself, which must be where the model is: in the folder that was named, or, where the model is a link, in that of its target, as in caches of models. */
  async #resolved(name: string): Promise<string> {
    const title = JSON.stringify(name);
    if (!isModelPath(name)) throw new FormatError("CORRUPT", 0, `the model names the file ${title}, which is not in its folder`);
    const folder = path.dirname(this.#model);
    let file: string;
    try {
      file = await realpath(path.join(folder, ...name.split("/")));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") throw new FormatError("TRUNCATED", 0, `the model's file ${title} is not there`);
      if (code === "ELOOP" || code === "ENAMETOOLONG") throw new FormatError("CORRUPT", 0, `the model names the file ${title}: ${code}`);
      throw error;
    }
    const roots = [await realpath(folder), path.dirname(await realpath(this.#model))];
    if (!roots.some((root) => isBelow(file, root)))
      throw new FormatError("CORRUPT", 0, `the model's file ${title} is a link out of its folder`);
    // Opening a pipe would wait for its other end.
    if (!(await stat(file)).isFile()) throw new FormatError("CORRUPT", 0, `the model names ${title}, which is no file`);
    return file;
  }
}

function isBelow(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
