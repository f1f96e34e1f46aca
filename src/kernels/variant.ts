import { checkOneOf } from "../check.js";

/** Which build of the kernels. Both give the same bits. */
export type Variant = "simd" | "scalar";

export const VARIANTS: readonly Variant[] = ["simd", "scalar"];

// (module (func (result v128) i32.const 0 i8x16.splat))
const SIMD_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b], // types: () -> v128
  ...[0x03, 0x02, 0x01, 0x00], // functions: one, of type 0
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b], // code: i32.const 0, i8x16.splat, end
);

let simd: boolean | undefined;

/** This runtime runs the SIMD build. */
export function hasSimd(): boolean {
  simd ??= WebAssembly.validate(SIMD_PROBE);
  return simd;
}

export interface LoadOptions {
  /** The best that this runtime can run, unless given. */
  readonly variant?: Variant;
}

/** @throws TypeError where the variant is none, RangeError where this runtime cannot run it. */
export function chooseVariant(options: LoadOptions): Variant {
  const variant = options.variant ?? (hasSimd() ? "simd" : "scalar");
  checkOneOf(variant, "variant", VARIANTS);
  if (variant === "simd" && !hasSimd()) throw new RangeError('variant is "simd", and this runtime has no WASM SIMD');
  return variant;
}
