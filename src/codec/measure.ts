import { BitWriter } from "../archive/bits.js";
import { MAX_CODE_BITS } from "../archive/limits.js";
import { gapAlphabet } from "../archive/record.js";
import { writeSymbolCoding } from "../archive/symbols.js";
import type { EncodeKernels, SymbolCoding } from "../kernel-types.js";

// Exact sizes of codings, from counts alone.

/** From this many symbols a block on, four streams: they decode faster, and their lengths take a few bytes. */
const FOUR_STREAMS_FROM = 1 << 14;

const NO_LENGTHS = new Uint8Array(0);

/** How a sequence is coded best, and what that takes. */
export interface Measured {
  readonly coding: SymbolCoding;
  /** Bits of its description in the record's head. */
  readonly headBits: number;
  /** Bits of its symbols in all blocks, before they are rounded up to bytes. */
  readonly bits: number;
}

/**
 * The cheapest way to code symbols.
 *
 * @param counts u32[alphabet], how often each occurs
 * @param blocks over how many blocks they are spread
 */
export function measureSymbols(kernels: EncodeKernels, counts: Uint32Array, blocks: number): Measured {
  const alphabet = counts.length;
  let total = 0;
  let used = 0;
  let symbol = 0;
  for (let s = 0; s < alphabet; s++) {
    if (counts[s] === 0) continue;
    total += counts[s];
    used++;
    symbol = s;
  }
  if (used === 1) return described({ way: 1, symbol, lengths: NO_LENGTHS, alphabet }, 0);
  const raw = described({ way: 0, symbol: 0, lengths: NO_LENGTHS, alphabet }, 8 * total);
  if (used === 0) return raw;
  const lengths = kernels.codeLengths(counts, MAX_CODE_BITS);
  let bits = 0;
  for (let s = 0; s < alphabet; s++) bits += counts[s] * lengths[s];
  const way = total / blocks < FOUR_STREAMS_FROM ? 2 : 3;
  const huffman = described({ way, symbol: 0, lengths, alphabet }, bits);
  return huffman.headBits + huffman.bits < raw.headBits + raw.bits ? huffman : raw;
}

function described(coding: SymbolCoding, bits: number): Measured {
  const head = new BitWriter();
  writeSymbolCoding(head, coding);
  return { coding, headBits: head.bitLength, bits };
}

/** A way to write gaps, and what it takes. */
export interface MeasuredGaps extends Measured {
  readonly escape: boolean;
  readonly gapParameter: number;
  readonly fillers: number;
  /** Bits of the symbols and the extra bits. */
  readonly bits: number;
}

/** Filler symbols that are tried: the paper's 3 to 5 bits and up to a byte, and one above the largest gap. */
const FILLERS = [3, 7, 15, 23, 31, 47, 63, 95, 127, 191, 255];
const EXPONENTS = [1, 2, 3, 4, 5, 6, 7];

/** How often each gap occurs, gaps that do not occur left out. */
export type GapCounts = ReadonlyMap<number, number>;

/** A way to write gaps, before it is measured. */
interface Way {
  readonly counts: Uint32Array;
  readonly escape: boolean;
  readonly gapParameter: number;
  readonly fillers: number;
  readonly extraBits: number;
  /** Fillers, or gaps that are escaped. */
  readonly detours: number;
}

/** A size that is larger by one part in so many is as good. */
const NEAR = 1000;

/** Sums of logarithms are not exact: by so much a bound is lowered. */
const LOGARITHM_ERROR = 1e-9;

/**
 * The best alphabet for gaps: the smallest or, of those that take at most a thousandth more, the one with the fewest fillers and escapes. A decoder spends as much time on a filler as on a survivor, and alphabets of
 * very different sizes often come within a few bytes of each other.
 */
export function measureGaps(kernels: EncodeKernels, gaps: GapCounts, blocks: number): MeasuredGaps {
  let maxGap = 0;
  for (const gap of gaps.keys()) if (gap > maxGap) maxGap = gap;
  const fillers = FILLERS.filter((filler) => filler <= maxGap);
  if (maxGap < 255) fillers.push(maxGap + 1);
  const ways = fillers.map((filler) => withFillers(gaps, filler));
  if (maxGap >= 4) ways.push(...EXPONENTS.map((exponent) => withEscapes(gaps, exponent)));

  // No code takes less than the entropy: the ways that may be small are measured first, and those that cannot be among the near ones never.
  const bounded = ways.map((way, order) => ({ way, order, least: (entropyBits(way.counts) + way.extraBits) * (1 - LOGARITHM_ERROR) }));
  bounded.sort((a, b) => a.least - b.least);
  const measured: { readonly way: Way; readonly order: number; readonly size: number; readonly gaps: MeasuredGaps }[] = [];
  let most = Infinity;
  for (const { way, order, least } of bounded) {
    if (least > most) break;
    const gaps = measureWay(kernels, way, blocks);
    const size = gapsSize(gaps);
    measured.push({ way, order, size, gaps });
    most = Math.min(most, size + Math.floor(size / NEAR));
  }
  const near = measured.filter(({ size }) => size <= most);
  near.sort((a, b) => a.way.detours - b.way.detours || a.size - b.size || a.order - b.order);
  return near[0].gaps;
}

/** Gaps in the way that others were measured to be written best. */
export function measureGapsLike(kernels: EncodeKernels, gaps: GapCounts, like: MeasuredGaps, blocks: number): MeasuredGaps {
  return measureWay(kernels, (like.escape ? withEscapes : withFillers)(gaps, like.gapParameter), blocks);
}

/** Bits that gaps take in a record. */
export function gapsSize({ headBits, bits }: MeasuredGaps): number {
  return headBits + bits;
}

/** Bits below which no code of single symbols comes. */
function entropyBits(counts: Iterable<number>): number {
  let total = 0;
  let sum = 0;
  for (const count of counts) {
    if (count === 0) continue;
    total += count;
    sum += count * Math.log2(count);
  }
  return total === 0 ? 0 : total * Math.log2(total) - sum;
}

function measureWay(kernels: EncodeKernels, way: Way, blocks: number): MeasuredGaps {
  const measured = measureSymbols(kernels, way.counts, blocks);
  const { gapParameter, fillers } = way;
  return { ...measured, bits: measured.bits + way.extraBits, escape: way.escape, gapParameter, fillers };
}

function withFillers(gaps: GapCounts, filler: number): Way {
  const counts = new Uint32Array(gapAlphabet(false, filler));
  let fillers = 0;
  for (const [gap, count] of gaps) {
    const before = Math.floor(gap / filler);
    fillers += before * count;
    counts[gap % filler] += count;
  }
  counts[filler] = fillers;
  return { counts, escape: false, gapParameter: filler, fillers, extraBits: 0, detours: fillers };
}

function withEscapes(gaps: GapCounts, exponent: number): Way {
  const counts = new Uint32Array(gapAlphabet(true, exponent));
  let extraBits = 0;
  let escapes = 0;
  for (const [gap, count] of gaps) {
    if (gap < 2 ** exponent) {
      counts[gap] += count;
      continue;
    }
    const top = 31 - Math.clz32(gap);
    counts[2 ** exponent + 2 * (top - exponent) + ((gap >> (top - 1)) & 1)] += count;
    extraBits += (top - 1) * count;
    escapes += count;
  }
  return { counts, escape: true, gapParameter: exponent, fillers: 0, extraBits, detours: escapes };
}
