import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import {
  CENTRAL_BYTES,
  corrupt,
  END_BYTES,
  END_SIGNATURE,
  END64_BYTES,
  END64_SIGNATURE,
  FULL16,
  FULL32,
  LOCATOR_BYTES,
  LOCATOR_SIGNATURE,
  uint64,
  viewOf,
} from "./zip-fields.js";

/** Files of a model are thousands at most; this holds a million, and is read in one piece. */
const MAX_DIRECTORY_BYTES = 1 << 26;

/** Finds the end of central directory record, which must end where the file does. */
async function findEnd(source: Source): Promise<{ tail: Uint8Array; at: number; tailOffset: number }> {
  const { byteLength } = source;
  // With room for a comment of any length and the zip64 records before.
  const tailOffset = Math.max(0, byteLength - END_BYTES - FULL16 - LOCATOR_BYTES);
  const tail = (await source.read(tailOffset, byteLength - tailOffset)).slice();
  const view = viewOf(tail);
  let other = -1;
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] !== 0x50 || view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) === tail.length) return { tail, at, tailOffset };
    if (other < 0) other = at;
  }
  if (other < 0) throw new FormatError("TRUNCATED", byteLength, "a zip ends with a directory, and none is here");
  const end = tailOffset + other + END_BYTES + view.getUint16(other + 20, true);
  if (end < byteLength) throw new FormatError("TRAILING", end, `${byteLength - end} bytes behind the end of the zip`);
  throw new FormatError("TRUNCATED", byteLength, "the comment of the zip does not end");
}

export interface EndRecord {
  /** Members. */
  readonly count: number;
  readonly centralOffset: number;
  readonly centralEnd: number;
  readonly zip64: boolean;
}

/** Where the central directory is, by the records behind it. */
export async function readEnd(source: Source): Promise<EndRecord> {
  const { tail, at, tailOffset } = await findEnd(source);
  const view = viewOf(tail);
  const endOffset = tailOffset + at;
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const countHere = view.getUint16(at + 8, true);
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let centralOffset = view.getUint32(at + 16, true);
  const locatorAt = at - LOCATOR_BYTES;
  const zip64 = locatorAt >= 0 && view.getUint32(locatorAt, true) === LOCATOR_SIGNATURE;
  let recordsOffset = endOffset;
  if (zip64) {
    const end64 = await readEnd64(source, view, locatorAt, tailOffset);
    const agrees = (short: number, full: number, long: number): boolean => short === full || short === long;
    if (!agrees(count, FULL16, end64.count) || !agrees(size, FULL32, end64.size) || !agrees(centralOffset, FULL32, end64.centralOffset)) {
      corrupt(endOffset, "the two end records of the zip differ");
    }
    ({ count, size, centralOffset } = end64);
    recordsOffset = end64.offset;
  } else if (countHere !== count || disks.some((disk) => disk !== 0)) {
    throw new FormatError("UNSUPPORTED", endOffset + 4, "a zip in several volumes");
  }
  if (size > MAX_DIRECTORY_BYTES) throw new FormatError("LIMIT", endOffset + 12, `a central directory of ${size} bytes`);
  if (size > recordsOffset || centralOffset !== recordsOffset - size) {
    corrupt(endOffset + 16, `a central directory of ${size} bytes at ${centralOffset} does not end at its end record, ${recordsOffset}`);
  }
  if (count > size / CENTRAL_BYTES) corrupt(endOffset + 10, `${count} members in a central directory of ${size} bytes`);
  return { count, centralOffset, centralEnd: recordsOffset, zip64 };
}

async function readEnd64(
  source: Source,
  tail: DataView,
  locatorAt: number,
  tailOffset: number,
): Promise<{ offset: number; count: number; size: number; centralOffset: number }> {
  const locatorOffset = tailOffset + locatorAt;
  const offset = uint64(tail, locatorAt + 8, locatorOffset + 8);
  if (locatorOffset < END64_BYTES || offset > locatorOffset - END64_BYTES)
    corrupt(locatorOffset + 8, "the zip64 end record is not before its locator");
  const view = viewOf(await source.read(offset, END64_BYTES));
  if (view.getUint32(0, true) !== END64_SIGNATURE) corrupt(offset, "no zip64 end record where its locator points");
  if (uint64(view, 4, offset + 4) !== locatorOffset - offset - 12) corrupt(offset + 4, "the zip64 end record does not end at its locator");
  const volumes = tail.getUint32(locatorAt + 16, true);
  const count = uint64(view, 32, offset + 32);
  if (view.getUint32(16, true) !== 0 || view.getUint32(20, true) !== 0 || volumes > 1 || uint64(view, 24, offset + 24) !== count) {
    throw new FormatError("UNSUPPORTED", offset + 16, "a zip in several volumes");
  }
  return { offset, count, size: uint64(view, 40, offset + 40), centralOffset: uint64(view, 48, offset + 48) };
}
