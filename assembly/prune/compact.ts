/** Where the survivors of a block go; a survivor at `index` follows one at `next - 1`. */
// @ts-ignore: decorator
@inline
function keep<T>(from: usize, index: usize, next: usize, gaps: usize, out: usize, at: usize): void {
  store<u32>(gaps + (at << 2), <u32>(index - next));
  store<T>(out + at * sizeof<T>(), load<T>(from + index * sizeof<T>()));
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
    for (const body = count & ~15; i < body; i += 16) {
      const at = values + (i << 2);
      let mask =
        i32x4.bitmask(f32x4.gt(f32x4.abs(v128.load(at)), limit)) |
        (i32x4.bitmask(f32x4.gt(f32x4.abs(v128.load(at, 16)), limit)) << 4) |
        (i32x4.bitmask(f32x4.gt(f32x4.abs(v128.load(at, 32)), limit)) << 8) |
        (i32x4.bitmask(f32x4.gt(f32x4.abs(v128.load(at, 48)), limit)) << 12);
      for (; mask != 0; mask &= mask - 1) {
        const index = i + <usize>ctz(mask);
        keep<f32>(values, index, next, gaps, out, found++);
        next = index + 1;
      }
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
function compactAs<T>(elements: usize, count: usize, gaps: usize, out: usize): usize {
  let found: usize = 0;
  let next: usize = 0;
  for (let i: usize = 0; i < count; i++) {
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
