import type { Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import type { Planes } from "./planes.js";
import { ALIGN, Room } from "./room.js";

// The steps of a network and its two buffers of activations, between which they go to and fro.

/** Work on activations: from one buffer into the other, or where they are. */
type Work = (from: Ptr, to: Ptr, scratch: Ptr) => void;

interface Step {
  readonly work: Work;
  /** Which buffer it reads. */
  readonly from: 0 | 1;
}

/** Takes the steps down, each as it follows the one before. */
export class Plan {
  readonly room: Room;
  readonly #steps: Step[] = [];

  constructor(inputs: Planes) {
    this.room = new Room(inputs);
  }

  /** What the last step leaves. */
  get planes(): Planes {
    return this.room.planes;
  }

  /** A step that leaves `planes` in the other buffer, of which it writes so many numbers. */
  move(planes: Planes, work: Work, length?: number): void {
    this.#steps.push({ work, from: this.room.at });
    this.room.move(planes, length);
  }

  /** A step that works where the activations are. */
  stay(work: (at: Ptr) => void): void {
    this.#steps.push({ work, from: this.room.at });
  }

  /** Makes the buffers. Memory that later grows leaves them where they are. */
  finish({ arena }: Runner): Course {
    const [first, second, scratch] = this.room.byteLengths.map((byteLength) => {
      const ptr = arena.alloc(byteLength);
      arena.u8(ptr, byteLength).fill(0);
      return (Math.ceil(ptr / ALIGN) * ALIGN) as Ptr;
    });
    const buffers = [first, second] as const;
    const bound = this.#steps.map(
      ({ work, from }) =>
        () =>
          work(buffers[from], buffers[1 - from], scratch),
    );
    return {
      inputs: buffers[0],
      outputs: buffers[this.room.at],
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
