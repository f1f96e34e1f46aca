import { FormatError } from "./errors.js";

/**
 * Element types, by the names that safetensors gives them, in the order of their numbers in an archive (docs/format.md,
 * section 3.1): a new one may only be added at the end.
 */
export const DTYPES = [
  "F32",
  "F16",
  "BF16",
  "F64",
  "I64",
  "I32",
  "I16",
  "I8",
  "U64",
  "U32",
  "U16",
  "U8",
  "BOOL",
  "F8_E4M3",
  "F8_E5M2",
  "F8_E8M0",
  "C64",
  "C128",
  "F4",
  "F6_E2M3",
  "F6_E3M2",
  "F8_E4M3FNUZ",
  "F8_E5M2FNUZ",
] as const;

export type Dtype = (typeof DTYPES)[number];

const DTYPE_BITS: Readonly<Record<Dtype, number>> = {
  F32: 32,
  F16: 16,
  BF16: 16,
  F64: 64,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  C64: 64,
  C128: 128,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
};

/** The dtypes whose tensors can be shared. */
export type FloatDtype = Extract<Dtype, "F32" | "F16" | "BF16" | "F64">;

export function isFloatDtype(dtype: Dtype): dtype is FloatDtype {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16" || dtype === "F64";
}

/** Bits of the mantissa that an element has. */
export const MANTISSA_BITS: Readonly<Record<FloatDtype, number>> = { F32: 23, F16: 10, BF16: 7, F64: 52 };

/** Bits of one element; below 8 for the packed types, of which only whole bytes can be stored. */
export function dtypeBits(dtype: Dtype): number {
  return DTYPE_BITS[dtype];
}

/** A shape for a message: a hostile one may have millions of axes. */
function shown(shape: readonly number[]): string {
  return shape.length <= 16 ? `[${shape}]` : `[${shape.slice(0, 16)}, …] of ${shape.length} axes`;
}

/** What a tensor is, without its bytes. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Elements along each axis; `[]` is a scalar, an axis of 0 an empty tensor. */
  readonly shape: readonly number[];
}

/** A tensor in memory. `data` holds its elements little-endian and row-major, whatever the machine. */
export interface Tensor extends TensorInfo {
  readonly data: Uint8Array;
}

/**
 * Elements of a shape.
 *
 * @throws FormatError `LIMIT` at `offset` where the product leaves the safe integers.
 */
export function elementCount(shape: readonly number[], offset = 0): number {
  // An axis of 0 empties the tensor, whatever the others say, but they must not overflow on the way there.
  let count = 1;
  for (const axis of shape) {
    count *= axis;
    if (count > Number.MAX_SAFE_INTEGER) throw new FormatError("LIMIT", offset, `a shape ${shown(shape)} counts too many elements`);
  }
  return count;
}

/**
 * Bytes of a tensor.
 *
 * @throws FormatError `CORRUPT` at `offset` where a packed dtype does not fill whole bytes, `LIMIT` where the product
 * leaves the safe integers.
 */
export function tensorByteLength(dtype: Dtype, shape: readonly number[], offset = 0): number {
  const bits = dtypeBits(dtype);
  const count = elementCount(shape, offset);
  if (count > Number.MAX_SAFE_INTEGER / bits) throw new FormatError("LIMIT", offset, `${dtype} ${shown(shape)} is too large`);
  if ((count * bits) % 8 !== 0) throw new FormatError("CORRUPT", offset, `${dtype} ${shown(shape)} does not fill whole bytes`);
  return (count * bits) / 8;
}

/** Where bytes stand in a file of this process that is open: any of its threads may read them. */
export interface Place {
  /** The system's number of the open file. */
  readonly fd: number;
  readonly offset: number;
}

/** Bytes at rest that can be read by range: a file, a Blob, a buffer. */
export interface Source {
  readonly byteLength: number;
  /** Where the bytes stand, of an open file. */
  readonly place?: Place;
  /**
   * Exactly `byteLength` bytes from `offset`. The caller keeps within `[0, this.byteLength)`; the view is the caller's until
   * the next `read`.
   */
  read(offset: number, byteLength: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Bytes of a tensor that runs on in the next file, or comes from the last. The parts of a tensor stand in files that follow each other, one in each, with no other hole between them;
 * the first begins with the tensor, and the last ends with it.
 */
export interface Part {
  /** Bytes of the tensor before the part. */
  readonly offset: number;
  readonly byteLength: number;
}

/**
 * One stretch of a template: literal bytes, a hole for the bytes of a tensor, or for a part of them, or pieces that pass through zlib.
 */
export type Piece =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly kind: "tensor";
      readonly tensor: number;
      /** The file wants the elements big-endian. */
      readonly bigEndian?: boolean;
      /** The file wants the elements column-major (Fortran order). */
      readonly columnMajor?: boolean;
    }
  | ({ readonly kind: "part"; readonly tensor: number } & Part)
  | {
      readonly kind: "deflate";
      /** Level 1..9 at which zlib 1.x, windowBits 15 and memLevel 8, gives the file's bytes back. */
      readonly level: number;
      /** Bytes of the stream. */
      readonly byteLength: number;
      readonly pieces: readonly Piece[];
    };

/** One file of the shell: what is left of it once the weights are taken out. */
export interface FileTemplate {
  /** File name relative to the model, with `/`; `""` for a model of one file. */
  readonly path: string;
  readonly pieces: readonly Piece[];
}

/** What the archive did to the tensors, for a template that depends on it. */
export interface Restored {
  /** The tensor comes back bit for bit. */
  exact(tensor: number): boolean;
  /** The bytes that decompressing gives for the tensor, little-endian and row-major. A chunk holds until the next. */
  bytes(tensor: number): AsyncIterable<Uint8Array>;
}

/**
 * What a model uses a tensor for: as the weights of a layer (a matrix, a convolution, an embedding), or in any other way. `recurrent` are all weights of a model that has a recurrent layer or a loop: what
 * is wrong with them feeds back.
 */
export type Role = "weight" | "recurrent" | "other";

/** A model file that was opened: its tensors in file order, and the shell around them. */
export interface OpenModel {
  readonly format: string;
  /** Bytes of all its files. */
  readonly byteLength: number;
  readonly tensors: readonly TensorInfo[];
  /** A tensor's bytes are checked as they are read from its beginning to its end: it is not to be divided among readers. */
  readonly checkedInOrder?: boolean;
  /** Exactly `byteLength` bytes of a tensor, little-endian and row-major, from `offset` within it. */
  read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array>;
  /** Where the tensor's bytes, little-endian and row-major, stand in one run of an open file; undefined where only `read` can give them. */
  place?(tensor: number): Place | undefined;
  /** What the tensor is used for, where the format tells. */
  role?(tensor: number): Role | undefined;
  /** The shell. Asked for once, after the tensors were worked. */
  templates(restored: Restored): Promise<readonly FileTemplate[]>;
  close(): Promise<void>;
}
