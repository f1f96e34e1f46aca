import { availableParallelism } from "node:os";
import { elementsOf } from "../archive/record.js";
import { checkInteger } from "../check.js";
import { blocksIn } from "../codec/blocks.js";
import { type TensorInfo, tensorByteLength } from "../types.js";

/** How many threads work. What they make does not depend on it. */
export interface ThreadOptions {
  /** Threads that work, 1 to 64: the calling one, which gives way to its event loop from block to block, and workers. Unless given, as many as there are processors for a large model. */
  readonly threads?: number;
}

const MOST_THREADS = 64;

/** @throws TypeError, RangeError naming `threads` */
export function checkThreads(threads: number | undefined): void {
  if (threads !== undefined) checkInteger(threads, "threads", 1, MOST_THREADS);
}

/**
 * Threads for tensors, whose blocks are what they divide.
 *
 * @param from bytes below which starting threads takes longer than they save
 * @throws TypeError, RangeError naming `threads`
 */
export function threadCount(threads: number | undefined, tensors: readonly TensorInfo[], from: number): number {
  checkThreads(threads);
  const totalBytes = tensors.reduce((sum, { dtype, shape }) => sum + tensorByteLength(dtype, shape), 0);
  const wanted = threads ?? (totalBytes < from ? 1 : Math.min(availableParallelism(), MOST_THREADS));
  const blocks = tensors.reduce((sum, tensor) => sum + blocksIn(elementsOf(tensor).elements), 0);
  return Math.min(wanted, Math.max(1, blocks));
}
