import { scanName } from "../archive/scans.js";
import type { Coding, EncodeKernels, RecordPlan, SymbolCoding } from "../kernel-types.js";
import { type Dtype, isFloatDtype } from "../types.js";

/** What a record holds, counted. */
export interface RecordStats {
  readonly coding: Coding;
  readonly scan: string;
  /** Elements of the tensor: its weights, for all dtypes of 8 to 64 bits. */
  readonly weights: number;
  /** Weights that are not zero. */
  readonly survivors: number;
  /** Elements that have a bit set: the survivors, and zeros with a sign. */
  readonly stored: number;
  readonly fillers: number;
  /** Centroids; 0 for a record without a codebook. */
  readonly codebook: number;
  /** Bytes of the codebook as written. */
  readonly codebookBytes: number;
  /** Size of the gap alphabet; 0 for a record without gaps. */
  readonly gapAlphabet: number;
  /** Bits of all gap symbols and their extra bits, as written. */
  readonly gapBits: number;
  /** Bits of all codes, byte planes or raw elements, as written; of a record coded by context, of its whole stream. */
  readonly symbolBits: number;
}

/** The elements among `elements` that are a zero with a sign. */
export function countSignedZeros(elements: Uint8Array, elementBytes: number, dtype: Dtype): number {
  if (!isFloatDtype(dtype)) return 0;
  let count = 0;
  for (let at = elementBytes - 1; at < elements.length; at += elementBytes) {
    if (elements[at] !== 0x80) continue;
    let rest = 0;
    for (let b = 1; b < elementBytes; b++) rest |= elements[at - b];
    if (rest === 0) count++;
  }
  return count;
}

/**
 * Counts a record by its decoded elements: what its streams take follows from the code lengths.
 *
 * @param bodyByteLength bytes of the block, for a record of one
 * @param blocks the tensor's blocks, row-major
 */
export async function recordStats(
  kernels: EncodeKernels,
  dtype: Dtype,
  plan: RecordPlan,
  bodyByteLength: number,
  blocks: AsyncIterable<Uint8Array>,
): Promise<RecordStats> {
  const { coding, elementBytes, gapParameter, symbols } = plan;
  const totals = { stored: 0, signedZeros: 0, fillers: 0, gapBits: 0, symbolBits: 0 };
  for await (const block of blocks) {
    const elements = plan.scan === 0 ? block : kernels.scan(block, elementBytes, plan.axes, plan.scan);
    const kept = kernels.compact(elements, elementBytes);
    const stored = kept.gaps.length;
    totals.stored += stored;
    totals.signedZeros += countSignedZeros(kept.elements, elementBytes, dtype);
    if (coding === "context") totals.symbolBits += 8 * bodyByteLength;
    else if (coding === "raw") totals.symbolBits += 8 * block.length;
    else if (coding === "bytes") totals.symbolBits += planeBits(kernels, symbols, elements);
    else if (coding === "dense") totals.symbolBits += codeBits(kernels, plan, symbols[0], elements);
    else if (coding === "sparse" && !plan.zero) {
      if (plan.escape) {
        const escaped = kernels.escapeGaps(kept.gaps, gapParameter);
        totals.gapBits += bitsOf(kernels, escaped.symbols, symbols[0]) + extraBits(kept.gaps, gapParameter);
      } else {
        const filled = kernels.fillGaps(kept.gaps, gapParameter);
        totals.gapBits += bitsOf(kernels, filled, symbols[0]);
        totals.fillers += filled.length - stored;
      }
      totals.symbolBits += plan.own
        ? planeBits(kernels, symbols.slice(1), kept.elements)
        : codeBits(kernels, plan, symbols[1], kept.elements);
    }
  }
  return {
    coding,
    scan: scanName(plan.axes, plan.scan),
    weights: plan.elements,
    survivors: totals.stored - totals.signedZeros,
    stored: totals.stored,
    fillers: totals.fillers,
    codebook: plan.codebook.length / elementBytes,
    codebookBytes: plan.codebookBytes,
    gapAlphabet: coding === "sparse" && !plan.zero ? symbols[0].alphabet : 0,
    gapBits: totals.gapBits,
    symbolBits: totals.symbolBits,
  };
}

function bitsOf(kernels: EncodeKernels, symbols: Uint8Array, coding: SymbolCoding): number {
  if (coding.way === 0) return 8 * symbols.length;
  if (coding.way === 1) return 0;
  const counts = kernels.histogram(symbols);
  return coding.lengths.reduce((sum, length, symbol) => sum + length * counts[symbol], 0);
}

function planeBits(kernels: EncodeKernels, codings: readonly SymbolCoding[], elements: Uint8Array): number {
  let bits = 0;
  for (const [plane, coding] of codings.entries()) bits += bitsOf(kernels, kernels.splitPlane(elements, codings.length, plane), coding);
  return bits;
}

function codeBits(kernels: EncodeKernels, plan: RecordPlan, coding: SymbolCoding, elements: Uint8Array): number {
  const indexed = kernels.index(elements, plan.elementBytes, plan.codebook);
  return indexed ? bitsOf(kernels, indexed.codes, coding) : 0;
}

function extraBits(gaps: Uint32Array, exponent: number): number {
  return gaps.reduce((sum, gap) => sum + (gap >> exponent === 0 ? 0 : 30 - Math.clz32(gap)), 0);
}
