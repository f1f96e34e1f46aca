import { FormatError } from "../errors.js";

// The binary files of CIFAR-10: records of a byte for the class and a plane each of red, green and blue.

const CHANNELS = 3;
const SIDE = 32;
const CLASSES = 10;
const IMAGE_BYTES = CHANNELS * SIDE * SIDE;
const RECORD_BYTES = 1 + IMAGE_BYTES;

export interface Cifar {
  /** Images, channels, rows, columns. */
  readonly shape: readonly [number, number, number, number];
  readonly data: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * Reads a binary file of CIFAR-10, which nothing but its length and its labels tells from any other.
 *
 * @throws FormatError where it does not end with a record, or has a label that is no class
 */
export function readCifar(bytes: Uint8Array): Cifar {
  const count = Math.floor(bytes.length / RECORD_BYTES);
  if (bytes.length === 0 || bytes.length % RECORD_BYTES !== 0) {
    throw new FormatError("TRUNCATED", bytes.length, `neither an IDX file nor records of CIFAR-10, of ${RECORD_BYTES} bytes each`);
  }
  const data = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * RECORD_BYTES;
    labels[i] = bytes[at];
    if (labels[i] >= CLASSES) throw new FormatError("CORRUPT", at, `a label of ${labels[i]}, CIFAR-10 has ${CLASSES} classes`);
    data.set(bytes.subarray(at + 1, at + RECORD_BYTES), i * IMAGE_BYTES);
  }
  return { shape: [count, CHANNELS, SIDE, SIDE], data, labels };
}
