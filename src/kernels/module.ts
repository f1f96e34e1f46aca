import { Arena, type Ptr } from "./arena.js";
import { CRC32C_TABLE_BYTES, type Crc32cExports } from "./crc32c.js";
import type { Variant } from "./variant.js";

/** What every kernel module exports. */
export interface ModuleExports extends Crc32cExports {
  readonly memory: WebAssembly.Memory;
  variant(): number;
  heapBase(): number;
}

/** A kernel module that is ready to run. It is synchronous and keeps no state, so all of a thread may share one. */
export interface KernelModule<E extends ModuleExports> {
  readonly variant: Variant;
  readonly arena: Arena;
  readonly exports: E;
  /** The tables of CRC-32C, which stay for as long as the module does. */
  readonly crc32cTables: Ptr;
}

/** Takes the memory of a fresh instance over. */
export function adopt<E extends ModuleExports>(exports: E): KernelModule<E> {
  const arena = new Arena(exports.memory, exports.heapBase() >>> 0);
  const crc32cTables = arena.alloc(CRC32C_TABLE_BYTES);
  exports.crc32cTables(crc32cTables);
  return { variant: exports.variant() === 1 ? "simd" : "scalar", arena, exports, crc32cTables };
}
