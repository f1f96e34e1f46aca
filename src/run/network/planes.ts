import type { Windows } from "../../kernel-types.js";
import { type Shape, sizeOf } from "../../network/shapes.js";

// How activations stand in memory: assembly/run/planes.ts.

/** Images in memory, lengths in numbers of 4 bytes: f32[channels][height][width]. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** From a row to the next. */
  readonly pitch: number;
  /** From a plane to the next. */
  readonly stride: number;
}

/** Numbers that follow each other; flat ones are one row. */
export function contiguous(shape: Shape): Planes {
  const [channels, height, width] = shape.length === 3 ? shape : [1, 1, sizeOf(shape)];
  return { channels, height, width, pitch: width, stride: height * width };
}

export function isContiguous({ channels, height, width, pitch, stride }: Planes): boolean {
  return (height === 1 || pitch === width) && (channels === 1 || stride === height * width);
}

/** Numbers from the first to behind the last. */
export function extentOf({ channels, height, width, pitch, stride }: Planes): number {
  return (channels - 1) * stride + (height - 1) * pitch + width;
}

/** Phases of a stride that a kernel meets, down and to the right. */
export function phasesOf({ kernel, stride }: Windows): readonly [number, number] {
  return [Math.min(kernel[0], stride[0]), Math.min(kernel[1], stride[1])];
}

/** What a convolution reads: of each channel the phases of its stride, with zeros around, and so many rows and columns of each. */
export interface Spread {
  readonly rows: number;
  readonly columns: number;
  /** Numbers from a phase to the next. */
  readonly stride: number;
}

/** Sets of the first-level cache times their lines, in numbers: what stands so far apart shares a set. */
const SAME_SET = 1024;
const LINE = 16;

/** As many numbers, or somewhat more: planes are not to share the sets of the cache. */
function apart(length: number): number {
  const over = length % SAME_SET;
  return over < LINE || over > SAME_SET - LINE ? length + 2 * LINE : length;
}

/** How the inputs of a convolution are spread. Rows of stride 1 share their padding: what follows a row is what is before the next. */
export function spreadOf({ height, width, kernel, stride, padding, outHeight, outWidth }: Windows): Spread {
  const reach = (out: number, axis: 0 | 1): number => out + Math.floor((kernel[axis] - 1) / stride[axis]);
  const [rows, columns] = [reach(outHeight, 0), reach(outWidth, 1)];
  const shared = Math.max(padding[1] + width, columns - padding[1]);
  if (stride[1] !== 1 || shared >= columns || height === 0) return { rows, columns, stride: apart(rows * columns) };
  // The row behind the last begins with the padding of that.
  return { rows: rows + 1, columns: shared, stride: apart((rows + 1) * shared) };
}

/** Lanes of a tile of the kernel of convolutions. */
const TILE = 28;

/** Lanes that the kernel takes: as many, or so many more that the last tile is a whole one, or one of 16 or 8. */
export function lanesFor(count: number): number {
  const over = count % TILE;
  return count - over + (over > 16 ? TILE : over > 8 ? 16 : over > 0 ? 8 : 0);
}

/** The outputs of a convolution whose inputs have rows of `pitch` numbers: all of a plane are lanes of one run. */
export function outputsOf(channels: number, { outHeight, outWidth }: Windows, pitch: number): Planes {
  const lanes = lanesFor((outHeight - 1) * pitch + outWidth);
  return { channels, height: outHeight, width: outWidth, pitch, stride: apart(lanes) };
}
