// Pooling of planes (planes.ts), which keeps no winners for a gradient: each row of windows first down its columns, then along the row.

/**
 * The largest number under each window; what of a window lies outside of the plane does not count.
 *
 * Layout     from  f32[channels][height][width]  rows fromPitch bytes apart, planes fromStride
 *            row   f32[width]                    scratch
 *            to    f32[channels][outHeight][outWidth]
 * Requires   every window has a number in the plane; nothing overlaps.
 * Reads      up to 12 bytes past a row of the plane, and past `row`, and writes as far past `row`.
 * Order      each column downwards, then the columns ascending: what is larger than what was found takes its place, and so does a NaN.
 */
export function poolLargest(
  from: usize,
  fromPitch: usize,
  fromStride: usize,
  channels: usize,
  height: isize,
  width: isize,
  kernelHeight: isize,
  kernelWidth: isize,
  strideY: isize,
  strideX: isize,
  paddingY: isize,
  paddingX: isize,
  outHeight: isize,
  outWidth: isize,
  row: usize,
  to: usize,
): void {
  for (let c: usize = 0; c < channels; c++) {
    for (let y: isize = 0; y < outHeight; y++) {
      const top = y * strideY - paddingY;
      down(true, from, fromPitch, max(top, 0), min(top + kernelHeight, height), width, row);
      along(true, row, width, kernelWidth, strideX, paddingX, outWidth, to, 1);
      to += outWidth << 2;
    }
    from += fromStride;
  }
}

/**
 * The mean under each window, of which what lies outside of the plane counts as zeros.
 *
 * Layout, Requires, Reads  as poolLargest.
 * Order      each column downwards from its first number, then the columns ascending from the first, each sum rounded to float32; then divided by the numbers of a window.
 */
export function poolMean(
  from: usize,
  fromPitch: usize,
  fromStride: usize,
  channels: usize,
  height: isize,
  width: isize,
  kernelHeight: isize,
  kernelWidth: isize,
  strideY: isize,
  strideX: isize,
  paddingY: isize,
  paddingX: isize,
  outHeight: isize,
  outWidth: isize,
  row: usize,
  to: usize,
): void {
  const size = <f32>(kernelHeight * kernelWidth);
  for (let c: usize = 0; c < channels; c++) {
    for (let y: isize = 0; y < outHeight; y++) {
      const top = y * strideY - paddingY;
      down(false, from, fromPitch, max(top, 0), min(top + kernelHeight, height), width, row);
      along(false, row, width, kernelWidth, strideX, paddingX, outWidth, to, size);
      to += outWidth << 2;
    }
    from += fromStride;
  }
}

/** What two numbers come to, four times: a call's `largest` is known to the compiler. */
// @ts-ignore: decorator
@inline
function both(largest: bool, found: v128, next: v128): v128 {
  if (largest) return v128.bitselect(next, found, v128.or(f32x4.gt(next, found), f32x4.ne(next, next)));
  return f32x4.add(found, next);
}

// @ts-ignore: decorator
@inline
function bothOne(largest: bool, found: f32, next: f32): f32 {
  if (largest) return next > found || next != next ? next : found;
  return found + next;
}

/** Columns of a plane from row `first` to before `end`. */
// @ts-ignore: decorator
@inline
function down(largest: bool, from: usize, pitch: usize, first: isize, end: isize, width: isize, row: usize): void {
  const top = from + first * pitch;
  const byteLength = (<usize>width) << 2;
  if (ASC_FEATURE_SIMD) {
    for (let x: usize = 0; x < byteLength; x += 16) {
      let found = v128.load(top + x);
      let at = top + x;
      for (let y = first + 1; y < end; y++) {
        at += pitch;
        found = both(largest, found, v128.load(at));
      }
      v128.store(row + x, found);
    }
  } else {
    for (let x: usize = 0; x < byteLength; x += 4) {
      let found = load<f32>(top + x);
      let at = top + x;
      for (let y = first + 1; y < end; y++) {
        at += pitch;
        found = bothOne(largest, found, load<f32>(at));
      }
      store<f32>(row + x, found);
    }
  }
}

/** Windows along a row. */
// @ts-ignore: decorator
@inline
function along(
  largest: bool,
  row: usize,
  width: isize,
  kernel: isize,
  stride: isize,
  padding: isize,
  count: isize,
  to: usize,
  size: f32,
): void {
  let x: isize = 0;
  while (x < count) {
    const left = x * stride - padding;
    if (ASC_FEATURE_SIMD) {
      if (stride <= 2 && left >= 0 && x + 4 <= count && left + 3 * stride + kernel <= width) {
        const at = row + (left << 2);
        let found = strided(at, stride);
        for (let j: isize = 1; j < kernel; j++) found = both(largest, found, strided(at + (j << 2), stride));
        if (!largest) found = f32x4.div(found, f32x4.splat(size));
        v128.store(to + (x << 2), found);
        x += 4;
        continue;
      }
    }
    const first = max(left, 0);
    let found = load<f32>(row + (first << 2));
    for (let i = first + 1; i < min(left + kernel, width); i++) found = bothOne(largest, found, load<f32>(row + (i << 2)));
    store<f32>(to + (x << 2), largest ? found : found / size);
    x++;
  }
}

/** Four numbers, each the next or the next but one. */
// @ts-ignore: decorator
@inline
function strided(at: usize, stride: isize): v128 {
  const numbers = v128.load(at);
  return stride == 1 ? numbers : v128.shuffle<f32>(numbers, v128.load(at, 16), 0, 2, 4, 6);
}
