import { checkFloat32 } from "../check.js";

// Arrays of callers.

/** @throws TypeError, RangeError naming the argument */
export function checkVector(value: unknown, title: string, length: number): asserts value is Float32Array {
  checkFloat32(value, title);
  if (value.length !== length) {
    const detached = value.length === 0 && value.buffer.byteLength === 0 ? ": its buffer is empty, or was detached" : "";
    throw new RangeError(`${title} must have ${length} numbers, got ${value.length}${detached}`);
  }
}

/** @throws RangeError where two arrays have memory in common */
export function checkApart(a: Float32Array, titleOfA: string, b: Float32Array, titleOfB: string): void {
  if (a.buffer !== b.buffer || a.byteOffset >= b.byteOffset + b.byteLength || b.byteOffset >= a.byteOffset + a.byteLength) return;
  throw new RangeError(`${titleOfA} and ${titleOfB} must not share memory`);
}
