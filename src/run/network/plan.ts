import type { Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import { extentOf, type Planes } from "./planes.js";

// The steps of a network and its two buffers of activations, between which they go to and fro.

/** Work on activations: from one buffer into the other, or where they are. */
type Work = (from: Ptr, to: Ptr) => void;

interface Step {
  readonly work: Work;
  /** Which buffer it reads. */
  readonly from: 0 | 1;
}

/** What kernels read behind the last number of a buffer at most, in numbers. */
const SLACK = 32;

const ALIGN = 64;

/** Takes the steps down, each as it follows the one before. */
export class Plan {
  /** What the last step leaves. */
  planes: Planes;
  #at: 0 | 1 = 0;
  /** Numbers that each buffer must have. */
  readonly #lengths: [number, number] = [0, 0];
  readonly #steps: Step[] = [];

  constructor(inputs: Planes) {
    this.planes = inputs;
    this.reach(extentOf(inputs));
  }

  /** Whoever reads the last step's outputs reads so many numbers from their first. */
  reach(length: number): void {
    this.#lengths[this.#at] = Math.max(this.#lengths[this.#at], length);
  }

  /** A step that leaves `planes` in the other buffer, of which it writes so many numbers. */
  move(planes: Planes, work: Work, length: number = extentOf(planes)): void {
    this.#steps.push({ work, from: this.#at });
    this.#at = this.#at === 0 ? 1 : 0;
    this.planes = planes;
    this.reach(length);
  }

  /** A step that works where the activations are. */
  stay(work: (at: Ptr) => void): void {
    this.#steps.push({ work, from: this.#at });
  }

  /** Makes the buffers. Memory that later grows leaves them where they are. */
  finish({ arena }: Runner): Course {
    const buffers = this.#lengths.map((length) => {
      const ptr = arena.alloc(4 * (length + SLACK) + ALIGN);
      const aligned = (Math.ceil(ptr / ALIGN) * ALIGN) as Ptr;
      arena.f32(aligned, length + SLACK).fill(0);
      return aligned;
    });
    const bound = this.#steps.map(
      ({ work, from }) =>
        () =>
          work(buffers[from], buffers[1 - from]),
    );
    return {
      inputs: buffers[0],
      outputs: buffers[this.#at],
      run() {
        for (const step of bound) step();
      },
    };
  }
}

/** Steps that are ready. */
export interface Course {
  readonly inputs: Ptr;
  readonly outputs: Ptr;
  run(): void;
}
