/**
 * Rounds elements in place to fewer bits of mantissa: to nearest, ties to even; what would become infinite towards zero instead. NaN and infinities stay as they are.
 *
 * Layout     elements  u16[count] (F16, BF16), u32[count] (F32) or u64[count] (F64)
 * Requires   kind: 0 F16, 1 BF16, 2 F64, 3 F32. dropped: bits of the mantissa that become zero, 1 or more, fewer than it has.
 * Reads      nothing past the length above, in either build.
 * Order      one by one, on the bits as integers: a carry goes into the exponent above, as it must, and subnormals are no exception.
 */
export function roundMantissa(elements: usize, count: usize, kind: u32, dropped: u32): void {
  if (kind == 0) roundAll<i16>(elements, count, <i16>dropped, 0x7c00);
  else if (kind == 1) roundAll<i16>(elements, count, <i16>dropped, 0x7f80);
  else if (kind == 2) roundAll<i64>(elements, count, <i64>dropped, 0x7ff0000000000000);
  else roundAll<i32>(elements, count, <i32>dropped, 0x7f800000);
}

/** Magnitudes have their upper bit clear, so that signed integers serve; only those that are not finite, which stay, overflow. */
function roundAll<T extends number>(elements: usize, count: usize, dropped: T, infinity: T): void {
  const end = elements + count * sizeof<T>();
  const one = <T>1;
  const below = <T>((one << (dropped - 1)) - 1);
  const kept = <T>~((one << dropped) - 1);
  const signBit = <T>(8 * sizeof<T>() - 1);
  const sign = <T>(one << signBit);
  let at = elements;
  if (ASC_FEATURE_SIMD) {
    for (; at + 16 <= end; at += 16) {
      const raw = v128.load(at);
      const magnitude = v128.andnot(raw, v128.splat<T>(sign));
      const isOdd = v128.and(v128.shr<T>(magnitude, <i32>dropped), v128.splat<T>(one));
      const sum = v128.add<T>(v128.add<T>(magnitude, v128.splat<T>(below)), isOdd);
      const fits = v128.lt<T>(v128.and(sum, v128.splat<T>(kept)), v128.splat<T>(infinity));
      const rounded = v128.and(v128.bitselect(sum, magnitude, fits), v128.splat<T>(kept));
      const isFinite = v128.lt<T>(magnitude, v128.splat<T>(infinity));
      v128.store(at, v128.bitselect(v128.bitselect(raw, rounded, v128.splat<T>(sign)), raw, isFinite));
    }
  }
  for (; at < end; at += sizeof<T>()) {
    const raw = load<T>(at);
    const magnitude = <T>(raw & ~sign);
    if (magnitude >= infinity) continue;
    const rounded = <T>((magnitude + below + ((magnitude >> dropped) & 1)) & kept);
    store<T>(at, <T>((raw & sign) | (rounded < infinity ? rounded : magnitude & kept)));
  }
}
