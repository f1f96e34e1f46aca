/** Entries of each half of a decoding table, by the longest code, of 12 bits. */
export const ENTRIES: usize = 4096;

/** Where a decoding table has its list of codes. */
export const CODES: usize = 2 * ENTRIES;

/**
 * The decoding table of a canonical code.
 *
 * Layout     lengths  u8[alphabet]  code length of each symbol, 0 where it does not occur
 *            table    u8[2][4096]   the code length, and the symbol, at each index below 1 << tableLog whose lower bits are the code, first bit lowest
 *                     u32[257]      the codes from short to long: symbol << 24 | length << 16 | code, the code's first bit lowest; then 0
 * Requires   the code is complete and no length is above tableLog <= 12: checked by `readSymbolCoding`, not here.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function decodeTable(lengths: usize, alphabet: u32, tableLog: u32, table: usize): void {
  fillTable(lengths, alphabet, tableLog, table, table + CODES);
}

/** As `decodeTable`; without the list of codes where `codes` is 0. */
// @ts-ignore: decorator
@inline
export function fillTable(lengths: usize, alphabet: u32, tableLog: u32, table: usize, codes: usize): void {
  let list = codes;
  let code: u32 = 0;
  // A table by one more bit is the one before twice, and then the codes that have that many bits.
  for (let length: u32 = 1; length <= tableLog; length++) {
    const half = (<usize>1) << (length - 1);
    memory.copy(table + half, table, half);
    memory.copy(table + ENTRIES + half, table + ENTRIES, half);
    code <<= 1;
    for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
      if (load<u8>(lengths + symbol) != length) continue;
      const index = reverse(code++, length);
      const at = table + <usize>index;
      store<u8>(at, length);
      store<u8>(at, symbol, ENTRIES);
      if (codes != 0) {
        store<u32>(list, (symbol << 24) | (length << 16) | index);
        list += 4;
      }
    }
  }
  if (codes != 0) store<u32>(list, 0);
}

/** The first code of each length into next u32[16] (RFC 1951, section 3.2.2); lengths are at most 12. */
export function firstCodes(lengths: usize, alphabet: u32, next: usize): void {
  memory.fill(next, 0, 64);
  for (let symbol: u32 = 0; symbol < alphabet; symbol++) {
    const count = next + ((<usize>load<u8>(lengths + symbol)) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let code: u32 = 0;
  let before: u32 = 0;
  for (let length: usize = 1; length <= 12; length++) {
    code = (code + before) << 1;
    before = load<u32>(next + (length << 2));
    store<u32>(next + (length << 2), code);
  }
}

/** The lower `length` bits of a code, first bit lowest. */
// @ts-ignore: decorator
@inline
export function reverse(code: u32, length: u32): u32 {
  let to: u32 = 0;
  for (let i: u32 = 0; i < length; i++) to = (to << 1) | ((code >> i) & 1);
  return to;
}
