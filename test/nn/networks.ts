import type { Windows } from "../../src/kernel-types.js";
import { type Shape, windowsOf } from "../../src/network/shapes.js";
import type {
  AveragePool2dSpec,
  BatchNormSpec,
  Conv2dSpec,
  LinearSpec,
  MaxPool2dSpec,
  NetworkSpec,
  Samples,
  Tensor,
} from "../../src/nn/index.js";
import { mix } from "../../src/nn/mix.js";
import { referenceNnKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";

/** Two hidden layers of awkward widths. */
export const SMALL: NetworkSpec = {
  layers: [
    { type: "linear", name: "fc1", in: 7, out: 13 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 13, out: 9 },
    { type: "relu" },
    { type: "linear", name: "fc3", in: 9, out: 5 },
  ],
};

/** Samples of a spec's widths, without a rule behind them. */
export function noise(count: number, inputs: number, classes: number, seed = 1): Samples {
  const random = new Random(seed);
  return { inputs: random.weights(count * inputs, 1), labels: Uint8Array.from({ length: count }, () => random.below(classes)) };
}

/** The elements of an F32 tensor. */
export function floats(tensor: Tensor): Float32Array {
  return new Float32Array(tensor.data.slice().buffer);
}

/** A batch on its way through a network, in float64. */
interface Batch {
  readonly rows: number;
  readonly shape: Shape;
  readonly values: Float64Array;
}

type Elements = ReadonlyMap<string, Float64Array>;

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

function linear64(layer: LinearSpec, elements: Elements, { rows, values }: Batch): Batch {
  const weight = elements.get(`${layer.name}.weight`)!;
  const bias = elements.get(`${layer.name}.bias`);
  const out = Float64Array.from({ length: rows * layer.out }, (_, i) => {
    const [row, output] = [Math.floor(i / layer.out), i % layer.out];
    return range(layer.in).reduce((sum, c) => sum + values[row * layer.in + c] * weight[output * layer.in + c], bias?.[output] ?? 0);
  });
  return { rows, shape: [layer.out], values: out };
}

/** What a window sees of a plane: elements by their place in the kernel, undefined for padding. */
function underWindow(
  { height, width, kernel, stride, padding, outWidth }: Windows,
  plane: Float64Array,
  place: number,
): (number | undefined)[] {
  return range(kernel[0] * kernel[1]).map((tap) => {
    const y = Math.floor(place / outWidth) * stride[0] - padding[0] + Math.floor(tap / kernel[1]);
    const x = (place % outWidth) * stride[1] - padding[1] + (tap % kernel[1]);
    return y >= 0 && y < height && x >= 0 && x < width ? plane[y * width + x] : undefined;
  });
}

/** Calls `elementOf` for each element of an output of `out` channels of windows. */
function overWindows(
  { rows, values }: Batch,
  windows: Windows,
  out: number,
  elementOf: (planes: Float64Array[], channel: number, place: number) => number,
): Batch {
  const { channels, height, width, outHeight, outWidth } = windows;
  const result: number[] = [];
  for (let row = 0; row < rows; row++) {
    const planes = range(channels).map((c) =>
      values.subarray((row * channels + c) * height * width, (row * channels + c + 1) * height * width),
    );
    for (let channel = 0; channel < out; channel++) {
      for (let place = 0; place < outHeight * outWidth; place++) result.push(elementOf(planes, channel, place));
    }
  }
  return { rows, shape: [out, outHeight, outWidth], values: Float64Array.from(result) };
}

function conv64(layer: Conv2dSpec, elements: Elements, batch: Batch): Batch {
  const windows = windowsOf(layer, batch.shape);
  const weight = elements.get(`${layer.name}.weight`)!;
  const bias = elements.get(`${layer.name}.bias`);
  const depth = layer.in / (layer.groups ?? 1);
  const perGroup = layer.out / (layer.groups ?? 1);
  const area = windows.kernel[0] * windows.kernel[1];
  return overWindows(batch, windows, layer.out, (planes, output, place) => {
    let sum = bias?.[output] ?? 0;
    for (let c = 0; c < depth; c++) {
      const seen = underWindow(windows, planes[Math.floor(output / perGroup) * depth + c], place);
      for (const [tap, value] of seen.entries()) sum += (value ?? 0) * weight[(output * depth + c) * area + tap];
    }
    return sum;
  });
}

function pool64(layer: MaxPool2dSpec | AveragePool2dSpec, batch: Batch): Batch {
  const windows = windowsOf(layer, batch.shape);
  return overWindows(batch, windows, windows.channels, (planes, channel, place) => {
    const seen = underWindow(windows, planes[channel], place);
    if (layer.type === "maxpool2d") return Math.max(...seen.filter((value) => value !== undefined));
    return seen.reduce<number>((sum, value) => sum + (value ?? 0), 0) / seen.length;
  });
}

function normalized64(layer: BatchNormSpec, elements: Elements, batch: Batch): Batch {
  const plane = batch.values.length / (batch.rows * layer.features);
  const channelOf = (i: number): number => Math.floor(i / plane) % layer.features;
  const [mean, variance] = [new Float64Array(layer.features), new Float64Array(layer.features)];
  const count = batch.rows * plane;
  for (const [i, value] of batch.values.entries()) mean[channelOf(i)] += value / count;
  for (const [i, value] of batch.values.entries()) variance[channelOf(i)] += (value - mean[channelOf(i)]) ** 2 / count;
  const weight = elements.get(`${layer.name}.weight`);
  const bias = elements.get(`${layer.name}.bias`);
  const values = batch.values.map((value, i) => {
    const c = channelOf(i);
    return ((value - mean[c]) / Math.sqrt(variance[c] + (layer.epsilon ?? 1e-5))) * (weight?.[c] ?? 1) + (bias?.[c] ?? 0);
  });
  return { ...batch, values };
}

function dropped64(rate: number, key: number, batch: Batch): Batch {
  const kept = new Float32Array(batch.values.length).fill(1);
  referenceNnKernels.dropout(kept, key, rate * 2 ** 32, 1);
  return { ...batch, values: batch.values.map((value, i) => (kept[i] * value) / (1 - rate)) };
}

/** The logits of a batch in training, in float64, from elements by name of tensor. */
function logits64(spec: NetworkSpec, elements: Elements, samples: Samples, seed: number): Float64Array {
  const rows = samples.labels.length;
  let batch: Batch = { rows, shape: spec.input ?? [samples.inputs.length / rows], values: Float64Array.from(samples.inputs) };
  for (const [place, layer] of spec.layers.entries()) {
    if (layer.type === "relu") batch = { ...batch, values: batch.values.map((value) => Math.max(0, value)) };
    if (layer.type === "flatten") batch = { ...batch, shape: [batch.values.length / rows] };
    if (layer.type === "linear") batch = linear64(layer, elements, batch);
    if (layer.type === "conv2d") batch = conv64(layer, elements, batch);
    if (layer.type === "maxpool2d" || layer.type === "averagepool2d") batch = pool64(layer, batch);
    if (layer.type === "batchnorm") batch = normalized64(layer, elements, batch);
    if (layer.type === "dropout") batch = dropped64(layer.rate, mix(mix(seed, 0), place), batch);
  }
  return batch.values;
}

/** ln of the softmax of logits / temperature. */
function logSoftmax(logits: Float64Array, temperature: number): number[] {
  const sum = logits.reduce((total, logit) => total + Math.exp(logit / temperature), 0);
  return Array.from(logits, (logit) => logit / temperature - Math.log(sum));
}

/** The mean loss of a batch in a network's first step of training, in float64; `seed` is the network's. */
export function loss64(spec: NetworkSpec, elements: Elements, samples: Samples, seed: number): number {
  const { labels, softTargets } = samples;
  const logits = logits64(spec, elements, samples, seed);
  const classes = logits.length / labels.length;
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const hard = -logSoftmax(own, 1)[labels[row]];
    if (softTargets === undefined) {
      sum += hard;
      continue;
    }
    const { temperature, weight } = softTargets;
    const teacher = Float64Array.from(softTargets.logits.subarray(row * classes, (row + 1) * classes));
    const [p, q] = [logSoftmax(own, temperature), logSoftmax(teacher, temperature)];
    const soft = -p.reduce((total, logP, c) => total + Math.exp(q[c]) * logP, 0);
    sum += (1 - weight) * hard + weight * temperature ** 2 * soft;
  }
  return sum / labels.length;
}
