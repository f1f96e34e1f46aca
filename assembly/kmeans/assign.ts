/**
 * Bins float32 values by the upper half of their bits, for k-means on bins.
 *
 * Layout     values  f32[count]
 *            counts  u32[65536]  added to
 *            lows    f64[65536]  added to: the sums of the lower 16 bits as integers
 * Reads      nothing past the lengths above.
 * Order      exact integers (sums stay below 2^53), so the order of the values does not matter.
 */
export function floatHistogram(values: usize, count: usize, counts: usize, lows: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const bits = load<u32>(values + (i << 2));
    const bin = <usize>(bits >> 16);
    store<u32>(counts + (bin << 2), load<u32>(counts + (bin << 2)) + 1);
    store<f64>(lows + (bin << 3), load<f64>(lows + (bin << 3)) + <f64>(bits & 0xffff));
  }
}

/** Where the sixteen upper bits of a float32 stand in the order of values. */
// @ts-ignore: decorator
@inline
function rank(upper: u32): u32 {
  return upper & 0x8000 ? 0xffff - upper : upper | 0x8000;
}

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

/**
 * The code of each value: how many midpoints are below it.
 *
 * Layout     values     f32[count]
 *            midpoints  f64[boundaries]  ascending
 *            codes      u8[count]
 *            first      u8[65536 + 1]    scratch: by the rank of the upper 16 bits, the code of the smallest value that has them
 * Requires   boundaries <= 255; no NaN.
 * Reads      nothing past the lengths above.
 * Order      exact comparisons in float64.
 */
export function assign(values: usize, count: usize, midpoints: usize, boundaries: u32, codes: usize, first: usize): void {
  if (count < 65536) {
    for (let i: usize = 0; i < count; i++) store<u8>(codes + i, below(midpoints, 0, boundaries, <f64>load<f32>(values + (i << 2))));
    return;
  }
  // Values with the same upper bits have codes from `first` of their rank to `first` of the next.
  for (let upper: u32 = 0; upper < 65536; upper++) {
    // Of a negative number the lower bits that are all set make the smallest value.
    const smallest = reinterpret<f32>((upper << 16) | (upper & 0x8000 ? 0xffff : 0));
    const isNumber = smallest == smallest;
    const negative = (upper & 0x8000) != 0;
    const code = isNumber ? below(midpoints, 0, boundaries, <f64>smallest) : negative ? 0 : boundaries;
    store<u8>(first + <usize>rank(upper), code);
  }
  store<u8>(first + 65536, boundaries);
  for (let i: usize = 0; i < count; i++) {
    const bits = load<u32>(values + (i << 2));
    const at = first + <usize>rank(bits >> 16);
    const low = <u32>load<u8>(at);
    const high = <u32>load<u8>(at, 1);
    store<u8>(codes + i, low == high ? low : below(midpoints, low, high, <f64>load<f32>(values + (i << 2))));
  }
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
