// The run layout of a matrix with at most 256 different weights.
//
// A line is a run of at most 65,536 columns of one row (order "rows") or of at most 65,536 rows of one column (order "columns"); a row or column that is longer has several,
// one after the other: its panels. The entries of all lines stand one after the other: u16 index in the line, and beside them u8 codes. pointers[line] is the first entry of a line.

/** Entries of a line have indices below it. */
export const LINE: usize = 65536;

/** Where the number stands that the entries at index 0 of a line belong to, of numbers by the lines of the other order: `panel` is the line's place in its row (or column), `others` the other order's panels. */
// @ts-ignore: decorator
@inline
export function otherOf(numbers: usize, row: usize, panel: usize, others: usize): usize {
  return numbers + ((panel * LINE * others + row / LINE) << 2);
}
