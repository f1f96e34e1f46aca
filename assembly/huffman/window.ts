// Windows on a stream of codes, whose first bit is the lowest.

/**
 * The bits that follow `used` bits at `from`, 56 or more, and a one above them: the zeros that shifts bring in above the one are then the bits that were used, so that nothing
 * else need count them.
 */
// @ts-ignore: decorator
@inline
export function windowAt(from: usize, used: u64): u64 {
  return (load<u64>(from) | 0x8000000000000000) >> used;
}

/** The address of the byte in which a window goes on. */
// @ts-ignore: decorator
@inline
export function restOf(from: usize, window: u64): usize {
  return from + <usize>(clz(window) >> 3);
}

/** The bits of the byte at `restOf` that were used. */
// @ts-ignore: decorator
@inline
export function usedOf(window: u64): u64 {
  return clz(window) & 7;
}

/** A window as the absolute address of its next bit. */
// @ts-ignore: decorator
@inline
export function bitOf(from: usize, window: u64): u64 {
  return ((<u64>from) << 3) + clz(window);
}

/** The next 57 bits or more at an absolute bit address. */
// @ts-ignore: decorator
@inline
export function peek(bit: u64): u64 {
  return load<u64>(<usize>(bit >> 3)) >> (bit & 7);
}

/** The address after the byte that holds the bit before `bit`, or 0 where the rest of that byte is not zero. */
// @ts-ignore: decorator
@inline
export function streamEnd(bit: u64): usize {
  const used = <u32>(bit & 7);
  const byte = <usize>(bit >> 3);
  if (used == 0) return byte;
  return (<u32>load<u8>(byte)) >> used == 0 ? byte + 1 : 0;
}
