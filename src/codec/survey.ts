import type { EncodeKernels, Survivors } from "../kernel-types.js";

// What is counted of a tensor, so that the size of every coding is known before one is written.

/** The different elements of a tensor that have a bit set, and how often each occurs. */
export interface Table {
  readonly elements: Uint8Array;
  readonly counts: Float64Array;
}

/** What was learnt. */
export interface Survey {
  /** Elements that have a bit set. */
  readonly stored: number;
  /** Of these, zeros with a sign. */
  readonly signedZeros: number;
  /** How often each gap occurs before one of them, row-major. */
  readonly gaps: ReadonlyMap<number, number>;
  /** Undefined where there are more than 256 different ones. */
  readonly table: Table | undefined;
  /** u32[256] for each byte of an element: of all elements, and of the stored ones. Undefined where they cannot lead to a smaller record. */
  readonly planes: Planes | undefined;
}

export interface Planes {
  readonly all: readonly Uint32Array[];
  readonly stored: readonly Uint32Array[];
}

/** Different elements that a table may have. */
export const MOST_CODES = 256;

/**
 * Beyond this many elements a tensor with at most 256 different ones is coded by them without looking at its byte planes: those of a sequence take at least its
 * entropy, and what the codebook costs is then small beside it.
 */
export const PLANES_ALWAYS_UP_TO: number = 1 << 16;

export function emptyPlanes(elementBytes: number): Planes {
  const counters = () => Array.from({ length: elementBytes }, () => new Uint32Array(256));
  return { all: counters(), stored: counters() };
}

/** Adds the byte planes of a block, and of its stored elements, to `planes`. */
export function countPlanes(kernels: EncodeKernels, block: Uint8Array, { elements }: Survivors, { all, stored }: Planes): void {
  const countsOf = (from: Uint8Array, plane: number) => kernels.histogram(kernels.splitPlane(from, all.length, plane));
  for (const [plane, sums] of all.entries()) {
    const counts = countsOf(block, plane);
    addCounts(sums, counts);
    addCounts(stored[plane], elements.length === block.length ? counts : countsOf(elements, plane));
  }
}

/** sums[i] += counts[i]. */
export function addCounts(sums: Uint32Array | Float64Array, counts: ArrayLike<number>): void {
  for (let i = 0; i < counts.length; i++) sums[i] += counts[i];
}

/** Adds the gaps of a block to `gaps`. */
export function countGaps(kernels: EncodeKernels, { gaps: found, maxGap }: Survivors, gaps: Map<number, number>): void {
  if (found.length === 0) return;
  if (maxGap === 0) gaps.set(0, (gaps.get(0) ?? 0) + found.length);
  else addGaps(gaps, kernels.gapHistogram(found, maxGap).entries());
}

/** Adds how often each gap occurs. */
export function addGaps(gaps: Map<number, number>, more: Iterable<readonly [number, number]>): void {
  for (const [gap, count] of more) if (count > 0) gaps.set(gap, (gaps.get(gap) ?? 0) + count);
}

export function mergeGaps(parts: readonly ReadonlyMap<number, number>[]): ReadonlyMap<number, number> {
  if (parts.length === 1) return parts[0];
  const gaps = new Map<number, number>();
  for (const part of parts) addGaps(gaps, part);
  return gaps;
}

/** What the parts of a tensor found, as of the whole. `planes` are given where every part counted them. */
export function mergeSurveys(surveys: readonly Survey[], elementBytes: number): Survey {
  if (surveys.length === 1) return surveys[0];
  const sum = (of: (survey: Survey) => number): number => surveys.reduce((total, survey) => total + of(survey), 0);
  return {
    stored: sum(({ stored }) => stored),
    signedZeros: sum(({ signedZeros }) => signedZeros),
    gaps: mergeGaps(surveys.map(({ gaps }) => gaps)),
    table: mergeTables(
      surveys.map(({ table }) => table),
      elementBytes,
    ),
    planes: mergePlanes(surveys.map(({ planes }) => planes)),
  };
}

/** Undefined where one is, or there are more than 256 different elements in all. */
export function mergeTables(tables: readonly (Table | undefined)[], elementBytes: number): Table | undefined {
  const found = new Map<string, { element: Uint8Array; count: number }>();
  for (const table of tables) {
    if (table === undefined) return undefined;
    for (const [i, count] of table.counts.entries()) {
      const element = table.elements.subarray(i * elementBytes, (i + 1) * elementBytes);
      const known = found.get(element.join());
      if (known) known.count += count;
      else found.set(element.join(), { element, count });
    }
    if (found.size > MOST_CODES) return undefined;
  }
  const elements = new Uint8Array(found.size * elementBytes);
  for (const [i, { element }] of [...found.values()].entries()) elements.set(element, i * elementBytes);
  return { elements, counts: Float64Array.from(found.values(), ({ count }) => count) };
}

/** Undefined where a part did not count them. */
export function mergePlanes(parts: readonly (Planes | undefined)[]): Planes | undefined {
  if (!parts.every((part) => part !== undefined)) return undefined;
  const [first, ...others] = parts;
  for (const { all, stored } of others) {
    for (const [plane, counts] of all.entries()) addCounts(first.all[plane], counts);
    for (const [plane, counts] of stored.entries()) addCounts(first.stored[plane], counts);
  }
  return first;
}
