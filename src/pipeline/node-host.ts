import { PlaceReader } from "../formats/source.js";
import type { Host } from "./host.js";
import { Pool } from "./pool.js";
import { Spool } from "./spool.js";
import { threadCount } from "./threads.js";

/** Below this many bytes starting threads takes longer than they save. */
const THREADS_FROM_BYTES = 1 << 24;

/** @param temporaryFolder where the records of a large model may be until they are written */
export function nodeHost(temporaryFolder?: string): Host {
  return {
    pool(tensors, kernels, options) {
      const threads = threadCount(options.threads, tensors, THREADS_FROM_BYTES);
      return threads > 1 ? new Pool(threads, kernels, options.signal) : undefined;
    },
    records: () => new Spool(temporaryFolder),
    placeReader: () => new PlaceReader(),
  };
}
