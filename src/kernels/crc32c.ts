import type { Arena, Ptr } from "./arena.js";

/** Sixteen tables of 256 u32. */
export const CRC32C_TABLE_BYTES: number = 16 * 256 * 4;

/** Bytes lent to the kernel at a time, so that the checksum of a large buffer does not grow the memory. */
const WINDOW_BYTES = 1 << 16;

/** assembly/common/crc32c.ts */
export interface Crc32cExports {
  crc32cTables(tables: Ptr): void;
  crc32c(tables: Ptr, ptr: Ptr, byteLength: number, seed: number): number;
}

interface Crc32cModule {
  readonly arena: Arena;
  readonly exports: Crc32cExports;
  readonly crc32cTables: Ptr;
}

/** CRC-32C of bytes that are in the module's memory already. */
export function crc32cAt(module: Crc32cModule, ptr: Ptr, byteLength: number, seed = 0): number {
  return module.exports.crc32c(module.crc32cTables, ptr, byteLength, seed) >>> 0;
}

/** CRC-32C of `bytes`; `seed` is the CRC-32C of the bytes before them. */
export function crc32c(module: Crc32cModule, bytes: Uint8Array, seed = 0): number {
  const { arena } = module;
  return arena.scope(() => {
    const window = arena.alloc(Math.min(bytes.length, WINDOW_BYTES));
    let crc = seed;
    for (let start = 0; start < bytes.length; start += WINDOW_BYTES) {
      const part = bytes.subarray(start, start + WINDOW_BYTES);
      arena.u8(window, part.length).set(part);
      crc = crc32cAt(module, window, part.length, crc);
    }
    return crc >>> 0;
  });
}
