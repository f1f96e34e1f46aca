// The run layout, of survivors in row-major order and from one order to the other.
//
// A line is a run of at most 65,536 columns of one row (order "rows") or of at most 65,536 rows of one column (order "columns"); a row or column that is longer has several,
// one after the other. The entries of all lines stand one after the other: u16 index in the line, and beside them u8 codes. pointers[line] is the first entry of a line.

const LINE: u32 = 65536;

// Where laying is: u32 each, from the address `laying` on.

/** Columns of the matrix, its lines, and lines of a row. */
const COLUMNS: usize = 0;
const LINES: usize = 4;
const PANELS: usize = 8;
/** The line that was begun, its place in its row, and where it starts from the block's start, mod 2^32. */
const BEGUN: usize = 12;
const PANEL: usize = 16;
const START: usize = 20;
/** The least place that the next entry may have in the block. */
const NEXT: usize = 24;
/** Entries that were laid, in all. */
const COUNT: usize = 28;
/** Every code is below it. */
const CENTROIDS: usize = 32;

// @ts-ignore: decorator
@inline
function widthOf(columns: u32, panel: u32): u32 {
  return min(LINE, columns - panel * LINE);
}

/**
 * Lays the next entries of a block by rows.
 *
 * Layout     from      u32[count]  place in the block << 8 | code, places ascending
 *            laying    u32[9]      see above
 *            pointers  u32[lines + 1]  by rows; those up to the last entry's line are written
 *            counts    u32[]       by the lines of order "columns", `rowPanels` of them to a column: entries are added
 *            indices   u16[count], codes  u8[count]: of these entries
 * Requires   1 <= columns <= 2^31; memory for a pointer for each of the lines.
 *
 * @returns false where an entry is outside the matrix or not after the one before, or a code has no centroid
 */
export function lay(
  from: usize,
  count: usize,
  laying: usize,
  pointers: usize,
  counts: usize,
  rowPanels: u32,
  indices: usize,
  codes: usize,
): bool {
  const columns = load<u32>(laying, COLUMNS);
  const lines = load<u32>(laying, LINES);
  const panels = load<u32>(laying, PANELS);
  const centroids = load<u32>(laying, CENTROIDS);
  const first = load<u32>(laying, COUNT);
  let line = load<u32>(laying, BEGUN);
  let panel = load<u32>(laying, PANEL);
  let start = load<u32>(laying, START);
  let next = load<u32>(laying, NEXT);
  let width = widthOf(columns, panel);
  let counted = countsOf(counts, line, panel, panels, rowPanels);
  for (let i: usize = 0; i < count; i++) {
    const entry = load<u32>(from + (i << 2));
    const place = entry >> 8;
    const code = entry & 255;
    if (place < next || code >= centroids) return false;
    next = place + 1;
    let index = place - start;
    if (index >= width) {
      do {
        line++;
        if (line >= lines) return false;
        store<u32>(pointers + ((<usize>line) << 2), first + <u32>i);
        start += width;
        index -= width;
        if (++panel == panels) panel = 0;
        width = widthOf(columns, panel);
      } while (index >= width);
      counted = countsOf(counts, line, panel, panels, rowPanels);
    }
    store<u16>(indices + (i << 1), <u16>index);
    store<u8>(codes + i, <u8>code);
    const to = counted + ((<usize>(index * rowPanels)) << 2);
    store<u32>(to, load<u32>(to) + 1);
  }
  store<u32>(laying, line, BEGUN);
  store<u32>(laying, panel, PANEL);
  store<u32>(laying, start, START);
  store<u32>(laying, next, NEXT);
  store<u32>(laying, first + <u32>count, COUNT);
  return true;
}

/** The count that belongs to index 0 of a line by rows. */
// @ts-ignore: decorator
@inline
function countsOf(counts: usize, line: u32, panel: u32, panels: u32, rowPanels: u32): usize {
  return counts + ((<usize>(panel * LINE * rowPanels + line / panels / LINE)) << 2);
}

/**
 * Counts entries by their lines of the other order.
 *
 * Layout     pointers  u32[lines + 1]  of the order that they have, `panels` lines to a row (or column)
 *            indices   u16[end - first]  of entries `first` to `end`, the first of which stands in `line` or after it
 *            counts    u32[]  by the other order's lines, `others` to a column (or row): added to
 */
export function countOther(
  pointers: usize,
  panels: u32,
  line: u32,
  first: u32,
  end: u32,
  indices: usize,
  counts: usize,
  others: u32,
): void {
  let entry = first;
  while (entry < end) {
    const lineEnd = min(end, load<u32>(pointers + ((<usize>line + 1) << 2)));
    const counted = countsOf(counts, line, line % panels, panels, others);
    for (; entry < lineEnd; entry++) {
      const to = counted + ((<usize>(<u32>load<u16>(indices + ((<usize>(entry - first)) << 1)) * others)) << 2);
      store<u32>(to, load<u32>(to) + 1);
    }
    line++;
  }
}

/**
 * Puts entries into the other order, stably: called for all of them in their order, it leaves the indices of each line ascending.
 *
 * Layout     pointers  u32[lines + 1]  of the order that they have, `panels` lines to a row (or column)
 *            indices, codes            of entries `first` to `end`, the first of which stands in `line` or after it
 *            next      u32[]           by the other order's lines, `others` to a column (or row): where its next entry goes
 *            toIndices, toCodes        in the other order
 */
export function turn(
  pointers: usize,
  panels: u32,
  line: u32,
  first: u32,
  end: u32,
  indices: usize,
  codes: usize,
  next: usize,
  others: u32,
  toIndices: usize,
  toCodes: usize,
): void {
  let entry = first;
  while (entry < end) {
    const lineEnd = min(end, load<u32>(pointers + ((<usize>line + 1) << 2)));
    const nexts = countsOf(next, line, line % panels, panels, others);
    const index = <u16>((line / panels) % LINE);
    for (; entry < lineEnd; entry++) {
      const from = <usize>(entry - first);
      const at = nexts + ((<usize>(<u32>load<u16>(indices + (from << 1)) * others)) << 2);
      const to = <usize>load<u32>(at);
      store<u32>(at, <u32>to + 1);
      store<u16>(toIndices + (to << 1), index);
      store<u8>(toCodes + to, load<u8>(codes + from));
    }
    line++;
  }
}
