/**
 * Gap symbols with fillers (docs/format.md, section 4.6): the relative indices of Deep Compression, section 2.
 *
 * Layout     gaps  u32[count]
 *            out   u8[room]    symbols
 * Requires   1 <= filler <= 255; room is at least the sum of gaps[i] / filler + 1.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 *
 * @returns the number of symbols
 */
export function fillGaps(gaps: usize, count: usize, filler: u32, out: usize): usize {
  let to = out;
  for (let at = gaps; at < gaps + (count << 2); at += 4) {
    let gap = load<u32>(at);
    for (; gap >= filler; gap -= filler) store<u8>(to++, filler);
    store<u8>(to++, gap);
  }
  return to - out;
}

/**
 * Gap symbols with escapes (docs/format.md, section 4.6).
 *
 * Layout     gaps   u32[count]
 *            out    u8[count]                symbols
 *            extra  u8[20 / 8 * count + 8]   the bit string of the extra bits
 * Requires   1 <= exponent <= 7, gaps below 2^20.
 * Reads      nothing past the lengths above; writes up to 8 bytes past the bit string.
 * Order      exact integers.
 *
 * @returns bytes of the bit string
 */
export function escapeGapSymbols(gaps: usize, count: usize, exponent: u32, out: usize, extra: usize): usize {
  let to = extra;
  let held: u64 = 0;
  let heldBits: u32 = 0;
  for (let i: usize = 0; i < count; i++) {
    const gap = load<u32>(gaps + (i << 2));
    if (gap >> exponent == 0) {
      store<u8>(out + i, gap);
      continue;
    }
    const top = 31 - clz(gap);
    const bits = top - 1;
    const symbol: u32 = ((<u32>1) << exponent) + ((top - exponent) << 1) + ((gap >> bits) & 1);
    store<u8>(out + i, symbol);
    held |= (<u64>(gap & ((1 << bits) - 1))) << heldBits;
    heldBits += bits;
    store<u64>(to, held);
    to += heldBits >> 3;
    held >>= heldBits & ~7;
    heldBits &= 7;
  }
  return to - extra + (heldBits > 0 ? 1 : 0);
}

/**
 * How often each gap occurs.
 *
 * Layout     gaps    u32[count]
 *            counts  u32[maxGap + 1]  zeros before
 * Requires   gaps are at most maxGap.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function gapHistogram(gaps: usize, count: usize, counts: usize): void {
  for (let at = gaps; at < gaps + (count << 2); at += 4) {
    const bin = counts + ((<usize>load<u32>(at)) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
  }
}

/**
 * The largest of u32 values, 0 where there is none.
 *
 * Layout     values  u32[count]
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function largest(values: usize, count: usize): u32 {
  const end = values + (count << 2);
  let at = values;
  let most: u32 = 0;
  if (ASC_FEATURE_SIMD) {
    let m = i32x4.splat(0);
    for (; at + 16 <= end; at += 16) m = i32x4.max_u(m, v128.load(at));
    most = max(
      max(<u32>i32x4.extract_lane(m, 0), <u32>i32x4.extract_lane(m, 1)),
      max(<u32>i32x4.extract_lane(m, 2), <u32>i32x4.extract_lane(m, 3)),
    );
  }
  for (; at < end; at += 4) most = max(most, load<u32>(at));
  return most;
}

/**
 * The sum of u32 values.
 *
 * Layout     values  u32[count]
 * Reads      nothing past the lengths above.
 * Order      exact integers, below 2^53.
 */
export function total(values: usize, count: usize): f64 {
  let sum: u64 = 0;
  for (let at = values; at < values + (count << 2); at += 4) sum += <u64>load<u32>(at);
  return <f64>sum;
}
