/** Values that one mask covers. */
export const GROUP: usize = 64;

/**
 * Where the survivors of a group go: those of the elements from `from` on whose bit in `mask` is set. `base` is the group's first index, a survivor at index i follows
 * one at `next` - 1.
 *
 * Eight are written at a time, whether there are as many or not: a loop that ends after the last would be predicted wrongly for most groups. What is written in excess
 * stays within 64 elements, and reads the element after the group.
 */
// @ts-ignore: decorator
@inline
export function keepGroup<T>(from: usize, mask: u64, base: usize, next: usize, gaps: usize, out: usize): void {
  let rest = mask;
  let index = base - next;
  let last: usize = 0;
  let toGap = gaps;
  let to = out;
  while (rest != 0) {
    for (let i: usize = 0; i < 8; i++) {
      const place = <usize>ctz(rest);
      rest &= rest - 1;
      store<u32>(toGap + (i << 2), <u32>(index + place - last));
      store<T>(to + i * sizeof<T>(), load<T>(from + place * sizeof<T>()));
      // From here on gaps count from the survivor before, and no longer from `next`.
      index = 0;
      last = place + 1;
    }
    toGap += 32;
    to += 8 * sizeof<T>();
  }
}

/** The index after the last survivor of a group that has one. */
// @ts-ignore: decorator
@inline
export function afterGroup(mask: u64, base: usize): usize {
  return base + 64 - <usize>clz(mask);
}

/** One bit a lane, of sixteen lanes that are all ones or all zeros. */
// @ts-ignore: decorator
@inline
export function bitmask16(a: v128, b: v128, c: v128, d: v128): u64 {
  return <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
}
