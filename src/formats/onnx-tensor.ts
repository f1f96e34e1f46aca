import { MAX_NAME_BYTES, MAX_RANK } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import { type Dtype, elementCount, type TensorInfo, tensorByteLength } from "../types.js";
import { BYTES, type Field, type ProtobufReader, VARINT } from "./protobuf.js";

// TensorProto, by the numbers that onnx.proto gives its fields.

const DIMS = 1;
const DATA_TYPE = 2;
const SEGMENT = 3;
const FLOAT_DATA = 4;
const INT32_DATA = 5;
const STRING_DATA = 6;
const INT64_DATA = 7;
const NAME = 8;
const RAW_DATA = 9;
const DOUBLE_DATA = 10;
const UINT64_DATA = 11;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

const EXTERNAL = 1;

const DATA_TYPES: readonly (Dtype | undefined)[] = [
  ...[undefined, "F32", "U8", "I8", "U16", "I16", "I32", "I64", undefined, "BOOL", "F16", "F64", "U32", "U64", "C64", "C128", "BF16"],
  ...["F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", undefined, undefined, undefined, "F8_E8M0"],
] as (Dtype | undefined)[];

/** Bits of the elements that share bytes: UINT4, INT4, FLOAT4E2M1, UINT2, INT2. */
const PACKED_BITS: ReadonlyMap<number, number> = new Map([
  [21, 4],
  [22, 4],
  [23, 4],
  [25, 2],
  [26, 2],
]);

/** Numbers in a row that are as long in the file as in memory, by field, with the types that they may have. */
const RUNS: ReadonlyMap<number, readonly Dtype[]> = new Map([
  [FLOAT_DATA, ["F32", "C64"]],
  [DOUBLE_DATA, ["F64", "C128"]],
]);

/** Where the bytes of a tensor are in another file. */
export interface External {
  readonly location: string;
  readonly offset: number;
  /** Undefined where it is not said: as many as the tensor has. */
  readonly byteLength: number | undefined;
}

/** A tensor as its message has it. */
export interface OnnxTensor {
  /** Where the message is in the file, for errors. */
  readonly start: number;
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Where its bytes, little-endian and row-major, begin: in the model's file, or in another. */
  readonly data: number | External;
}

/** Text of a field: names, and keys of other files. What is no UTF-8 becomes U+FFFD, as names only are compared. */
export async function textOf(reader: ProtobufReader, field: Field): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await reader.bytes(field, MAX_NAME_BYTES, "a name"));
}

/** What a TensorProto says, before it is judged. */
interface Message {
  name: string;
  dataType: number;
  external: boolean;
  /** Fields that hold elements, and are not empty. */
  readonly data: Field[];
  readonly dims: number[];
  readonly keys: Map<string, string>;
}

async function readMessage(reader: ProtobufReader, message: Field): Promise<Message> {
  const tensor: Message = { name: "", dataType: 0, external: false, data: [], dims: [], keys: new Map() };
  await reader.message(message.at, message.end, (field) => {
    const { number, wire, value } = field;
    if (number === DIMS && (wire === VARINT || wire === BYTES)) return readDims(reader, field, tensor.dims);
    if (number === NAME && wire === BYTES) return textOf(reader, field).then((name) => void (tensor.name = name));
    if (number === EXTERNAL_DATA && wire === BYTES) return readKey(reader, field, tensor.keys);
    if (number === DATA_TYPE && wire === VARINT) tensor.dataType = value;
    else if (number === DATA_LOCATION && wire === VARINT) tensor.external = value === EXTERNAL;
    else if (DATA_FIELDS.has(number) && (wire !== BYTES || field.end > field.at)) {
      // Two say as much as a million: such a tensor stays as it is.
      if (tensor.data.length < 2) tensor.data.push(field);
    }
    return undefined;
  });
  return tensor;
}

const DATA_FIELDS: ReadonlySet<number> = new Set([
  ...[SEGMENT, FLOAT_DATA, INT32_DATA, STRING_DATA],
  ...[INT64_DATA, RAW_DATA, DOUBLE_DATA, UINT64_DATA],
]);

async function readDims(reader: ProtobufReader, field: Field, dims: number[]): Promise<void> {
  const values = await reader.varints(field, MAX_RANK, "a shape");
  if (dims.length + values.length > MAX_RANK) throw new FormatError("LIMIT", field.start, `a shape of more than ${MAX_RANK} axes`);
  for (const value of values) {
    if (value > Number.MAX_SAFE_INTEGER) throw new FormatError("CORRUPT", field.start, "an axis is negative, or 2^53 or more");
    dims.push(value);
  }
}

/** One of the keys that say where the bytes of a tensor are; the few that have a meaning are kept. */
async function readKey(reader: ProtobufReader, entry: Field, keys: Map<string, string>): Promise<void> {
  let [key, value] = ["", ""];
  await reader.message(entry.at, entry.end, (field) => {
    if (field.wire !== BYTES) return undefined;
    if (field.number === 1) return textOf(reader, field).then((text) => void (key = text));
    return field.number === 2 ? textOf(reader, field).then((text) => void (value = text)) : undefined;
  });
  if (key === "location" || key === "offset" || key === "length") keys.set(key, value);
}

/** What is listed for a type: packed elements as the bytes that they share. */
function listed(dataType: number, dims: readonly number[], at: number): Pick<TensorInfo, "dtype" | "shape"> | undefined {
  const bits = PACKED_BITS.get(dataType);
  if (bits !== undefined) return { dtype: "U8", shape: [Math.ceil((elementCount(dims, at) * bits) / 8)] };
  const dtype = DATA_TYPES[dataType];
  return dtype && { dtype, shape: dims };
}

/**
 * Reads a TensorProto.
 *
 * @returns undefined for one that stays in the shell, as it has no bytes, or not as one run that is as long in the file as in memory: texts, numbers as varints (`int32_data`,
 *   `int64_data`, `uint64_data`; 16-bit floats in them, too), numbers that each have a tag, data in several fields, and types that are not known
 * @throws FormatError where it is at fault
 */
export async function readTensor(reader: ProtobufReader, message: Field): Promise<OnnxTensor | undefined> {
  const { name, dataType, external, data, dims, keys } = await readMessage(reader, message);
  const { start } = message;
  const info = listed(dataType, dims, start);
  if (info === undefined) {
    if (external) throw new FormatError("UNSUPPORTED", start, `data of type ${dataType} in another file`);
    return undefined;
  }
  const byteLength = tensorByteLength(info.dtype, info.shape, start);
  const tensor = { start, name, byteLength, ...info };
  if (external) return { ...tensor, data: externalOf(keys, start) };
  const [field] = data;
  if (data.length !== 1 || field.wire !== BYTES) return undefined;
  if (field.number !== RAW_DATA && !RUNS.get(field.number)?.includes(info.dtype)) return undefined;
  if (field.end - field.at !== byteLength) {
    const wanted = `${JSON.stringify(name.slice(0, 100))} has ${field.end - field.at} bytes`;
    throw new FormatError("CORRUPT", field.start, `${wanted}, its shape and type ${byteLength}`);
  }
  return { ...tensor, data: field.at };
}

function externalOf(keys: ReadonlyMap<string, string>, start: number): External {
  const location = keys.get("location");
  if (location === undefined) throw new FormatError("CORRUPT", start, "data in another file, which is not named");
  const whole = (key: string): number | undefined => {
    const text = keys.get(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value > Number.MAX_SAFE_INTEGER)
      throw new FormatError("CORRUPT", start, `${key} of data in another file`);
    return value;
  };
  return { location, offset: whole("offset") ?? 0, byteLength: whole("length") };
}
