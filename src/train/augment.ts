import { checkInteger, checkNumber, fieldsOf } from "../check.js";

/** How images are changed at random, each anew in every epoch. */
export interface Augment {
  /** Moved by up to so many pixels to either side, and up or down: 0 unless given. */
  readonly shift?: number;
  /** Turned by up to so many degrees either way, 0 to 45: 0 unless given. */
  readonly rotate?: number;
  /** Mirrored, every other one: false unless given. */
  readonly flip?: boolean;
}

/** An image: planes of rows. */
export type ImageShape = readonly [channels: number, height: number, width: number];

const MOST_SHIFT = 1024;
const MOST_DEGREES = 45;

/** @throws TypeError, RangeError naming the key */
export function checkAugment(value: unknown, title: string): asserts value is Augment {
  const { shift, rotate, flip } = fieldsOf(value, title, ["shift", "rotate", "flip"]);
  if (shift !== undefined) checkInteger(shift, `${title}.shift`, 0, MOST_SHIFT);
  if (rotate !== undefined) checkNumber(rotate, `${title}.rotate`, 0, MOST_DEGREES);
  if (flip !== undefined && typeof flip !== "boolean") throw new TypeError(`${title}.flip must be true or false`);
}

/** How many numbers `augmenter` takes from chance for an image: always as many. */
export function augmentDraws({ shift = 0, rotate = 0, flip = false }: Augment): number {
  return (flip ? 1 : 0) + (rotate > 0 ? 1 : 0) + (shift > 0 ? 2 : 0);
}

/**
 * What changes an image f32[channels][height][width] in place, for `train`; undefined where nothing is to change.
 *
 * @param paper what comes in from outside of the image, channel by channel: what a pixel of 0 became
 */
export function augmenter(
  { shift = 0, rotate = 0, flip = false }: Augment,
  shape: ImageShape,
  paper: readonly number[],
): ((image: Float32Array, random: () => number) => void) | undefined {
  if (shift === 0 && rotate === 0 && !flip) return undefined;
  const [, height, width] = shape;
  const size = height * width;
  const before = new Float32Array(size);
  return (image, random) => {
    const mirrored = flip && random() < 0.5;
    const degrees = rotate > 0 ? rotate * (2 * random() - 1) : 0;
    const right = shift > 0 ? Math.floor((2 * shift + 1) * random()) - shift : 0;
    const down = shift > 0 ? Math.floor((2 * shift + 1) * random()) - shift : 0;
    for (const [channel, blank] of paper.entries()) {
      const plane = image.subarray(channel * size, (channel + 1) * size);
      if (mirrored) for (let row = 0; row < height; row++) plane.subarray(row * width, (row + 1) * width).reverse();
      if (degrees !== 0) turnPlane(plane, before, height, width, degrees, blank);
      if (right !== 0 || down !== 0) shiftPlane(plane, height, width, right, down, blank);
    }
  };
}

/** Moves a plane in place, right and down where positive. */
function shiftPlane(plane: Float32Array, height: number, width: number, right: number, down: number, blank: number): void {
  if (Math.abs(right) >= width || Math.abs(down) >= height) {
    plane.fill(blank);
    return;
  }
  const by = down * width + right;
  if (by > 0) plane.copyWithin(by, 0, plane.length - by);
  else plane.copyWithin(0, -by);
  if (down > 0) plane.fill(blank, 0, down * width);
  if (down < 0) plane.fill(blank, plane.length + down * width);
  for (let row = 0; row < height; row++) {
    if (right > 0) plane.fill(blank, row * width, row * width + right);
    if (right < 0) plane.fill(blank, (row + 1) * width + right, (row + 1) * width);
  }
}

/** Sine and cosine from basic operations, so that all machines agree on them; of at most 45 degrees, to the last bits of a float32. */
function sineAndCosine(degrees: number): [sine: number, cosine: number] {
  const x = (degrees * Math.PI) / 180;
  const square = x * x;
  let sine = 1;
  let cosine = 1;
  for (let i = 12; i > 0; i -= 2) {
    sine = 1 - (sine * square) / (i * (i + 1));
    cosine = 1 - (cosine * square) / (i * (i - 1));
  }
  return [x * sine, cosine];
}

/** Turns a plane about its middle, in place; each pixel is what lies between the four from which it comes. */
function turnPlane(plane: Float32Array, before: Float32Array, height: number, width: number, degrees: number, blank: number): void {
  before.set(plane);
  const [sine, cosine] = sineAndCosine(degrees);
  const middleX = (width - 1) / 2;
  const middleY = (height - 1) / 2;
  const at = (x: number, y: number): number => (x < 0 || y < 0 || x >= width || y >= height ? blank : before[y * width + x]);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = middleX + cosine * (column - middleX) + sine * (row - middleY);
      const y = middleY - sine * (column - middleX) + cosine * (row - middleY);
      const left = Math.floor(x);
      const top = Math.floor(y);
      const across = x - left;
      const upper = at(left, top) * (1 - across) + at(left + 1, top) * across;
      const lower = at(left, top + 1) * (1 - across) + at(left + 1, top + 1) * across;
      plane[row * width + column] = upper + (lower - upper) * (y - top);
    }
  }
}
