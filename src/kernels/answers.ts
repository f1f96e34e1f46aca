// Waiting for other threads without giving way to the event loop, so that what they are asked for stays synchronous.

/** Shares of the same work are alike: a thread that takes a minute, and a hundred times as long as this one took, has died. */
const ANSWER_MS = 60_000;
const ANSWER_TIMES = 100;

/** Looks at a counter between two looks at the clock. */
const LOOKS = 64;

/** How long a thread may take for a share of what took this one so long. */
export function patience(ownMs: number): number {
  return ANSWER_MS + ANSWER_TIMES * ownMs;
}

/**
 * Waits until a counter in shared memory, to which others add, is `wanted`: turning for as long as `turnMs`, since waking takes longer than a short wait, and then asleep, where this thread may sleep: a browser's first one may not.
 *
 * @returns false where it is not by `timeoutMs`
 */
export function reached(counters: Int32Array, at: number, wanted: number, timeoutMs: number, turnMs = 0): boolean {
  const start = performance.now();
  const sleeps = maySleep();
  for (let looks = 1; ; looks++) {
    const given = Atomics.load(counters, at);
    if (given === wanted) return true;
    if (looks % LOOKS !== 0 && turnMs > 0) continue;
    const spent = performance.now() - start;
    if (spent >= timeoutMs) return false;
    if (sleeps && spent >= turnMs) Atomics.wait(counters, at, given, timeoutMs - spent);
  }
}

let sleeping: boolean | undefined;

function maySleep(): boolean {
  if (sleeping === undefined) {
    try {
      // Whoever may wait is told at once that there is nothing to wait for.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
      sleeping = true;
    } catch {
      sleeping = false;
    }
  }
  return sleeping;
}
