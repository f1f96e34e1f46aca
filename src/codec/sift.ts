import type { BinnedFloats, EncodeKernels, FloatBins, Sifted } from "../kernel-types.js";
import { inBlockOrder } from "./blocks.js";
import { mergeBinned } from "./points.js";

// What sifting finds: enough to start and run k-means without looking at the weights again.

/** Up to this many survivors each is a point of its own; beyond, those of a bin are one, at their mean. */
export const EXACT_POINTS_UP_TO: number = 1 << 16;

/** What was found in a part of a tensor. */
export interface Sifting {
  /** Survivors. */
  readonly stored: number;
  /** Values that are NaN or infinite. */
  readonly nonFinite: number;
  /** Values whose bits are not all zero. */
  readonly nonZero: number;
  /** The largest magnitude that was pruned. */
  readonly prunedMax: number;
  /** Of each block, the sum of the squared values, and of those that were pruned. */
  readonly signal: Float64Array;
  readonly pruned: Float64Array;
  /** Where it is to be shared: */
  readonly points?: SurvivorPoints;
}

/** The survivors, as k-means wants them. */
export interface SurvivorPoints {
  /** The different ones, float32 bytes; undefined where there are more than 256. */
  readonly table: Uint8Array | undefined;
  /** All of them, where they are few, or else none. */
  readonly few: readonly Float32Array[];
  /** Where they are many. */
  readonly binned: BinnedFloats | undefined;
}

/** Blocks after which bins are emptied, of the 2^25 values that they take in between. */
const BLOCKS_BINNED = 31;

/** Adds up what is sifted, block by block. */
export class Sieve {
  readonly #kernels: EncodeKernels;
  readonly #sharing: boolean;
  readonly #signal: Float64Array;
  readonly #pruned: Float64Array;
  #block = 0;
  #stored = 0;
  #nonFinite = 0;
  #nonZero = 0;
  #prunedMax = 0;
  #table: Uint8Array | undefined = new Uint8Array(0);
  #few: Float32Array[] = [];
  #bins: FloatBins | undefined;
  #binned: BinnedFloats | undefined;

  /** @param sharing the survivors are to be shared */
  constructor(kernels: EncodeKernels, blocks: number, sharing: boolean) {
    this.#kernels = kernels;
    this.#sharing = sharing;
    this.#signal = new Float64Array(blocks);
    this.#pruned = new Float64Array(blocks);
  }

  add(sifted: Sifted): void {
    this.#signal[this.#block] = sifted.sumOfSquares;
    this.#pruned[this.#block++] = sifted.prunedSquares;
    this.#stored += sifted.gaps.length;
    this.#nonFinite += sifted.nonFinite;
    this.#nonZero += sifted.nonZero;
    this.#prunedMax = Math.max(this.#prunedMax, sifted.prunedMax);
    // A tensor with values that are not finite is not shared.
    if (this.#sharing && this.#nonFinite === 0) this.#addPoints(sifted.elements);
  }

  #addPoints(elements: Uint8Array): void {
    const values = new Float32Array(elements.buffer, elements.byteOffset, elements.length / 4);
    if (this.#table) this.#table = this.#kernels.index(elements, 4, this.#table)?.table;
    if (this.#stored <= EXACT_POINTS_UP_TO) {
      this.#few.push(values.slice());
      return;
    }
    this.#bins ??= this.#kernels.floatBins();
    for (const part of this.#few) this.#bins.add(part);
    this.#few = [];
    this.#bins.add(values);
    if (this.#block % BLOCKS_BINNED === 0) this.#empty(this.#bins);
  }

  #empty(bins: FloatBins): void {
    const binned = bins.take();
    this.#binned = this.#binned ? mergeBinned(this.#binned, binned) : binned;
  }

  /** What the blocks come to. */
  finish(): Sifting {
    if (this.#bins) this.#empty(this.#bins);
    const points = this.#sharing ? { table: this.#table, few: this.#few, binned: this.#binned } : undefined;
    return {
      stored: this.#stored,
      nonFinite: this.#nonFinite,
      nonZero: this.#nonZero,
      prunedMax: this.#prunedMax,
      signal: this.#signal,
      pruned: this.#pruned,
      points,
    };
  }

  /** Gives back what the kernels lent, also where there was no end. */
  close(): void {
    this.#bins?.close();
    this.#bins = undefined;
  }
}

/** What the parts of a tensor found, as of the whole. */
export function mergeSiftings(kernels: EncodeKernels, parts: readonly Sifting[]): Sifting {
  if (parts.length === 1) return parts[0];
  const sum = (of: (part: Sifting) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const stored = sum((part) => part.stored);
  const points = parts.map((part) => part.points);
  return {
    stored,
    nonFinite: sum(({ nonFinite }) => nonFinite),
    nonZero: sum(({ nonZero }) => nonZero),
    prunedMax: Math.max(...parts.map(({ prunedMax }) => prunedMax)),
    signal: Float64Array.from(inBlockOrder(parts.map(({ signal }) => signal))),
    pruned: Float64Array.from(inBlockOrder(parts.map(({ pruned }) => pruned))),
    points: points.every((part) => part !== undefined) ? mergePoints(kernels, points, stored) : undefined,
  };
}

function mergePoints(kernels: EncodeKernels, parts: readonly SurvivorPoints[], stored: number): SurvivorPoints {
  const table = mergeDistinct(parts.map((part) => part.table));
  const few = parts.flatMap((part) => part.few);
  if (stored <= EXACT_POINTS_UP_TO) return { table, few, binned: undefined };
  // Emptying bins takes as long where nothing is in them.
  const ofFew = few.length > 0 ? [binnedOf(kernels, few)] : [];
  return { table, few: [], binned: [...ofFew, ...parts.flatMap((part) => part.binned ?? [])].reduce(mergeBinned) };
}

function binnedOf(kernels: EncodeKernels, parts: readonly Float32Array[]): BinnedFloats {
  const bins = kernels.floatBins();
  try {
    for (const values of parts) bins.add(values);
    return bins.take();
  } finally {
    bins.close();
  }
}

/** The different float32 values of tables, as bytes; undefined where one has run over, or they are more than 256 in all. */
function mergeDistinct(tables: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  const found = new Set<number>();
  for (const table of tables) {
    if (table === undefined) return undefined;
    for (const bits of new Uint32Array(table.slice().buffer)) found.add(bits);
  }
  return found.size > 256 ? undefined : new Uint8Array(Uint32Array.from(found).buffer);
}
