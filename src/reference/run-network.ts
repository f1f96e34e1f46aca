import type { Convolution, Windows } from "../kernel-types.js";
import { exp, log } from "./nn.js";
import type { RunLines } from "./run.js";

// Networks that run from their sparse, shared form, in plain TypeScript: planes without a space between their rows.

const { fround } = Math;

/** Channels of images, f32[channels][height][width]. */
interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** What a number is multiplied with and what is added to it after a sum, for each output; neither where it is left out. */
export interface After {
  readonly scale?: Float32Array;
  readonly bias?: Float32Array;
  /** What is below 0 becomes 0. */
  readonly relu?: boolean;
}

/** Scale, bias and ReLU of f32[outputs][plane], in place. */
function finish(values: Float32Array, plane: number, { scale, bias, relu }: After): void {
  for (let i = 0; i < values.length; i++) {
    const output = Math.floor(i / plane);
    if (scale !== undefined) values[i] = values[i] * scale[output];
    if (bias !== undefined) values[i] = values[i] + bias[output];
    if (relu === true && values[i] < 0) values[i] = 0;
  }
}

/** A convolution of one image: sums from 0, the weights of an output that are not zero in their order, then what comes after. */
export function convolve(
  shape: Convolution,
  { columns, panels, pointers, indices, codes }: RunLines,
  codebook: Float32Array,
  inputs: Float32Array,
  after: After = {},
): Float32Array {
  const { channels, groups, out, kernel, height, width, stride, padding, outHeight, outWidth } = shape;
  const plane = outHeight * outWidth;
  const taps = kernel[0] * kernel[1];
  const outputs = new Float32Array(out * plane);
  for (let i = 0; i < outputs.length; i++) {
    const output = Math.floor(i / plane);
    const [y, x] = [Math.floor((i % plane) / outWidth), i % outWidth];
    const firstChannel = Math.floor(output / (out / groups)) * (channels / groups);
    for (let panel = 0; panel < panels; panel++) {
      const line = output * panels + panel;
      for (let entry = pointers[line]; entry < pointers[line + 1]; entry++) {
        const column = panel * 65536 + indices[entry];
        if (column >= columns) throw new RangeError(`column ${column} of ${columns}`);
        const row = y * stride[0] - padding[0] + Math.floor((column % taps) / kernel[1]);
        const place = x * stride[1] - padding[1] + (column % kernel[1]);
        const inside = row >= 0 && row < height && place >= 0 && place < width;
        const channel = firstChannel + Math.floor(column / taps);
        const value = inside ? inputs[(channel * height + row) * width + place] : 0;
        outputs[i] = outputs[i] + fround(codebook[codes[entry]] * value);
      }
    }
  }
  finish(outputs, plane, after);
  return outputs;
}

/** Rows and columns of planes by the first phases of a stride, f32[channels][phases][phases][rows][columns]: 0 where there is none. Phases of the columns come in sets as large as the stride, each `step` columns behind the one before. */
export function spread(
  { channels, height, width }: Planes,
  stride: Windows["stride"],
  [phasesY, phasesX]: readonly [number, number],
  step: number,
  padding: Windows["padding"],
  rows: number,
  columns: number,
  inputs: Float32Array,
): Float32Array {
  const phases = phasesY * phasesX;
  return Float32Array.from({ length: channels * phases * rows * columns }, (_, i) => {
    const phase = Math.floor(i / (rows * columns)) % phases;
    const channel = Math.floor(i / (phases * rows * columns));
    const y = (Math.floor(i / columns) % rows) * stride[0] + Math.floor(phase / phasesX) - padding[0];
    const right = phase % phasesX;
    const x = (i % columns) * stride[1] + (right % stride[1]) + Math.floor(right / stride[1]) * step - padding[1];
    return y >= 0 && y < height && x >= 0 && x < width ? inputs[(channel * height + y) * width + x] : 0;
  });
}

/** Windows, each first down its columns and then along the row that is left, by a function of two numbers. */
function pool(
  { channels, height, width, kernel, stride, padding, outHeight, outWidth }: Windows,
  inputs: Float32Array,
  both: (found: number, next: number) => number,
): Float32Array {
  return Float32Array.from({ length: channels * outHeight * outWidth }, (_, i) => {
    const channel = Math.floor(i / (outHeight * outWidth));
    const top = (Math.floor(i / outWidth) % outHeight) * stride[0] - padding[0];
    const left = (i % outWidth) * stride[1] - padding[1];
    const columns: number[] = [];
    for (let x = Math.max(left, 0); x < Math.min(left + kernel[1], width); x++) {
      const column: number[] = [];
      for (let y = Math.max(top, 0); y < Math.min(top + kernel[0], height); y++) column.push(inputs[(channel * height + y) * width + x]);
      columns.push(column.reduce(both));
    }
    return columns.reduce(both);
  });
}

/** The largest under each window; a NaN takes the place of what was found before it, and so does what is larger. */
export function poolLargest(windows: Windows, inputs: Float32Array): Float32Array {
  return pool(windows, inputs, (found, next) => (next > found || Number.isNaN(next) ? next : found));
}

/** The sum under each window divided by the size of the kernel. */
export function poolMean(windows: Windows, inputs: Float32Array): Float32Array {
  const [height, width] = windows.kernel;
  return pool(windows, inputs, (found, next) => fround(found + next)).map((sum) => sum / (height * width));
}

/** Local response normalization: `scale` is alpha over the size. */
export function normalizeAcross(
  { channels, height, width }: Planes,
  { size, scale, beta, k }: { readonly size: number; readonly scale: number; readonly beta: number; readonly k: number },
  inputs: Float32Array,
): Float32Array {
  const plane = height * width;
  return inputs.map((value, i) => {
    const first = Math.floor(i / plane) - Math.floor(size / 2);
    let sum = 0;
    for (let c = Math.max(first, 0); c < Math.min(first + size, channels); c++) {
      const other = inputs[c * plane + (i % plane)];
      sum = fround(sum + fround(other * other));
    }
    const base = fround(fround(k) + fround(fround(scale) * sum));
    if (beta === 0.75) {
      const root = fround(Math.sqrt(base));
      return value / fround(root * fround(Math.sqrt(root)));
    }
    return value * (base === Number.POSITIVE_INFINITY ? 0 : exp(-(fround(beta) * log(base))));
  });
}

export function softmax(values: Float32Array): Float32Array {
  const most = values.reduce((found, value) => (value > found || Number.isNaN(value) ? value : found));
  const powers = Array.from(values, (value) => exp(value - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => power / sum);
}
