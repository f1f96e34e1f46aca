import { openOnnx } from "../../src/formats/index.js";
import type { OpenModel } from "../../src/types.js";
import { concat, floats, lendingSource } from "./helpers.js";

// ONNX files made in the test, field by field, with the numbers of onnx.proto.

const utf8 = new TextEncoder();

export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

/** A field with a number. */
export const int = (field: number, value: number | bigint): Uint8Array => concat(varint(8 * field), varint(value));

/** A field with bytes: a text, a message, numbers in a row. */
export function bytes(field: number, value: string | Uint8Array, ...more: readonly Uint8Array[]): Uint8Array {
  const all = typeof value === "string" ? utf8.encode(value) : concat(value, ...more);
  return concat(varint(8 * field + 2), varint(all.length), all);
}

/** A field with four bytes. */
export const fixed32 = (field: number, value: Uint8Array): Uint8Array => concat(varint(8 * field + 5), value);

export const packed = (values: readonly (number | bigint)[]): Uint8Array => concat(...values.map(varint));

export const TYPES = {
  FLOAT: 1,
  UINT8: 2,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  INT4: 22,
  FLOAT8E8M0: 24,
} as const;

export const raw = (data: Uint8Array): Uint8Array => bytes(9, data);

/** The fields of a tensor: its type, shape and name, and `data`, fields that hold it. */
export function tensor(name: string, type: keyof typeof TYPES, dims: readonly number[], ...data: readonly Uint8Array[]): Uint8Array {
  return concat(...dims.map((axis) => int(1, axis)), int(2, TYPES[type]), bytes(8, name), ...data);
}

/** The fields that say where data is in another file. */
export function external(keys: Readonly<Record<string, string | number>>): Uint8Array {
  const entries = Object.entries(keys).map(([key, value]) => bytes(13, concat(bytes(1, key), bytes(2, String(value)))));
  return concat(...entries, int(14, 1));
}

export interface NodeFields {
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: readonly Uint8Array[];
}

/** A node in a graph (in a function it is another field). */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { name = "", domain = "", attributes = [] }: NodeFields = {},
  field = 1,
): Uint8Array {
  return bytes(
    field,
    concat(
      ...inputs.map((input) => bytes(1, input)),
      ...outputs.map((output) => bytes(2, output)),
      bytes(3, name),
      bytes(4, operator),
      ...attributes.map((attribute) => bytes(5, attribute)),
      ...(domain ? [bytes(7, domain)] : []),
    ),
  );
}

/** An attribute with a tensor; a graph. */
export const tensorAttribute = (name: string, value: Uint8Array): Uint8Array => concat(bytes(1, name), bytes(5, value), int(20, 4));
export const graphAttribute = (name: string, ...graph: readonly Uint8Array[]): Uint8Array =>
  concat(bytes(1, name), bytes(6, concat(...graph)), int(20, 5));

export const constant = (output: string, value: Uint8Array): Uint8Array =>
  node("Constant", [], [output], { attributes: [tensorAttribute("value", value)] });

export const initializer = (value: Uint8Array): Uint8Array => bytes(5, value);

/** A model with a graph of these fields; and fields behind it. */
export function model(graph: readonly Uint8Array[], ...more: readonly Uint8Array[]): Uint8Array {
  return concat(int(1, 8), bytes(2, "coppice"), bytes(7, concat(...graph)), bytes(8, int(2, 17)), ...more);
}

/** A model of one initialiser. */
export const oneOf = (fields: Uint8Array): Uint8Array => model([initializer(fields)]);

export const W: Uint8Array = floats(24);

/** A tensor of the bytes of `W`. */
export const w = (name: string): Uint8Array => tensor(name, "FLOAT", [4, 6], raw(W));

export const open = (file: Uint8Array): Promise<OpenModel> => openOnnx(lendingSource(file));

export const names = ({ tensors }: OpenModel): string[] => tensors.map(({ name }) => name);

/** The names of the tensors that are weights, of a recurrent model too. */
export const weights = (opened: OpenModel): string[] => names(opened).filter((_, i) => opened.role?.(i) !== "other");
