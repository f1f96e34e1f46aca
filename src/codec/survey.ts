import type { EncodeKernels, Survivors } from "../kernel-types.js";
import type { Dtype } from "../types.js";
import type { Blocks } from "./blocks.js";
import { countSignedZeros } from "./stats.js";

// One walk over a tensor, to learn what each coding would take.

/** What was learnt. */
export interface Survey {
  /** Elements that have a bit set. */
  readonly stored: number;
  /** Of these, zeros with a sign. */
  readonly signedZeros: number;
  /** How often each gap occurs before one of them, row-major. */
  readonly gaps: Map<number, number>;
  /** The different stored elements, in order of appearance, and how often each occurs; undefined where there are more than 256. */
  readonly table: { readonly elements: Uint8Array; readonly counts: Float64Array } | undefined;
  /** u32[256] for each byte of an element: of all elements, and of the stored ones. Undefined where they cannot lead to a smaller record. */
  readonly planes: readonly Uint32Array[] | undefined;
  readonly ownPlanes: readonly Uint32Array[] | undefined;
}

/**
 * Beyond this many elements a tensor with at most 256 different ones is coded by them without looking at its byte planes: those of a sequence take at least its
 * entropy, and what the codebook costs is then small beside it.
 */
const PLANES_ALWAYS_UP_TO = 1 << 16;

export async function survey(kernels: EncodeKernels, dtype: Dtype, blocks: Blocks): Promise<Survey> {
  const { elementBytes } = blocks;
  const gaps = new Map<number, number>();
  const planes = counters(elementBytes);
  const ownPlanes = counters(elementBytes);
  const counts = new Float64Array(256);
  let elements: Uint8Array | undefined = new Uint8Array(0);
  let stored = 0;
  let signedZeros = 0;
  let planesFrom = blocks.elements <= PLANES_ALWAYS_UP_TO ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < blocks.count; i++) {
    const block = await blocks.read(i);
    const kept = kernels.compact(block, elementBytes);
    stored += kept.gaps.length;
    signedZeros += countSignedZeros(kept.elements, elementBytes, dtype);
    countGaps(kernels, kept, gaps);
    if (elements !== undefined) {
      const indexed = kernels.index(kept.elements, elementBytes, elements);
      elements = indexed?.table;
      if (indexed === undefined) planesFrom = Math.min(planesFrom, i);
      else for (const [code, count] of kernels.histogram(indexed.codes).entries()) counts[code] += count;
    }
    if (i >= planesFrom) {
      countPlanes(kernels, block, planes);
      countPlanes(kernels, kept.elements, ownPlanes);
    }
  }
  // Blocks that came before the table ran over were not counted by planes.
  for (let i = 0; i < Math.min(planesFrom, blocks.count) && planesFrom < Number.POSITIVE_INFINITY; i++) {
    const block = await blocks.read(i);
    countPlanes(kernels, block, planes);
    countPlanes(kernels, kernels.compact(block, elementBytes).elements, ownPlanes);
  }
  const counted = planesFrom < Number.POSITIVE_INFINITY;
  return {
    stored,
    signedZeros,
    gaps,
    table: elements && { elements, counts: counts.slice(0, elements.length / elementBytes) },
    planes: counted ? planes : undefined,
    ownPlanes: counted ? ownPlanes : undefined,
  };
}

function counters(elementBytes: number): Uint32Array[] {
  return Array.from({ length: elementBytes }, () => new Uint32Array(256));
}

function countPlanes(kernels: EncodeKernels, elements: Uint8Array, planes: readonly Uint32Array[]): void {
  for (const [plane, counts] of planes.entries()) {
    const found = kernels.histogram(kernels.splitPlane(elements, planes.length, plane));
    for (let byte = 0; byte < 256; byte++) counts[byte] += found[byte];
  }
}

/** Adds the gaps of a block to `gaps`. */
export function countGaps(kernels: EncodeKernels, { gaps: found, maxGap }: Survivors, gaps: Map<number, number>): void {
  if (found.length === 0) return;
  for (const [gap, count] of kernels.gapHistogram(found, maxGap).entries()) {
    if (count > 0) gaps.set(gap, (gaps.get(gap) ?? 0) + count);
  }
}
