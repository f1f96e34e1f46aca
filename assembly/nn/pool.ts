/**
 * The largest element under each window, and where it is.
 *
 * Layout     inputs   f32[planes][height][width]
 *            outputs  f32[planes][outHeight][outWidth]
 *            winners  u32[planes][outHeight][outWidth]  the element's place in its plane
 * Requires   every window has an element in the plane: what of it lies outside does not count.
 * Reads      nothing past the lengths above, in either build.
 * Order      a window row by row; the first of equals, and the last NaN where there is one.
 */
export function maxPool(
  inputs: usize,
  planes: usize,
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
  outputs: usize,
  winners: usize,
): void {
  const pairs = kernelHeight == 2 && kernelWidth == 2 && strideX == 2 && paddingY == 0 && paddingX == 0;
  let to: usize = 0;
  for (let plane: usize = 0; plane < planes; plane++) {
    const from = inputs + ((plane * height * width) << 2);
    for (let y: isize = 0; y < outHeight; y++) {
      const top = y * strideY - paddingY;
      const y1 = min(top + kernelHeight, height);
      const y0 = max(top, 0);
      let x: isize = 0;
      if (ASC_FEATURE_SIMD) {
        if (pairs && top + 2 <= height) {
          for (; x + 4 <= outWidth && (x + 4) << 1 <= width; x += 4) {
            const place = top * width + (x << 1);
            maxOfPairs(from + (place << 2), width << 2, <i32>place, <i32>width, outputs + to, winners + to);
            to += 16;
          }
        }
      }
      for (; x < outWidth; x++) {
        const left = x * strideX - paddingX;
        const x1 = min(left + kernelWidth, width);
        const x0 = max(left, 0);
        let winner = y0 * width + x0;
        let most = load<f32>(from + (winner << 2));
        for (let iy = y0; iy < y1; iy++) {
          for (let place = iy * width + x0; place < iy * width + x1; place++) {
            const value = load<f32>(from + (place << 2));
            if (value > most || value != value) {
              most = value;
              winner = place;
            }
          }
        }
        store<f32>(outputs + to, most);
        store<u32>(winners + to, <u32>winner);
        to += 4;
      }
    }
  }
}

/** Four windows of 2 x 2 side by side, of which the first begins at `at`, the element `place`. */
function maxOfPairs(at: usize, rowBytes: usize, place: i32, width: i32, outputs: usize, winners: usize): void {
  const above0 = v128.load(at);
  const above1 = v128.load(at, 16);
  const below0 = v128.load(at + rowBytes);
  const below1 = v128.load(at + rowBytes, 16);
  let most = v128.shuffle<f32>(above0, above1, 0, 2, 4, 6);
  let winner = i32x4.add(i32x4.splat(place), i32x4(0, 2, 4, 6));
  const start = winner;
  let value = v128.shuffle<f32>(above0, above1, 1, 3, 5, 7);
  let better = v128.or(f32x4.gt(value, most), f32x4.ne(value, value));
  most = v128.bitselect(value, most, better);
  winner = v128.bitselect(i32x4.add(start, i32x4.splat(1)), winner, better);
  value = v128.shuffle<f32>(below0, below1, 0, 2, 4, 6);
  better = v128.or(f32x4.gt(value, most), f32x4.ne(value, value));
  most = v128.bitselect(value, most, better);
  winner = v128.bitselect(i32x4.add(start, i32x4.splat(width)), winner, better);
  value = v128.shuffle<f32>(below0, below1, 1, 3, 5, 7);
  better = v128.or(f32x4.gt(value, most), f32x4.ne(value, value));
  most = v128.bitselect(value, most, better);
  winner = v128.bitselect(i32x4.add(start, i32x4.splat(width + 1)), winner, better);
  v128.store(outputs, most);
  v128.store(winners, winner);
}

/**
 * The gradient of maxPool: each output's goes to its winner.
 *
 * Layout     gradient       f32[planes][outPlane]
 *            winners        u32[planes][outPlane]  as maxPool gave them
 *            inputGradient  f32[planes][plane]
 * Reads      nothing past the lengths above.
 * Order      each input: from 0, outputs ascending, in float32.
 */
export function maxPoolGradient(gradient: usize, winners: usize, planes: usize, outPlane: usize, plane: usize, inputGradient: usize): void {
  memory.fill(inputGradient, 0, (planes * plane) << 2);
  let from: usize = 0;
  for (let i: usize = 0; i < planes; i++) {
    const base = inputGradient + ((i * plane) << 2);
    for (const end = from + (outPlane << 2); from < end; from += 4) {
      const to = base + (load<u32>(winners + from) << 2);
      store<f32>(to, load<f32>(to) + load<f32>(gradient + from));
    }
  }
}

/**
 * The mean under each window, of which what lies outside the plane counts as zeros.
 *
 * Layout     inputs   f32[planes][height][width]
 *            outputs  f32[planes][outHeight][outWidth]
 * Reads      nothing past the lengths above.
 * Order      each window: a float32 sum from 0 row by row, then divided by kernelHeight * kernelWidth.
 */
export function averagePool(
  inputs: usize,
  planes: usize,
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
  outputs: usize,
): void {
  const size = <f32>(kernelHeight * kernelWidth);
  let to = outputs;
  for (let plane: usize = 0; plane < planes; plane++) {
    const from = inputs + ((plane * height * width) << 2);
    for (let y: isize = 0; y < outHeight; y++) {
      const top = y * strideY - paddingY;
      for (let x: isize = 0; x < outWidth; x++) {
        const left = x * strideX - paddingX;
        let sum: f32 = 0;
        for (let iy = max(top, 0); iy < min(top + kernelHeight, height); iy++) {
          for (let ix = max(left, 0); ix < min(left + kernelWidth, width); ix++) sum += load<f32>(from + ((iy * width + ix) << 2));
        }
        store<f32>(to, sum / size);
        to += 4;
      }
    }
  }
}

/**
 * The gradient of averagePool: each output's, divided by the size of the window, goes to every input under it.
 *
 * Layout     gradient       f32[planes][outHeight][outWidth]
 *            inputGradient  f32[planes][height][width]
 * Reads      nothing past the lengths above.
 * Order      each input: from 0, outputs ascending, in float32.
 */
export function averagePoolGradient(
  gradient: usize,
  planes: usize,
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
  inputGradient: usize,
): void {
  const size = <f32>(kernelHeight * kernelWidth);
  memory.fill(inputGradient, 0, (planes * height * width) << 2);
  let from = gradient;
  for (let plane: usize = 0; plane < planes; plane++) {
    const base = inputGradient + ((plane * height * width) << 2);
    for (let y: isize = 0; y < outHeight; y++) {
      const top = y * strideY - paddingY;
      for (let x: isize = 0; x < outWidth; x++) {
        const left = x * strideX - paddingX;
        const share = load<f32>(from) / size;
        from += 4;
        for (let iy = max(top, 0); iy < min(top + kernelHeight, height); iy++) {
          for (let ix = max(left, 0); ix < min(left + kernelWidth, width); ix++) {
            const to = base + ((iy * width + ix) << 2);
            store<f32>(to, load<f32>(to) + share);
          }
        }
      }
    }
  }
}
