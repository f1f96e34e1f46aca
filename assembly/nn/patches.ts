// A convolution as a matrix product: element (tap, place) of the matrix of an image's patches lies at the image's byte taps[tap] + places[place].

/**
 * Panels for `gemm` from elements that lie at sums of two offsets: the patches of an image, without a matrix of them in between. The last panel is
 * filled up with zeros.
 *
 * Layout     from     bytes
 *            places   u32[count]  byte offsets, ascending, multiples of 4
 *            taps     u32[depth]  byte offsets, ascending, multiples of 4
 *            out      f32[ceil(count / width)][depth][width]  out[i / width][d][i mod width] = from[places[i] + taps[d]]
 * Requires   width 4 or 8.
 * Reads      the elements named alone, in either build.
 * Order      copies bits.
 */
export function gatherPanels(from: usize, places: usize, count: usize, taps: usize, depth: usize, width: usize, out: usize): void {
  const step = width << 2;
  const padded = ((count + width - 1) / width) * width;
  const tapsEnd = taps + (depth << 2);
  for (let i: usize = 0; i < padded; i += 4) {
    const lanes = places + (i << 2);
    let to = out + (i / width) * depth * step + ((i % width) << 2);
    let tap = taps;
    if (i + 4 > count) {
      for (; tap < tapsEnd; tap += 4) {
        const at = from + load<u32>(tap);
        for (let r: usize = 0; r < 4; r++) store<u32>(to + (r << 2), i + r < count ? load<u32>(at + load<u32>(lanes + (r << 2))) : 0);
        to += step;
      }
      continue;
    }
    const p0 = from + load<u32>(lanes);
    const p1 = from + load<u32>(lanes, 4);
    const p2 = from + load<u32>(lanes, 8);
    const p3 = from + load<u32>(lanes, 12);
    if (ASC_FEATURE_SIMD) {
      // Ascending multiples of 4 that end 12 bytes further are neighbours.
      if (p3 - p0 == 12) {
        for (; tap < tapsEnd; tap += 4) {
          v128.store(to, v128.load(p0 + load<u32>(tap)));
          to += step;
        }
        continue;
      }
      for (; tap + 16 <= tapsEnd; tap += 16) {
        const t0 = load<u32>(tap);
        if (load<u32>(tap, 12) - t0 == 12) {
          const r0 = v128.load(p0 + t0);
          const r1 = v128.load(p1 + t0);
          const r2 = v128.load(p2 + t0);
          const r3 = v128.load(p3 + t0);
          const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
          const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
          const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
          const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
          v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
          v128.store(to + step, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
          v128.store(to + 2 * step, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
          v128.store(to + 3 * step, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
          to += 4 * step;
        } else {
          for (let d: usize = 0; d < 16; d += 4) {
            copyFour(load<u32>(tap + d), p0, p1, p2, p3, to);
            to += step;
          }
        }
      }
    }
    for (; tap < tapsEnd; tap += 4) {
      copyFour(load<u32>(tap), p0, p1, p2, p3, to);
      to += step;
    }
  }
}

// @ts-ignore: decorator
@inline
function copyFour(tap: usize, p0: usize, p1: usize, p2: usize, p3: usize, to: usize): void {
  store<u32>(to, load<u32>(p0 + tap));
  store<u32>(to, load<u32>(p1 + tap), 4);
  store<u32>(to, load<u32>(p2 + tap), 8);
  store<u32>(to, load<u32>(p3 + tap), 12);
}

/**
 * The opposite of gathering: adds each element of the gradient of a matrix of patches to that of the element of the image that it is of.
 *
 * Layout     from    f32[depth][count]
 *            taps    u32[depth]  byte offsets, ascending, multiples of 4
 *            places  u32[count]  byte offsets, ascending, multiples of 4
 *            to      bytes       the float32 at places[i] + taps[d] takes from[d][i]
 * Requires   from and to do not overlap.
 * Reads      the elements named alone, in either build.
 * Order      taps from the last to the first, so that what an element takes comes in ascending order of places, in however many calls they are worked.
 */
export function scatterPatches(from: usize, depth: usize, count: usize, taps: usize, places: usize, to: usize): void {
  const rowBytes = count << 2;
  for (let d = depth; d > 0;) {
    d--;
    const row = from + d * rowBytes;
    const base = to + load<u32>(taps + (d << 2));
    let i: usize = 0;
    if (ASC_FEATURE_SIMD) {
      for (; i + 16 <= rowBytes; i += 16) {
        const first = load<u32>(places + i);
        if (load<u32>(places + i, 12) - first == 12) {
          v128.store(base + first, f32x4.add(v128.load(base + first), v128.load(row + i)));
        } else {
          for (let c = i; c < i + 16; c += 4) addOne(row + c, base + load<u32>(places + c));
        }
      }
    }
    for (; i < rowBytes; i += 4) addOne(row + i, base + load<u32>(places + i));
  }
}

// @ts-ignore: decorator
@inline
function addOne(from: usize, to: usize): void {
  store<f32>(to, load<f32>(to) + load<f32>(from));
}

/**
 * Copies rectangles: into the middle of padded images, or out of it.
 *
 * Layout     from  f32[planes][fromHeight][fromWidth]
 *            to    f32[planes][toHeight][toWidth]
 *            Rows 0 to height - 1 of each plane of `from`, columns 0 to width - 1, go to the same of `to`; a rectangle elsewhere in its planes is
 *            lent by the address of its first element.
 * Reads      nothing past the rectangles, in either build.
 * Order      copies bits.
 */
export function copyPlanes(
  from: usize,
  fromHeight: usize,
  fromWidth: usize,
  to: usize,
  toHeight: usize,
  toWidth: usize,
  planes: usize,
  height: usize,
  width: usize,
): void {
  for (let plane: usize = 0; plane < planes; plane++) {
    for (let y: usize = 0; y < height; y++) {
      memory.copy(to + (((plane * toHeight + y) * toWidth) << 2), from + (((plane * fromHeight + y) * fromWidth) << 2), width << 2);
    }
  }
}

/**
 * Adds a bias to every channel of an image.
 *
 * Layout     values  f32[channels][plane]
 *            bias    f32[channels]
 * Reads      nothing past the lengths above, in either build.
 * Order      one float32 sum an element.
 */
export function addPlaneBias(values: usize, bias: usize, channels: usize, plane: usize): void {
  let at = values;
  for (let c: usize = 0; c < channels; c++) {
    const value = load<f32>(bias + (c << 2));
    const end = at + (plane << 2);
    if (ASC_FEATURE_SIMD) {
      const splat = f32x4.splat(value);
      for (; at + 16 <= end; at += 16) v128.store(at, f32x4.add(v128.load(at), splat));
    }
    for (; at < end; at += 4) store<f32>(at, load<f32>(at) + value);
  }
}

/**
 * Sums over the planes of each channel: the gradient of a bias.
 *
 * Layout     values  f32[rows][channels][plane]
 *            out     f32[channels]
 * Reads      nothing past the lengths above, in either build.
 * Order      each channel: four sums from 0 in float32, that of lane i over the elements i, i + 4, … of one plane after the other; then
 *            (lane 0 + lane 1) + (lane 2 + lane 3).
 */
export function planeSums(values: usize, rows: usize, channels: usize, plane: usize, out: usize): void {
  const planeBytes = plane << 2;
  const body = planeBytes & ~15;
  for (let c: usize = 0; c < channels; c++) {
    let s0: f32 = 0;
    let s1: f32 = 0;
    let s2: f32 = 0;
    let s3: f32 = 0;
    for (let row: usize = 0; row < rows; row++) {
      const at = values + (row * channels + c) * planeBytes;
      if (ASC_FEATURE_SIMD) {
        let sums = f32x4(s0, s1, s2, s3);
        for (let i: usize = 0; i < body; i += 16) sums = f32x4.add(sums, v128.load(at + i));
        s0 = f32x4.extract_lane(sums, 0);
        s1 = f32x4.extract_lane(sums, 1);
        s2 = f32x4.extract_lane(sums, 2);
        s3 = f32x4.extract_lane(sums, 3);
      } else {
        for (let i: usize = 0; i < body; i += 16) {
          s0 += load<f32>(at + i);
          s1 += load<f32>(at + i, 4);
          s2 += load<f32>(at + i, 8);
          s3 += load<f32>(at + i, 12);
        }
      }
      const left = planeBytes - body;
      if (left > 0) s0 += load<f32>(at + body);
      if (left > 4) s1 += load<f32>(at + body, 4);
      if (left > 8) s2 += load<f32>(at + body, 8);
    }
    store<f32>(out + (c << 2), s0 + s1 + (s2 + s3));
  }
}
