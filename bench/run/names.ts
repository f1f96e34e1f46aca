// Names of the forms that others are held against.

export const OURS = "WASM SIMD";
export const OURS_BY_TWO = "WASM SIMD x2";
