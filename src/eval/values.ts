import { engineKernels } from "../kernels/engine-kernels.js";
import { type Dtype, elementCount, type Tensor } from "../types.js";

// Elements as numbers, and numbers as elements. The bytes of a tensor are little-endian, as is every machine that onnxruntime runs on.

/** The dtypes that onnxruntime's tensors can have in JavaScript. */
export type ValueDtype = Extract<Dtype, "F32" | "F64" | "F16" | "I64" | "I32" | "I16" | "I8" | "U64" | "U32" | "U16" | "U8" | "BOOL">;

type NumberArray = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint32Array | Uint16Array | Uint8Array;

/** Elements as onnxruntime has them; those of F16 are their bits. */
export type ElementArray = NumberArray | BigInt64Array | BigUint64Array;

interface ElementArrayType {
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ElementArray;
  readonly BYTES_PER_ELEMENT: number;
}

const NUMBER_ARRAYS = {
  F32: Float32Array,
  F64: Float64Array,
  F16: Uint16Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

const ARRAYS: Readonly<Record<ValueDtype, ElementArrayType>> = { ...NUMBER_ARRAYS, I64: BigInt64Array, U64: BigUint64Array };

export function isValueDtype(dtype: Dtype): dtype is ValueDtype {
  return Object.hasOwn(ARRAYS, dtype);
}

const FLOATS: ReadonlySet<Dtype> = new Set<Dtype>(["F32", "F16", "F64"]);

export function isFloatValue(dtype: ValueDtype): boolean {
  return FLOATS.has(dtype);
}

/** A tensor's elements: a view of its bytes, a copy where they do not stand at a multiple of an element's. */
export function elementsOf({ data }: Pick<Tensor, "data">, dtype: ValueDtype): ElementArray {
  const type = ARRAYS[dtype];
  const { buffer, byteOffset, byteLength } = data.byteOffset % type.BYTES_PER_ELEMENT === 0 ? data : data.slice();
  return new type(buffer, byteOffset, byteLength / type.BYTES_PER_ELEMENT);
}

/** A tensor's elements as numbers; beyond 2^53, integers of 64 bits are rounded. */
export function numbersOf({ data }: Pick<Tensor, "data">, dtype: ValueDtype): ArrayLike<number> {
  if (dtype === "F16") return engineKernels().toFloat32(data, "F16");
  const elements = elementsOf({ data }, dtype);
  return dtype === "I64" || dtype === "U64" ? Float64Array.from(elements as BigInt64Array, Number) : (elements as NumberArray);
}

/** Whole numbers that a dtype of integers holds: least and most. */
function integerRange(dtype: ValueDtype): readonly [least: number, most: number] {
  if (dtype === "BOOL") return [0, 1];
  const bits = 8 * ARRAYS[dtype].BYTES_PER_ELEMENT;
  // Of 64 bits, those that a number can be told from its neighbours.
  if (bits === 64) return [dtype === "U64" ? 0 : Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return dtype.startsWith("U") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/**
 * Numbers as the bytes of a dtype: floats rounded to nearest.
 *
 * @param title of the numbers, for errors
 * @throws RangeError where an integer is wanted and a number is none, or too large
 */
export function bytesOf(numbers: ArrayLike<number>, dtype: ValueDtype, title: string): Uint8Array {
  if (dtype === "F16") return engineKernels().fromFloat32(Float32Array.from(numbers), "F16");
  if (!isFloatValue(dtype)) {
    const [least, most] = integerRange(dtype);
    for (let i = 0; i < numbers.length; i++) {
      const value = numbers[i];
      if (!Number.isInteger(value) || value < least || value > most)
        throw new RangeError(`${title} must have elements that ${dtype} holds, as the model's input does, got ${value}`);
    }
  }
  const elements =
    dtype === "I64"
      ? BigInt64Array.from(Array.from(numbers, BigInt))
      : dtype === "U64"
        ? BigUint64Array.from(Array.from(numbers, BigInt))
        : NUMBER_ARRAYS[dtype].from(numbers);
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}

/** A tensor of zeros. */
export function zeros(name: string, dtype: ValueDtype, shape: readonly number[]): Tensor {
  return { name, dtype, shape, data: new Uint8Array(elementCount(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT) };
}
