// The run layout of a matrix with at most 256 different weights.
//
// A line is a run of at most 65,536 columns of one row (order "rows") or of at most 65,536 rows of one column (order "columns"); a row or column that is longer has several,
// one after the other: its panels. The entries of all lines stand one after the other: u16 index in the line, and beside them u8 codes. pointers[line] is the first entry of a line.

/** Entries of a line have indices below it. */
export const LINE: usize = 65536;
