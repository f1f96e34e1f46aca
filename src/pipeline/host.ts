import type { ReadRange } from "../codec/blocks.js";
import type { PartWork } from "../codec/part.js";
import type { Treatment } from "../codec/quantize.js";
import type { EncodedTensor } from "../codec/tensor.js";
import type { EncodeKernels } from "../kernel-types.js";
import type { Place, TensorInfo } from "../types.js";

// What compressing asks of the runtime that it runs in: nothing here, nor in what takes these, knows of Node.

/** Takes bytes in order, the next once the promise is fulfilled; until then they stay as they are. What it throws stops the work. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** How many threads work. What they make does not depend on it. */
export interface ThreadOptions {
  /** Threads that work, 1 to 64: the calling one, which gives way to its event loop from block to block, and workers. Unless given, as many as there are processors for a large model. */
  readonly threads?: number;
}

/** A tensor for the pool: what it is, and where its bytes come from. */
export interface PoolTensor {
  readonly tensor: TensorInfo;
  readonly place?: Place;
  /** Where there is no place. */
  readonly read: ReadRange;
  /** Called with the bytes of each block that was worked on. */
  readonly onBlock: (byteLength: number) => void;
}

/** Threads that work on tensors, or on parts of them. */
export interface TensorPool {
  readonly threadCount: number;
  /** Compresses a tensor in one thread. */
  encode(tensor: PoolTensor, treatment: Treatment): Promise<EncodedTensor>;
  /** Gives `work` the tensor as one part, in one thread. */
  undivided<T>(tensor: PoolTensor, work: (parts: readonly PartWork[]) => Promise<T>): Promise<T>;
  /** Gives `work` a part of the tensor in each thread. */
  divided<T>(tensor: PoolTensor, work: (parts: readonly PartWork[]) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Records until the header can be written, which stands before them and needs their lengths. */
export interface RecordStore {
  add(pieces: readonly Uint8Array[]): Promise<void>;
  /** Bytes from the middle of what was added. */
  read(offset: number, byteLength: number): Promise<Uint8Array>;
  /** Everything that was added, in order. */
  copyTo(sink: Sink): Promise<void>;
  close(): Promise<void>;
}

export interface Host {
  /**
   * Threads for tensors; none where the calling one does all.
   *
   * @throws TypeError, RangeError naming `threads`
   */
  pool(
    tensors: readonly TensorInfo[],
    kernels: EncodeKernels,
    options: ThreadOptions & { readonly signal?: AbortSignal },
  ): TensorPool | undefined;
  records(): RecordStore;
  /** Reads at places of open files; each reading lends the same buffer. A host without files has none. */
  placeReader?(): { from(place: Place): ReadRange };
}
