import { checkNumber } from "../check.js";
import { FormatError } from "../errors.js";
import type { Input } from "../pipeline/api.js";
import type { Tensor } from "../types.js";
import { readCifar } from "./cifar.js";
import { idxLength, isIdx, readIdx, UNSIGNED_BYTE } from "./idx.js";
import { type FileOptions, readInput } from "./input-file.js";
import {
  meets,
  oneInput,
  type Run,
  type RunOptions,
  type RunPlan,
  type Samples,
  type Signature,
  shownInput,
  shownInputs,
  type ValueInfo,
} from "./types.js";
import { bytesOf, type ElementArray, elementsOf } from "./values.js";

/** What a model is given for a pixel of 0 to 255: (pixel * scale - mean) / std. */
export interface ImageOptions extends FileOptions {
  /** The input that takes the images; it need not be said of a model with one. */
  readonly input?: string;
  /** 1 unless given, or 1/255 where there is a mean or a standard deviation, as these are given for pixels of 0 to 1. */
  readonly scale?: number;
  /** For each channel, or one for all of them. */
  readonly mean?: readonly number[];
  /** For each channel, or one for all of them. */
  readonly std?: readonly number[];
}

const BATCH = 256;

/** Images of bytes: planes of rows, one after another. */
interface Images {
  /** Images, channels, rows, columns. */
  readonly shape: readonly [number, number, number, number];
  readonly data: Uint8Array;
  /** Bytes from one image to the next. */
  readonly stride: number;
  readonly labels?: ArrayLike<number>;
}

/** How images lie in an input. */
interface Layout {
  /** Of one image. */
  readonly shape: readonly number[];
  readonly channelsLast: boolean;
}

function imagesOf(bytes: Uint8Array): Images {
  if (!isIdx(bytes)) return readCifar(bytes);
  const { shape, kind, data } = readIdx(bytes);
  if (kind !== UNSIGNED_BYTE)
    throw new FormatError("UNSUPPORTED", 2, `an IDX file of images has unsigned bytes, this one elements of kind ${kind}`);
  if (shape.length < 3) throw new FormatError("UNSUPPORTED", 3, `an IDX file of images has 3 axes or 4, this one is [${shape}]`);
  const [count, ...one] = shape;
  // Four axes: images, rows, columns and channels would be another order, which no known file has.
  const [channels, rows, columns] = one.length === 3 ? one : [1, ...one];
  return { shape: [count, channels, rows, columns], data, stride: channels * rows * columns };
}

/**
 * Images in an IDX file, or images and labels in a binary file of CIFAR-10 or CIFAR-100; in gzip or not.
 *
 * @throws FormatError where the file is at fault; RangeError, TypeError where an option is
 */
export async function readImages(input: Input, options: ImageOptions = {}): Promise<Samples> {
  const images = imagesOf(await readInput(input, options, idxLength));
  const [count, channels] = images.shape;
  const values = pixelValues(channels, options);
  return {
    ...(images.labels && { labels: images.labels }),
    plan({ inputs }: Signature, { batch = BATCH, limit, fed }: RunOptions): RunPlan {
      const target = oneInput(inputs, fed, options.input);
      const others = inputs.filter((other) => other !== target && !fed.has(other.name));
      if (others.length > 0) throw new RangeError(`images must be all that the model takes, it wants ${shownInputs(others)} too`);
      const layout = layoutOf(target, images);
      const tables = values.map((numbers) =>
        elementsOf({ data: bytesOf(numbers, target.dtype, "what images are scaled to") }, target.dtype),
      );
      const lead = target.shape[0];
      const most = Math.min(count, limit);
      const step = typeof lead === "number" ? lead : Math.max(1, Math.min(batch, most));
      if (step < 1 || (most % step !== 0 && typeof lead === "number")) {
        throw new RangeError(`images must fill the model's input ${shownInput(target)}, ${most} do not`);
      }
      return { samples: count, runs: imageRuns(target, images, layout, tables, most, step) };
    },
  };
}

/**
 * What becomes of each byte, channel by channel.
 *
 * @throws TypeError, RangeError naming the option
 */
export function pixelValues(channels: number, { scale, mean, std }: ImageOptions): readonly Float64Array[] {
  const factor = scale ?? (mean || std ? 1 / 255 : 1);
  checkNumber(factor, "scale", -Number.MAX_VALUE, Number.MAX_VALUE);
  const of = (list: readonly number[] | undefined, title: string, usual: number, least: number): number[] => {
    if (list !== undefined && list.length !== 1 && list.length !== channels)
      throw new RangeError(`${title} must have a number for each of ${channels} channels, or one, got ${list.length}`);
    return Array.from({ length: channels }, (_, channel) => {
      const value = list === undefined ? usual : list[list.length === 1 ? 0 : channel];
      checkNumber(value, title, least, Number.MAX_VALUE);
      return value;
    });
  };
  const means = of(mean, "mean", 0, -Number.MAX_VALUE);
  const deviations = of(std, "std", 1, Number.MIN_VALUE);
  return means.map((middle, channel) => Float64Array.from({ length: 256 }, (_, byte) => (byte * factor - middle) / deviations[channel]));
}

/** @throws RangeError where no order of the axes meets the input */
function layoutOf(target: ValueInfo, { shape: [, channels, rows, columns] }: Images): Layout {
  const open = target.shape.slice(1);
  const layouts: readonly Layout[] = [
    { shape: [channels, rows, columns], channelsLast: false },
    { shape: [rows, columns, channels], channelsLast: true },
    { shape: [channels * rows * columns], channelsLast: false },
    ...(channels === 1 ? [{ shape: [rows, columns], channelsLast: false }] : []),
  ];
  const found = layouts.find(({ shape }) => meets(shape, open));
  if (!found) throw new RangeError(`images of [${channels}, ${rows}, ${columns}] must meet the model's input ${shownInput(target)}`);
  return found;
}

function* imageRuns(
  { name, dtype }: ValueInfo,
  { shape: [, channels, rows, columns], data, stride: imageBytes }: Images,
  { shape, channelsLast }: Layout,
  tables: readonly ElementArray[],
  most: number,
  step: number,
): Generator<Run> {
  const pixels = rows * columns;
  const bytes = channels * pixels;
  for (let first = 0; first < most; first += step) {
    const samples = Math.min(step, most - first);
    const elements = new (tables[0].constructor as new (length: number) => Uint8Array)(samples * bytes);
    for (let image = 0; image < samples; image++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = (first + image) * imageBytes + channel * pixels;
        const to = image * bytes + (channelsLast ? channel : channel * pixels);
        const stride = channelsLast ? channels : 1;
        const table = tables[channel] as Uint8Array;
        for (let i = 0; i < pixels; i++) elements[to + i * stride] = table[data[from + i]];
      }
    }
    const tensor: Tensor = { name, dtype, shape: [samples, ...shape], data: new Uint8Array(elements.buffer) };
    yield { inputs: new Map([[name, tensor]]), samples };
  }
}
