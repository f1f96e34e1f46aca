/**
 * Mean and variance of each channel over a batch; the variance is divided by the number of elements.
 *
 * Layout     values  f32[rows][channels][plane]
 *            out     f64[channels][2]  mean, variance
 * Requires   rows and plane 1 or more.
 * Reads      nothing past the lengths above.
 * Order      each channel: float64 sums from 0, row by row, first of the elements, then of the squares of their distances from the mean.
 */
export function batchMoments(values: usize, rows: usize, channels: usize, plane: usize, out: usize): void {
  const planeBytes = plane << 2;
  const rowBytes = channels * planeBytes;
  const end = values + rows * rowBytes;
  const count = <f64>(rows * plane);
  for (let c: usize = 0; c < channels; c++) {
    const first = values + c * planeBytes;
    let sum: f64 = 0;
    for (let at = first; at < end; at += rowBytes) {
      for (let i: usize = 0; i < planeBytes; i += 4) sum += <f64>load<f32>(at + i);
    }
    const mean = sum / count;
    let squares: f64 = 0;
    for (let at = first; at < end; at += rowBytes) {
      for (let i: usize = 0; i < planeBytes; i += 4) {
        const away = <f64>load<f32>(at + i) - mean;
        squares += away * away;
      }
    }
    store<f64>(out + (c << 4), mean);
    store<f64>(out + (c << 4), squares / count, 8);
  }
}

/**
 * Sums of a gradient, and of its products with the distances from the mean, over the elements of each channel.
 *
 * Layout     values    f32[rows][channels][plane]
 *            gradient  f32[rows][channels][plane]
 *            means     f64[channels][2]  of which the first is the mean
 *            out       f64[channels][2]
 * Reads      nothing past the lengths above.
 * Order      each channel: float64 sums from 0, row by row.
 */
export function momentGradients(
  values: usize,
  gradient: usize,
  rows: usize,
  channels: usize,
  plane: usize,
  means: usize,
  out: usize,
): void {
  const planeBytes = plane << 2;
  for (let c: usize = 0; c < channels; c++) {
    const mean = load<f64>(means + (c << 4));
    let sum: f64 = 0;
    let products: f64 = 0;
    for (let row: usize = 0; row < rows; row++) {
      const start = (row * channels + c) * planeBytes;
      for (let i = start; i < start + planeBytes; i += 4) {
        const slope = <f64>load<f32>(gradient + i);
        sum += slope;
        products += slope * (<f64>load<f32>(values + i) - mean);
      }
    }
    store<f64>(out + (c << 4), sum);
    store<f64>(out + (c << 4), products, 8);
  }
}

/**
 * out = (value - mean) * scale + shift, each channel by numbers of its own.
 *
 * Layout     values  f32[rows][channels][plane]
 *            by      f32[channels][3]  mean, scale, shift
 *            out     f32[rows][channels][plane]; may be `values`
 * Reads      nothing past the lengths above, in either build.
 * Order      as written above, each operation rounded to float32.
 */
export function normalize(values: usize, rows: usize, channels: usize, plane: usize, by: usize, out: usize): void {
  let i: usize = 0;
  for (let row: usize = 0; row < rows; row++) {
    for (let c: usize = 0; c < channels; c++) {
      const own = by + c * 12;
      const mean = load<f32>(own);
      const scale = load<f32>(own, 4);
      const shift = load<f32>(own, 8);
      const end = i + (plane << 2);
      if (ASC_FEATURE_SIMD) {
        const means = f32x4.splat(mean);
        const scales = f32x4.splat(scale);
        const shifts = f32x4.splat(shift);
        for (; i + 16 <= end; i += 16) {
          v128.store(out + i, f32x4.add(f32x4.mul(f32x4.sub(v128.load(values + i), means), scales), shifts));
        }
      }
      for (; i < end; i += 4) store<f32>(out + i, (load<f32>(values + i) - mean) * scale + shift);
    }
  }
}

/**
 * The gradient through a normalization, in place: slope * gradient + (bend * (value - mean) + shift), each channel by numbers of its own.
 *
 * Layout     values    f32[rows][channels][plane]
 *            gradient  f32[rows][channels][plane]
 *            by        f32[channels][4]  mean, slope, bend, shift
 * Reads      nothing past the lengths above, in either build.
 * Order      as written above, each operation rounded to float32.
 */
export function normalizeGradient(values: usize, gradient: usize, rows: usize, channels: usize, plane: usize, by: usize): void {
  let i: usize = 0;
  for (let row: usize = 0; row < rows; row++) {
    for (let c: usize = 0; c < channels; c++) {
      const own = by + (c << 4);
      const mean = load<f32>(own);
      const slope = load<f32>(own, 4);
      const bend = load<f32>(own, 8);
      const shift = load<f32>(own, 12);
      const end = i + (plane << 2);
      if (ASC_FEATURE_SIMD) {
        const means = f32x4.splat(mean);
        const slopes = f32x4.splat(slope);
        const bends = f32x4.splat(bend);
        const shifts = f32x4.splat(shift);
        for (; i + 16 <= end; i += 16) {
          const rest = f32x4.add(f32x4.mul(bends, f32x4.sub(v128.load(values + i), means)), shifts);
          v128.store(gradient + i, f32x4.add(f32x4.mul(slopes, v128.load(gradient + i)), rest));
        }
      }
      for (; i < end; i += 4) {
        const rest = bend * (load<f32>(values + i) - mean) + shift;
        store<f32>(gradient + i, slope * load<f32>(gradient + i) + rest);
      }
    }
  }
}

/**
 * Drops elements and scales the others, in place. Whether an element is dropped depends on its index and `key` alone, so the same call on the
 * gradient is the gradient of it.
 *
 * Layout     values  f32[count]
 * Requires   count below 2^32.
 * Reads      nothing past the lengths above, in either build.
 * Order      elements on their own: 0 where the hash of (key + index) mod 2^32 is below `below`, else value * scale rounded to float32.
 */
export function dropout(values: usize, count: usize, key: u32, below: u32, scale: f32): void {
  let i: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    const scales = f32x4.splat(scale);
    const limit = i32x4.splat(below);
    let counter = i32x4.add(i32x4.splat(key), i32x4(0, 1, 2, 3));
    const four = i32x4.splat(4);
    for (; i + 4 <= <u32>count; i += 4) {
      let hash = counter;
      hash = i32x4.mul(v128.xor(hash, i32x4.shr_u(hash, 16)), i32x4.splat(0x7feb352d));
      hash = i32x4.mul(v128.xor(hash, i32x4.shr_u(hash, 15)), i32x4.splat(0x846ca68b));
      hash = v128.xor(hash, i32x4.shr_u(hash, 16));
      const at = values + ((<usize>i) << 2);
      v128.store(at, v128.and(f32x4.mul(v128.load(at), scales), i32x4.ge_u(hash, limit)));
      counter = i32x4.add(counter, four);
    }
  }
  for (; i < <u32>count; i++) {
    let hash = key + i;
    hash = (hash ^ (hash >>> 16)) * 0x7feb352d;
    hash = (hash ^ (hash >>> 15)) * 0x846ca68b;
    hash ^= hash >>> 16;
    const at = values + ((<usize>i) << 2);
    store<f32>(at, hash < below ? 0 : load<f32>(at) * scale);
  }
}
