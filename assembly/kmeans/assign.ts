/** With fewer values a bisection for each is done sooner. */
const WORTH_A_TABLE: usize = 4096;

/** The midpoints below `value`, by bisection between `low` and `high` of them. */
// @ts-ignore: decorator
@inline
function below(midpoints: usize, low: u32, high: u32, value: f64): u32 {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<f64>(midpoints + ((<usize>middle) << 3)) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** f32[257], of the call that is running: the least value above each midpoint, then NaN, which nothing reaches. Nothing stays here from one call to the next. */
const EDGES: usize = memory.data(1040, 16);

/** Set in the entry of a bin whose values need a look at each: infinity, which shares one with NaNs. */
const SPECIAL: u32 = 256;

/** The bins of the values from infinity on. */
const INFINITE_BIN: usize = 0x7f80;

/** Bits whose order as integers is that of the values. -0 comes before 0. */
// @ts-ignore: decorator
@inline
function keyOf(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000;
}

// @ts-ignore: decorator
@inline
function valueOf(key: u32): f32 {
  return reinterpret<f32>(key >> 31 != 0 ? key & 0x7fffffff : ~key);
}

/** The key of the least float32 above `midpoint`; of -0, where that is a zero. */
function keyAbove(midpoint: f64): u32 {
  const nearest = <f32>midpoint;
  if (<f64>nearest > midpoint) return keyOf(nearest);
  return (nearest == 0 ? 0x80000000 : keyOf(nearest)) + 1;
}

/** Entries from `from` to below `to` get `code`. */
function fillEntries(bins: usize, from: usize, to: usize, code: u32): void {
  const end = bins + (to << 1);
  const four = <u64>code * 0x0001000100010001;
  let at = bins + (from << 1);
  for (; at + 8 <= end; at += 8) store<u64>(at, four);
  for (; at < end; at += 2) store<u16>(at, code);
}

/** Bins from `low` to below `high`, counted in the order of their values, get `code`: negative values, whose bits descend, and then the others. */
function fillBins(bins: usize, low: usize, high: usize, code: u32): void {
  if (low < 0x8000) fillEntries(bins, 0x10000 - min<usize>(high, 0x8000), 0x10000 - low, code);
  if (high > 0x8000) fillEntries(bins, max<usize>(low, 0x8000) - 0x8000, high - 0x8000, code);
}

/** How many midpoints are below all values of each bin. Returns whether some bin has two midpoints or more between its values. */
function fillTable(midpoints: usize, boundaries: u32, bins: usize): bool {
  let bin: u32 = 0;
  let crowded = false;
  let last = u32.MAX_VALUE;
  for (let j: u32 = 0; j < boundaries; j++) {
    const key = keyAbove(load<f64>(midpoints + ((<usize>j) << 3)));
    store<f32>(EDGES + ((<usize>j) << 2), valueOf(key));
    const next = (key + 0xffff) >> 16;
    fillBins(bins, bin, next, j);
    bin = next;
    if ((key & 0xffff) == 0) continue;
    if (key >> 16 == last) crowded = true;
    last = key >> 16;
  }
  store<f32>(EDGES + ((<usize>boundaries) << 2), f32.NaN);
  fillBins(bins, bin, 65536, boundaries);
  // NaNs, which are above no midpoint, and among them infinity.
  memory.fill(bins + (INFINITE_BIN << 1), 0, (0x8000 - INFINITE_BIN) << 1);
  store<u16>(bins + (INFINITE_BIN << 1), SPECIAL);
  return crowded;
}

/** The least code of the values in the bin of the one at `at`. */
// @ts-ignore: decorator
@inline
function leastCode(bins: usize, at: usize): u32 {
  return <u32>load<u16>(bins + ((<usize>load<u16>(at, 2)) << 1));
}

/** 1 where the value is above the one midpoint that may be between the values of its bin. */
// @ts-ignore: decorator
@inline
function beyondEdge(least: u32, at: usize): u32 {
  return load<f32>(at) >= load<f32>((<usize>least) << 2, EDGES) ? 1 : 0;
}

/**
 * The code of each value: how many midpoints are below it.
 *
 * Layout     values     f32[count]
 *            midpoints  f64[boundaries]  ascending
 *            codes      u8[count]
 *            bins       u16[65536]       scratch: the least code of the values that share their upper 16 bits
 * Requires   boundaries <= 255.
 * Reads      nothing past the lengths above.
 * Order      exact comparisons: a float32 is above a midpoint where it is at least the least float32 that is.
 */
export function assign(values: usize, count: usize, midpoints: usize, boundaries: u32, codes: usize, bins: usize): void {
  let special: u32 = SPECIAL;
  if (count >= WORTH_A_TABLE && !fillTable(midpoints, boundaries, bins)) {
    special = 0;
    const end = values + (count << 2);
    let at = values;
    let to = codes;
    for (; at + 16 <= end; at += 16) {
      const a = leastCode(bins, at);
      const b = leastCode(bins, at + 4);
      const c = leastCode(bins, at + 8);
      const d = leastCode(bins, at + 12);
      special |= a | b | c | d;
      store<u8>(to, a + beyondEdge(a, at));
      store<u8>(to, b + beyondEdge(b, at + 4), 1);
      store<u8>(to, c + beyondEdge(c, at + 8), 2);
      store<u8>(to, d + beyondEdge(d, at + 12), 3);
      to += 4;
    }
    for (; at < end; at += 4) {
      const least = leastCode(bins, at);
      special |= least;
      store<u8>(to++, least + beyondEdge(least, at));
    }
  }
  if ((special & SPECIAL) == 0) return;
  for (let i: usize = 0; i < count; i++) store<u8>(codes + i, below(midpoints, 0, boundaries, <f64>load<f32>(values + (i << 2))));
}

/**
 * The gradient of a codebook: Deep Compression, equation 3.
 *
 * Layout     gradients  f32[count]  of the weights
 *            codes      u8[count]
 *            sums       f64[256]    scratch
 *            out        f32[k]      of the centroids
 * Requires   codes below k <= 256.
 * Reads      nothing past the lengths above.
 * Order      float64, weight after weight; rounded to float32 at the end.
 */
export function codebookGradient(gradients: usize, codes: usize, count: usize, k: usize, sums: usize, out: usize): void {
  memory.fill(sums, 0, k << 3);
  for (let i: usize = 0; i < count; i++) {
    const at = sums + ((<usize>load<u8>(codes + i)) << 3);
    store<f64>(at, load<f64>(at) + <f64>load<f32>(gradients + (i << 2)));
  }
  for (let j: usize = 0; j < k; j++) store<f32>(out + (j << 2), <f32>load<f64>(sums + (j << 3)));
}
