/** The Castagnoli polynomial, bits reflected. */
const POLYNOMIAL: u32 = 0x82f63b78;

/** Bytes of one table: a u32 for each value of a byte. */
const TABLE: usize = 256 << 2;

/**
 * The sixteen tables of `crc32c`.
 *
 * Layout     tables  u32[16][256]  tables[k][b] = the register after byte b and then k zero bytes, from a register of 0
 * Requires   tables 4-aligned.
 * Reads      nothing but what it wrote.
 * Order      exact integers: the order does not matter.
 */
export function crc32cTables(tables: usize): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    store<u32>(tables + ((<usize>byte) << 2), crc);
  }
  for (let at: usize = 0; at < 15 * TABLE; at += 4) {
    const crc = load<u32>(tables + at);
    store<u32>(tables + at + TABLE, (crc >>> 8) ^ entry(tables, crc));
  }
}

/** tables[table][low byte of index], where `table` starts at `tables`. */
// @ts-ignore: decorator
@inline
function entry(tables: usize, index: u32): u32 {
  return load<u32>(tables + ((<usize>(index & 0xff)) << 2));
}

/** The four entries that carry the bytes of `word` over the bytes that follow it; `tables` is the one of its last byte. */
function fold(tables: usize, word: u32): u32 {
  return (
    entry(tables + 3 * TABLE, word) ^
    entry(tables + 2 * TABLE, word >>> 8) ^
    entry(tables + TABLE, word >>> 16) ^
    entry(tables, word >>> 24)
  );
}

/**
 * CRC-32C (Castagnoli) of a run of bytes.
 *
 * Layout     tables  u32[16][256]    by `crc32cTables`
 *            ptr     u8[byteLength]  any alignment
 *            seed                    CRC-32C of the bytes before these; 0 at the start
 * Requires   ptr + byteLength within memory.
 * Reads      nothing past the lengths above, in either build.
 * Order      exact integers: sixteen bytes a step, then the rest one by one, give the same register.
 */
export function crc32c(tables: usize, ptr: usize, byteLength: usize, seed: u32): u32 {
  let crc = ~seed;
  let left = byteLength;
  for (; left >= 16; left -= 16) {
    crc =
      fold(tables + 12 * TABLE, crc ^ load<u32>(ptr)) ^
      fold(tables + 8 * TABLE, load<u32>(ptr, 4)) ^
      fold(tables + 4 * TABLE, load<u32>(ptr, 8)) ^
      fold(tables, load<u32>(ptr, 12));
    ptr += 16;
  }
  for (; left > 0; left--) {
    crc = (crc >>> 8) ^ entry(tables, crc ^ load<u8>(ptr));
    ptr++;
  }
  return ~crc;
}
