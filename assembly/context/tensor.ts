import { decide, endMixer, freshSlots, MIXER_BYTES, startMixer, useSlot } from "./mixer";

/** Contexts of a position, in slots: their sizes add up to it. */
const POSITION_INPUTS: usize = 8;
const BY_COLUMN: usize = 0;
const BY_ROW: usize = BY_COLUMN + 24;
const BY_RECENT: usize = BY_ROW + 24;
const BY_GAP: usize = BY_RECENT + 16;
const BY_BOTH: usize = BY_GAP + 3 * 64;
const BY_NEIGHBOURS: usize = BY_BOTH + 24 * 24;
const BY_PLACE: usize = BY_NEIGHBOURS + 256;
const BY_DISTANCE: usize = BY_PLACE + 4 * 64;
const POSITION_SLOTS: usize = BY_DISTANCE + 64;

/** Contexts of a bit of a code: the bits before it, alone and with the last code, the column's last code, the place in the kernel. */
const CODE_INPUTS: usize = 4;
const BY_LAST: usize = 256;
const BY_ABOVE: usize = BY_LAST + 16 * 256;
const BY_CODE_PLACE: usize = BY_ABOVE + 16 * 256;
const CODE_SLOTS: usize = BY_CODE_PLACE + 64 * 256;

const POSITION_WEIGHTS: usize = MIXER_BYTES;
const CODE_WEIGHTS: usize = POSITION_WEIGHTS + 24 * POSITION_INPUTS * 4;
const POSITIONS: usize = CODE_WEIGHTS + 8 * CODE_INPUTS * 4;
const CODES: usize = POSITIONS + POSITION_SLOTS * 4;
/** For each column: survivors, the row after the last one, the last eight decisions, the last code's class. */
const COLUMNS: usize = CODES + CODE_SLOTS * 4;
const COLUMN_BYTES: usize = 12;

/** Bytes of scratch that `contextDecode` and `contextEncode` need. */
export function contextBytes(columns: usize): usize {
  return COLUMNS + (columns + 2) * COLUMN_BYTES;
}

/** Bits of x: 0 for 0. */
// @ts-ignore: decorator
@inline
function width(x: u32): u32 {
  return 32 - clz(x);
}

/** A class 0 to 23 for k survivors among n. */
function densityClass(k: u32, n: u32): u32 {
  if (k == 0) return min(width(n), 7);
  let e = width(n) - width(k);
  if (k << e > n) e--;
  return 8 + min(15, 2 * e + u32(2 * n >= 3 * (k << e)));
}

function start(work: usize, columns: usize): void {
  for (let i: usize = 0; i < 24 * POSITION_INPUTS; i++) store<i32>(work + POSITION_WEIGHTS + (i << 2), 9830);
  for (let i: usize = 0; i < 8 * CODE_INPUTS; i += CODE_INPUTS) {
    const weights = work + CODE_WEIGHTS + (i << 2);
    store<i32>(weights, 32768);
    store<i32>(weights, 19661, 4);
    store<i32>(weights, 19661, 8);
    store<i32>(weights, 6554, 12);
  }
  freshSlots(work + POSITIONS, POSITION_SLOTS + CODE_SLOTS);
  memory.fill(work + COLUMNS, 0, (columns + 2) * COLUMN_BYTES);
}

/**
 * A tensor's symbols by context: docs/format.md, section 4.7.
 *
 * Layout     symbols  u16[rows * columns]  0 for a pruned element, the code plus 1 for a survivor
 *            bytes    u8[]                 the stream, up to `end` (decoder)
 *            work     u8[contextBytes(columns)]
 * Requires   1 <= codes <= 256; 1 <= kernel, the number of columns that belong together.
 * Reads      nothing past the lengths above; the encoder writes at most 12 bits for each decision, of which an element has one and a survivor as many more as codes have bits, and 4 bytes.
 * Order      exact integers.
 */
function walk(
  symbols: usize,
  rows: u32,
  columns: u32,
  kernel: u32,
  codes: u32,
  bytes: usize,
  end: usize,
  work: usize,
  encode: bool,
): usize {
  start(work, columns);
  startMixer(work, bytes, end, encode);
  const codeBits = max(1, width(codes - 1));
  let at = symbols;
  let gap: u32 = 0;
  let last: u32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    let inRow: u32 = 0;
    let recent: u32 = 0;
    let place: u32 = 0;
    // One column more on each side, in which nothing ever survives.
    let column = work + COLUMNS + COLUMN_BYTES;
    for (let c: u32 = 0; c < columns; c++) {
      const byColumn = densityClass(load<u32>(column), r);
      const byRow = densityClass(inRow, c);
      const above = <u32>load<u8>(column, 8);
      const inKernel = kernel <= 64 ? place : 0;
      // The column to the left has decided this row's element already: the one above it is the decision before.
      const aboveLeft = ((<u32>load<u8>(column - COLUMN_BYTES, 8)) >> 1) & 1;
      const aboveRight = (<u32>load<u8>(column + COLUMN_BYTES, 8)) & 1;
      const neighbours = ((above & 7) << 5) | (aboveRight << 4) | (aboveLeft << 3) | (recent & 7);
      const slots = work + POSITIONS;
      slot(work, 0, slots, BY_COLUMN + <usize>byColumn);
      slot(work, 1, slots, BY_ROW + <usize>byRow);
      slot(work, 2, slots, BY_RECENT + <usize>(recent & 15));
      slot(work, 3, slots, BY_GAP + <usize>(min(gap, 63) + 64 * (above & 1 ? 2 : u32(byColumn >= 8))));
      slot(work, 4, slots, BY_BOTH + <usize>(byColumn * 24 + byRow));
      slot(work, 5, slots, BY_NEIGHBOURS + <usize>neighbours);
      slot(work, 6, slots, BY_PLACE + <usize>(inKernel * 4 + (recent & 3)));
      slot(work, 7, slots, BY_DISTANCE + <usize>(min(7, width(r + 1 - load<u32>(column, 4))) * 8 + min(7, width(gap))));
      const weights = work + POSITION_WEIGHTS + <usize>byColumn * (POSITION_INPUTS * 4);
      const survives = decide(work, POSITION_INPUTS, weights, 4, 127, encode, encode ? u32(load<u16>(at) != 0) : 0);

      if (survives != 0) {
        const lastAbove = <u32>load<u8>(column, 9);
        const code = codeOf(work, codeBits, last, lastAbove, inKernel, encode, encode ? <u32>load<u16>(at) - 1 : 0);
        if (code >= codes) return 0;
        if (!encode) store<u16>(at, code + 1);
        last = 1 + (code * 15) / codes;
        store<u8>(column, last, 9);
        store<u32>(column, load<u32>(column) + 1);
        store<u32>(column, r + 1, 4);
        inRow++;
        gap = 0;
      } else {
        if (!encode) store<u16>(at, 0);
        gap++;
      }
      recent = (recent << 1) | survives;
      store<u8>(column, (above << 1) | survives, 8);
      if (++place == kernel) place = 0;
      column += COLUMN_BYTES;
      at += 2;
    }
  }
  return endMixer(work, encode);
}

function slot(work: usize, input: usize, slots: usize, index: usize): void {
  useSlot(work, input, slots + (index << 2));
}

/** A code, from its highest bit. */
function codeOf(work: usize, codeBits: u32, last: u32, lastAbove: u32, inKernel: u32, encode: bool, code: u32): u32 {
  const slots = work + CODES;
  let node: u32 = 1;
  for (let depth: u32 = 0; depth < codeBits; depth++) {
    slot(work, 0, slots, <usize>node);
    slot(work, 1, slots, BY_LAST + <usize>(last * 256 + node));
    slot(work, 2, slots, BY_ABOVE + <usize>(lastAbove * 256 + node));
    slot(work, 3, slots, BY_CODE_PLACE + <usize>(inKernel * 256 + node));
    const weights = work + CODE_WEIGHTS + <usize>depth * (CODE_INPUTS * 4);
    node = (node << 1) | decide(work, CODE_INPUTS, weights, 8, 255, encode, (code >> (codeBits - 1 - depth)) & 1);
  }
  return node - (1 << codeBits);
}

/** Returns `end`, or 0 where the stream does not end there or has a code beyond the codebook. See `walk`. */
export function contextDecode(
  bytes: usize,
  end: usize,
  rows: u32,
  columns: u32,
  kernel: u32,
  codes: u32,
  symbols: usize,
  work: usize,
): usize {
  return walk(symbols, rows, columns, kernel, codes, bytes, end, work, false);
}

/** Returns the end of the stream that it wrote at `out`. See `walk`. */
export function contextEncode(symbols: usize, rows: u32, columns: u32, kernel: u32, codes: u32, out: usize, work: usize): usize {
  return walk(symbols, rows, columns, kernel, codes, out, out, work, true);
}
