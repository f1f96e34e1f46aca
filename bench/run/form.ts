import type { Feed, Subject } from "./layers.js";

// A form of a layer: one of the ways to get Y = X W^T that are compared.

export interface Form {
  readonly name: string;
  /** Takes the inputs of the runs that follow. */
  feed(feed: Feed): Promise<void>;
  /** Milliseconds of `calls` runs, each on the next of the inputs, after one that is not timed: others have had the processor's caches, and threads have been asleep. */
  time(calls: number): Promise<number>;
  /** What the runs since `feed` gave, of which there were as many as inputs, or more: f32[count][batch][outputs]. */
  outputs(): Promise<Float32Array>;
  close(): Promise<void>;
}

/** A form that may not be there. */
export interface Offer {
  readonly name: string;
  /** Gives the reason where the form is left out. */
  open(subject: Subject): Promise<Form | string>;
}

/** One run: takes x, f32[batch][inputs], and gives y, f32[batch][outputs], in `y` or in memory of its own. */
export type Step = (x: Float32Array, batch: number, y: Float32Array) => Float32Array | Promise<Float32Array>;

/** Runs of a form that is a function. */
export class Loop {
  readonly #step: Step;
  readonly #outputs: number;
  #batch = 1;
  #x: Float32Array[] = [];
  #y: Float32Array[] = [];
  #next = 0;

  /** @param outputs of the layer */
  constructor(outputs: number, step: Step) {
    this.#outputs = outputs;
    this.#step = step;
  }

  feed({ batch, count, x }: Feed): void {
    const length = x.length / count;
    this.#batch = batch;
    this.#x = Array.from({ length: count }, (_, i) => x.subarray(i * length, (i + 1) * length));
    this.#y = this.#x.map(() => new Float32Array(batch * this.#outputs));
    this.#next = 0;
  }

  async time(calls: number): Promise<number> {
    const [xs, ys, batch, step] = [this.#x, this.#y, this.#batch, this.#step];
    let next = this.#next;
    let start = 0;
    for (let i = -1; i < calls; i++) {
      if (i === 0) start = performance.now();
      const given = step(xs[next], batch, ys[next]);
      ys[next] = given instanceof Promise ? await given : given;
      if (++next === xs.length) next = 0;
    }
    const spent = performance.now() - start;
    this.#next = next;
    return spent;
  }

  outputs(): Float32Array {
    const all = new Float32Array(this.#y.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const y of this.#y) {
      all.set(y, at);
      at += y.length;
    }
    return all;
  }
}

/** A form that runs in this isolate. */
export function formHere(name: string, outputs: number, step: Step, close: () => void | Promise<void> = () => undefined): Form {
  const loop = new Loop(outputs, step);
  return {
    name,
    feed: async (feed) => loop.feed(feed),
    time: (calls) => loop.time(calls),
    outputs: async () => loop.outputs(),
    close: async () => close(),
  };
}

/** How long threads that a form has started may go on turning in wait for more, after their last run. */
const SETTLE_MS = 20;

/** A form of several threads, which are at rest again before another form has its turn. */
export function settled(form: Form): Form {
  return {
    ...form,
    async time(calls) {
      const spent = await form.time(calls);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return spent;
    },
  };
}
