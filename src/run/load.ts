import type { TensorEntry } from "../archive/header.js";
import { checkFloat32, checkInteger, checkOneOf, checkText, plainBytes } from "../check.js";
import { type Archive, open } from "../decode/index.js";
import { newRunner } from "../kernels/runner.js";
import { VARIANTS, type Variant } from "../kernels/variant.js";
import { isFloatDtype } from "../types.js";
import { Crew } from "./crew.js";
import { Layer } from "./layer.js";
import type { Shape } from "./lines.js";
import { lackOf, type ReadOptions, readDense, readMatrix } from "./read.js";
import { type Layout, Share } from "./share.js";
import { hasThreads } from "./thread.js";

export interface LayerOptions {
  /**
   * In which order the survivors stand. `"auto"`, unless given: in that which is faster for what is called, that of single vectors at first. `"columns"` for single vectors, best where many inputs are 0; `"rows"` for many vectors at a
   * time; `"both"` at twice the memory, and each call takes the faster one.
   */
  readonly layout?: Layout;
  /** The name of a tensor with a number for each output, or the numbers; null for none. Unless given, of a tensor NAME.weight the tensor NAME.bias, where there is one. */
  readonly bias?: string | Float32Array | null;
  /** Whether outputs below 0 become 0. */
  readonly relu?: boolean;
  /**
   * Threads that work, the calling one among them: 1 unless given. Each has a share of the outputs, and the numbers are the same. They stand in wait until `dispose`, which should be called. Where the runtime has no threads that share memory, or none can be started, the layer has one: `layer.threads` tells.
   */
  readonly threads?: number;
  /** The best that this runtime can run, unless given. */
  readonly variant?: Variant;
  /** Stops the work: the signal's reason comes out of it. */
  readonly signal?: AbortSignal;
}

const LAYOUTS: readonly Layout[] = ["auto", "columns", "rows", "both"];

/** More than any machine has cores for it. */
const MOST_THREADS = 1024;

/** Rows and columns are u32 in the kernels, and so are places within a block behind them. */
const MOST = 2 ** 31 - 1;

/**
 * Loads a tensor of an archive as a layer that runs from its sparse, shared form: 3 bytes a survivor, 6 where there are more than 256 different values, and 8 for each input or 4 for each output. No dense matrix is made, unless there are so many values and it takes less memory: it then runs in float32, dense.
 *
 * @param archive the bytes of a `.coppice` file, or what `open` of `coppice/decode` gave
 * @param name of a float tensor of at least two axes: outputs, and what it is flattened to from there
 * @throws FormatError where the archive is at fault, `LIMIT` where there is no memory for what it says; TypeError, RangeError naming the argument or option; the reason of `options.signal`
 */
export async function loadLayer(archive: Uint8Array | Archive, name: string, options: LayerOptions = {}): Promise<Layer> {
  checkText(name, "name");
  const { layout = "auto", relu = false, threads = 1, variant, signal } = options;
  checkOneOf(layout, "layout", LAYOUTS);
  if (typeof relu !== "boolean") throw new TypeError("relu must be true or false");
  checkInteger(threads, "threads", 1, MOST_THREADS);
  if (variant !== undefined) checkOneOf(variant, "variant", VARIANTS);
  const opened = await openedOf(archive, signal);
  const entry = entryOf(opened, name, "name");
  const shape = shapeOf(entry);
  const reading = { runner: newRunner({ variant }), signal };
  const bias = await biasOf(opened, entry, shape, options.bias, reading);
  const matrix = await readMatrix(opened, entry, shape, reading);
  try {
    const work = { bias, relu, layout, variant };
    const crew = Math.min(threads, shape.rows) > 1 && hasThreads() ? await Crew.start(matrix, threads, work) : undefined;
    return new Layer(crew ?? new Share(matrix, work));
  } catch (error) {
    throw lackOf(entry, error);
  }
}

/** The archive, opened where it came as bytes. */
export async function openedOf(archive: Uint8Array | Archive, signal: AbortSignal | undefined): Promise<Archive> {
  if (typeof (archive as Archive | undefined)?.read === "function") {
    const { header, blocks } = archive as Archive;
    if (Array.isArray(header?.tensors) && typeof blocks === "function") return archive as Archive;
    throw new TypeError("archive must be bytes, or an archive that was opened: `open` of coppice/decode makes one of a source");
  }
  const bytes = plainBytes(archive, "archive");
  return open(
    { byteLength: bytes.length, read: async (offset, byteLength) => bytes.subarray(offset, offset + byteLength), close: async () => {} },
    { signal },
  );
}

/** @throws RangeError where the archive has no tensor of the name, or it is not of floats */
function entryOf({ header }: Archive, name: string, title: string): TensorEntry {
  const entry = header.tensors.find((tensor) => tensor.name === name);
  if (entry === undefined) throw new RangeError(`${title} must be that of a tensor of the archive, got ${JSON.stringify(name)}`);
  if (!isFloatDtype(entry.dtype))
    throw new RangeError(`${title} must be that of a tensor of floats: ${JSON.stringify(name)} is ${entry.dtype}`);
  return entry;
}

function shapeOf({ name, shape }: TensorEntry): Shape {
  if (shape.length < 2)
    throw new RangeError(`name must be that of a tensor of at least two axes: ${JSON.stringify(name)} has ${shape.length}`);
  const [rows, ...rest] = shape;
  const columns = rest.reduce((product, length) => product * length, 1);
  checkInteger(rows, `the outputs of ${JSON.stringify(name)}`, 1, MOST);
  checkInteger(columns, `the inputs of ${JSON.stringify(name)}`, 1, MOST);
  return { rows, columns };
}

/** The bias that was asked for. */
async function biasOf(
  archive: Archive,
  { name }: TensorEntry,
  { rows }: Shape,
  bias: LayerOptions["bias"],
  reading: ReadOptions,
): Promise<Float32Array | undefined> {
  if (bias === null) return undefined;
  if (bias !== undefined && typeof bias !== "string") {
    checkFloat32(bias, "bias");
    if (bias.length !== rows) throw new RangeError(`bias must have ${rows} numbers, got ${bias.length}`);
    return bias.slice();
  }
  const beside = name.endsWith(".weight") ? `${name.slice(0, -"weight".length)}bias` : undefined;
  const wanted = bias ?? archive.header.tensors.find((tensor) => tensor.name === beside)?.name;
  if (wanted === undefined) return undefined;
  const entry = entryOf(archive, wanted, "bias");
  const count = entry.shape.reduce((product, length) => product * length, 1);
  if (count !== rows) throw new RangeError(`bias must have ${rows} numbers: ${JSON.stringify(wanted)} has ${count}`);
  return (await readDense(archive, entry, { rows, columns: 1 }, reading)).dense;
}
