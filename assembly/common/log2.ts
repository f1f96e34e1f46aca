const SQRT2: f64 = 1.4142135623730951;
const TWO_LOG2_E: f64 = 2.8853900817779268;

/**
 * log2 x for normal positive x, within 2e-16 of it, absolutely below 1 and relatively above. From additions, multiplications and divisions of float64 alone, which every machine
 * rounds alike: src/reference/log2.ts has the same steps.
 */
// @ts-ignore: decorator
@inline
export function log2(x: f64): f64 {
  const bits = reinterpret<i64>(x);
  let exponent = <f64>((bits >> 52) - 1023);
  let mantissa = reinterpret<f64>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  if (mantissa > SQRT2) {
    mantissa *= 0.5;
    exponent += 1;
  }
  // ln x = 2 artanh s; |s| <= 0.172, so that the first term left out is below 1e-17.
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum: f64 = 1.0 / 21;
  sum = sum * z + 1.0 / 19;
  sum = sum * z + 1.0 / 17;
  sum = sum * z + 1.0 / 15;
  sum = sum * z + 1.0 / 13;
  sum = sum * z + 1.0 / 11;
  sum = sum * z + 1.0 / 9;
  sum = sum * z + 1.0 / 7;
  sum = sum * z + 1.0 / 5;
  sum = sum * z + 1.0 / 3;
  sum = sum * z + 1.0;
  return exponent + TWO_LOG2_E * s * sum;
}
