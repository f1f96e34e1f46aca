import { convolutionOf, type Shape } from "../../network/shapes.js";
import { placesOf } from "./places.js";
import { contiguous, extentOf, flattened, isContiguous, type Planes, planeOf } from "./planes.js";
import type { Stage } from "./stages.js";

// How much memory the activations of a network take, by its shapes alone.

/** What kernels read behind the last number of a buffer at most, in numbers. */
const SLACK = 32;

/** Buffers begin at a line of the cache. */
export const ALIGN = 64;

/** Bytes of a buffer, with what is before its first line. */
function bytesOf(length: number): number {
  return Math.ceil((4 * (length + SLACK)) / ALIGN) * ALIGN + ALIGN;
}

/** Two buffers, between which activations go to and fro, and scratch that the steps have one after the other; none of it is there yet. */
export class Room {
  /** What the last step leaves. */
  planes: Planes;
  #at: 0 | 1 = 0;
  /** Numbers that each buffer must have. */
  readonly #lengths: [number, number] = [0, 0];
  #scratch = 0;

  constructor(inputs: Planes) {
    this.planes = inputs;
    this.reach(extentOf(inputs));
  }

  /** The buffer that the last step's outputs are in. */
  get at(): 0 | 1 {
    return this.#at;
  }

  /** Bytes of each buffer, and of the scratch. */
  get byteLengths(): readonly [number, number, scratch: number] {
    return [bytesOf(this.#lengths[0]), bytesOf(this.#lengths[1]), this.#scratch];
  }

  get byteLength(): number {
    return this.byteLengths.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Whoever reads the last step's outputs reads so many numbers from their first. */
  reach(length: number): void {
    this.#lengths[this.#at] = Math.max(this.#lengths[this.#at], length);
  }

  /** A step leaves `planes` in the other buffer, of which it writes so many numbers. */
  move(planes: Planes, length: number = extentOf(planes)): void {
    this.#at = this.#at === 0 ? 1 : 0;
    this.planes = planes;
    this.reach(length);
  }

  /** A step has so many numbers of scratch. */
  scratch(length: number): void {
    this.#scratch = Math.max(this.#scratch, bytesOf(length));
  }
}

/** The steps of a stage: layers.ts and convolution.ts say what they do. */
function pass(room: Room, { layer, shape, outShape }: Stage): void {
  const { planes } = room;
  if (layer.type === "conv2d") {
    const places = placesOf(planes, convolutionOf(layer, shape));
    if (places.spread) room.move(places.inputs);
    room.reach(places.reads);
    room.move(places.outputs, places.writes);
  } else if (layer.type === "batchnorm") room.reach(layer.features * planeOf(planes, layer.features));
  else if (layer.type === "localresponsenorm") room.move(planes);
  else if (layer.type === "flatten") {
    if (isContiguous(planes)) room.planes = flattened(planes);
    else room.move(flattened(planes));
  } else if (layer.type !== "relu") {
    if (layer.type !== "linear") room.scratch(planes.width);
    room.move(contiguous(outShape));
  }
}

/**
 * The room that the activations of a network take.
 *
 * @throws RangeError naming the first layer with which that is more than `maxBytes`
 */
export function roomFor(stages: readonly Stage[], input: Shape, maxBytes: number): Room {
  const room = new Room(contiguous(input));
  let first = room.byteLength > maxBytes ? "the input" : undefined;
  for (const stage of stages) {
    pass(room, stage);
    if (room.byteLength > maxBytes) first ??= stage.title;
  }
  if (first === undefined) return room;
  throw new RangeError(
    `${first} takes the activations of the network beyond maxBytes, ${maxBytes}: with all its layers they need ${room.byteLength} bytes`,
  );
}
