import type { TensorInfo } from "../types.js";
import { meets, shownInputs, shownShape, type ValueInfo } from "./types.js";

/** Shapes of inputs, by their names. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Above this a tensor is more likely a mistaken shape than wanted. */
const MOST_ELEMENTS = 2 ** 28;

/** @throws RangeError where a name is no input's, or a shape none that it can have */
export function checkShapes(shapes: Shapes, inputs: readonly ValueInfo[]): void {
  for (const name of Object.keys(shapes)) {
    const input = inputs.find((one) => one.name === name);
    if (!input) throw new RangeError(`shapes must name inputs of the model, ${shownInputs(inputs)}; got ${JSON.stringify(name)}`);
    closedShape(input, shapes);
  }
}

/** @throws RangeError where the samples bring an input with another shape than is said */
export function checkUsed(shapes: Shapes, given: ReadonlyMap<string, TensorInfo>): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const found = given.get(name)?.shape;
    if (found && found.join() !== shape.join())
      throw new RangeError(
        `shapes must be those of random inputs or of a state; ${JSON.stringify(name)} is given, with ${shownShape(found)}`,
      );
  }
}

/** A shape with a length for every axis. */
export function closedShape({ name, shape }: ValueInfo, shapes: Shapes, lengths: ReadonlyMap<string, number> = new Map()): number[] {
  const given = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  const wrong = given?.find((axis) => !Number.isInteger(axis) || axis < 1);
  if (wrong !== undefined) throw new RangeError(`shapes must have integers of 1 or more, ${wrong} is given for ${JSON.stringify(name)}`);
  if (given && !meets(given, shape)) {
    throw new RangeError(
      `shapes must meet the model: ${shownShape(given)} is given for ${JSON.stringify(name)}, which is ${shownShape(shape)}`,
    );
  }
  const closed = shape.map((axis, i) => given?.[i] ?? (typeof axis === "number" ? axis : (lengths.get(axis) ?? 1)));
  if (closed.reduce((product, axis) => product * axis, 1) > MOST_ELEMENTS)
    throw new RangeError(`shapes must have at most ${MOST_ELEMENTS} elements, ${JSON.stringify(name)} has ${shownShape(closed)}`);
  return closed;
}
