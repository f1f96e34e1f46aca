// Panels for `gemm`: `width` vectors of length `depth` side by side, so that a step along `depth` reads `width` neighbours.

/**
 * Packs the rows of a matrix into panels; the last panel is filled up with zeros.
 *
 * Layout     from   f32[count][depth]
 *            out    f32[ceil(count / width)][depth][width]  out[i / width][p][i mod width] = from[i][p]
 * Requires   width 4 or 8.
 * Reads      nothing past the lengths above, in either build.
 * Order      copies bits.
 */
export function packRows(from: usize, count: usize, depth: usize, width: usize, out: usize): void {
  const step = width << 2;
  const stride = depth << 2;
  const padded = ((count + width - 1) / width) * width;
  for (let i: usize = 0; i < padded; i += 4) {
    const row = from + i * stride;
    let to = out + (i / width) * width * stride + ((i % width) << 2);
    let p: usize = 0;
    if (i + 4 <= count) {
      if (ASC_FEATURE_SIMD) {
        for (; p + 4 <= depth; p += 4) {
          const at = row + (p << 2);
          const r0 = v128.load(at);
          const r1 = v128.load(at + stride);
          const r2 = v128.load(at + 2 * stride);
          const r3 = v128.load(at + 3 * stride);
          const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
          const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
          const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
          const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
          v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
          v128.store(to + step, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
          v128.store(to + 2 * step, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
          v128.store(to + 3 * step, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
          to += 4 * step;
        }
      }
      for (; p < depth; p++) {
        const at = row + (p << 2);
        store<u32>(to, load<u32>(at));
        store<u32>(to, load<u32>(at + stride), 4);
        store<u32>(to, load<u32>(at + 2 * stride), 8);
        store<u32>(to, load<u32>(at + 3 * stride), 12);
        to += step;
      }
    } else {
      for (; p < depth; p++) {
        for (let r: usize = 0; r < 4; r++) store<u32>(to + (r << 2), i + r < count ? load<u32>(row + r * stride + (p << 2)) : 0);
        to += step;
      }
    }
  }
}

/**
 * Packs the columns of a matrix into panels; the last panel is filled up with zeros.
 *
 * Layout     from   f32[depth][count]
 *            out    f32[ceil(count / width)][depth][width]  out[i / width][p][i mod width] = from[p][i]
 * Requires   width 4 or 8.
 * Reads      nothing past the lengths above, in either build.
 * Order      copies bits.
 */
export function packColumns(from: usize, count: usize, depth: usize, width: usize, out: usize): void {
  const step = width << 2;
  const stride = count << 2;
  let to = out;
  for (let i: usize = 0; i < count; i += width) {
    let at = from + (i << 2);
    if (i + width > count) {
      for (let p: usize = 0; p < depth; p++) {
        for (let c: usize = 0; c < width; c++) store<u32>(to + (c << 2), i + c < count ? load<u32>(at + (c << 2)) : 0);
        at += stride;
        to += step;
      }
    } else if (ASC_FEATURE_SIMD) {
      for (let p: usize = 0; p < depth; p++) {
        v128.store(to, v128.load(at));
        if (width == 8) v128.store(to, v128.load(at, 16), 16);
        at += stride;
        to += step;
      }
    } else {
      for (let p: usize = 0; p < depth; p++) {
        for (let c: usize = 0; c < step; c += 8) store<u64>(to + c, load<u64>(at + c));
        at += stride;
        to += step;
      }
    }
  }
}
