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

/** The same numbers in one row, without a space between them. */
export function flattened({ channels, height, width }: Planes): Planes {
  return contiguous([channels * height * width]);
}

/** Numbers from the first of a feature to the first of the next: features are channels of images, or else the numbers. */
export function planeOf({ channels, stride }: Planes, features: number): number {
  return channels === features ? stride : 1;
}
