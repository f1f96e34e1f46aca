import { availableParallelism } from "node:os";
import { MAX_BLOCK_ELEMENTS } from "../archive/limits.js";
import { checkInteger } from "../check.js";

/** How many threads work. What they make does not depend on it. */
export interface ThreadOptions {
  /** Worker threads, 1 to 64; 1 works in the calling thread. Unless given, as many as there are processors for a large model. */
  readonly threads?: number;
}

const MOST_THREADS = 64;

/**
 * Threads for tensors of these sizes, whose blocks are what they divide.
 *
 * @param from bytes below which starting threads takes longer than they save
 * @throws TypeError, RangeError naming `threads`
 */
export function threadCount(threads: number | undefined, sizes: readonly number[], from: number): number {
  if (threads !== undefined) checkInteger(threads, "threads", 1, MOST_THREADS);
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const wanted = threads ?? (totalBytes < from ? 1 : Math.min(availableParallelism(), MOST_THREADS));
  const blocks = sizes.reduce((sum, size) => sum + Math.ceil(size / MAX_BLOCK_ELEMENTS), 0);
  return Math.min(wanted, Math.max(1, blocks));
}
