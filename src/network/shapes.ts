import type { Convolution, Windows } from "../kernel-types.js";
import type { AveragePool2dSpec, Conv2dSpec, LayerSpec, MaxPool2dSpec, NetworkSpec, Size } from "./spec.js";

/** What goes from layer to layer for a sample: [numbers], or [channels, height, width]. */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, axis) => product * axis, 1);

/** A kernel reads and writes by 32-bit offsets into one sample's numbers. */
const MOST_NUMBERS = 2 ** 28;

/** A network's memory is of 4 GiB; a weight takes 4 bytes, its gradient and its velocity as many. */
const MOST_WEIGHTS = Math.floor(2 ** 32 / 12);

const both = (size: Size): readonly [number, number] => (typeof size === "number" ? [size, size] : size);

/** How many windows along an axis. */
function windowCount(length: number, kernel: number, stride: number, padding: number, ceil: boolean): number {
  const steps = (length + 2 * padding - kernel) / stride;
  if (!ceil || steps < 0) return Math.floor(steps) + 1;
  // The last window has to begin in the image, or in the padding before it.
  const count = Math.ceil(steps) + 1;
  return (count - 1) * stride >= length + padding ? count - 1 : count;
}

type Windowed = Conv2dSpec | MaxPool2dSpec | AveragePool2dSpec;

/** The windows of a layer on images of a shape; none along an axis where they do not fit. */
export function windowsOf(layer: Windowed, [channels, height, width]: Shape): Windows {
  const kernel = both(layer.kernel);
  const stride = both(layer.stride ?? (layer.type === "conv2d" ? 1 : layer.kernel));
  const padding = both(layer.padding ?? 0);
  const ceil = layer.type === "maxpool2d" && layer.ceil === true;
  const [outHeight, outWidth] = [height, width].map((length, i) => windowCount(length, kernel[i], stride[i], padding[i], ceil));
  return { channels, height, width, kernel, stride, padding, outHeight, outWidth };
}

export function convolutionOf(layer: Conv2dSpec, shape: Shape): Convolution {
  return { ...windowsOf(layer, shape), out: layer.out, groups: layer.groups ?? 1 };
}

/** By what errors name a layer. */
export function titleOf(layer: LayerSpec, place: number): string {
  return `layers[${place}] (${"name" in layer ? layer.name : layer.type})`;
}

/** What is thrown where a layer is to be trained that only runs. */
export function onlyRuns(layer: LayerSpec, place: number): TypeError {
  return new TypeError(`${titleOf(layer, place)} must be one that can be trained; coppice/run runs it`);
}

/** The shape that a layer makes of another. `fail` throws with the reason why it cannot, `meet` because of the shape. */
function after(layer: LayerSpec, shape: Shape, fail: (reason: string) => never, meet: (takes: string) => never): Shape {
  switch (layer.type) {
    case "relu":
    case "dropout":
      return shape;
    case "flatten":
      return [sizeOf(shape)];
    case "linear":
      if (shape.length !== 1) meet(`takes ${layer.in} inputs, flat`);
      if (shape[0] !== layer.in) meet(`takes ${layer.in} inputs`);
      return [layer.out];
    case "batchnorm":
      if (shape[0] !== layer.features) meet(`takes ${layer.features} features`);
      return shape;
    case "localresponsenorm":
      if (shape.length !== 3) meet("takes images");
      return shape;
    default: {
      if (shape.length !== 3) meet("takes images");
      const { channels, height, width, kernel, padding, outHeight, outWidth } = windowsOf(layer, shape);
      if (layer.type === "conv2d") {
        const { groups = 1 } = layer;
        if (layer.in % groups !== 0 || layer.out % groups !== 0) {
          fail(`has ${groups} groups, which must divide its ${layer.in} channels and its ${layer.out} outputs`);
        }
        if (channels !== layer.in) meet(`takes ${layer.in} channels`);
      } else if (2 * padding[0] > kernel[0] || 2 * padding[1] > kernel[1]) {
        fail(`has padding ${padding.join(" x ")}, more than half its kernel, ${kernel.join(" x ")}`);
      }
      if (outHeight < 1 || outWidth < 1) meet(`has a kernel of ${kernel.join(" x ")}, larger than ${height} x ${width} with its padding`);
      return [layer.type === "conv2d" ? layer.out : channels, outHeight, outWidth];
    }
  }
}

/** Numbers that a layer keeps beside its spec, in all its tensors. */
function weightsOf(layer: LayerSpec): number {
  switch (layer.type) {
    case "linear":
      return (layer.in + (layer.bias === false ? 0 : 1)) * layer.out;
    case "conv2d":
      return ((layer.in / (layer.groups ?? 1)) * sizeOf(both(layer.kernel)) + (layer.bias === false ? 0 : 1)) * layer.out;
    case "batchnorm":
      return (layer.affine === false ? 2 : 4) * layer.features;
    default:
      return 0;
  }
}

/**
 * So that a network that no memory holds is refused by name, before any of it is allocated.
 *
 * @throws RangeError naming the first layer with which the network has more weights than a memory holds with what training needs
 */
export function checkRoom({ layers }: NetworkSpec): void {
  let weights = 0;
  for (const [i, layer] of layers.entries()) {
    weights += weightsOf(layer);
    if (weights <= MOST_WEIGHTS) continue;
    throw new RangeError(
      `${titleOf(layer, i)} must leave the network at most ${MOST_WEIGHTS} weights, all that 4 GiB hold to train, with it there are ${weights}`,
    );
  }
}

/** What a sample is, from the first layer that says so. */
function inputOf({ input, layers }: NetworkSpec): Shape {
  if (input !== undefined) return input;
  const first = layers.find(({ type }) => type !== "relu" && type !== "dropout");
  if (first?.type === "linear") return [first.in];
  throw new RangeError("spec must have an input, such as [1, 28, 28], unless the first layer is linear");
}

/**
 * The shape of a sample before each layer, and that of the logits.
 *
 * @throws RangeError naming the layer that does not fit what comes to it
 */
export function shapesOf(spec: NetworkSpec): Shape[] {
  const shapes: Shape[] = [inputOf(spec)];
  let before = "the input";
  for (const [i, layer] of spec.layers.entries()) {
    const title = titleOf(layer, i);
    const shape = shapes[i];
    const fail = (reason: string): never => {
      throw new RangeError(`${title} ${reason}`);
    };
    const text = shape.length === 1 ? String(shape[0]) : `[${shape}]`;
    const next = after(layer, shape, fail, (takes) => fail(`${takes}, but ${before} gives ${text}`));
    if (sizeOf(next) > MOST_NUMBERS) fail(`gives ${sizeOf(next)} numbers a sample, more than ${MOST_NUMBERS}`);
    shapes.push(next);
    before = `${"name" in layer ? layer.name : title} before it`;
  }
  const last = shapes[shapes.length - 1];
  if (last.length !== 1) throw new RangeError(`the last layer must give flat logits, got [${last}]`);
  return shapes;
}
