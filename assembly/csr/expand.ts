/**
 * Gaps of the survivors out of gap symbols with fillers (docs/format.md, section 4.6).
 *
 * Layout     symbols  u8[count]      below filler: a gap; filler: that many pruned weights
 *            gaps     u32[survivors]
 * Requires   count >= 1, filler >= 1.
 * Reads      nothing past the lengths above; writes at most survivors gaps.
 * Order      exact integers.
 *
 * @returns the elements up to and with the last survivor, or 2^32 - 1 where there are not as many survivors as said or the last symbol is a filler
 */
export function fillerGaps(symbols: usize, count: usize, filler: u32, gaps: usize, survivors: usize): u32 {
  const end = gaps + (survivors << 2);
  let to = gaps;
  let total: u32 = 0;
  let gap: u32 = 0;
  for (let at = symbols; at < symbols + count; at++) {
    const symbol = <u32>load<u8>(at);
    gap += symbol;
    if (symbol == filler) continue;
    if (to >= end) return u32.MAX_VALUE;
    store<u32>(to, gap);
    to += 4;
    total += gap + 1;
    gap = 0;
  }
  return to == end && load<u8>(symbols + count - 1) != filler ? total : u32.MAX_VALUE;
}

/**
 * Gaps of the survivors out of gap symbols with escapes (docs/format.md, section 4.6).
 *
 * Layout     symbols   u8[survivors]
 *            extra     u8[]           the bit string of the extra bits, ending at or before extraEnd
 *            gaps      u32[survivors]
 *            out       u32[2]         total: the elements up to and with the last survivor; the address after the bit string
 * Requires   1 <= exponent <= 7, symbols below 2^exponent + 2 (20 - exponent), survivors <= 2^20.
 * Reads      8 bytes past extraEnd at the most.
 * Order      exact integers.
 *
 * @returns 0; 1 where the bits after the last are not zero, or the total passes 2^20; 2 where the bit string would pass extraEnd
 */
export function escapeGaps(symbols: usize, survivors: usize, exponent: u32, extra: usize, extraEnd: usize, gaps: usize, out: usize): u32 {
  const direct: u32 = 1 << exponent;
  const bitEnd = (<u64>extraEnd) << 3;
  let bit = (<u64>extra) << 3;
  let total: u32 = 0;
  for (let i: usize = 0; i < survivors; i++) {
    let gap = <u32>load<u8>(symbols + i);
    if (gap >= direct) {
      const half = gap - direct;
      const bits = exponent + (half >> 1) - 1;
      gap = ((2 | (half & 1)) << bits) | ((<u32>(load<u64>(<usize>(bit >> 3)) >> (bit & 7))) & ((1 << bits) - 1));
      bit += bits;
      if (bit > bitEnd) return 2;
    }
    store<u32>(gaps + (i << 2), gap);
    total += gap + 1;
    if (total > 1 << 20) return 1;
  }
  const used = <u32>(bit & 7);
  const byte = <usize>(bit >> 3);
  if (used != 0 && (<u32>load<u8>(byte)) >> used != 0) return 1;
  store<u32>(out, total);
  store<u32>(out, <u32>(used != 0 ? byte + 1 : byte), 4);
  return 0;
}

// @ts-ignore: decorator
@inline
function scatter<T>(gaps: usize, survivors: usize, codes: usize, elements: usize, out: usize): void {
  let to = out;
  for (let i: usize = 0; i < survivors; i++) {
    to += <usize>load<u32>(gaps + (i << 2)) * sizeof<T>();
    const code = codes != 0 ? <usize>load<u8>(codes + i) : i;
    store<T>(to, load<T>(elements + code * sizeof<T>()));
    to += sizeof<T>();
  }
}

/**
 * Survivors into a dense block.
 *
 * Layout     gaps      u32[survivors]  pruned elements before each
 *            codes     u8[survivors]   index of each one's element; address 0: survivor i has element i
 *            elements  T[]             the codebook, or the survivors' own elements; T has elementBytes bytes
 *            out       T[]             zeros before; the survivors are written
 * Requires   the sum of gaps + survivors is at most the elements of out: checked by the caller through the totals of `fillerGaps` and `escapeGaps`;
 *            codes are below the elements: by decoding.
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function scatterElements(gaps: usize, survivors: usize, codes: usize, elements: usize, elementBytes: u32, out: usize): void {
  if (elementBytes == 4) scatter<u32>(gaps, survivors, codes, elements, out);
  else if (elementBytes == 2) scatter<u16>(gaps, survivors, codes, elements, out);
  else if (elementBytes == 1) scatter<u8>(gaps, survivors, codes, elements, out);
  else scatter<u64>(gaps, survivors, codes, elements, out);
}

// @ts-ignore: decorator
@inline
function gather<T>(codes: usize, count: usize, elements: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<T>(out + i * sizeof<T>(), load<T>(elements + <usize>load<u8>(codes + i) * sizeof<T>()));
}

/**
 * Codes into elements.
 *
 * Layout     codes     u8[count]
 *            elements  T[]       the codebook; T has elementBytes bytes
 *            out       T[count]
 * Requires   codes are below the elements: by decoding.
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function gatherElements(codes: usize, count: usize, elements: usize, elementBytes: u32, out: usize): void {
  if (elementBytes == 4) gather<u32>(codes, count, elements, out);
  else if (elementBytes == 2) gather<u16>(codes, count, elements, out);
  else if (elementBytes == 1) gather<u8>(codes, count, elements, out);
  else gather<u64>(codes, count, elements, out);
}

// @ts-ignore: decorator
@inline
function spread<T>(symbols: usize, count: usize, elements: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const symbol = <usize>load<u16>(symbols + (i << 1));
    store<T>(out + i * sizeof<T>(), symbol == 0 ? <T>0 : load<T>(elements + (symbol - 1) * sizeof<T>()));
  }
}

/**
 * Symbols of a context-coded block into elements.
 *
 * Layout     symbols   u16[count]  0: a zero element; else the code plus 1
 *            elements  T[]         the codebook; T has elementBytes bytes
 *            out       T[count]
 * Requires   codes are below the elements: by decoding.
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function spreadElements(symbols: usize, count: usize, elements: usize, elementBytes: u32, out: usize): void {
  if (elementBytes == 4) spread<u32>(symbols, count, elements, out);
  else if (elementBytes == 2) spread<u16>(symbols, count, elements, out);
  else if (elementBytes == 1) spread<u8>(symbols, count, elements, out);
  else spread<u64>(symbols, count, elements, out);
}

/**
 * One byte of each element.
 *
 * Layout     bytes  u8[count]
 *            out    the byte's address in the first element, the next one elementBytes further
 * Reads      nothing past the lengths above.
 * Order      exact copies.
 */
export function joinPlane(bytes: usize, count: usize, elementBytes: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) store<u8>(out + i * elementBytes, load<u8>(bytes + i));
}
