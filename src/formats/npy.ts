import { orderMatters, swapUnit } from "../archive/order.js";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { type Dtype, type FileTemplate, type OpenModel, type Place, type Source, tensorByteLength } from "../types.js";
import { checkRange } from "./bytes-source.js";
import { type Elements, holeOf, MAX_TURNED_BYTES, type ReadRange, rowMajor } from "./elements.js";
import { type PyTuple, PythonScanner } from "./python.js";

export const NPY_MAGIC: Uint8Array = /* @__PURE__ */ Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

/** Plain arrays have headers of 128 bytes, and only those of structured arrays of thousands of fields are longer. */
const MAX_HEADER_BYTES = 1 << 20;

/** numpy's own limit, since 2.0. */
const MAX_AXES = 64;

const DTYPE_OF: ReadonlyMap<string, Dtype> = new Map([
  ["f2", "F16"],
  ["f4", "F32"],
  ["f8", "F64"],
  ["i1", "I8"],
  ["i2", "I16"],
  ["i4", "I32"],
  ["i8", "I64"],
  ["u1", "U8"],
  ["u2", "U16"],
  ["u4", "U32"],
  ["u8", "U64"],
  ["b1", "BOOL"],
  ["c8", "C64"],
  ["c16", "C128"],
]);

export interface NpyHeader extends Elements {
  /** Magic, version, length and dictionary as they stand in the file; the elements follow. */
  readonly bytes: Uint8Array;
}

/** Offsets are in the .npy file; `where` names it in messages when it is a member of another. */
function fail(code: "MAGIC" | "VERSION" | "TRUNCATED" | "LIMIT", offset: number, where: string, detail: string): never {
  throw new FormatError(code, offset, where + detail);
}

/**
 * Reads and checks the header of a .npy file of `byteLength` bytes, without its data.
 *
 * @throws FormatError `UNSUPPORTED` where all is well but the elements are of a type that Coppice has no name for.
 */
export async function readNpyHeader(read: ReadRange, byteLength: number, where = ""): Promise<NpyHeader> {
  const head = await read(0, Math.min(12, byteLength));
  if (head.subarray(0, 6).some((byte, i) => byte !== NPY_MAGIC[i])) fail("MAGIC", 0, where, "not a .npy file");
  if (byteLength < 10) fail("TRUNCATED", byteLength, where, "a .npy header has at least 10 bytes");
  const [major, minor] = [head[6], head[7]];
  if (major < 1 || major > 3 || minor !== 0) fail("VERSION", 6, where, `version ${major}.${minor} of .npy`);
  const prefixBytes = major === 1 ? 10 : 12;
  if (byteLength < prefixBytes) fail("TRUNCATED", byteLength, where, `a .npy header has at least ${prefixBytes} bytes`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const textBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textBytes > MAX_HEADER_BYTES) fail("LIMIT", 8, where, `a header of ${textBytes} bytes`);
  if (textBytes > byteLength - prefixBytes) fail("TRUNCATED", byteLength, where, `a header of ${textBytes} bytes is announced`);
  // A copy: headers are kept, and the source may lend a view of more than the header.
  const bytes = (await read(0, prefixBytes + textBytes)).slice();
  return parseFields(bytes, prefixBytes, major < 3, where);
}

function parseFields(bytes: Uint8Array, from: number, python2: boolean, where: string): NpyHeader {
  const scanner = new PythonScanner(bytes, from, python2, where);
  const fields = scanner.dictionary(["descr", "fortran_order", "shape"]);
  const shape = fields.get("shape");
  const fortran = fields.get("fortran_order");
  const descr = fields.get("descr");
  if (!shape || !fortran || !descr) throw new FormatError("CORRUPT", from, `${where}descr, fortran_order and shape must be there`);
  if (typeof fortran.value !== "boolean") throw new FormatError("CORRUPT", fortran.offset, `${where}fortran_order must be True or False`);
  const axes = (shape.value as PyTuple | null)?.tuple;
  if (!axes || axes.some((axis) => typeof axis !== "number" || axis < 0)) {
    throw new FormatError("CORRUPT", shape.offset, `${where}shape must be a tuple of integers that are not negative`);
  }
  if (axes.length > MAX_AXES) fail("LIMIT", shape.offset, where, `${axes.length} axes`);

  if (typeof descr.value !== "string" && (typeof descr.value !== "object" || descr.value === null)) {
    throw new FormatError("CORRUPT", descr.offset, `${where}descr must be a dtype`);
  }
  const [, order, kind] = /^([<>=|]?)(.*)$/s.exec(typeof descr.value === "string" ? descr.value : "") ?? [];
  const dtype = DTYPE_OF.get(kind);
  if (dtype === undefined) {
    const shown = typeof descr.value === "string" ? JSON.stringify(descr.value) : "of a structure";
    throw new FormatError("UNSUPPORTED", descr.offset, `${where}an array with descr ${shown}`);
  }
  const dims = axes as number[];
  const dataBytes = tensorByteLength(dtype, dims, shape.offset);
  const columnMajor = fortran.value && orderMatters(dims);
  if (columnMajor && dataBytes > MAX_TURNED_BYTES) fail("LIMIT", shape.offset, where, `a column-major array of ${dataBytes} bytes`);
  return { dtype, shape: dims, bigEndian: order === ">" && swapUnit(dtype) > 1, columnMajor, bytes, dataBytes };
}

/** @throws FormatError where the file does not end with the last element. */
export function checkNpyEnd(header: NpyHeader, byteLength: number, where = ""): void {
  const present = byteLength - header.bytes.length;
  if (header.dataBytes > present)
    fail("TRUNCATED", byteLength, where, `${header.dataBytes} bytes of elements announced, ${present} present`);
  if (header.dataBytes < present) {
    throw new FormatError(
      "TRAILING",
      header.bytes.length + header.dataBytes,
      `${where}${present - header.dataBytes} bytes behind the last element`,
    );
  }
}

/**
 * Opens a .npy file, whose only tensor is called `name`. Arrays of objects are never unpickled.
 *
 * @throws FormatError, and the source stays the caller's.
 */
export async function openNpy(source: Source, name = "array"): Promise<OpenModel> {
  const header = await readNpyHeader((offset, byteLength) => source.read(offset, byteLength), source.byteLength);
  checkNpyEnd(header, source.byteLength);
  const { dtype, shape, dataBytes } = header;
  const elements = rowMajor(header, (offset, byteLength) => source.read(header.bytes.length + offset, byteLength));
  return {
    format: "npy",
    byteLength: source.byteLength,
    tensors: [{ name, dtype, shape }],
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, 0);
      checkRange(offset, byteLength, dataBytes);
      return elements(offset, byteLength);
    },
    place(): Place | undefined {
      const { place } = source;
      return header.bigEndian || header.columnMajor ? undefined : place && { fd: place.fd, offset: place.offset + header.bytes.length };
    },
    async templates(): Promise<readonly FileTemplate[]> {
      return [{ path: "", pieces: [{ kind: "bytes", bytes: header.bytes }, holeOf(header, 0)] }];
    },
    close: () => source.close(),
  };
}
