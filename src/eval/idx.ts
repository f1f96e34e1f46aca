import { FormatError } from "../errors.js";

// The files of MNIST and its kin: two zero bytes, the kind of the elements, the number of axes; each axis big-endian in four bytes; the elements.

/** An IDX file of bytes. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 8;

/** Images have two axes or three, and their number is one more. */
const MAX_AXES = 4;

/** Whether a file begins as an IDX file does. */
export function isIdx(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] >= UNSIGNED_BYTE && bytes[2] <= 14;
}

/**
 * Reads an IDX file.
 *
 * @throws FormatError where it is none, ends too early or too late, or has elements that are no unsigned bytes
 */
export function readIdx(bytes: Uint8Array): Idx {
  if (bytes.length < 4) throw new FormatError("TRUNCATED", bytes.length, "an IDX file has at least 4 bytes");
  if (!isIdx(bytes)) throw new FormatError("MAGIC", 0, "not an IDX file");
  const [, , kind, axes] = bytes;
  if (kind !== UNSIGNED_BYTE) throw new FormatError("UNSUPPORTED", 2, `an IDX file of elements of kind ${kind}, not unsigned bytes`);
  if (axes === 0 || axes > MAX_AXES) throw new FormatError("UNSUPPORTED", 3, `an IDX file with ${axes} axes`);
  const headBytes = 4 + 4 * axes;
  if (bytes.length < headBytes) throw new FormatError("TRUNCATED", bytes.length, "the axes are cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  // Four axes below 2^32 pass 2^53; a product that was rounded is still more than any file has.
  const wanted = shape.reduce((product, axis) => product * axis, 1);
  const present = bytes.length - headBytes;
  if (wanted > present) throw new FormatError("TRUNCATED", bytes.length, `[${shape}] are ${wanted} bytes, ${present} are there`);
  if (wanted < present) throw new FormatError("TRAILING", headBytes + wanted, `${present - wanted} bytes behind the last element`);
  return { shape, data: bytes.subarray(headBytes) };
}
