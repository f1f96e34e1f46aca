/** Elements as machine words, to be copied without looking inside. Elements of 8 bytes are pairs of words: a float64 could change a NaN on the way. */
export type Words = Uint8Array | Uint16Array | Uint32Array;

/** Words of one element. */
export function wordsPerElement(elementBytes: number): 1 | 2 {
  return elementBytes === 8 ? 2 : 1;
}

function isAligned(bytes: Uint8Array, elementBytes: number): boolean {
  return bytes.byteOffset % Math.min(elementBytes, 4) === 0;
}

/** The same bytes where words can be seen in them, or new ones of that length. */
export function alignedLike(bytes: Uint8Array, elementBytes: number): Uint8Array {
  return isAligned(bytes, elementBytes) ? bytes : new Uint8Array(bytes.length);
}

/** Elements as words, copied only where they are not aligned. Whole elements; bytes beyond them are left out. */
export function wordsOf(bytes: Uint8Array, elementBytes: number): Words {
  const aligned = isAligned(bytes, elementBytes) ? bytes : bytes.slice();
  if (elementBytes === 1) return aligned;
  if (elementBytes === 2) return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 1);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
}

/** The bits of float32 values. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The bytes of an array of numbers, not copied. */
export function bytesOf(array: Words | Float32Array | Float64Array | BigUint64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
