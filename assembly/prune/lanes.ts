// Sums of float64 in four lanes: value i goes to lane i mod 4, and the sum is (lane 0 + lane 1) + (lane 2 + lane 3). In memory, f64[4] each, where vectors and single values can both be added.

/** Lanes 0 and 1, and lanes 2 and 3, as vectors have summed them up. */
// @ts-ignore: decorator
@inline
export function setLanes(lanes: usize, low: v128, high: v128): void {
  v128.store(lanes, low);
  v128.store(lanes, high, 16);
}

/** Adds what value `i` gives. */
// @ts-ignore: decorator
@inline
export function addToLane(lanes: usize, i: usize, term: f64): void {
  const at = lanes + ((i & 3) << 3);
  store<f64>(at, load<f64>(at) + term);
}

// @ts-ignore: decorator
@inline
export function laneSum(lanes: usize): f64 {
  return load<f64>(lanes) + load<f64>(lanes, 8) + (load<f64>(lanes, 16) + load<f64>(lanes, 24));
}
