import { exp, log } from "../nn/math";

/** The power for which square roots are enough. */
const THREE_QUARTERS: f32 = 0.75;

/**
 * Local response normalization: each number divided by (k + scale * s)^beta, s the sum of the squares that stand in its place in `size` channels around it, of which size >> 1 are before its own.
 *
 * Layout     from, to  f32[channels][count]  planes `stride` bytes apart
 * Requires   they do not overlap; size >= 1, scale >= 0, beta >= 0, k >= 1.
 * Reads      nothing past the lengths above, in either build.
 * Order      s from 0, channels ascending; k + scale * s; each operation rounded to float32. With beta 0.75 and q the square root of that, divided by q * sqrt(q), in float32; else times exp(-(beta * log(it))) of assembly/nn/math.ts in float64, rounded once, where infinity gives 0.
 */
export function normalizeAcross(
  from: usize,
  channels: isize,
  count: usize,
  stride: usize,
  size: isize,
  scale: f32,
  beta: f32,
  k: f32,
  to: usize,
): void {
  const before = size >> 1;
  for (let c: isize = 0; c < channels; c++) {
    const first = from + <usize>max(c - before, 0) * stride;
    const end = from + <usize>min(c - before + size, channels) * stride;
    const own = from + <usize>c * stride;
    const out = to + <usize>c * stride;
    let x: usize = 0;
    if (ASC_FEATURE_SIMD) {
      if (beta == THREE_QUARTERS) {
        for (; x + 4 <= count; x += 4) {
          let sum = f32x4.splat(0);
          for (let at = first + (x << 2); at < end; at += stride) {
            const value = v128.load(at);
            sum = f32x4.add(sum, f32x4.mul(value, value));
          }
          const root = f32x4.sqrt(f32x4.add(f32x4.splat(k), f32x4.mul(f32x4.splat(scale), sum)));
          v128.store(out + (x << 2), f32x4.div(v128.load(own + (x << 2)), f32x4.mul(root, f32x4.sqrt(root))));
        }
      }
    }
    for (; x < count; x++) {
      let sum: f32 = 0;
      for (let at = first + (x << 2); at < end; at += stride) {
        const value = load<f32>(at);
        sum += value * value;
      }
      store<f32>(out + (x << 2), divided(load<f32>(own + (x << 2)), k + scale * sum, beta));
    }
  }
}

function divided(value: f32, base: f32, beta: f32): f32 {
  if (beta == THREE_QUARTERS) {
    const root = sqrt<f32>(base);
    return value / (root * sqrt<f32>(root));
  }
  // The logarithm of infinity has no end.
  const factor = base == f32.POSITIVE_INFINITY ? 0 : exp(-(<f64>beta * log(<f64>base)));
  return <f32>(<f64>value * factor);
}

/**
 * Softmax, in place.
 *
 * Layout     values  f32[count]
 * Requires   count >= 1.
 * Reads      nothing past the lengths above.
 * Order      in float64: exp(value - the largest) of assembly/nn/math.ts, their sum ascending from 0, the quotients; each rounded to float32 once. A NaN or positive infinity gives NaNs.
 */
export function softmax(values: usize, count: usize): void {
  const end = values + (count << 2);
  let most = load<f32>(values);
  for (let at = values; at < end; at += 4) {
    const value = load<f32>(at);
    if (value > most || value != value) most = value;
  }
  let sum: f64 = 0;
  for (let at = values; at < end; at += 4) sum += exp(<f64>load<f32>(at) - <f64>most);
  for (let at = values; at < end; at += 4) store<f32>(at, <f32>(exp(<f64>load<f32>(at) - <f64>most) / sum));
}
