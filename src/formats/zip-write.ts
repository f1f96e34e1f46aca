import { concat } from "../archive/bytes.js";
import { FormatError } from "../errors.js";
import { extraFields, type ZipEntry } from "./zip.js";
import {
  CENTRAL_BYTES,
  END_SIGNATURE,
  END64_BYTES,
  END64_SIGNATURE,
  FLAG_DESCRIPTOR,
  FULL16,
  FULL32,
  LOCAL_BYTES,
  LOCATOR_BYTES,
  LOCATOR_SIGNATURE,
  STORED,
  viewOf,
  ZIP64_EXTRA,
} from "./zip-fields.js";

/** What became of a member. */
export interface MemberChange {
  readonly method: number;
  readonly crc: number;
  readonly compressedSize: number;
  readonly localOffset: number;
}

const VERSION_DEFAULT = 20;
const VERSION_ZIP64 = 45;
/** Bits 1 and 2 say how hard deflate tried. */
const FLAGS_OF_DEFLATE = 6;

/** The extra fields in `bytes`, the zip64 one replaced by one of `values`, or left out where there are none. */
function extrasWith(bytes: Uint8Array, values: readonly number[]): Uint8Array {
  const zip64 = new Uint8Array(values.length > 0 ? 4 + 8 * values.length : 0);
  const view = viewOf(zip64);
  if (values.length > 0) {
    view.setUint16(0, ZIP64_EXTRA, true);
    view.setUint16(2, 8 * values.length, true);
  }
  for (const [i, value] of values.entries()) view.setBigUint64(4 + 8 * i, BigInt(value), true);
  const others = extraFields(bytes, 0, bytes.length, 0)
    .filter(([id]) => id !== ZIP64_EXTRA)
    .map(([, from, to]) => bytes.subarray(from - 4, to));
  const extras = concat([zip64, ...others]);
  if (extras.length > FULL16) throw new FormatError("LIMIT", 0, "the extra fields of a zip member leave no room for zip64");
  return extras;
}

/** The local header of a member that is stored from now on, with `size` bytes; `local` is the header as it was, to the data. */
export function storedLocalHeader(local: Uint8Array, crc: number, size: number): Uint8Array {
  const nameEnd = LOCAL_BYTES + viewOf(local).getUint16(26, true);
  const wide = size >= FULL32;
  const extras = extrasWith(local.subarray(nameEnd), wide ? [size, size] : []);
  const head = local.slice(0, nameEnd);
  const view = viewOf(head);
  view.setUint16(4, wide ? VERSION_ZIP64 : VERSION_DEFAULT, true);
  view.setUint16(6, view.getUint16(6, true) & ~(FLAG_DESCRIPTOR | FLAGS_OF_DEFLATE), true);
  view.setUint16(8, STORED, true);
  view.setUint32(14, crc, true);
  view.setUint32(18, wide ? FULL32 : size, true);
  view.setUint32(22, wide ? FULL32 : size, true);
  view.setUint16(28, extras.length, true);
  return concat([head, extras]);
}

/** The entry of the central directory for a member after `change`; as it was where nothing changed. */
export function centralEntry(entry: ZipEntry, change: MemberChange): Uint8Array {
  const { method, crc, compressedSize, localOffset } = change;
  const same = method === entry.method && crc === entry.crc && compressedSize === entry.compressedSize && localOffset === entry.localOffset;
  if (same) return entry.central;
  const { size, central } = entry;
  const nameEnd = CENTRAL_BYTES + viewOf(central).getUint16(28, true);
  const extraEnd = nameEnd + viewOf(central).getUint16(30, true);
  const wide = [size, compressedSize, localOffset].filter((value) => value >= FULL32);
  const extras = extrasWith(central.subarray(nameEnd, extraEnd), wide);
  const head = central.slice(0, nameEnd);
  const view = viewOf(head);
  if (wide.length > 0) view.setUint16(6, VERSION_ZIP64, true);
  if (method !== entry.method) view.setUint16(8, entry.flags & ~(FLAG_DESCRIPTOR | FLAGS_OF_DEFLATE), true);
  view.setUint16(10, method, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, Math.min(compressedSize, FULL32), true);
  view.setUint32(24, Math.min(size, FULL32), true);
  view.setUint16(30, extras.length, true);
  // The disk can stand in the zip64 field, which is a new one.
  view.setUint16(34, 0, true);
  view.setUint32(42, Math.min(localOffset, FULL32), true);
  return concat([head, extras, central.subarray(extraEnd)]);
}

/**
 * The records behind a central directory that was moved. `end` are the records as they were, with zip64 or without; zip64
 * records are added where the numbers need them, and kept where they were.
 */
export function endRecords(end: Uint8Array, zip64: boolean, count: number, centralOffset: number, centralBytes: number): Uint8Array {
  const wide = zip64 || centralOffset >= FULL32 || centralBytes >= FULL32;
  const records = wide && !zip64 ? concat([emptyZip64Records(), end]) : end.slice();
  const view = viewOf(records);
  let endAt = 0;
  if (wide) {
    const locatorAt = 12 + Number(view.getBigUint64(4, true));
    endAt = locatorAt + LOCATOR_BYTES;
    view.setBigUint64(24, BigInt(count), true);
    view.setBigUint64(32, BigInt(count), true);
    view.setBigUint64(40, BigInt(centralBytes), true);
    view.setBigUint64(48, BigInt(centralOffset), true);
    view.setBigUint64(locatorAt + 8, BigInt(centralOffset + centralBytes), true);
  }
  if (view.getUint32(endAt, true) !== END_SIGNATURE) throw new RangeError("end must hold the end records of a zip");
  // A field that says "see zip64" goes on to say so.
  const short = (at: number, value: number): void => {
    if (!(zip64 && view.getUint32(at, true) === FULL32)) view.setUint32(at, Math.min(value, FULL32), true);
  };
  short(endAt + 12, centralBytes);
  short(endAt + 16, centralOffset);
  return records;
}

function emptyZip64Records(): Uint8Array {
  const records = new Uint8Array(END64_BYTES + LOCATOR_BYTES);
  const view = viewOf(records);
  view.setUint32(0, END64_SIGNATURE, true);
  view.setBigUint64(4, BigInt(END64_BYTES - 12), true);
  view.setUint16(12, VERSION_ZIP64, true);
  view.setUint16(14, VERSION_ZIP64, true);
  view.setUint32(END64_BYTES, LOCATOR_SIGNATURE, true);
  view.setUint32(END64_BYTES + 16, 1, true);
  return records;
}
