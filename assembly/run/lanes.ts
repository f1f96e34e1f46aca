// What the products of many vectors, each in a lane, have in common.

/** The bias of a row; 0 where there is none, at address 0. */
// @ts-ignore: decorator
@inline
export function biasOf(bias: usize, row: usize): f32 {
  return bias != 0 ? load<f32>(bias + (row << 2)) : 0;
}

/** ReLU where asked: what is below 0 becomes 0; a NaN and -0 stay. */
// @ts-ignore: decorator
@inline
export function finished(sum: v128, relu: bool): v128 {
  return relu ? v128.andnot(sum, f32x4.lt(sum, f32x4.splat(0))) : sum;
}
