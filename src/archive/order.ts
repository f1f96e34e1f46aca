import { type Dtype, dtypeBits } from "../types.js";
import { allocate } from "./bytes.js";

/** Bytes of the unit that a change of byte order reverses: a complex number is two of them. */
export function swapUnit(dtype: Dtype): number {
  const bits = dtypeBits(dtype);
  return dtype === "C64" || dtype === "C128" ? bits / 16 : Math.max(1, bits / 8);
}

/** A copy of `bytes`, whole units, with the bytes of every unit reversed. */
export function byteSwapped(bytes: Uint8Array, unit: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += unit) {
    for (let k = 0; k < unit; k++) swapped[at + k] = bytes[at + unit - 1 - k];
  }
  return swapped;
}

/** Whether the two orders differ: they are one where at most one axis is longer than 1, or nothing is there. */
export function orderMatters(shape: readonly number[]): boolean {
  return !shape.includes(0) && shape.filter((axis) => axis > 1).length > 1;
}

/** Elements in machine words of `wordBytes`, `words` of them each: what is moved, never looked at. */
function wordsOf(bytes: Uint8Array, wordBytes: number): Uint8Array | Uint16Array | Uint32Array {
  if (wordBytes === 1) return bytes;
  const aligned = bytes.byteOffset % wordBytes === 0 ? bytes : bytes.slice();
  return wordBytes === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, bytes.length / 2)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}

/**
 * A copy of a whole tensor in the other order of elements: from row-major (C) to column-major (Fortran), or back.
 *
 * Requires bytes.length = elements of `shape` x bytes of `dtype`, and a dtype of whole bytes.
 *
 * @throws FormatError `LIMIT` where this runtime cannot allocate the copy
 */
export function reordered(bytes: Uint8Array, dtype: Dtype, shape: readonly number[], to: "column-major" | "row-major"): Uint8Array {
  const result = allocate(bytes.length, "a tensor");
  const axes = shape.filter((axis) => axis !== 1);
  const elementBytes = dtypeBits(dtype) / 8;
  const wordBytes = Math.min(elementBytes, 4);
  const words = elementBytes / wordBytes;
  const from = wordsOf(bytes, wordBytes);
  const into = wordsOf(result, wordBytes);

  // Walks the row-major order; `column` is the place of the same element in column-major order.
  const strides: number[] = [];
  let stride = 1;
  for (const axis of axes) {
    strides.push(stride);
    stride *= axis;
  }
  const count = bytes.length / elementBytes;
  const index = axes.map(() => 0);
  const toColumn = to === "column-major";
  let column = 0;
  for (let row = 0; row < count; row++) {
    const source = (toColumn ? row : column) * words;
    const target = (toColumn ? column : row) * words;
    for (let k = 0; k < words; k++) into[target + k] = from[source + k];
    for (let d = axes.length - 1; d >= 0; d--) {
      column += strides[d];
      if (++index[d] < axes[d]) break;
      column -= strides[d] * axes[d];
      index[d] = 0;
    }
  }
  return result;
}
