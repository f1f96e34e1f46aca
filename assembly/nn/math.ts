// exp and log from additions, multiplications and divisions of float64 alone, which every machine rounds alike: src/reference/nn.ts has the same steps.

const LOG2_E: f64 = 1.4426950408889634;

/** ln 2 = LN2_HIGH + LN2_LOW; the last 21 bits of LN2_HIGH are 0, so its product with a small integer is exact. */
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const LN2: f64 = 0.6931471805599453;
const SQRT2: f64 = 1.4142135623730951;

/** Below, exp gives 0: e^-80 = 1.8e-35, divided by any batch, is still a normal float32, and subnormal ones are slow. */
const EXP_LEAST: f64 = -80;

/** e^x for x <= 0 or NaN, within 1e-15 of it relatively. */
export function exp(x: f64): f64 {
  if (!(x >= EXP_LEAST)) return x == x ? 0 : x;
  const n = Math.floor(x * LOG2_E + 0.5);
  const r = x - n * LN2_HIGH - n * LN2_LOW;
  // The Taylor series: |r| <= 0.35, so that the first term left out is below 1e-17.
  let sum: f64 = 1.0 / 6227020800;
  sum = sum * r + 1.0 / 479001600;
  sum = sum * r + 1.0 / 39916800;
  sum = sum * r + 1.0 / 3628800;
  sum = sum * r + 1.0 / 362880;
  sum = sum * r + 1.0 / 40320;
  sum = sum * r + 1.0 / 5040;
  sum = sum * r + 1.0 / 720;
  sum = sum * r + 1.0 / 120;
  sum = sum * r + 1.0 / 24;
  sum = sum * r + 1.0 / 6;
  sum = sum * r + 1.0 / 2;
  sum = sum * r + 1;
  sum = sum * r + 1;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** ln x for x >= 1 or NaN, within 1e-15 of it, absolutely below 1 and relatively above. */
export function log(x: f64): f64 {
  let exponent: f64 = 0;
  while (x > SQRT2) {
    x *= 0.5;
    exponent++;
  }
  // ln x = 2 artanh s; |s| <= 0.172, so that the first term left out is below 1e-17.
  const s = (x - 1) / (x + 1);
  const z = s * s;
  let sum: f64 = 0;
  for (let i: f64 = 21; i > 0; i -= 2) sum = sum * z + 1 / i;
  return exponent * LN2 + 2 * s * sum;
}
