import * as op from "./pickle-opcodes.js";
import { PickleDict, PickleList, PickleTuple, type PickleValue } from "./pickle-values.js";

/** Byte strings: what is in them is of no interest. */
export const BYTES_OPCODES: ReadonlySet<number> = /* @__PURE__ */ new Set([op.BINBYTES, op.SHORT_BINBYTES, op.BINBYTES8, op.BYTEARRAY8]);

const utf8: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** What an opcode that pushes a value makes of its payload. */
export const LITERALS: ReadonlyMap<number, (payload: Uint8Array) => PickleValue> = /* @__PURE__ */ new Map<
  number,
  (payload: Uint8Array) => PickleValue
>([
  [op.NONE, () => null],
  [op.NEWTRUE, () => true],
  [op.NEWFALSE, () => false],
  [op.BININT, (bytes) => viewOf(bytes).getInt32(0, true)],
  [op.BININT1, (bytes) => bytes[0]],
  [op.BININT2, (bytes) => viewOf(bytes).getUint16(0, true)],
  [op.BINFLOAT, (bytes) => viewOf(bytes).getFloat64(0, false)],
  [op.LONG1, longOf],
  [op.LONG4, longOf],
  [op.BINUNICODE, text],
  [op.SHORT_BINUNICODE, text],
  [op.BINUNICODE8, text],
  [op.BINSTRING, text],
  [op.SHORT_BINSTRING, text],
  [op.EMPTY_TUPLE, () => new PickleTuple([])],
  [op.EMPTY_LIST, () => new PickleList()],
  [op.EMPTY_SET, () => new PickleList()],
  [op.EMPTY_DICT, () => new PickleDict()],
]);

export function isString(opcode: number): boolean {
  return LITERALS.get(opcode) === text;
}

/** UTF-8, as which strings of Python 2 are taken too; what is none is replaced. */
export function text(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** A number of 1 or 4 bytes. */
export function unsigned32(bytes: Uint8Array): number {
  return bytes.length === 1 ? bytes[0] : viewOf(bytes).getUint32(0, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Two's complement, little-endian, of any length. */
function longOf(bytes: Uint8Array): PickleValue {
  if (bytes.length === 0) return 0;
  let bits = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(bytes[i]);
  const value = BigInt.asIntN(8 * bytes.length, bits);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
