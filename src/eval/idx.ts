import { FormatError } from "../errors.js";

// The files of MNIST and its kin: two zero bytes, the kind of the elements, the number of axes; each axis big-endian in four bytes; the elements, big-endian.

/** An IDX file of integers. */
export interface Idx {
  readonly shape: readonly number[];
  readonly kind: number;
  /** The elements as they stand in the file. */
  readonly data: Uint8Array;
}

/** The kinds of integers by their numbers, with how an element is read. */
const INTEGERS: ReadonlyMap<number, { readonly bytes: number; readonly read: (view: DataView, at: number) => number }> = new Map([
  [8, { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) }],
  [9, { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) }],
  [11, { bytes: 2, read: (view: DataView, at: number) => view.getInt16(at) }],
  [12, { bytes: 4, read: (view: DataView, at: number) => view.getInt32(at) }],
]);

export const UNSIGNED_BYTE = 8;

/** Images have two axes or three, and their number is one more. */
const MAX_AXES = 4;

/** Whether a file begins as an IDX file does. */
export function isIdx(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] >= UNSIGNED_BYTE && bytes[2] <= 14;
}

interface Head {
  readonly headBytes: number;
  readonly shape: readonly number[];
  readonly kind: number;
  /** Of the elements; rounded where there are more than any file has. */
  readonly dataBytes: number;
}

/** @throws FormatError where there is no such file with integers */
function readHead(bytes: Uint8Array): Head {
  if (bytes.length < 4) throw new FormatError("TRUNCATED", bytes.length, "an IDX file has at least 4 bytes");
  if (!isIdx(bytes)) throw new FormatError("MAGIC", 0, "not an IDX file");
  const [, , kind, axes] = bytes;
  const integer = INTEGERS.get(kind);
  if (!integer) throw new FormatError("UNSUPPORTED", 2, `an IDX file of elements of kind ${kind}, which are no integers`);
  if (axes === 0 || axes > MAX_AXES) throw new FormatError("UNSUPPORTED", 3, `an IDX file with ${axes} axes`);
  const headBytes = 4 + 4 * axes;
  if (bytes.length < headBytes) throw new FormatError("TRUNCATED", bytes.length, "the axes are cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  // Four axes below 2^32 pass 2^53; a product that was rounded is still more than any file has.
  return { headBytes, shape, kind, dataBytes: shape.reduce((product, axis) => product * axis, integer.bytes) };
}

/** Bytes of an IDX file that begins so; undefined where it is none that can be read, or too little of it is there. */
export function idxLength(head: Uint8Array): number | undefined {
  if (!isIdx(head) || !INTEGERS.has(head[2]) || head.length < 4 + 4 * head[3]) return undefined;
  if (head[3] === 0 || head[3] > MAX_AXES) return undefined;
  const { headBytes, dataBytes } = readHead(head);
  return headBytes + dataBytes;
}

/**
 * Reads an IDX file.
 *
 * @throws FormatError where it is none, ends too early or too late, or has elements that are no integers
 */
export function readIdx(bytes: Uint8Array): Idx {
  const { headBytes, shape, kind, dataBytes } = readHead(bytes);
  const present = bytes.length - headBytes;
  if (dataBytes > present) throw new FormatError("TRUNCATED", bytes.length, `[${shape}] are ${dataBytes} bytes, ${present} are there`);
  if (dataBytes < present) throw new FormatError("TRAILING", headBytes + dataBytes, `${present - dataBytes} bytes behind the last element`);
  return { shape, kind, data: bytes.subarray(headBytes) };
}

/** The elements of an IDX file as numbers. */
export function idxNumbers({ kind, data }: Idx): ArrayLike<number> {
  if (kind === UNSIGNED_BYTE) return data;
  const { bytes, read } = INTEGERS.get(kind) as { bytes: number; read: (view: DataView, at: number) => number };
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Int32Array.from({ length: data.length / bytes }, (_, i) => read(view, i * bytes));
}
