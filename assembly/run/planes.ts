// Planes of images, as the layers of a network that runs leave them to each other: a row may be followed by numbers that mean nothing, and so may a plane.

/**
 * Planes with zeros around them, or of a stride its first phases: rows and columns that a convolution meets one after the other stand one after the other. Phases of the columns come in sets of strideX, each set stepX columns behind the one before.
 *
 * Layout     from  f32[channels][height][width]  rows fromPitch bytes apart, planes fromStride
 *            to    f32[channels][phasesY][phasesX][rows][columns]  of each phase without a space, phases toStride bytes apart
 *            to[c][i][j][y][x] = from[c][y * strideY + i - paddingY][x * strideX + j % strideX + j / strideX * stepX - paddingX], 0 where that is outside
 * Requires   they do not overlap; phasesY at most strideY.
 * Reads      nothing past the lengths above, in either build.
 */
export function spread(
  from: usize,
  fromPitch: usize,
  fromStride: usize,
  channels: usize,
  height: isize,
  width: isize,
  strideY: isize,
  strideX: isize,
  phasesY: isize,
  phasesX: isize,
  stepX: isize,
  paddingY: isize,
  paddingX: isize,
  to: usize,
  toStride: usize,
  rows: isize,
  columns: isize,
): void {
  for (let c: usize = 0; c < channels; c++) {
    for (let i: isize = 0; i < phasesY; i++) {
      for (let j: isize = 0; j < phasesX; j++) {
        // The first column that is in the plane, and the first behind it: quotients rounded up, and below 0 anything.
        const left = (j % strideX) + (j / strideX) * stepX - paddingX;
        const start = min(max((strideX - 1 - left) / strideX, 0), columns);
        const end = min(max((width + strideX - 1 - left) / strideX, 0), columns);
        let out = to;
        for (let y: isize = 0; y < rows; y++) {
          const row = y * strideY + i - paddingY;
          if (row < 0 || row >= height) {
            memory.fill(out, 0, columns << 2);
          } else {
            zero(out, start);
            take(from + row * fromPitch + ((start * strideX + left) << 2), strideX << 2, out + (start << 2), end - start);
            zero(out + (end << 2), columns - end);
          }
          out += columns << 2;
        }
        to += toStride;
      }
    }
    from += fromStride;
  }
}

// @ts-ignore: decorator
@inline
function zero(at: usize, count: usize): void {
  for (const end = at + (count << 2); at < end; at += 4) store<f32>(at, 0);
}

/** Copies numbers that stand `step` bytes apart. */
// @ts-ignore: decorator
@inline
function take(from: usize, step: usize, to: usize, count: usize): void {
  const end = to + (count << 2);
  if (ASC_FEATURE_SIMD) {
    if (step == 4) {
      for (; to + 16 <= end; to += 16) {
        v128.store(to, v128.load(from));
        from += 16;
      }
    }
  }
  for (; to < end; to += 4) {
    store<u32>(to, load<u32>(from));
    from += step;
  }
}
