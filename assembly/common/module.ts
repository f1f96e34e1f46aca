/** 1 in the SIMD build, 0 in the scalar build. */
export function variant(): u32 {
  return ASC_FEATURE_SIMD ? 1 : 0;
}

/** First byte after the module's static data: everything from here on belongs to TypeScript. */
export function heapBase(): usize {
  return __heap_base;
}
