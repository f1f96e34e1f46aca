import { MAX_RANK } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import { type Dtype, tensorByteLength } from "../types.js";
import { DATASPACE, DATATYPE, type H5Fields, type H5Message, LAYOUT } from "./h5-file.js";

/** A dataset of numbers whose bytes stand in one run of the file. */
export interface H5Dataset {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bigEndian: boolean;
  readonly address: number;
  readonly byteLength: number;
  /** Where the header says so, for errors. */
  readonly offset: number;
}

/**
 * The dataset that a header is of; of numbers in pieces, as all that is compressed, that they are. Undefined for groups, for data in the header or in other files, and for what are no
 * numbers.
 */
export function datasetOf(messages: readonly H5Message[]): H5Dataset | "chunked" | undefined {
  // One that says where it is kept for all is not read.
  const own = (wanted: number): H5Fields | undefined => messages.find(({ type, flags }) => type === wanted && (flags & 2) === 0)?.fields;
  const [space, type, layout] = [own(DATASPACE), own(DATATYPE), own(LAYOUT)];
  if (!space || !type || !layout) return undefined;
  const { offset } = layout;
  const run = runOf(layout);
  const numbers = run && numbersOf(type);
  if (run === "chunked") return numbers && "chunked";
  const shape = numbers && shapeOf(space);
  if (!run || !numbers || !shape) return undefined;
  const byteLength = tensorByteLength(numbers.dtype, shape, space.base);
  if (run.byteLength !== undefined && run.byteLength !== byteLength) {
    throw new FormatError("CORRUPT", offset, `a dataset of ${numbers.dtype} [${shape}] in ${run.byteLength} bytes`);
  }
  return { ...numbers, shape, address: run.address, byteLength, offset };
}

const CONTIGUOUS = 1;
const CHUNKED = 2;

/** Where data stand that are in one run; or that they are in pieces. */
function runOf(layout: H5Fields): { readonly address: number; readonly byteLength?: number } | "chunked" | undefined {
  const version = layout.u8("layout version");
  if (version < 3) {
    const rank = layout.u8("axes of a layout");
    const kind = layout.u8("kind of layout");
    layout.take(5, "layout");
    if (kind === CHUNKED) return "chunked";
    if (kind !== CONTIGUOUS || rank > MAX_RANK) return undefined;
    const address = layout.address("address of data");
    return address === undefined ? undefined : { address };
  }
  const kind = layout.u8("kind of layout");
  if (kind === CHUNKED) return "chunked";
  if (kind !== CONTIGUOUS) return undefined;
  const address = layout.address("address of data");
  // Nothing was written: no byte of the file is the dataset's.
  return address === undefined ? undefined : { address, byteLength: layout.u64("bytes of data") };
}

function shapeOf(space: H5Fields): number[] | undefined {
  const version = space.u8("dataspace version");
  const rank = space.u8("axes of a dataspace");
  if (rank > MAX_RANK) throw new FormatError("LIMIT", space.offset - 1, `a dataset of ${rank} axes`);
  space.take(1, "dataspace");
  if (version === 1) space.take(5, "dataspace");
  // Of no elements, as against a scalar.
  else if (space.u8("kind of dataspace") === 2) return undefined;
  return Array.from({ length: rank }, () => space.u64("axis of a dataset"));
}

/** Floating-point numbers, by bytes, and by bit of the exponent, its bits and bias: the sign is above, the mantissa below it. */
const FLOATS: ReadonlyMap<string, Dtype> = new Map([
  ["2 10 5 15", "F16"],
  ["2 7 8 127", "BF16"],
  ["4 23 8 127", "F32"],
  ["8 52 11 1023", "F64"],
]);

/** Integers by bytes, signed and not. */
const INTEGERS: ReadonlyMap<number, readonly [signed: Dtype, unsigned: Dtype]> = new Map([
  [1, ["I8", "U8"]],
  [2, ["I16", "U16"]],
  [4, ["I32", "U32"]],
  [8, ["I64", "U64"]],
]);

const FIXED_POINT = 0;
const FLOATING_POINT = 1;

function numbersOf(type: H5Fields): { readonly dtype: Dtype; readonly bigEndian: boolean } | undefined {
  const kind = type.u8("class of a datatype") & 15;
  if (kind !== FIXED_POINT && kind !== FLOATING_POINT) return undefined;
  const bits = type.u8("datatype");
  const signBit = type.u8("datatype");
  type.take(1, "datatype");
  const bytes = type.u32("bytes of an element");
  const bitOffset = type.u16("first bit of an element");
  const precision = type.u16("bits of an element");
  if (bitOffset !== 0 || precision !== 8 * bytes) return undefined;
  const bigEndian = (bits & 1) === 1 && bytes > 1;
  let dtype: Dtype | undefined;
  if (kind === FIXED_POINT) dtype = INTEGERS.get(bytes)?.[bits & 8 ? 0 : 1];
  else {
    const [exponentAt, exponentBits, mantissaAt, mantissaBits] = type.take(4, "datatype");
    const bias = type.u32("bias of an exponent");
    // Bit 6 stands for the order of the VAX; 2 in the bits above it, for a mantissa whose first bit is implied.
    const ieee = signBit === precision - 1 && mantissaAt === 0 && mantissaBits === exponentAt && (bits & 0x40) === 0 && bits >> 4 === 2;
    dtype = ieee ? FLOATS.get(`${bytes} ${exponentAt} ${exponentBits} ${bias}`) : undefined;
  }
  return dtype && { dtype, bigEndian };
}
