import { SIDE } from "./network.js";

// What was drawn, made into what the network was trained on: a digit of MNIST fits into 20 x 20 pixels, and its centre of mass is the centre of the 28 x 28.

/** A point of a stroke; the pad goes from 0 to 1 both ways. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Stroke = readonly Point[];

const FIT = 20;

/** Width of a pen's line in the pixels of MNIST. */
const PEN = 2.3;

/** Each pixel is the mean of so many a side. */
const FINE = 4;

type Affine = (point: Point) => Point;

/** Draws strokes through `place`, in pixels of the network. */
function inked(strokes: readonly Stroke[], place: Affine): Float32Array {
  const side = SIDE * FINE;
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.lineWidth = PEN * FINE;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    for (const [i, point] of stroke.entries()) {
      const { x, y } = place(point);
      if (i === 0) context.moveTo(x * FINE, y * FINE);
      // A dot is a line too.
      context.lineTo(x * FINE + (i === 0 ? 0.01 : 0), y * FINE);
    }
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, side, side);
  const image = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++)
      image[Math.floor(y / FINE) * SIDE + Math.floor(x / FINE)] += data[4 * (y * side + x) + 3] / (255 * FINE * FINE);
  }
  return image;
}

function centreOf(image: Float32Array): Point {
  let [sum, x, y] = [0, 0, 0];
  for (const [i, ink] of image.entries()) {
    sum += ink;
    x += ink * ((i % SIDE) + 0.5);
    y += ink * (Math.floor(i / SIDE) + 0.5);
  }
  return sum === 0 ? { x: SIDE / 2, y: SIDE / 2 } : { x: x / sum, y: y / sum };
}

/** f32[28][28], 0 is paper and 1 ink. */
export function imageOf(strokes: readonly Stroke[]): Float32Array {
  const points = strokes.flat();
  if (points.length === 0) return new Float32Array(SIDE * SIDE);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  // A dot is not blown up to a disc.
  const scale = (FIT - PEN) / Math.max(right - left, bottom - top, 0.2);
  const placed = (dx: number, dy: number): Affine => {
    return ({ x, y }) => ({ x: SIDE / 2 + dx + (x - (left + right) / 2) * scale, y: SIDE / 2 + dy + (y - (top + bottom) / 2) * scale });
  };
  const centre = centreOf(inked(strokes, placed(0, 0)));
  return inked(strokes, placed(SIDE / 2 - centre.x, SIDE / 2 - centre.y));
}
