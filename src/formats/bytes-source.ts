import { checkInteger, plainBytes } from "../check.js";
import type { Source } from "../types.js";

/** @throws TypeError, RangeError where a source of `end` bytes does not have the range */
export function checkRange(offset: number, byteLength: number, end: number): void {
  checkInteger(offset, "offset", 0, end);
  checkInteger(byteLength, "byteLength", 0, end - offset);
}

/** A buffer as a source. Reads are views of it: nothing is copied. */
export function bytesSource(bytes: Uint8Array): Source {
  const all = plainBytes(bytes, "bytes");
  return {
    byteLength: all.length,
    async read(offset: number, length: number): Promise<Uint8Array> {
      checkRange(offset, length, all.length);
      return all.subarray(offset, offset + length);
    },
    async close(): Promise<void> {},
  };
}
