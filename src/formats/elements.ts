import { byteSwapped, reordered, swapUnit } from "../archive/order.js";
import type { Dtype, Piece } from "../types.js";
import { checkRange } from "./bytes-source.js";

/** A column-major tensor is turned in memory, and no buffer is longer on the oldest Node that is served. */
export const MAX_TURNED_BYTES: number = 2 ** 32 - 1;

/** Part of a file, from 0 to its end: a whole file, a member of a zip, a tensor's bytes. */
export type ReadRange = (offset: number, byteLength: number) => Promise<Uint8Array>;

/** How the elements of a tensor stand in a file. */
export interface Elements {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  readonly columnMajor: boolean;
  readonly dataBytes: number;
}

/** The hole for the elements. */
export function holeOf(
  { bigEndian, columnMajor }: Pick<Elements, "bigEndian" | "columnMajor">,
  tensor: number,
): Extract<Piece, { kind: "tensor" }> {
  return { kind: "tensor", tensor, ...(bigEndian && { bigEndian }), ...(columnMajor && { columnMajor }) };
}

/**
 * Gives the elements little-endian and row-major; `read` gives them as they are in the file, from 0.
 *
 * A column-major array is read and turned as a whole at the first call, and held as long as the returned function: a range of
 * its rows is spread over all of the file.
 */
export function rowMajor({ dtype, shape, bigEndian, columnMajor, dataBytes }: Elements, read: ReadRange): ReadRange {
  const unit = swapUnit(dtype);
  if (columnMajor) {
    const turn = async (): Promise<Uint8Array> => {
      const bytes = await read(0, dataBytes);
      return reordered(bigEndian ? byteSwapped(bytes, unit) : bytes, dtype, shape, "row-major");
    };
    let all: Promise<Uint8Array> | undefined;
    return async (offset, byteLength) => {
      all ??= turn();
      return (await all).subarray(offset, offset + byteLength);
    };
  }
  if (!bigEndian) return read;
  return async (offset, byteLength) => {
    const start = offset - (offset % unit);
    const end = Math.ceil((offset + byteLength) / unit) * unit;
    return byteSwapped(await read(start, end - start), unit).subarray(offset - start, offset - start + byteLength);
  };
}

/** Reads tensors that may be read side by side: the reader of each is kept, with what it holds, until the tensor was read to its end. */
export class TensorReaders {
  readonly #readers = new Map<number, ReadRange>();
  readonly #open: (tensor: number) => ReadRange;

  constructor(open: (tensor: number) => ReadRange) {
    this.#open = open;
  }

  /** @throws TypeError, RangeError where the tensor, of `dataBytes`, does not have the range */
  async read(tensor: number, dataBytes: number, offset: number, byteLength: number): Promise<Uint8Array> {
    checkRange(offset, byteLength, dataBytes);
    const reader = this.#readers.get(tensor) ?? this.#open(tensor);
    this.#readers.set(tensor, reader);
    const bytes = await reader(offset, byteLength);
    if (offset + byteLength === dataBytes) this.#readers.delete(tensor);
    return bytes;
  }

  clear(): void {
    this.#readers.clear();
  }
}
