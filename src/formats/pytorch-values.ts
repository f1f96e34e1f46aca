import { FormatError } from "../errors.js";
import { type Dtype, dtypeBits } from "../types.js";
import { PickleTuple, type PickleValue } from "./pickle-values.js";

/** PyTorch's tensors have few axes; an archive's have at most as many. */
const MAX_AXES = 64;

/** A place in a pickle, for errors: `where` stands before messages. */
export interface Place {
  readonly offset: number;
  readonly where: string;
}

/** A run of bytes in the file, of which tensors are views. */
export interface TorchStorage {
  readonly key: string;
  readonly byteLength: number;
  /** Of its elements, as the file first names it. */
  readonly dtype: Dtype;
  /** Where the pickle first names it, for errors. */
  readonly offset: number;
}

/** A storage as one place of a pickle refers to it: as elements of a dtype, from a byte on. */
export class TorchStorageRef {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  readonly start: number;
  readonly byteLength: number;

  constructor(storage: TorchStorage, dtype: Dtype, start: number, byteLength: number) {
    this.storage = storage;
    this.dtype = dtype;
    this.start = start;
    this.byteLength = byteLength;
  }
}

/** A view of a storage. Numbers are checked: it lies within. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Elements from one index of an axis to the next. */
  readonly strides: readonly number[];
  /** Bytes of the storage that its elements are among; equal where it has none. */
  readonly start: number;
  readonly end: number;
  /** Where the pickle makes it, for errors. */
  readonly offset: number;

  constructor(ref: TorchStorageRef, dtype: Dtype, { first, shape, strides }: Strided, at: Place) {
    const elementBytes = dtypeBits(dtype) / 8;
    const empty = shape.includes(0);
    // A sum that is rounded is far beyond any capacity.
    const last = empty ? first : shape.reduce((sum, axis, i) => sum + (axis - 1) * strides[i], first);
    const capacity = Math.floor(ref.byteLength / elementBytes);
    if (first > capacity || (!empty && last >= capacity)) {
      throw new FormatError("CORRUPT", at.offset, `${at.where}a tensor reaches past the ${capacity} elements of its storage`);
    }
    this.storage = ref.storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.start = ref.start + first * elementBytes;
    this.end = empty ? this.start : ref.start + (last + 1) * elementBytes;
    this.offset = at.offset;
  }

  /** All elements of a storage. */
  static whole(ref: TorchStorageRef): TorchTensor {
    const count = Math.floor(ref.byteLength / (dtypeBits(ref.dtype) / 8));
    const at = { offset: ref.storage.offset, where: "" };
    return new TorchTensor(ref, ref.dtype, { first: 0, shape: [count], strides: [1] }, at);
  }
}

/** Where the elements of a tensor stand in its storage, in elements. */
export interface Strided {
  readonly first: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** @throws FormatError `CORRUPT` where `value` is no integer from 0 to 2^53 - 1 */
export function countOf(value: PickleValue | undefined, what: string, at: Place): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new FormatError("CORRUPT", at.offset, `${at.where}${what} is no number that counts`);
}

/** @throws FormatError where the three are not numbers of one tensor */
export function stridedOf(first: PickleValue, shape: PickleValue, strides: PickleValue, at: Place): Strided {
  const place = { first: countOf(first, "the offset of a tensor", at), shape: countsOf(shape, at), strides: countsOf(strides, at) };
  if (place.shape.length !== place.strides.length)
    throw new FormatError("CORRUPT", at.offset, `${at.where}a tensor of ${place.shape.length} axes has ${place.strides.length} strides`);
  return place;
}

function countsOf(value: PickleValue, at: Place): number[] {
  if (!(value instanceof PickleTuple)) throw new FormatError("CORRUPT", at.offset, `${at.where}a shape is no tuple`);
  if (value.items.length > MAX_AXES) throw new FormatError("LIMIT", at.offset, `${at.where}a tensor of ${value.items.length} axes`);
  return value.items.map((item) => countOf(item, "an axis of a tensor", at));
}
