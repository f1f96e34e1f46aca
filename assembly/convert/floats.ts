/** Float16 bits of a float32, rounded to nearest, ties to even; a NaN gives 0x7e00 with its sign. */
// @ts-ignore: decorator
@inline
function toHalf(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half-way between the largest float16 and the one that would follow.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the spacing of float16 is 2^-24: adding 0.5 leaves the rounded multiple in the lower bits.
  if (magnitude < 0x38800000) return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
}

/** The float32 of float16 bits; a NaN keeps its fraction. */
// @ts-ignore: decorator
@inline
export function fromHalf(half: u32): f32 {
  const sign = (half & 0x8000) << 16;
  const magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) return reinterpret<f32>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
  // The biases of the exponents differ by 112.
  return reinterpret<f32>(sign | reinterpret<u32>(reinterpret<f32>(magnitude << 13) * <f32>5.192296858534828e33));
}

/** Bfloat16 bits of a float32, rounded to nearest, ties to even; a NaN gives 0x7fc0 with its sign. */
// @ts-ignore: decorator
@inline
function toBfloat(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >> 16) & 0x8000) | 0x7fc0;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/** What `kind` means: the floating dtypes other than F32. */
const F16: u32 = 0;
const BF16: u32 = 1;

/**
 * Elements as float32.
 *
 * Layout     elements  u16[count] (F16, BF16) or f64[count]
 *            out       f32[count]
 * Requires   kind: 0 F16, 1 BF16, 2 F64.
 * Reads      nothing past the lengths above.
 * Order      one by one; from float64 rounded to nearest, ties to even.
 */
export function toFloat32(elements: usize, count: usize, kind: u32, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const to = out + (i << 2);
    if (kind == F16) store<f32>(to, fromHalf(load<u16>(elements + (i << 1))));
    else if (kind == BF16) store<u32>(to, (<u32>load<u16>(elements + (i << 1))) << 16);
    else store<f32>(to, <f32>load<f64>(elements + (i << 3)));
  }
}

/**
 * Float32 values as elements.
 *
 * Layout     values  f32[count]
 *            out     u16[count] (F16, BF16) or f64[count]
 * Requires   kind: 0 F16, 1 BF16, 2 F64.
 * Reads      nothing past the lengths above.
 * Order      one by one, rounded to nearest, ties to even.
 */
export function fromFloat32(values: usize, count: usize, kind: u32, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const value = load<f32>(values + (i << 2));
    if (kind == F16) store<u16>(out + (i << 1), toHalf(value));
    else if (kind == BF16) store<u16>(out + (i << 1), toBfloat(value));
    else store<f64>(out + (i << 3), <f64>value);
  }
}
