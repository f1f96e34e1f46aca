/** Values that one mask covers. */
export const GROUP: usize = 64;

/**
 * Where the survivors of a group go, which has one at least: those of the elements from `from` on whose bit in `mask` is set. `base` is the group's first index, a survivor at index i follows
 * one at `next` - 1.
 *
 * Eight are written at a time, whether there are as many or not: a loop that ends after the last would be predicted wrongly for most groups. What is written in excess
 * stays within 64 elements, and reads the element after the group.
 */
// @ts-ignore: decorator
@inline
export function keepGroup<T>(from: usize, mask: u64, base: usize, next: usize, gaps: usize, out: usize): void {
  let rest = mask;
  let place: usize = 0;
  // Counted from the group's first, and below zero where the survivor before is in another group.
  let last = next - base;
  let toGap = gaps;
  let to = out;
  do {
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last));
    store<T>(to + 0 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 4);
    store<T>(to + 1 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 8);
    store<T>(to + 2 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 12);
    store<T>(to + 3 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 16);
    store<T>(to + 4 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 20);
    store<T>(to + 5 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 24);
    store<T>(to + 6 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    place = <usize>ctz(rest);
    rest &= rest - 1;
    store<u32>(toGap, <u32>(place - last), 28);
    store<T>(to + 7 * sizeof<T>(), load<T>(from + place * sizeof<T>()));
    last = place + 1;
    toGap += 32;
    to += 8 * sizeof<T>();
  } while (rest != 0);
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
