/** A survivor's words and where they go: pairs of place and word, two of them where an element has 8 bytes. */
// @ts-ignore: decorator
@inline
function put<T>(to: usize, place: u32, element: usize): void {
  if (sizeof<T>() == 4) {
    store<u64>(to, (<u64>place) | ((<u64>load<u32>(element)) << 32));
  } else {
    const words = load<u64>(element);
    store<u64>(to, (<u64>(place << 1)) | (words << 32));
    store<u64>(to, (<u64>((place << 1) | 1)) | ((words >> 32) << 32), 8);
  }
}

// @ts-ignore: decorator
@inline
function fillers<T>(symbols: usize, count: usize, filler: u32, codes: usize, elements: usize, pairs: usize, state: usize, own: bool): void {
  const end = symbols + count;
  let place = load<u32>(state);
  let index = <usize>load<u32>(state, 4);
  let to = pairs;
  for (let at = symbols; at < end; at++) {
    const symbol = <u32>load<u8>(at);
    // Whether a weight survives is as good as random: what follows a filler is written too, and written over, instead of a branch.
    const survives: u32 = symbol != filler ? 1 : 0;
    put<T>(to, place + symbol, elements + (own ? index : <usize>load<u8>(codes + index)) * sizeof<T>());
    place += symbol + survives;
    index += <usize>survives;
    to += <usize>survives * (2 * sizeof<T>());
  }
  store<u32>(state, place);
  store<u32>(state, <u32>index, 4);
}

/**
 * Gap symbols with fillers (docs/format.md, section 4.6) into places and words, as many symbols of a block at a time as the caller likes.
 *
 * Layout     symbols   u8[count]   below filler: a gap, and a survivor; filler: that many pruned weights
 *            codes     u8[]        index of each of the block's survivors' element; address 0: survivor i has element i
 *            elements  T[]         the codebook, or the block's survivors' own elements; T is u32 or, where elementBytes is 8, u64
 *            pairs     u32[count][2], twice as many for u64: of each survivor, where it goes in the block and its element; for u64, in words of 32 bits,
 *                                  the lower and the upper
 *            state     u32[2]      the elements up to the next symbol's, and the survivors among them; both 0 before the first symbol, and changed
 * Requires   filler >= 1, at most 2^20 symbols in a block.
 * Reads      where there are more survivors than the caller expects, as much further in codes and elements as there are symbols, and of elements
 *            256 at the least: the memory must go on that far.
 * Order      exact integers.
 */
export function fillerPairs(
  symbols: usize,
  count: usize,
  filler: u32,
  codes: usize,
  elements: usize,
  elementBytes: u32,
  pairs: usize,
  state: usize,
): void {
  if (elementBytes == 8) {
    if (codes == 0) fillers<u64>(symbols, count, filler, codes, elements, pairs, state, true);
    else fillers<u64>(symbols, count, filler, codes, elements, pairs, state, false);
  } else {
    if (codes == 0) fillers<u32>(symbols, count, filler, codes, elements, pairs, state, true);
    else fillers<u32>(symbols, count, filler, codes, elements, pairs, state, false);
  }
}

/** Bytes that have a bit set wherever a gap symbol that is an escape does. */
// @ts-ignore: decorator
@inline
function escapeBits(exponent: u32): u64 {
  return 0x0101010101010101 * <u64>(256 - (1 << exponent));
}

/** Extra bits of a gap symbol that is not below 2^exponent. */
// @ts-ignore: decorator
@inline
function extraBitsOf(symbol: u32, exponent: u32): u32 {
  return exponent + ((symbol - ((<u32>1) << exponent)) >> 1) - 1;
}

/**
 * Extra bits that gap symbols with escapes have in all.
 *
 * Layout     symbols  u8[count]
 * Requires   1 <= exponent <= 7, symbols below 2^exponent + 2 (20 - exponent), at most 2^20 of them.
 * Reads      nothing past the lengths above.
 * Order      exact integers.
 */
export function extraBits(symbols: usize, count: usize, exponent: u32): u32 {
  const end = symbols + count;
  const escaped = escapeBits(exponent);
  let bits: u32 = 0;
  for (let at = symbols; at < end;) {
    // Most symbols are no escapes: eight at a time.
    if (at + 8 <= end && (load<u64>(at) & escaped) == 0) {
      at += 8;
      continue;
    }
    const symbol = <u32>load<u8>(at++);
    if (symbol >> exponent != 0) bits += extraBitsOf(symbol, exponent);
  }
  return bits;
}

/** Puts the survivor after `gap` pruned weights; returns the place after it. */
// @ts-ignore: decorator
@inline
function next<T>(to: usize, place: u32, gap: u32, elements: usize, index: u32): u32 {
  put<T>(to, place + gap, elements + <usize>index * sizeof<T>());
  return place + gap + 1;
}

// @ts-ignore: decorator
@inline
function escapes<T>(
  symbols: usize,
  count: usize,
  exponent: u32,
  extra: usize,
  codes: usize,
  elements: usize,
  pairs: usize,
  state: usize,
  own: bool,
): bool {
  const escaped = <u32>escapeBits(exponent);
  let place = load<u32>(state);
  const first = <usize>load<u32>(state, 4);
  let bit = load<u32>(state, 8);
  let code = codes + first;
  let element = elements + (own ? first * sizeof<T>() : 0);
  let to = pairs;
  const end = symbols + count;
  for (let at = symbols; at < end;) {
    if (at + 4 <= end) {
      const four = load<u32>(at);
      if ((four & escaped) == 0) {
        const coded: u32 = own ? 0 : load<u32>(code);
        place = next<T>(to, place, four & 255, element, own ? 0 : coded & 255);
        place = next<T>(to + 2 * sizeof<T>(), place, (four >> 8) & 255, element, own ? 1 : (coded >> 8) & 255);
        place = next<T>(to + 4 * sizeof<T>(), place, (four >> 16) & 255, element, own ? 2 : (coded >> 16) & 255);
        place = next<T>(to + 6 * sizeof<T>(), place, four >> 24, element, own ? 3 : coded >> 24);
        at += 4;
        code += 4;
        if (own) element += 4 * sizeof<T>();
        to += 8 * sizeof<T>();
        continue;
      }
    }
    let gap = <u32>load<u8>(at++);
    if (gap >> exponent != 0) {
      const bits = extraBitsOf(gap, exponent);
      const held = <u32>(load<u64>(extra + <usize>(bit >> 3)) >> (<u64>(bit & 7)));
      gap = ((2 | ((gap - (1 << exponent)) & 1)) << bits) | (held & ((1 << bits) - 1));
      bit += bits;
      if (place > 1 << 20) return false;
    }
    place += gap;
    put<T>(to, place++, element + (own ? 0 : <usize>load<u8>(code)) * sizeof<T>());
    code++;
    if (own) element += sizeof<T>();
    to += 2 * sizeof<T>();
  }
  store<u32>(state, place);
  store<u32>(state, <u32>(first + count), 4);
  store<u32>(state, bit, 8);
  return true;
}

/**
 * Gap symbols with escapes (docs/format.md, section 4.6) into places and words, as many symbols of a block at a time as the caller likes.
 *
 * Layout     symbols   u8[count]   one a survivor
 *            extra     u8[]        the block's bit string of extra bits
 *            codes, elements, pairs  as `fillerPairs` has them
 *            state     u32[3]      the elements up to the next symbol's, the survivors among them, and the extra bits before it; all 0 before the first symbol, and
 *                                  changed where true is returned
 * Requires   1 <= exponent <= 7, symbols below 2^exponent + 2 (20 - exponent), at most 2^20 of them in a block; the extra bits, of `extraBits`, are there: checked by the caller.
 * Reads      8 bytes past the extra bits at the most.
 * Order      exact integers.
 *
 * @returns false where the survivors pass 2^20 and the rest was not looked at
 */
export function escapePairs(
  symbols: usize,
  count: usize,
  exponent: u32,
  extra: usize,
  codes: usize,
  elements: usize,
  elementBytes: u32,
  pairs: usize,
  state: usize,
): bool {
  if (elementBytes == 8) {
    if (codes == 0) return escapes<u64>(symbols, count, exponent, extra, codes, elements, pairs, state, true);
    return escapes<u64>(symbols, count, exponent, extra, codes, elements, pairs, state, false);
  }
  if (codes == 0) return escapes<u32>(symbols, count, exponent, extra, codes, elements, pairs, state, true);
  return escapes<u32>(symbols, count, exponent, extra, codes, elements, pairs, state, false);
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
 * Requires   the sum of gaps + survivors is at most the elements of out: they came from a block of so many elements;
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
  const end = codes + count;
  let from = codes;
  let to = out;
  for (const body = codes + (count & ~7); from < body; from += 8) {
    let eight = load<u64>(from);
    for (let i: usize = 0; i < 8; i++) {
      store<T>(to + i * sizeof<T>(), load<T>(elements + <usize>(eight & 255) * sizeof<T>()));
      eight >>= 8;
    }
    to += 8 * sizeof<T>();
  }
  for (; from < end; from++) {
    store<T>(to, load<T>(elements + <usize>load<u8>(from) * sizeof<T>()));
    to += sizeof<T>();
  }
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
