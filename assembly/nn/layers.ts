/**
 * Adds a bias to every row.
 *
 * Layout     values  f32[rows][columns]
 *            bias    f32[columns]
 * Reads      nothing past the lengths above, in either build.
 * Order      one float32 sum an element.
 */
export function addBias(values: usize, bias: usize, rows: usize, columns: usize): void {
  const rowBytes = columns << 2;
  const body = rowBytes & ~15;
  for (let row: usize = 0; row < rows; row++) {
    const at = values + row * rowBytes;
    let c: usize = 0;
    if (ASC_FEATURE_SIMD) for (; c < body; c += 16) v128.store(at + c, f32x4.add(v128.load(at + c), v128.load(bias + c)));
    for (; c < rowBytes; c += 4) store<f32>(at + c, load<f32>(at + c) + load<f32>(bias + c));
  }
}

/**
 * ReLU, in place: what is below 0 becomes 0; a NaN and -0 stay.
 *
 * Layout     values  f32[count]
 * Reads      nothing past the lengths above, in either build.
 * Order      elements on their own.
 */
export function relu(values: usize, count: usize): void {
  const end = values + (count << 2);
  let at = values;
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    for (const bodyEnd = values + ((count & ~3) << 2); at < bodyEnd; at += 16) {
      const value = v128.load(at);
      v128.store(at, v128.andnot(value, f32x4.lt(value, zero)));
    }
  }
  for (; at < end; at += 4) if (load<f32>(at) < 0) store<f32>(at, 0);
}

/**
 * The gradient of ReLU, in place: 0 where the output is not above 0.
 *
 * Layout     outputs   f32[count]  of the forward pass
 *            gradient  f32[count]  by the outputs, then by the inputs
 * Reads      nothing past the lengths above, in either build.
 * Order      elements on their own.
 */
export function reluGradient(outputs: usize, gradient: usize, count: usize): void {
  const byteLength = count << 2;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const zero = f32x4.splat(0);
    for (const body = byteLength & ~15; i < body; i += 16) {
      v128.store(gradient + i, v128.and(v128.load(gradient + i), f32x4.gt(v128.load(outputs + i), zero)));
    }
  }
  for (; i < byteLength; i += 4) if (!(load<f32>(outputs + i) > 0)) store<f32>(gradient + i, 0);
}

/**
 * Sums of the columns: the gradient of a bias.
 *
 * Layout     values  f32[rows][columns]
 *            out     f32[columns]
 * Reads      nothing past the lengths above, in either build.
 * Order      each column: from 0 down the rows, in float32.
 */
export function columnSums(values: usize, rows: usize, columns: usize, out: usize): void {
  const rowBytes = columns << 2;
  const end = values + rows * rowBytes;
  let c: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (const body = rowBytes & ~15; c < body; c += 16) {
      let sum = f32x4.splat(0);
      for (let at = values + c; at < end; at += rowBytes) sum = f32x4.add(sum, v128.load(at));
      v128.store(out + c, sum);
    }
  }
  for (; c < rowBytes; c += 4) {
    let sum: f32 = 0;
    for (let at = values + c; at < end; at += rowBytes) sum += load<f32>(at);
    store<f32>(out + c, sum);
  }
}
