import type { EncodeKernels, Stats, Survivors } from "../kernel-types.js";
import type { Dtype, FloatDtype } from "../types.js";
import { type Blocks, blockLength } from "./blocks.js";
import { type Coded, encodeBlock, sealBlock, type Writing } from "./encode-block.js";
import { type BlockErrors, blockErrors, valuesOf } from "./errors.js";
import type { Centroids } from "./share.js";
import { Sieve, type Sifting } from "./sift.js";
import { countSignedZeros } from "./stats.js";
import {
  addCounts,
  countGaps,
  countPlanes,
  emptyPlanes,
  MOST_CODES,
  PLANES_ALWAYS_UP_TO,
  type Planes,
  type Survey,
  type Table,
} from "./survey.js";

// A tensor is worked on in parts, each where an engine is: here, or in a thread. Blocks are dealt to them in turn, so that what they make comes in the tensor's order from all of them.

/** What a part does. All that is asked and answered can be sent to another thread. Blocks are read again by each, unless what is left of them is held. */
export interface PartWork {
  /** The different elements that have a bit set; undefined where there are more than 256. */
  distinct(): Promise<Table | undefined>;
  /** Of each block. */
  stats(): Promise<Stats[]>;
  /** Summed over the blocks: `EncodeKernels.magnitudeHistogram`. */
  magnitudes(level: 0 | 1, prefix: number): Promise<Float64Array>;
  /** Prunes from here on, and rounds the survivors to `mantissaBits` where that is given; with `sharing`, what k-means needs is counted. */
  sift(threshold: number, sharing: boolean, mantissaBits?: number): Promise<Sifting>;
  /** Shares what was sifted from here on; with `counted`, says what came of it. */
  share(centroids: Centroids, counted: boolean): Promise<Sharing | undefined>;
  /** Gives up pruning, sharing and rounding. */
  restore(): Promise<void>;
  /** What pruning, sharing and rounding changed, block by block. */
  compare(): Promise<BlockErrors[]>;
  survey(): Promise<Survey>;
  planes(): Promise<Planes>;
  /** How `write` is to write. */
  prepare(writing: Writing): Promise<void>;
  /** Block `index` as it stands in the record, with its checksum. */
  write(index: number): Promise<Uint8Array>;
}

/** What sharing a part came to. */
export interface Sharing {
  /** How many survivors take each centroid. */
  readonly counts: Float64Array;
  readonly gaps: ReadonlyMap<number, number>;
  /** Sum of the squared differences of survivors and centroids, of each block. */
  readonly noise: Float64Array;
  readonly maxAbs: number;
}

/** Bytes that parts may hold of their blocks' survivors; beyond that blocks are read and sifted again. */
export interface Budget {
  left: number;
}

export interface PartOptions {
  /** The blocks of the tensor that are this part's: every `step`-th from `first` on; all unless given. */
  readonly first?: number;
  readonly step?: number;
  readonly budget?: Budget;
  /** Called with the bytes of each block that was worked on. */
  readonly onBlock?: (byteLength: number) => void;
}

const HELD_BYTES = 1 << 25;

/** What is left of a block once it is sifted, and shared. */
interface Held {
  readonly gaps: Uint32Array;
  readonly maxGap: number;
  /** Float32 survivors. */
  readonly elements?: Uint8Array;
  readonly codes?: Uint8Array;
}

/** A part of a tensor on the engine of this thread. */
export class Part implements PartWork {
  readonly #kernels: EncodeKernels;
  readonly #dtype: Dtype;
  readonly #blocks: Blocks;
  readonly #indexes: readonly number[];
  readonly #budget: Budget;
  readonly #onBlock: (byteLength: number) => void;
  readonly #held = new Map<number, Held>();
  /** Of each block that was sifted, the sum of its squares: by it another reading is known for the same. */
  readonly #signals = new Map<number, number>();
  #threshold: number | undefined;
  #mantissaBits: number | undefined;
  #centroids: Centroids | undefined;
  #counted = false;
  #writing: Writing | undefined;
  #written: Promise<unknown> = Promise.resolve();
  /** The one block of a tensor, treated. */
  #only: Promise<Uint8Array> | undefined;

  constructor(kernels: EncodeKernels, dtype: Dtype, blocks: Blocks, options: PartOptions = {}) {
    this.#kernels = kernels;
    this.#dtype = dtype;
    this.#blocks = blocks;
    const { first = 0, step = 1 } = options;
    this.#indexes = Array.from({ length: Math.max(0, Math.ceil((blocks.count - first) / step)) }, (_, i) => first + i * step);
    this.#budget = options.budget ?? { left: HELD_BYTES };
    this.#onBlock = options.onBlock ?? (() => undefined);
  }

  async distinct(): Promise<Table | undefined> {
    const { elementBytes } = this.#blocks;
    let elements: Uint8Array = new Uint8Array(0);
    const counts = new Float64Array(MOST_CODES);
    for (const i of this.#indexes) {
      const indexed = this.#kernels.index(this.#kernels.compact(await this.#blocks.read(i), elementBytes).elements, elementBytes, elements);
      if (indexed === undefined) return undefined;
      elements = indexed.table;
      addCounts(counts, this.#kernels.histogram(indexed.codes));
    }
    return { elements, counts: counts.slice(0, elements.length / elementBytes) };
  }

  async stats(): Promise<Stats[]> {
    const found: Stats[] = [];
    for await (const values of this.#values()) found.push(this.#kernels.stats(values));
    return found;
  }

  async magnitudes(level: 0 | 1, prefix: number): Promise<Float64Array> {
    const totals = new Float64Array(65536);
    for await (const values of this.#values()) {
      const counts = new Uint32Array(65536);
      this.#kernels.magnitudeHistogram(values, level, prefix, counts);
      addCounts(totals, counts);
    }
    return totals;
  }

  async sift(threshold: number, sharing: boolean, mantissaBits?: number): Promise<Sifting> {
    this.#threshold = threshold;
    this.#mantissaBits = mantissaBits;
    const sieve = new Sieve(this.#kernels, this.#indexes.length, sharing);
    let next = 0;
    try {
      for await (const values of this.#values()) {
        const sifted = this.#kernels.sift(values, threshold);
        sieve.add(sifted);
        this.#signals.set(this.#indexes[next], sifted.sumOfSquares);
        // What is left of a block that lost nothing is the block.
        const { gaps, maxGap, elements } = sifted;
        if (gaps.length < values.length) this.#hold(this.#indexes[next], { gaps, maxGap, elements });
        next++;
      }
      return sieve.finish();
    } finally {
      sieve.close();
    }
  }

  async share(centroids: Centroids, counted: boolean): Promise<Sharing | undefined> {
    this.#centroids = centroids;
    this.#counted = counted;
    if (!counted) return undefined;
    const kernels = this.#kernels;
    const floats = kernels.toFloat32(centroids.elements, this.#dtype as FloatDtype);
    const counts = new Float64Array(floats.length);
    const gaps = new Map<number, number>();
    const noise: number[] = [];
    let maxAbs = 0;
    for (const i of this.#indexes) {
      const survivors = await this.#survivors(i);
      const values = asFloats(survivors.elements);
      const codes = kernels.assign(values, centroids.boundaries);
      addCounts(counts, kernels.histogram(codes).subarray(0, counts.length));
      countGaps(kernels, survivors, gaps);
      const errors = kernels.shareErrors(values, codes, floats);
      noise.push(errors.noise);
      maxAbs = Math.max(maxAbs, errors.maxAbs);
      this.#hold(i, { gaps: survivors.gaps, maxGap: survivors.maxGap, codes });
      this.#worked(i);
    }
    return { counts, gaps, noise: Float64Array.from(noise), maxAbs };
  }

  async restore(): Promise<void> {
    for (const index of this.#indexes) this.#release(index);
    this.#threshold = undefined;
    this.#mantissaBits = undefined;
    this.#centroids = undefined;
    this.#counted = false;
    this.#only = undefined;
  }

  async compare(): Promise<BlockErrors[]> {
    const found: BlockErrors[] = [];
    for (const i of this.#indexes) {
      const after = await this.dense(i);
      found.push(blockErrors(this.#kernels, this.#dtype, await this.#blocks.read(i), after));
      this.#worked(i);
    }
    return found;
  }

  async survey(): Promise<Survey> {
    const kernels = this.#kernels;
    const { elementBytes } = this.#blocks;
    const gaps = new Map<number, number>();
    const counts = new Float64Array(MOST_CODES);
    let elements: Uint8Array | undefined = new Uint8Array(0);
    let stored = 0;
    let signedZeros = 0;
    let planes = this.#blocks.elements <= PLANES_ALWAYS_UP_TO ? emptyPlanes(elementBytes) : undefined;
    let uncounted: readonly number[] = [];
    for (const i of this.#indexes) {
      const block = await this.dense(i);
      const kept = kernels.compact(block, elementBytes);
      stored += kept.gaps.length;
      signedZeros += countSignedZeros(kept.elements, elementBytes, this.#dtype);
      countGaps(kernels, kept, gaps);
      if (elements !== undefined) {
        const indexed = kernels.index(kept.elements, elementBytes, elements);
        elements = indexed?.table;
        if (indexed !== undefined) addCounts(counts, kernels.histogram(indexed.codes));
        else if (planes === undefined) {
          planes = emptyPlanes(elementBytes);
          uncounted = this.#indexes.filter((index) => index < i);
        }
      }
      if (planes !== undefined) countPlanes(kernels, block, kept, planes);
      this.#worked(i);
    }
    // Blocks that came before the table ran over were not counted by planes.
    if (planes !== undefined) await this.#countPlanes(planes, uncounted);
    const table = elements && { elements, counts: counts.slice(0, elements.length / elementBytes) };
    return { stored, signedZeros, gaps, table, planes };
  }

  async planes(): Promise<Planes> {
    const planes = emptyPlanes(this.#blocks.elementBytes);
    await this.#countPlanes(planes, this.#indexes);
    return planes;
  }

  async prepare(writing: Writing): Promise<void> {
    this.#writing = writing;
  }

  /** One at a time: a block that is read is gone with the next. */
  write(index: number): Promise<Uint8Array> {
    const written = this.#written.then(() => this.#write(index));
    this.#written = written.catch(() => undefined);
    return written;
  }

  async #write(index: number): Promise<Uint8Array> {
    const { elementBytes, axes, count } = this.#blocks;
    const writing = this.#writing as Writing;
    const block = {
      elementBytes,
      count: blockLength(this.#blocks, index),
      dense: () => this.dense(index),
      coded: this.#counted ? () => this.#coded(index) : undefined,
    };
    const bytes = await encodeBlock(this.#kernels, writing, axes, block);
    this.#release(index);
    this.#worked(index);
    return sealBlock(this.#kernels, bytes, index === 0 ? writing.head : undefined, count > 1);
  }

  /** Block `index` as it is to come back: row-major elements. Not to be changed, and gone with the next block that is asked for. */
  async dense(index: number): Promise<Uint8Array> {
    if (this.#threshold === undefined) return this.#blocks.read(index);
    if (this.#blocks.count > 1) return this.#treated(index);
    this.#only ??= this.#treated(index);
    return this.#only;
  }

  async #treated(index: number): Promise<Uint8Array> {
    const { elementBytes } = this.#blocks;
    const { gaps, elements: survivors } = await this.#survivors(index);
    const count = blockLength(this.#blocks, index);
    if (this.#centroids) {
      const { elements, boundaries } = this.#centroids;
      return this.#kernels.scatter(gaps, this.#kernels.assign(asFloats(survivors), boundaries), elements, elementBytes, count);
    }
    // Where the survivors are not elements of the tensor, but float32, what they were is copied.
    const own = this.#dtype === "F32" ? survivors : picked(await this.#blocks.read(index), gaps, elementBytes);
    const bits = this.#mantissaBits;
    const kept = bits === undefined ? own : this.#kernels.roundMantissa(own, this.#dtype as FloatDtype, bits);
    return this.#kernels.scatter(gaps, undefined, kept, elementBytes, count);
  }

  /** The float32 survivors of a block. */
  async #survivors(index: number): Promise<Survivors> {
    const held = this.#held.get(index);
    if (held?.elements) return { ...held, elements: held.elements };
    const values = valuesOf(this.#kernels, await this.#blocks.read(index), this.#dtype as FloatDtype);
    const sifted = this.#kernels.sift(values, this.#threshold as number);
    if (sifted.sumOfSquares !== this.#signals.get(index)) throw new Error("a block changed between two readings");
    return sifted;
  }

  /** The gaps of a block, and the index of each survivor's centroid. */
  async #coded(index: number): Promise<Coded> {
    const held = this.#held.get(index);
    if (held?.codes) return { ...held, codes: held.codes };
    const { gaps, maxGap, elements } = await this.#survivors(index);
    return { gaps, maxGap, codes: this.#kernels.assign(asFloats(elements), (this.#centroids as Centroids).boundaries) };
  }

  #hold(index: number, block: Held): void {
    const bytes = this.#heldBytes(index, block);
    const freed = this.#heldBytes(index, this.#held.get(index));
    if (bytes - freed > this.#budget.left) return;
    this.#budget.left -= bytes - freed;
    this.#held.set(index, block);
  }

  #heldBytes(index: number, block: Held | undefined): number {
    if (block === undefined) return 0;
    const { gaps, elements, codes } = block;
    // The gaps of a block that lost nothing are zeros which all such blocks share.
    const own = gaps.length === blockLength(this.#blocks, index) ? 0 : gaps.byteLength;
    return own + (elements?.byteLength ?? 0) + (codes?.byteLength ?? 0);
  }

  #release(index: number): void {
    this.#budget.left += this.#heldBytes(index, this.#held.get(index));
    this.#held.delete(index);
  }

  /** The float32 values of the part's blocks, each gone with the next. */
  async *#values(): AsyncGenerator<Float32Array, void, undefined> {
    for (const i of this.#indexes) {
      yield valuesOf(this.#kernels, await this.#blocks.read(i), this.#dtype as FloatDtype);
      this.#worked(i);
    }
  }

  async #countPlanes(planes: Planes, indexes: readonly number[]): Promise<void> {
    for (const i of indexes) {
      const block = await this.dense(i);
      countPlanes(this.#kernels, block, this.#kernels.compact(block, this.#blocks.elementBytes), planes);
    }
  }

  #worked(index: number): void {
    this.#onBlock(blockLength(this.#blocks, index) * this.#blocks.elementBytes);
  }
}

function asFloats(elements: Uint8Array): Float32Array {
  return new Float32Array(elements.buffer, elements.byteOffset, elements.length / 4);
}

/** The elements of a block that gaps lead to. */
function picked(block: Uint8Array, gaps: Uint32Array, elementBytes: number): Uint8Array {
  const own = new Uint8Array(gaps.length * elementBytes);
  let at = 0;
  for (let i = 0; i < gaps.length; i++) {
    at += gaps[i];
    for (let b = 0; b < elementBytes; b++) own[i * elementBytes + b] = block[at * elementBytes + b];
    at++;
  }
  return own;
}
