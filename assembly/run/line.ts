// The run layout of a matrix, in one of two orders. Weights are u8 codes of a codebook, f32[centroids]; or, where there are more than 256 different ones and the codebook's address is 0, f32.
//
// A line is a run of at most 65,536 columns of one row (order "rows") or of at most 65,536 rows of one column (order "columns"); a row or column that is longer has several, one after the other: its panels.
// Entries of a line have indices from where it begins.
//
// "rows"     pointers u32[lines + 1], the first entry of each line; the entries of all lines one after the other: indices u16[], ascending in a line, and weights u8[] or f32[].
//
// "columns"  pointers u32[lines + 1], the first byte of each line; the lines one after the other, each in one run of bytes, of which nothing is aligned:
//            of codes    u32 loose | groups << 17; groups: u16[4] indices, u8 the code of all four; loose entries: u16 index, u8 code
//            of weights  u32 entries; entries: u16 index, f32 weight
//            The rows of a column are added to in any order, each once, so the entries of a line may stand as they are best read: four of one code share a load of their product.

/** Entries of a line have indices below it. */
export const LINE: usize = 65536;

/** Bytes of a line of order "columns": its head, four entries of one code, an entry of a code, an entry of a weight. */
export const HEAD_BYTES: usize = 4;
export const GROUP_BYTES: usize = 9;
export const LOOSE_BYTES: usize = 3;
export const WEIGHT_BYTES: usize = 6;

/** Of a head: a line has 65,536 loose entries at most, and a quarter as many groups. */
export const GROUPS_SHIFT: u32 = 17;
const LOOSE_MASK: u32 = 0x1ffff;

// @ts-ignore: decorator
@inline
export function groupsOf(head: u32): usize {
  return <usize>(head >> GROUPS_SHIFT);
}

// @ts-ignore: decorator
@inline
export function looseOf(head: u32): usize {
  return <usize>(head & LOOSE_MASK);
}

/** Bytes of a loose entry of order "columns": a call's `floats` is known to the compiler. */
// @ts-ignore: decorator
@inline
export function entryBytes(floats: bool): usize {
  return floats ? WEIGHT_BYTES : LOOSE_BYTES;
}

/** Where the number stands that the entries at index 0 of a line belong to, of numbers by the lines of the other order: `panel` is the line's place in its row (or column), `others` the other order's panels. */
// @ts-ignore: decorator
@inline
export function otherOf(numbers: usize, row: usize, panel: usize, others: usize): usize {
  return numbers + ((panel * LINE * others + row / LINE) << 2);
}

/** Bytes of a weight of order "rows": a call's `floats` is known to the compiler. */
// @ts-ignore: decorator
@inline
export function weightBytes(floats: bool): usize {
  return floats ? 4 : 1;
}

/** The weight at an address, of order "rows". */
// @ts-ignore: decorator
@inline
export function weightAt(floats: bool, at: usize, codebook: usize): f32 {
  return floats ? load<f32>(at) : load<f32>(codebook + ((<usize>load<u8>(at)) << 2));
}
