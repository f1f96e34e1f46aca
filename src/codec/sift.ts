import type { EncodeKernels, Sifted } from "../kernel-types.js";
import { inBlockOrder } from "./blocks.js";
import { addCounts } from "./survey.js";

// What sifting finds: enough to start and run k-means without looking at the weights again.

/** Bins of float32 values: those that share the upper sixteen bits. */
export const BINS = 65536;

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
  /** All of them, where they are few. */
  readonly few: readonly Float32Array[] | undefined;
  /** f64[BINS]: how many are in each bin, and the sum of their lower sixteen bits. */
  readonly counts: Float64Array;
  readonly lows: Float64Array;
}

/** Blocks after which u32 counts are emptied: a bin gets at most 2^20 of a block. */
const FLUSH_BLOCKS = 4095;

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
  #few: Float32Array[] | undefined = [];
  readonly #counts: Float64Array;
  readonly #lows: Float64Array;
  readonly #latest: Uint32Array;

  /** @param sharing the survivors are to be shared */
  constructor(kernels: EncodeKernels, blocks: number, sharing: boolean) {
    this.#kernels = kernels;
    this.#sharing = sharing;
    this.#signal = new Float64Array(blocks);
    this.#pruned = new Float64Array(blocks);
    const bins = sharing ? BINS : 0;
    this.#counts = new Float64Array(bins);
    this.#lows = new Float64Array(bins);
    this.#latest = new Uint32Array(bins);
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
    if (this.#stored > EXACT_POINTS_UP_TO) this.#few = undefined;
    else this.#few?.push(values.slice());
    this.#kernels.floatHistogram(values, this.#latest, this.#lows);
    if (this.#block % FLUSH_BLOCKS === 0) this.#flush();
  }

  #flush(): void {
    addCounts(this.#counts, this.#latest);
    this.#latest.fill(0);
  }

  finish(): Sifting {
    this.#flush();
    const points = this.#sharing ? { table: this.#table, few: this.#few, counts: this.#counts, lows: this.#lows } : undefined;
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
}

/** What the parts of a tensor found, as of the whole. */
export function mergeSiftings(parts: readonly Sifting[]): Sifting {
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
    points: points.every((part) => part !== undefined) ? mergePoints(points, stored) : undefined,
  };
}

function mergePoints(parts: readonly SurvivorPoints[], stored: number): SurvivorPoints {
  const [first, ...others] = parts;
  for (const { counts, lows } of others) {
    addCounts(first.counts, counts);
    addCounts(first.lows, lows);
  }
  const few = parts.flatMap((part) => part.few ?? []);
  return {
    table: mergeDistinct(parts.map(({ table }) => table)),
    few: stored <= EXACT_POINTS_UP_TO ? few : undefined,
    counts: first.counts,
    lows: first.lows,
  };
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
