/** The CRC-32 of zip and gzip, polynomial 0xedb88320. Four tables: four bytes a step. */
const TABLES: readonly Uint32Array[] = /* @__PURE__ */ makeTables();

function makeTables(): Uint32Array[] {
  const tables = [0, 1, 2, 3].map(() => new Uint32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[0][i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let t = 1; t < 4; t++) {
      const crc = tables[t - 1][i];
      tables[t][i] = (crc >>> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

/** CRC-32 of `bytes`, going on from the CRC-32 of what stands before them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3] = TABLES;
  const wholeEnd = bytes.length - (bytes.length % 4);
  let crc = ~before;
  let i = 0;
  for (; i < wholeEnd; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t3[crc & 0xff] ^ t2[(crc >>> 8) & 0xff] ^ t1[(crc >>> 16) & 0xff] ^ t0[crc >>> 24];
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
