import type { Need, Steps } from "./record.js";

// Bytes for the steps of decoding, from where they are.

/** A signal is heard in a turn of the event loop: bytes that are there do not wait for one. */
const WAITS_PER_TURN = 64;

let waits = 0;

function isNeed<T>(value: Need | T): value is Need {
  return Array.isArray(value);
}

/** All results of decoding `bytes`, where offset 0 of the archive is theirs. */
export function collect<T>(steps: Steps<T>, bytes: Uint8Array, signal?: AbortSignal): T[] {
  const results: T[] = [];
  for (let step = steps.next(); !step.done; ) {
    signal?.throwIfAborted();
    const { value } = step;
    if (isNeed(value)) step = steps.next(bytes.subarray(value[0], value[0] + value[1]));
    else {
      results.push(value);
      step = steps.next();
    }
  }
  return results;
}

/** The results of decoding what `read` reads. */
export async function* drive<T>(
  steps: Steps<T>,
  read: (...need: Need) => Promise<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  for (let step = steps.next(); !step.done; ) {
    const { value } = step;
    if (isNeed(value)) step = steps.next(await heard(() => read(...value), signal));
    else {
      yield value;
      step = steps.next();
    }
  }
}

/**
 * What `ask` promises, which must not throw at once, but no longer than the signal allows.
 *
 * @throws the signal's reason
 */
export async function heard<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return ask();
  signal.throwIfAborted();
  let stop!: () => void;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener("abort", stop);
  const result = await Promise.race([ask(), stopped]).finally(() => signal.removeEventListener("abort", stop));
  if (++waits % WAITS_PER_TURN === 0) await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
  return result as T;
}
