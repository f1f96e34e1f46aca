import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { FormatError } from "../errors.js";
import { readCifar } from "../eval/cifar.js";
import { type Idx, idxLength, readIdx, UNSIGNED_BYTE } from "../eval/idx.js";
import { pixelValues } from "../eval/images.js";
import { readInput } from "../eval/input-file.js";
import type { Samples } from "../nn/sequential.js";
import type { ImageShape } from "./augment.js";
import type { DataRecipe } from "./plan.js";

/** Images of bytes with their classes. */
export interface Images {
  readonly shape: ImageShape;
  /** u8[count][channels][height][width] */
  readonly pixels: Uint8Array;
  /** u8[count] */
  readonly labels: Uint8Array;
  /** What messages call the file that the labels are of. */
  readonly title: string;
}

/** What there is to learn from, and to be tested by. */
export interface Dataset {
  readonly train: Images;
  readonly test?: Images;
}

/** A data set as a network takes it. */
export interface PreparedData {
  readonly train: Samples;
  readonly heldOut: Samples;
  /** Reads the test set: when all stages are done, for the report of each. */
  readonly test: (() => Samples) | undefined;
  readonly shape: ImageShape;
  /** What a pixel of 0 becomes, channel by channel. */
  readonly paper: readonly number[];
}

const IDX_FILES = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;

const CIFAR_TRAIN = /^data_batch_\d+\.bin(\.gz)?$/;
const CIFAR_TEST = "test_batch.bin";

/**
 * Reads the data set in a folder: the IDX files of MNIST and its kin, or the binary batches of CIFAR-10; each may be in gzip. The test set may be missing.
 *
 * @throws FormatError where a file is at fault, which its message names; RangeError where the folder holds no data set; what the system throws
 */
export async function readDataset(folder: string): Promise<Dataset> {
  const names = (await readdir(folder)).sort();
  const find = (name: string): string | undefined => names.find((other) => other === name || other === `${name}.gz`);
  const idx = async ([images, labels]: readonly [string, string]): Promise<Images | undefined> => {
    const found = [find(images), find(labels)];
    if (found[0] === undefined && found[1] === undefined) return undefined;
    const missing = found[0] === undefined ? images : found[1] === undefined ? labels : undefined;
    if (missing !== undefined) throw new RangeError(`data must have ${missing} beside ${found[0] ?? found[1]}, in ${folder}`);
    return readIdxPair(folder, found[0] as string, found[1] as string);
  };
  const train = await idx(IDX_FILES.train);
  if (train !== undefined) return { train, test: await idx(IDX_FILES.test) };
  // As of the other files, what is there plain and in gzip is one.
  const batches = [...new Set(names.filter((name) => CIFAR_TRAIN.test(name)).map((name) => find(name.replace(/\.gz$/, "")) as string))];
  if (batches.length === 0) {
    throw new RangeError(`data must be a folder with ${IDX_FILES.train[0]} or data_batch_1.bin in it, each plain or .gz, got ${folder}`);
  }
  const test = find(CIFAR_TEST);
  return {
    train: joined(await Promise.all(batches.map((name) => readBatch(folder, name)))),
    test: test === undefined ? undefined : await readBatch(folder, test),
  };
}

/** What `read` makes of a file; a FormatError names it. */
async function reading<T>(folder: string, name: string, read: (bytes: Uint8Array) => T): Promise<T> {
  const file = path.join(folder, name);
  try {
    return read(await readInput(file, {}, idxLength));
  } catch (error) {
    if (error instanceof FormatError) error.message = `${file}: ${error.message}`;
    throw error;
  }
}

function readBytes(bytes: Uint8Array): Idx {
  const idx = readIdx(bytes);
  if (idx.kind !== UNSIGNED_BYTE)
    throw new FormatError("UNSUPPORTED", 2, `an IDX file of unsigned bytes is wanted, this one has elements of kind ${idx.kind}`);
  return idx;
}

async function readIdxPair(folder: string, imagesName: string, labelsName: string): Promise<Images> {
  const images = await reading(folder, imagesName, (bytes) => {
    const idx = readBytes(bytes);
    if (idx.shape.length !== 3) throw new FormatError("UNSUPPORTED", 3, `an IDX file of images has 3 axes, this one is [${idx.shape}]`);
    if (idx.data.length === 0) throw new FormatError("UNSUPPORTED", 4, `there is no pixel in it, it is [${idx.shape}]`);
    return idx;
  });
  const labels = await reading(folder, labelsName, (bytes) => {
    const { shape, data } = readBytes(bytes);
    if (shape.length !== 1) throw new FormatError("UNSUPPORTED", 3, `an IDX file of labels has 1 axis, this one is [${shape}]`);
    if (data.length !== images.shape[0])
      throw new FormatError("CORRUPT", 4, `${data.length} labels, ${imagesName} has ${images.shape[0]} images`);
    return data;
  });
  const [, height, width] = images.shape;
  return { shape: [1, height, width], pixels: images.data, labels, title: labelsName };
}

async function readBatch(folder: string, name: string): Promise<Images> {
  return reading(folder, name, (bytes) => {
    const { shape, data, stride, labels } = readCifar(bytes);
    const [count, channels, height, width] = shape;
    const imageBytes = channels * height * width;
    const pixels = new Uint8Array(count * imageBytes);
    for (let i = 0; i < count; i++) pixels.set(data.subarray(i * stride, i * stride + imageBytes), i * imageBytes);
    return { shape: [channels, height, width], pixels, labels, title: name };
  });
}

/** Batches of one shape, one after another. */
function joined(batches: readonly Images[]): Images {
  const bytesOf = (of: (batch: Images) => Uint8Array): Uint8Array => new Uint8Array(Buffer.concat(batches.map(of)));
  return { ...batches[0], pixels: bytesOf(({ pixels }) => pixels), labels: bytesOf(({ labels }) => labels), title: "data_batch_*.bin" };
}

/** SHA-256 of all that a training sees of a data set. */
export function hashOfDataset({ train, test }: Dataset): string {
  const hash = createHash("sha256");
  for (const images of [train, ...(test ? [test] : [])]) {
    hash.update(`${images.shape} ${images.labels.length};`).update(images.pixels).update(images.labels);
  }
  return hash.digest("hex");
}

/**
 * Samples for a network: those held out are the end of the training set.
 *
 * @param network numbers of a sample, classes, and the shape of a sample where the network tells
 * @throws TypeError, RangeError naming what does not meet: the key, the images, or the sample by its number
 */
export function prepareData(
  { train, test }: Dataset,
  recipe: DataRecipe,
  network: { readonly inputs: number; readonly outputs: number; readonly shape?: readonly number[] },
): PreparedData {
  const count = train.labels.length;
  const heldOut = recipe.heldOut ?? Math.max(1, Math.floor(count / 10));
  if (heldOut >= count) throw new RangeError(`data.heldOut must be below the ${count} samples of the training set, got ${heldOut}`);
  for (const images of test ? [train, test] : [train]) {
    checkImages(images, network);
    checkLabels(images, network.outputs);
  }
  const tables = tablesOf(train.shape[0], recipe);
  return {
    train: samplesOf(train, tables, 0, count - heldOut),
    heldOut: samplesOf(train, tables, count - heldOut, count),
    test: test && (() => samplesOf(test, tables, 0, test.labels.length)),
    shape: train.shape,
    paper: tables.map(([blank]) => blank),
  };
}

function tablesOf(channels: number, { scale = 1 / 255, mean, std }: DataRecipe): Float32Array[] {
  const tables = (() => {
    try {
      return pixelValues(channels, { scale, mean, std }).map((values) => Float32Array.from(values));
    } catch (error) {
      throw new RangeError(`data.${(error as Error).message}`);
    }
  })();
  for (const [channel, table] of tables.entries()) {
    const stray = table.findIndex((value) => !Number.isFinite(value));
    if (stray < 0) continue;
    throw new RangeError(
      `data.scale, data.mean and data.std must make a finite float32 of every pixel, one of ${stray} becomes ${table[stray]} in channel ${channel}`,
    );
  }
  return tables;
}

function checkImages({ shape }: Images, { inputs, shape: wanted }: { readonly inputs: number; readonly shape?: readonly number[] }): void {
  const spatial = wanted?.length === 3;
  const meets = spatial ? wanted.join() === shape.join() : shape[0] * shape[1] * shape[2] === inputs;
  if (meets) return;
  throw new RangeError(`data must have images that meet the network's input of [${spatial ? wanted : inputs}], these are [${shape}]`);
}

function checkLabels({ labels, title }: Images, classes: number): void {
  const stray = labels.findIndex((label) => label >= classes);
  if (stray < 0) return;
  throw new RangeError(
    `${title}: the label of sample ${stray} must be in [0, ${classes - 1}], as the network has ${classes} outputs, got ${labels[stray]}`,
  );
}

function samplesOf({ shape, pixels, labels }: Images, tables: readonly Float32Array[], start: number, end: number): Samples {
  const [channels, height, width] = shape;
  const plane = height * width;
  const first = start * channels;
  const inputs = new Float32Array((end - start) * channels * plane);
  for (let i = 0; i < inputs.length / plane; i++) {
    const table = tables[(first + i) % channels];
    const from = (first + i) * plane;
    for (let j = 0; j < plane; j++) inputs[i * plane + j] = table[pixels[from + j]];
  }
  return { inputs, labels: labels.subarray(start, end) };
}
