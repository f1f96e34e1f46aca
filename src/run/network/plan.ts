import type { Ptr } from "../../kernels/arena.js";
import type { Runner } from "../../kernels/runner.js";
import type { Share } from "../share.js";
import { Course, type Part } from "./course.js";
import { contiguous, type Planes } from "./planes.js";
import { ALIGN, Room } from "./room.js";

// The steps of a network and its two buffers of activations, between which they go to and fro.

/** Work on activations: from one buffer into the other, or where they are. */
type Work = (from: Ptr, to: Ptr, scratch: Ptr) => void;

interface Step {
  /** A linear layer has a memory of its own, and takes several samples at a time. */
  readonly does: Work | Share;
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
    this.#steps.push({ does: work, from: this.room.at });
    this.room.move(planes, length);
  }

  /** A step that works where the activations are. */
  stay(work: (at: Ptr) => void): void {
    this.#steps.push({ does: work, from: this.room.at });
  }

  /** A linear layer, which leaves its outputs in the other buffer. */
  linear(share: Share): void {
    this.#steps.push({ does: share, from: this.room.at });
    this.room.move(contiguous([share.rows]));
  }

  /** Makes the buffers. Memory that later grows leaves them where they are. */
  finish(runner: Runner): Course {
    const { arena } = runner;
    const [first, second, scratch] = this.room.byteLengths.map((byteLength) => {
      const ptr = arena.alloc(byteLength);
      arena.u8(ptr, byteLength).fill(0);
      return (Math.ceil(ptr / ALIGN) * ALIGN) as Ptr;
    });
    const buffers = [first, second] as const;
    const parts: Part[] = [{ at: first, steps: [] }];
    for (const { does, from } of this.#steps) {
      const to = buffers[1 - from];
      if (typeof does !== "function") parts.push({ linear: does, from: buffers[from], to, at: to, steps: [] });
      else parts[parts.length - 1].steps.push(() => does(buffers[from], to, scratch));
    }
    return new Course(runner, parts, buffers[this.room.at]);
  }
}
