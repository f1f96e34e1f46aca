type Words = Int32Array | Uint16Array | Uint8Array;

/** Elements as integers of 1, 2 or 4 bytes; their address must be a multiple of it. */
export function wordsOf(bytes: Uint8Array, elementBytes: number): Words {
  if (elementBytes === 1) return bytes;
  if (elementBytes === 2) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** out[pairs[2i]] = pairs[2i + 1], for so many pairs. Eight at a time: what the engine checks of the arrays, it checks once for all. */
export function placePairs(pairs: Int32Array, count: number, out: Words): void {
  const end = 2 * count;
  let i = 0;
  for (; i + 16 <= end; i += 16) {
    out[pairs[i]] = pairs[i + 1];
    out[pairs[i + 2]] = pairs[i + 3];
    out[pairs[i + 4]] = pairs[i + 5];
    out[pairs[i + 6]] = pairs[i + 7];
    out[pairs[i + 8]] = pairs[i + 9];
    out[pairs[i + 10]] = pairs[i + 11];
    out[pairs[i + 12]] = pairs[i + 13];
    out[pairs[i + 14]] = pairs[i + 15];
  }
  for (; i < end; i += 2) out[pairs[i]] = pairs[i + 1];
}
