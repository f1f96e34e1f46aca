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
 *            bounds     u8[2][65536]     scratch: the least and the most code of the values that share their upper 16 bits
 * Requires   boundaries <= 255.
 * Reads      nothing past the lengths above.
 * Order      exact comparisons in float64.
 */
export function assign(values: usize, count: usize, midpoints: usize, boundaries: u32, codes: usize, bounds: usize): void {
  if (count < 65536) {
    for (let i: usize = 0; i < count; i++) store<u8>(codes + i, below(midpoints, 0, boundaries, <f64>load<f32>(values + (i << 2))));
    return;
  }
  for (let upper: u32 = 0; upper < 65536; upper++) {
    const one = reinterpret<f32>(upper << 16);
    const other = reinterpret<f32>((upper << 16) | 0xffff);
    // Infinities and NaNs share bins: there any code is possible.
    const isFinite = one - one == 0;
    store<u8>(bounds + <usize>upper, isFinite ? below(midpoints, 0, boundaries, <f64>min(one, other)) : 0);
    store<u8>(bounds + <usize>upper, isFinite ? below(midpoints, 0, boundaries, <f64>max(one, other)) : boundaries, 65536);
  }
  for (let i: usize = 0; i < count; i++) {
    const at = bounds + <usize>load<u16>(values + (i << 2), 2);
    const least = <u32>load<u8>(at);
    const most = <u32>load<u8>(at, 65536);
    store<u8>(codes + i, least == most ? least : below(midpoints, least, most, <f64>load<f32>(values + (i << 2))));
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
