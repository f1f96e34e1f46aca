import { crc32 } from "../../src/formats/crc32.js";
import { ascii, concat } from "./helpers.js";
import { makeZip, type ZipMember } from "./zipfile.js";

// Writes pickles, and files of PyTorch around them: whatever a test asks for, whether PyTorch would or not.

/** What stands in a pickle: bytes are opcodes as they are. */
export type Py = null | boolean | number | string | readonly Py[] | PyDict | Uint8Array;

/** A dictionary of strings to values. */
export interface PyDict {
  readonly [key: string]: Py;
}

export const ops = (...parts: (number | string | Uint8Array)[]): Uint8Array =>
  concat(...parts.map((part) => (typeof part === "number" ? Uint8Array.of(part) : typeof part === "string" ? ascii(part) : part)));

export function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** The opcodes that push a value, in protocol 2: lists, dictionaries and what is written as opcodes. */
export function push(value: Py): Uint8Array {
  if (value === null) return ops("N");
  if (typeof value === "boolean") return ops(value ? 0x88 : 0x89);
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return ops("J", uint32(value));
    const bytes = new Uint8Array(9);
    bytes[0] = 0x47;
    new DataView(bytes.buffer).setFloat64(1, value);
    return bytes;
  }
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return ops("X", uint32(bytes.length), bytes);
  }
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return ops("](", ...value.map(push), "e");
  return ops("}(", ...Object.entries(value).flatMap(([key, item]) => [push(key), push(item)]), "u");
}

export const tuple = (...items: Py[]): Uint8Array => ops("(", ...items.map(push), "t");
export const global = (module: string, name: string): Uint8Array => ops(`c${module}\n${name}\n`);
export const reduce = (callee: Uint8Array, ...args: Py[]): Uint8Array => ops(callee, tuple(...args), "R");
export const build = (value: Uint8Array, state: Py): Uint8Array => ops(value, push(state), "b");

/** A whole pickle. */
export const pickle = (value: Py, protocol = 2): Uint8Array => ops(0x80, protocol, push(value), ".");

/** An integer of any size, as LONG1 has it. */
function long(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 255n));
  return ops(0x8a, bytes.length, Uint8Array.from(bytes));
}

export interface View {
  /** Of the storage, without "Storage". */
  readonly type?: string;
  readonly key?: string;
  /** Elements of the storage. */
  readonly count: Py;
  readonly first?: Py;
  readonly shape: readonly Py[];
  readonly strides?: readonly Py[];
  /** What old files say behind the number of elements. */
  readonly view?: Py;
}

/** A reference to a storage. */
export function storage({ type = "Float", key = "0", count, view }: Pick<View, "type" | "key" | "count" | "view">): Uint8Array {
  const rest = view === undefined ? [] : [view];
  return ops(tuple("storage", global("torch", `${type}Storage`), key, "cpu", count, ...rest), "Q");
}

/** Strides of a tensor without gaps. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/** A tensor, contiguous unless its strides are given. */
export function tensor(view: View): Uint8Array {
  const strides = view.strides ?? rowMajorStrides(view.shape as number[]);
  return reduce(
    global("torch._utils", "_rebuild_tensor_v2"),
    storage(view),
    view.first ?? 0,
    tuple(...view.shape),
    tuple(...strides),
    false,
    {},
  );
}

/** A tensor that says its dtype, on a storage of bytes. */
export function typedTensor(dtype: string, { key, count, first = 0, shape, strides }: View): Uint8Array {
  return reduce(
    global("torch._utils", "_rebuild_tensor_v3"),
    storage({ type: "Untyped", key, count }),
    ...[first, tuple(...shape), tuple(...(strides ?? rowMajorStrides(shape as number[]))), false, {}, global("torch", dtype)],
  );
}

/** The bytes of storages by key. */
export type Storages = Readonly<Record<string, Uint8Array>>;

export interface TorchZipOptions {
  /** Instead of the pickle of the root. */
  readonly pickle?: Uint8Array;
  readonly byteorder?: string;
  /** Of each member. */
  readonly member?: Partial<ZipMember>;
  readonly more?: readonly ZipMember[];
}

/** The newer form, as version 2 writes it: descriptors behind the data. */
export function makeTorchZip(root: Py, storages: Storages, options: TorchZipOptions = {}): Uint8Array {
  const member = (name: string, data: Uint8Array): ZipMember => ({ name: `archive/${name}`, data, descriptor: 4, ...options.member });
  const members = [member("data.pkl", options.pickle ?? pickle(root))];
  if (options.byteorder !== undefined) members.push(member("byteorder", ascii(options.byteorder)));
  for (const [key, data] of Object.entries(storages)) members.push(member(`data/${key}`, data));
  return makeZip([...members, member("version", ascii("3\n")), ...(options.more ?? [])], { zip64: true });
}

export interface TorchLegacyOptions {
  readonly magic?: bigint;
  readonly version?: number;
  readonly system?: Py;
  readonly keys?: Py;
  readonly protocol?: number;
  /** Elements that are said to stand in each storage. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Bytes of an element. */
  readonly elementBytes?: number;
}

/** The older form: five pickles, then the storages. */
export function makeTorchLegacy(root: Py, storages: Storages, options: TorchLegacyOptions = {}): Uint8Array {
  const { magic = 0x1950a86a20f9469cfc6cn, version = 1001, protocol = 2, elementBytes = 4 } = options;
  const system = options.system ?? { protocol_version: 1001, little_endian: true, type_sizes: { short: 2, int: 4, long: 4 } };
  return concat(
    pickle(long(magic), protocol),
    pickle(version, protocol),
    pickle(system, protocol),
    pickle(root, protocol),
    pickle(options.keys ?? Object.keys(storages), protocol),
    ...Object.entries(storages).flatMap(([key, data]) => [
      new Uint8Array(BigUint64Array.of(BigInt(options.counts?.[key] ?? data.length / elementBytes)).buffer),
      data,
    ]),
  );
}

/** CRC-32 of each member as the directory has them, by name. */
export function checksums(zip: Uint8Array): Map<string, [said: number, actual: number]> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const found = new Map<string, [number, number]>();
  for (let at = 0; at + 46 <= zip.length; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue;
    const [size, nameLength, local] = [view.getUint32(at + 20, true), view.getUint16(at + 28, true), view.getUint32(at + 42, true)];
    const data = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const name = Buffer.from(zip.subarray(at + 46, at + 46 + nameLength)).toString();
    found.set(name, [view.getUint32(at + 16, true), crc32(zip.subarray(data, data + size))]);
  }
  return found;
}
