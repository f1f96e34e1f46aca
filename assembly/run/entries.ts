import { pairs, survivors } from "../edge/block";
import { CODEBOOK, Head, SPARSE } from "../edge/head";
import { codeOf, floatBits, MOST_VALUES } from "./values";

// Survivors of the block that was decoded last, as entries. Of codes u32 each, the place in the row-major block in the upper 24 bits and the code in the lower 8; of weights, where there is no table of values, the address 0, u64
// each, the place in the upper 32 bits and those of the float32 weight in the lower.

/** More than 256 different values: the tensor has no codes. */
export const NO_CODES: u32 = u32.MAX_VALUE;

const F64: u32 = 3;

/** Whether `laySurvivors` takes the survivors of the record's sparse blocks; else their values are looked up. */
export function straight(): bool {
  return Head.coding == SPARSE && !Head.zero && !Head.own && Head.scan == 0;
}

/** How many centroids it has. */
export function centroids(): u32 {
  return Head.centroids;
}

/** The float32 value of a centroid of the record. */
export function centroid(code: u32, dtype: u32): f32 {
  return reinterpret<f32>(floatBits(CODEBOOK + <usize>code * Head.stride, dtype));
}

/** Whether the entries of a sparse block come in another order than row-major. */
export function scanned(): bool {
  return Head.scan != 0;
}

/**
 * The next survivors of a sparse block; a zero among them is left out.
 *
 * Layout     values  a table of values (values.ts), which takes theirs; address 0: none
 *            pairs() u32[], u64[] without a table  the entries; ascending unless `scanned()`
 * Requires   dtype: 0 F32, 1 F16, 2 BF16, 3 F64.
 *
 * @returns how many entries there are; 0 at the block's end; NO_CODES where there are too many values
 */
export function entries(dtype: u32, values: usize): u32 {
  const wide: usize = dtype == F64 ? 1 : 0;
  const at = pairs();
  let to = at;
  while (to == at) {
    const count = (<usize>survivors()) >> wide;
    if (count == 0) return 0;
    for (let i: usize = 0; i < count; i++) {
      const from = at + (i << (3 + wide));
      const place = load<u32>(from) >> (<u32>wide);
      let bits: u32;
      if (wide != 0) {
        const words = (<u64>load<u32>(from, 4)) | ((<u64>load<u32>(from, 12)) << 32);
        bits = reinterpret<u32>(<f32>reinterpret<f64>(words));
      } else {
        bits = floatBits(from + 4, dtype);
      }
      if (bits << 1 == 0) continue;
      // What is written is no longer than what was read.
      const next = putEntry(values, place, bits, to);
      if (next == 0) return NO_CODES;
      to = next;
    }
  }
  return <u32>((to - at) >> entryLog(values));
}

/**
 * Entries of elements that all stand in a block: those that are not zero.
 *
 * Layout     elements  of the dtype, [count]
 *            values    a table of values (values.ts), which takes theirs; address 0: none
 *            out       u32[count], u64[count] without a table
 * Requires   dtype: 0 F32, 1 F16, 2 BF16, 3 F64; `first` is the place of the first of them in the block.
 *
 * @returns how many entries there are; NO_CODES where there are too many values
 */
export function elementEntries(elements: usize, first: u32, count: u32, dtype: u32, values: usize, out: usize): u32 {
  const stride: usize = dtype == F64 ? 8 : dtype == 0 ? 4 : 2;
  let to = out;
  for (let i: u32 = 0; i < count; i++) {
    const bits = floatBits(elements + <usize>i * stride, dtype);
    if (bits << 1 == 0) continue;
    const next = putEntry(values, first + i, bits, to);
    if (next == 0) return NO_CODES;
    to = next;
  }
  return <u32>((to - out) >> entryLog(values));
}

// @ts-ignore: decorator
@inline
function entryLog(values: usize): usize {
  return values != 0 ? 2 : 3;
}

/** Writes an entry, and gives its end; 0 where there are too many values. */
// @ts-ignore: decorator
@inline
function putEntry(values: usize, place: u32, bits: u32, to: usize): usize {
  if (values == 0) {
    store<u32>(to, bits);
    store<u32>(to, place, 4);
    return to + 8;
  }
  const code = codeOf(values, bits);
  if (code == MOST_VALUES) return 0;
  store<u32>(to, (place << 8) | code);
  return to + 4;
}

/**
 * Elements as float32.
 *
 * Layout     elements  of the dtype, [count]
 *            out       f32[count]
 * Requires   dtype: 0 F32, 1 F16, 2 BF16, 3 F64.
 */
export function elementFloats(elements: usize, count: u32, dtype: u32, out: usize): void {
  const stride: usize = dtype == F64 ? 8 : dtype == 0 ? 4 : 2;
  for (let i: usize = 0; i < <usize>count; i++) store<u32>(out + (i << 2), floatBits(elements + i * stride, dtype));
}
