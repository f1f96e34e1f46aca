import { fromHalf } from "../convert/floats";

// Elements as codes, of tensors whose records have no codebook of survivors.

/** Slots of the table by value: four times as many as there can be values. */
const SLOTS: u32 = 1024;
const SLOT_BITS: u32 = 10;

export const MOST_VALUES: u32 = 256;

const F32: u32 = 0;
const F16: u32 = 1;
const BF16: u32 = 2;

/** Offsets in a table of values. */
const VALUES: usize = 16;
const KEYS: usize = VALUES + ((<usize>MOST_VALUES) << 2);
const CODES: usize = KEYS + ((<usize>SLOTS) << 2);

/** Bytes of a table of values: u32 count; from 16 on f32[256] values, u32[1024] slots' bits, u16[1024] slots' codes + 1. All zero, it is empty. */
export function valuesBytes(): usize {
  return CODES + ((<usize>SLOTS) << 1);
}

/** The float32 bits of an element; `dtype` 0 F32, 1 F16, 2 BF16, 3 F64, which is rounded to nearest, ties to even. */
// @ts-ignore: decorator
@inline
export function floatBits(element: usize, dtype: u32): u32 {
  if (dtype == F32) return load<u32>(element);
  if (dtype == F16) return reinterpret<u32>(fromHalf(load<u16>(element)));
  if (dtype == BF16) return (<u32>load<u16>(element)) << 16;
  return reinterpret<u32>(<f32>load<f64>(element));
}

/** The code of a value, which is added where it is new; MOST_VALUES where there is no room for it. */
export function codeOf(values: usize, bits: u32): u32 {
  let slot = (bits * 0x9e3779b1) >> (32 - SLOT_BITS);
  // Most slots are empty, so the loop ends.
  while (load<u16>(slotCode(values, slot)) != 0) {
    if (load<u32>(slotKey(values, slot)) == bits) return <u32>load<u16>(slotCode(values, slot)) - 1;
    slot = (slot + 1) & (SLOTS - 1);
  }
  const count = load<u32>(values);
  if (count == MOST_VALUES) return MOST_VALUES;
  store<u32>(values, count + 1);
  store<u32>(values + VALUES + ((<usize>count) << 2), bits);
  store<u32>(slotKey(values, slot), bits);
  store<u16>(slotCode(values, slot), <u16>(count + 1));
  return count;
}

// @ts-ignore: decorator
@inline
function slotKey(values: usize, slot: u32): usize {
  return values + KEYS + ((<usize>slot) << 2);
}

// @ts-ignore: decorator
@inline
function slotCode(values: usize, slot: u32): usize {
  return values + CODES + ((<usize>slot) << 1);
}
