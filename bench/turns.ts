import { Bench, type Task as TinyTask } from "tinybench";

// Forms of the same work take turns, round by round, so that what disturbs the machine disturbs all of them. tinybench takes the times.

/** What takes turns. */
export interface Timed {
  readonly name: string;
  /** Milliseconds of `calls` runs. */
  readonly time: (calls: number) => number | Promise<number>;
}

/** A form that is warm: the calls that make a sample long enough, and the rounds that it can be asked for. */
export interface Plan<Form extends Timed> {
  readonly form: Form;
  readonly calls: number;
  readonly rounds: number;
}

/** A sample takes at least this long, in as many calls as that needs: a browser's clock steps by 0.1 ms or less. */
const SAMPLE_MS = 2;

/** A form is warm after so many calls and so long, by when V8 has compiled it for speed; or after the most. */
const WARM_CALLS = 40;
const WARM_MS = 150;
const MOST_WARM_MS = 1500;

/** What all samples of a form may take: one that takes long is measured less often. */
const MOST_MS = 15_000;

export async function warmUp<Form extends Timed>(form: Form, rounds: number): Promise<Plan<Form>> {
  let calls = 1;
  let best = Number.POSITIVE_INFINITY;
  let called = 0;
  for (let spent = 0; spent < MOST_WARM_MS && (called < WARM_CALLS || spent < WARM_MS); ) {
    const time = await form.time(calls);
    spent += Math.max(time, 0.01);
    called += calls;
    best = Math.min(best, time / calls);
    if (time < SAMPLE_MS / 2) calls *= 2;
  }
  calls = Math.max(1, Math.ceil(SAMPLE_MS / best));
  return { form, calls, rounds: Math.min(rounds, Math.max(1, Math.floor(MOST_MS / (best * calls)))) };
}

export interface TurnOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** Milliseconds of a run of each form: one from each of its rounds. */
export async function takeTurns(plans: readonly Plan<Timed>[], { signal, onProgress }: TurnOptions = {}): Promise<number[][]> {
  const bench = new Bench({ time: 0, iterations: 1, warmup: false, throws: true });
  const takers = plans.map(({ form, calls, rounds }) => {
    bench.add(form.name, async () => ({ overriddenDuration: (await form.time(calls)) / calls }), { async: true });
    return { name: form.name, rounds, tiny: bench.getTask(form.name) as TinyTask, samples: [] as number[] };
  });
  const rounds = Math.max(0, ...plans.map((plan) => plan.rounds));
  for (let round = 0; round < rounds; round++) {
    onProgress?.(`round ${round + 1} of ${rounds}`);
    // Each round begins with another form: none always comes after the same one.
    for (let i = 0; i < takers.length; i++) {
      const { name, rounds, tiny, samples } = takers[(round + i) % takers.length];
      if (samples.length >= rounds) continue;
      tiny.reset();
      await tiny.run();
      const { result } = tiny;
      if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
      samples.push(result.latency.min);
      signal?.throwIfAborted();
    }
  }
  return takers.map(({ samples }) => samples);
}

export function summary(samples: readonly number[]): { minimum: number; median: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return { minimum: sorted[0], median: sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2 };
}
