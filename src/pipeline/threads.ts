import { availableParallelism } from "node:os";
import { elementsOf } from "../archive/record.js";
import { checkInteger } from "../check.js";
import { blocksIn } from "../codec/blocks.js";
import { type TensorInfo, tensorByteLength } from "../types.js";

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
