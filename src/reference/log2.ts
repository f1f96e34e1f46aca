const words = new Uint32Array(2); // little-endian: the upper word is the second
const number = new Float64Array(words.buffer);

/** log2 x for normal positive x, with the steps of assembly/common/log2.ts. */
export function log2(x: number): number {
  number[0] = x;
  let exponent = (words[1] >>> 20) - 1023;
  words[1] = (words[1] & 0xfffff) | 0x3ff00000;
  let mantissa = number[0];
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent += 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum = 1 / 21;
  for (let i = 19; i > 0; i -= 2) sum = sum * z + 1 / i;
  return exponent + 2.8853900817779268 * s * sum;
}
