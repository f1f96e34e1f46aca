import { afterGroup, bitmask16, GROUP, keepGroup } from "./keep";

/** Where the survivors of a block go; a survivor at `index` follows one at `next - 1`. */
// @ts-ignore: decorator
@inline
function keep<T>(from: usize, index: usize, next: usize, gaps: usize, out: usize, at: usize): void {
  store<u32>(gaps + (at << 2), <u32>(index - next));
  store<T>(out + at * sizeof<T>(), load<T>(from + index * sizeof<T>()));
}

// @ts-ignore: decorator
@inline
function above(at: usize, limit: v128): v128 {
  return f32x4.gt(f32x4.abs(v128.load(at)), limit);
}

// @ts-ignore: decorator
@inline
function above16(at: usize, limit: v128): u64 {
  return bitmask16(above(at, limit), above(at + 16, limit), above(at + 32, limit), above(at + 48, limit));
}

/**
 * Threshold mask and compaction: the survivors of a block, and the gaps before them.
 *
 * Layout     values  f32[count]
 *            gaps    u32[count]  pruned values before each survivor
 *            out     f32[count]  the survivors
 * Requires   threshold >= 0.
 * Reads      nothing past the lengths above, in either build.
 * Order      exact comparisons: |value| > threshold survives, NaN does not.
 *
 * @returns the number of survivors
 */
export function prune(values: usize, count: usize, threshold: f32, gaps: usize, out: usize): usize {
  let found: usize = 0;
  let next: usize = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    const limit = f32x4.splat(threshold);
    for (; i + GROUP < count; i += GROUP) {
      const from = values + (i << 2);
      let mask: u64 = 0;
      for (let part: usize = 0; part < GROUP; part += 16) mask |= above16(from + (part << 2), limit) << part;
      if (mask == 0) continue;
      keepGroup<f32>(from, mask, i, next, gaps + (found << 2), out + (found << 2));
      found += <usize>popcnt(mask);
      next = afterGroup(mask, i);
    }
  }
  for (; i < count; i++) {
    if (!(abs(load<f32>(values + (i << 2))) > threshold)) continue;
    keep<f32>(values, i, next, gaps, out, found++);
    next = i + 1;
  }
  return found;
}

// @ts-ignore: decorator
@inline
function zero4(at: usize): v128 {
  return i32x4.eq(v128.load(at), i32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function zero8(at: usize): v128 {
  return i16x8.eq(v128.load(at), i16x8.splat(0));
}

/** Of four elements of 64 bits, a lane of 32 each. */
// @ts-ignore: decorator
@inline
function zeroWide(at: usize): v128 {
  return v128.shuffle<i32>(i64x2.eq(v128.load(at), i64x2.splat(0)), i64x2.eq(v128.load(at, 16), i64x2.splat(0)), 0, 2, 4, 6);
}

/** One bit for each of sixteen elements that is zero. */
// @ts-ignore: decorator
@inline
function zeros16<T>(at: usize): u64 {
  if (sizeof<T>() == 1) return <u64>i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0)));
  if (sizeof<T>() == 2) return <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(zero8(at), zero8(at + 16)));
  if (sizeof<T>() == 4) return bitmask16(zero4(at), zero4(at + 16), zero4(at + 32), zero4(at + 48));
  return bitmask16(zeroWide(at), zeroWide(at + 32), zeroWide(at + 64), zeroWide(at + 96));
}

// @ts-ignore: decorator
@inline
function compactAs<T>(elements: usize, count: usize, gaps: usize, out: usize): usize {
  let found: usize = 0;
  let next: usize = 0;
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + GROUP < count; i += GROUP) {
      const from = elements + i * sizeof<T>();
      let zeros: u64 = 0;
      for (let part: usize = 0; part < GROUP; part += 16) zeros |= zeros16<T>(from + part * sizeof<T>()) << part;
      const mask = ~zeros;
      if (mask == 0) continue;
      keepGroup<T>(from, mask, i, next, gaps + (found << 2), out + found * sizeof<T>());
      found += <usize>popcnt(mask);
      next = afterGroup(mask, i);
    }
  }
  for (; i < count; i++) {
    if (load<T>(elements + i * sizeof<T>()) == 0) continue;
    keep<T>(elements, i, next, gaps, out, found++);
    next = i + 1;
  }
  return found;
}

/**
 * The elements of a block that have a bit set, and the gaps before them.
 *
 * Layout     elements  T[count]    T of elementBytes bytes
 *            gaps      u32[count]
 *            out       T[count]    the survivors
 * Reads      nothing past the lengths above.
 * Order      exact comparisons.
 *
 * @returns the number of survivors
 */
export function compact(elements: usize, count: usize, elementBytes: u32, gaps: usize, out: usize): usize {
  if (elementBytes == 4) return compactAs<u32>(elements, count, gaps, out);
  if (elementBytes == 2) return compactAs<u16>(elements, count, gaps, out);
  if (elementBytes == 1) return compactAs<u8>(elements, count, gaps, out);
  return compactAs<u64>(elements, count, gaps, out);
}

/** Slots of the table of `index`: a power of two, and several times the 256 entries, so that probes stay short. */
const SLOTS: u32 = 1024;

// @ts-ignore: decorator
@inline
function indexAs<T>(elements: usize, count: usize, codes: usize, table: usize, known: u32, slots: usize): u32 {
  memory.fill(slots, 0, SLOTS << 1);
  let size: u32 = 0;
  for (let i: usize = 0; i < count + known; i++) {
    // First the known entries, which take the indexes that they have.
    const isKnown = i < known;
    const element = isKnown ? load<T>(table + i * sizeof<T>()) : load<T>(elements + (i - known) * sizeof<T>());
    let slot = <u32>((<u64>element * 0x9e3779b97f4a7c15) >> 54);
    let code: u32 = 0;
    for (;;) {
      const taken = <u32>load<u16>(slots + ((<usize>slot) << 1));
      if (taken == 0) {
        if (size == 256) return 257;
        code = size++;
        store<u16>(slots + ((<usize>slot) << 1), <u16>size);
        store<T>(table + <usize>code * sizeof<T>(), element);
        break;
      }
      code = taken - 1;
      if (load<T>(table + <usize>code * sizeof<T>()) == element) break;
      slot = (slot + 1) & (SLOTS - 1);
    }
    if (!isKnown) store<u8>(codes + (i - known), code);
  }
  return size;
}

/**
 * Gives each element the index of its bits in a table of at most 256.
 *
 * Layout     elements  T[count]   T of elementBytes bytes
 *            codes     u8[count]
 *            table     T[256]     `known` entries before, all different; new ones are added in the order in which they appear
 *            slots     u16[1024]  scratch
 * Requires   known <= 256.
 * Reads      nothing past the lengths above.
 * Order      exact comparisons.
 *
 * @returns the entries of the table, or 257 where there would be more than 256; the codes are then incomplete
 */
export function index(elements: usize, count: usize, elementBytes: u32, codes: usize, table: usize, known: u32, slots: usize): u32 {
  if (elementBytes == 4) return indexAs<u32>(elements, count, codes, table, known, slots);
  if (elementBytes == 2) return indexAs<u16>(elements, count, codes, table, known, slots);
  if (elementBytes == 1) return indexAs<u8>(elements, count, codes, table, known, slots);
  return indexAs<u64>(elements, count, codes, table, known, slots);
}
