// CRC-32C in plain JavaScript: sixteen bytes a step, four words of them, as the kernel does.

const POLYNOMIAL = 0x82f63b78;

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) tables[at] = (tables[at - 256] >>> 8) ^ tables[tables[at - 256] & 255];
  return tables;
}

const T: Int32Array = makeTables();

/** CRC-32C of bytes that begin at a multiple of four. */
export function crc32c(bytes: Uint8Array): number {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const body = words.length & ~3;
  let crc = -1;
  for (let i = 0; i < body; i += 4) {
    const a = words[i] ^ crc;
    const b = words[i + 1];
    const c = words[i + 2];
    const d = words[i + 3];
    crc =
      T[3840 + (a & 255)] ^
      T[3584 + ((a >>> 8) & 255)] ^
      T[3328 + ((a >>> 16) & 255)] ^
      T[3072 + (a >>> 24)] ^
      T[2816 + (b & 255)] ^
      T[2560 + ((b >>> 8) & 255)] ^
      T[2304 + ((b >>> 16) & 255)] ^
      T[2048 + (b >>> 24)] ^
      T[1792 + (c & 255)] ^
      T[1536 + ((c >>> 8) & 255)] ^
      T[1280 + ((c >>> 16) & 255)] ^
      T[1024 + (c >>> 24)] ^
      T[768 + (d & 255)] ^
      T[512 + ((d >>> 8) & 255)] ^
      T[256 + ((d >>> 16) & 255)] ^
      T[d >>> 24];
  }
  for (let i = body << 2; i < bytes.length; i++) crc = (crc >>> 8) ^ T[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}
