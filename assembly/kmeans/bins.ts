/** Bins are by the upper nineteen bits: sign, exponent, and ten bits of the significand. */
const LOW_BITS: u32 = 13;
const BINS: usize = 1 << 19;

/** A word has the number of a bin's values in its upper 26 bits, and the sum of their lower bits in the others. */
const SUM_BITS: u64 = 38;
const ONE: u64 = 1 << SUM_BITS;

/** Bins that are looked at together, since most are empty. */
const GROUP: usize = 8;

/**
 * Counts float32 values in bins, for k-means on bins.
 *
 * Layout     values  f32[count]
 *            words   u64[2^19]   added to: the number of values whose upper 19 bits are the word's index, and the sum of their lower 13, as integers
 * Requires   fewer than 2^25 values in all between one `takeBins` and the next.
 * Reads      nothing past the lengths above.
 * Order      exact integers, so the order of the values does not matter.
 */
export function binFloats(values: usize, count: usize, words: usize): void {
  const end = values + (count << 2);
  let at = values;
  for (; at + 16 <= end; at += 16) {
    binValue(load<u32>(at), words);
    binValue(load<u32>(at, 4), words);
    binValue(load<u32>(at, 8), words);
    binValue(load<u32>(at, 12), words);
  }
  for (; at < end; at += 4) binValue(load<u32>(at), words);
}

// @ts-ignore: decorator
@inline
function binValue(bits: u32, words: usize): void {
  const at = words + ((<usize>(bits >> LOW_BITS)) << 3);
  store<u64>(at, load<u64>(at) + (ONE + <u64>(bits & ((1 << LOW_BITS) - 1))));
}

/**
 * Takes what `binFloats` counted, bins that hold something, in the order of their values, and leaves none.
 *
 * Layout     words   u64[2^19]  all 0 afterwards
 *            firsts  u32[n]     of each bin that holds something, the bits of the value whose lower bits are 0
 *            counts  f64[n]     its values
 *            lows    f64[n]     the sum of their lower bits
 * Requires   room for n: no more than there are bins, or values.
 * Reads      nothing past the lengths above.
 * Order      negative values, whose bits descend, and then the others. Exact integers.
 *
 * @returns n
 */
export function takeBins(words: usize, firsts: usize, counts: usize, lows: usize): usize {
  let n: usize = 0;
  for (let group = BINS; group > BINS / 2; group -= GROUP) {
    if (isEmpty(words + ((group - GROUP) << 3))) continue;
    for (let bin = group; bin > group - GROUP; bin--) n = takeBin(words, bin - 1, firsts, counts, lows, n);
  }
  for (let group: usize = 0; group < BINS / 2; group += GROUP) {
    if (isEmpty(words + (group << 3))) continue;
    for (let bin = group; bin < group + GROUP; bin++) n = takeBin(words, bin, firsts, counts, lows, n);
  }
  return n;
}

/** Whether the bins of a group hold nothing. */
// @ts-ignore: decorator
@inline
function isEmpty(at: usize): bool {
  if (ASC_FEATURE_SIMD) {
    const first = v128.or(v128.load(at), v128.load(at, 16));
    return !v128.any_true(v128.or(first, v128.or(v128.load(at, 32), v128.load(at, 48))));
  }
  const first = load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24);
  return (first | load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56)) == 0;
}

// @ts-ignore: decorator
@inline
function takeBin(words: usize, bin: usize, firsts: usize, counts: usize, lows: usize, n: usize): usize {
  const at = words + (bin << 3);
  const word = load<u64>(at);
  if (word == 0) return n;
  store<u64>(at, 0);
  store<u32>(firsts + (n << 2), (<u32>bin) << LOW_BITS);
  store<f64>(counts + (n << 3), <f64>(word >> SUM_BITS));
  store<f64>(lows + (n << 3), <f64>(word & (ONE - 1)));
  return n + 1;
}
