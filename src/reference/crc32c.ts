const POLYNOMIAL = 0x82f63b78;

/** Bytes worked at a time. Table t gives what a byte leaves t bytes later. */
const STRIDE = 8;
const TABLES: Int32Array = /* @__PURE__ */ tables();

function tables(): Int32Array {
  const entries = new Int32Array(256 * STRIDE);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    entries[byte] = crc;
  }
  for (let at = 256; at < entries.length; at++) entries[at] = (entries[at - 256] >>> 8) ^ entries[entries[at - 256] & 255];
  return entries;
}

/** CRC-32C of `bytes`; `seed` is the CRC-32C of the bytes before them. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  let i = 0;
  for (const end = bytes.length - STRIDE; i <= end; i += STRIDE) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc =
      TABLES[1792 + (crc & 255)] ^
      TABLES[1536 + ((crc >>> 8) & 255)] ^
      TABLES[1280 + ((crc >>> 16) & 255)] ^
      TABLES[1024 + (crc >>> 24)] ^
      TABLES[768 + bytes[i + 4]] ^
      TABLES[512 + bytes[i + 5]] ^
      TABLES[256 + bytes[i + 6]] ^
      TABLES[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}
