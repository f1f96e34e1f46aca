import { MAX_SHELL_BYTES } from "../archive/limits.js";
import { isModelPath } from "../archive/paths.js";
import { FormatError } from "../errors.js";
import type { Dtype, FileTemplate, Piece, Source } from "../types.js";
import { type Beside, namedFile, openNamed } from "./beside.js";
import type { External, OnnxTensor } from "./onnx-tensor.js";
import { quoted } from "./quoted.js";

/** A stretch of a file that is a tensor's bytes. */
interface Run {
  readonly tensor: number;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly byteLength: number;
  /** Where the model's file says so, for errors. */
  readonly start: number;
}

interface OnnxFile {
  readonly path: string;
  readonly source: Source;
  /** By their offsets. */
  readonly runs: Map<number, Run>;
}

/** Where the bytes of a tensor are. */
export interface OnnxData {
  /** The number under which the tensor is listed: of several with the very same bytes, that of the first. */
  readonly tensor: number;
  readonly source: Source;
  readonly offset: number;
  readonly byteLength: number;
}

/** The files of a model: that of the graph, and those beside it that hold data of its tensors. */
export class OnnxFiles {
  readonly #files = new Map<string, OnnxFile>();
  readonly #main: OnnxFile;
  readonly #beside: Beside;

  /** @param name of the file itself */
  constructor(source: Source, name: string, beside: Beside) {
    this.#main = { path: name, source, runs: new Map() };
    this.#files.set(name, this.#main);
    this.#beside = beside;
  }

  get byteLength(): number {
    return [...this.#files.values()].reduce((sum, { source }) => sum + source.byteLength, 0);
  }

  /**
   * Finds the bytes of a tensor, which is to be listed as number `tensor`; undefined where it has none.
   *
   * @throws FormatError where they are not there
   */
  async find({ data, dtype, start, byteLength }: OnnxTensor, tensor: number): Promise<OnnxData | undefined> {
    if (typeof data === "number") return added(this.#main, { tensor, dtype, offset: data, byteLength, start });
    const file = await this.#open(data, start);
    const { offset } = data;
    const present = file.source.byteLength;
    if ((data.byteLength ?? byteLength) !== byteLength) {
      throw new FormatError("CORRUPT", start, `a tensor of ${byteLength} bytes has ${data.byteLength} in ${quoted(data.location)}`);
    }
    if (offset > present || byteLength > present - offset) {
      throw new FormatError("TRUNCATED", start, `${byteLength} bytes from ${offset} on, ${quoted(data.location)} has ${present}`);
    }
    return byteLength === 0 ? undefined : added(file, { tensor, dtype, offset, byteLength, start });
  }

  async #open({ location }: External, start: number): Promise<OnnxFile> {
    const named = namedFile(location.replace(/^(\.\/+)+/, ""), start);
    const { path } = named;
    // The model's own file becomes one of several in an archive.
    if (!isModelPath(this.#main.path)) throw new FormatError("CORRUPT", 0, `the path ${quoted(this.#main.path)} is not allowed`);
    const known = this.#files.get(path);
    if (known === this.#main) throw new FormatError("CORRUPT", start, `data in ${quoted(location)}, which is no other file`);
    if (known) return known;
    const file: OnnxFile = { path, source: await openNamed(this.#beside, named), runs: new Map() };
    this.#files.set(path, file);
    return file;
  }

  /**
   * To be called once all is found.
   *
   * @throws FormatError where tensors share bytes, or an archive cannot hold what is left of the files
   */
  check(): void {
    let literal = 0;
    for (const { path, source, runs } of this.#files.values()) {
      let end = 0;
      literal += source.byteLength;
      for (const { offset, byteLength, start } of inOrder(runs)) {
        if (offset < end) throw new FormatError("CORRUPT", start, `two tensors share bytes of ${quoted(path)}`);
        end = offset + byteLength;
        literal -= byteLength;
      }
    }
    if (literal > MAX_SHELL_BYTES) {
      throw new FormatError("LIMIT", 0, `the model has ${literal} bytes beside its tensors, an archive holds ${MAX_SHELL_BYTES}`);
    }
  }

  async templates(): Promise<FileTemplate[]> {
    const templates: FileTemplate[] = [];
    for (const { path, source, runs } of this.#files.values()) {
      const pieces: Piece[] = [];
      let at = 0;
      const literal = async (end: number): Promise<void> => {
        if (end > at) pieces.push({ kind: "bytes", bytes: (await source.read(at, end - at)).slice() });
      };
      for (const { tensor, offset, byteLength } of inOrder(runs)) {
        await literal(offset);
        pieces.push({ kind: "tensor", tensor });
        at = offset + byteLength;
      }
      await literal(source.byteLength);
      templates.push({ path: this.#files.size === 1 ? "" : path, pieces });
    }
    return templates;
  }

  /** Closes the files beside the model's own. */
  async closeOthers(): Promise<void> {
    const others = [...this.#files.values()].filter((file) => file !== this.#main);
    await Promise.all(others.map(({ source }) => source.close()));
  }
}

function added({ path, source, runs }: OnnxFile, run: Run): OnnxData {
  const { offset, byteLength, dtype, start } = run;
  const known = runs.get(offset);
  if (known === undefined) runs.set(offset, run);
  else if (known.byteLength !== byteLength || known.dtype !== dtype) {
    throw new FormatError("CORRUPT", start, `two tensors share bytes of ${quoted(path)}`);
  }
  return { tensor: (known ?? run).tensor, source, offset, byteLength };
}

function inOrder(runs: ReadonlyMap<number, Run>): Run[] {
  return [...runs.values()].sort((a, b) => a.offset - b.offset);
}
