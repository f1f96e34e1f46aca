import { crc32c, crc32cTables } from "../common/crc32c";
import { CHECKSUM, fail, Input, read } from "./input";

export const CRC_TABLES: usize = memory.data(16 << 10, 16);

/** The checksum of any bytes with their own checksum behind them. */
const CHECKED: u32 = 0x48674bc7;

abstract class Tables {
  static ready: bool = false;
}

/** CRC-32C of bytes in the module's memory; `seed` is that of the bytes before them. */
export function checksum(at: usize, byteLength: usize, seed: u32): u32 {
  if (!Tables.ready) crc32cTables(CRC_TABLES);
  Tables.ready = true;
  return crc32c(CRC_TABLES, at, byteLength, seed);
}

/** Begins to read bytes that have their checksum, which is right, behind them; `seed` is the CRC-32C of what it covers before them. */
export function readChecked(at: usize, byteLength: usize, seed: u32): void {
  read(at, byteLength - 4);
  if (checksum(at, byteLength, seed) == CHECKED) return;
  Input.at = Input.end;
  fail(CHECKSUM);
}
