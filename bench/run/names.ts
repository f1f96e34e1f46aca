/** The form that others are held against. */
export const OURS = "WASM SIMD";
