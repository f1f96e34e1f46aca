import { crc32c, crc32cTables } from "../common/crc32c";

export const CRC_TABLES: usize = memory.data(16 << 10, 16);

/** The checksum of any bytes with their own checksum behind them. */
export const CHECKED: u32 = 0x48674bc7;

abstract class Tables {
  static ready: bool = false;
}

/** CRC-32C of bytes in the module's memory; `seed` is that of the bytes before them. */
export function checksum(at: usize, byteLength: usize, seed: u32): u32 {
  if (!Tables.ready) crc32cTables(CRC_TABLES);
  Tables.ready = true;
  return crc32c(CRC_TABLES, at, byteLength, seed);
}
