import { ByteWriter } from "../../src/archive/bytes.js";
import { gapAlphabet } from "../../src/archive/record.js";
import type { EncodeKernels, RecordPlan, SymbolCoding } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";

// Blocks put together as docs/format.md, section 4, says, and what they must decode to.

export type Way = SymbolCoding["way"];
export type ElementBytes = RecordPlan["elementBytes"];

export const WAYS: readonly Way[] = [0, 1, 2, 3];
export const WIDTHS: readonly ElementBytes[] = [1, 2, 4, 8];

export interface Built {
  readonly plan: RecordPlan;
  readonly block: Uint8Array;
  readonly elements: Uint8Array;
}

type Encoder = Pick<EncodeKernels, "encodeSymbols" | "fillGaps" | "escapeGaps" | "splitPlane">;

/** A code of the way that can hold these symbols; with way 1 they are all the same. */
export function codingFor(symbols: Uint8Array, alphabet: number, way: Way): SymbolCoding {
  if (way <= 1) return { way, symbol: way === 1 ? (symbols[0] ?? alphabet - 1) : 0, lengths: new Uint8Array(0), alphabet };
  const counts = referenceKernels.histogram(symbols).slice(0, alphabet);
  // A code has two symbols or more.
  for (let symbol = 0; counts.filter((count) => count > 0).length < 2; symbol++) counts[symbol] = Math.max(counts[symbol], 1);
  return { way, symbol: 0, lengths: referenceKernels.codeLengths(counts, 12), alphabet };
}

function planOf(elementBytes: ElementBytes, elements: number, rest: Partial<RecordPlan>): RecordPlan {
  return {
    coding: "raw",
    elementBytes,
    elements,
    axes: [elements, 1, 1],
    scan: 0,
    blockElements: 2 ** 20,
    codebook: new Uint8Array(0),
    codebookBytes: 0,
    own: false,
    symbols: [],
    escape: false,
    gapParameter: 0,
    zero: false,
    exact: true,
    ...rest,
  };
}

export function rawBlock(elements: Uint8Array, elementBytes: ElementBytes): Built {
  return { plan: planOf(elementBytes, elements.length / elementBytes, {}), block: elements.slice(), elements };
}

export function zeroBlock(elements: number, elementBytes: ElementBytes): Built {
  const plan = planOf(elementBytes, elements, { coding: "sparse", own: true, zero: true });
  return { plan, block: new Uint8Array(0), elements: new Uint8Array(elements * elementBytes) };
}

/** The byte planes of elements, plane i coded in way `ways[i]`. */
function planesOf(encoder: Encoder, elements: Uint8Array, elementBytes: ElementBytes, ways: readonly Way[]): [SymbolCoding[], Uint8Array] {
  const codings: SymbolCoding[] = [];
  const out = new ByteWriter();
  for (let plane = 0; plane < elementBytes; plane++) {
    const bytes = encoder.splitPlane(elements, elementBytes, plane);
    const coding = codingFor(bytes, 256, ways[plane]);
    codings.push(coding);
    out.bytes(encoder.encodeSymbols(bytes, coding));
  }
  return [codings, out.finish()];
}

export function bytesBlock(encoder: Encoder, elements: Uint8Array, elementBytes: ElementBytes, ways: readonly Way[]): Built {
  const [symbols, block] = planesOf(encoder, elements, elementBytes, ways);
  return { plan: planOf(elementBytes, elements.length / elementBytes, { coding: "bytes", symbols }), block, elements };
}

export function denseBlock(encoder: Encoder, codes: Uint8Array, codebook: Uint8Array, elementBytes: ElementBytes, way: Way): Built {
  const coding = codingFor(codes, codebook.length / elementBytes, way);
  const elements = new Uint8Array(codes.length * elementBytes);
  for (const [i, code] of codes.entries()) elements.set(centroid(codebook, elementBytes, code), i * elementBytes);
  const plan = planOf(elementBytes, codes.length, { coding: "dense", codebook, symbols: [coding] });
  return { plan, block: encoder.encodeSymbols(codes, coding), elements };
}

function centroid(codebook: Uint8Array, elementBytes: number, code: number): Uint8Array {
  return codebook.subarray(code * elementBytes, (code + 1) * elementBytes);
}

export interface SparseParts {
  readonly gaps: Uint32Array;
  /** Pruned elements after the last survivor. */
  readonly after: number;
  readonly elementBytes: ElementBytes;
  readonly escape: boolean;
  readonly gapParameter: number;
  readonly gapWay: Way;
  /** The survivors' elements, or their codes. */
  readonly own?: { readonly elements: Uint8Array; readonly ways: readonly Way[] };
  readonly codes?: { readonly codes: Uint8Array; readonly codebook: Uint8Array; readonly way: Way };
}

export function sparseBlock(encoder: Encoder, parts: SparseParts): Built {
  const { gaps, after, elementBytes, escape: isEscape, gapParameter, own, codes } = parts;
  const escaped = isEscape ? encoder.escapeGaps(gaps, gapParameter) : undefined;
  const symbols = escaped?.symbols ?? encoder.fillGaps(gaps, gapParameter);
  const gapCoding = codingFor(symbols, gapAlphabet(isEscape, gapParameter), parts.gapWay);
  const codings = [gapCoding];
  const out = new ByteWriter().varint(gaps.length);
  if (!isEscape) out.varint(symbols.length - gaps.length);
  if (gaps.length > 0) out.bytes(encoder.encodeSymbols(symbols, gapCoding)).bytes(escaped?.extra ?? new Uint8Array(0));
  if (codes) {
    const coding = codingFor(codes.codes, codes.codebook.length / elementBytes, codes.way);
    codings.push(coding);
    if (gaps.length > 0) out.bytes(encoder.encodeSymbols(codes.codes, coding));
  } else if (own) {
    const [planes, bytes] = planesOf(encoder, own.elements, elementBytes, own.ways);
    codings.push(...planes);
    if (gaps.length > 0) out.bytes(bytes);
  }

  const count = gaps.reduce((sum, gap) => sum + gap + 1, after);
  const elements = new Uint8Array(count * elementBytes);
  let place = -1;
  for (let i = 0; i < gaps.length; i++) {
    place += gaps[i] + 1;
    const element = codes
      ? centroid(codes.codebook, elementBytes, codes.codes[i])
      : own?.elements.subarray(i * elementBytes, (i + 1) * elementBytes);
    elements.set(element ?? [], place * elementBytes);
  }
  const plan = planOf(elementBytes, count, {
    coding: "sparse",
    codebook: codes?.codebook ?? new Uint8Array(0),
    own: !codes,
    symbols: codings,
    escape: isEscape,
    gapParameter,
  });
  return { plan, block: out.finish(), elements };
}
