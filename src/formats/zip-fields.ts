import { FormatError } from "../errors.js";

export const LOCAL_SIGNATURE = 0x04034b50;
export const CENTRAL_SIGNATURE = 0x02014b50;
export const END_SIGNATURE = 0x06054b50;
export const END64_SIGNATURE = 0x06064b50;
export const LOCATOR_SIGNATURE = 0x07064b50;
export const DESCRIPTOR_SIGNATURE = 0x08074b50;

export const LOCAL_BYTES = 30;
export const CENTRAL_BYTES = 46;
export const END_BYTES = 22;
export const END64_BYTES = 56;
export const LOCATOR_BYTES = 20;

export const STORED = 0;
export const DEFLATED = 8;

export const FLAG_ENCRYPTED = 1;
/** CRC-32 and sizes stand in a descriptor behind the data. */
export const FLAG_DESCRIPTOR = 8;
export const FLAG_UTF8 = 0x800;
export const ZIP64_EXTRA = 1;
/** In a field of 16 or 32 bits: the value stands in the zip64 record. */
export const FULL16 = 0xffff;
export const FULL32 = 0xffffffff;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function corrupt(offset: number, detail: string): never {
  throw new FormatError("CORRUPT", offset, detail);
}

export function uint64(view: DataView, at: number, offset: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError("LIMIT", offset, "a zip64 field is 2^53 or more");
  return Number(value);
}
