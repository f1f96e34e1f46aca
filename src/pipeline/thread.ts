import { coreOf } from "../archive/core.js";
import { type ReadRange, tensorBlocks } from "../codec/blocks.js";
import { type Budget, Part } from "../codec/part.js";
import { encodeWork, wholeWork } from "../codec/tensor.js";
import { PlaceReader } from "../formats/source.js";
import type { EncodeKernels } from "../kernel-types.js";
import { type Asked, type FromThread, type Opening, sent, type ToThread } from "./thread-messages.js";
import { turn } from "./turn.js";
import { Unpacker } from "./unpack.js";

/** Survivors of all parts that a thread may hold at a time. */
const HELD_BYTES = 1 << 25;

export interface ThreadWorkOptions {
  readonly say: (message: FromThread, transfer?: ArrayBuffer[]) => void;
  /** The thread has more to do than this work, and gets a turn of its event loop before each block that is read. */
  readonly yields: boolean;
}

/** What one thread of the pool does: it holds parts of tensors, and works on them as it is asked to, one question after another. */
export class ThreadWork {
  readonly #kernels: EncodeKernels;
  readonly #say: ThreadWorkOptions["say"];
  readonly #yields: boolean;
  readonly #budget: Budget = { left: HELD_BYTES };
  readonly #parts = new Map<number, Asked>();
  readonly #unpacker: Unpacker;
  /** One question is worked on at a time, and one block of it: one buffer serves for all that is read. */
  readonly #places = new PlaceReader();
  #reading: { resolve: (bytes: Uint8Array) => void; reject: (reason: unknown) => void } | undefined;
  #asked: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(kernels: EncodeKernels, { say, yields }: ThreadWorkOptions) {
    this.#kernels = kernels;
    this.#say = say;
    this.#yields = yields;
    this.#unpacker = new Unpacker(coreOf(kernels));
  }

  hear(message: ToThread): void {
    if (message.kind === "bytes") this.#reading?.resolve(message.bytes);
    else if (message.kind === "unread") this.#reading?.reject(new Error("reading failed"));
    else if (message.kind === "open") this.#parts.set(message.part, this.#opened(message.part, message.opening));
    else if (message.kind === "ask") this.#next(() => this.#answer(message.question, () => this.#asking(message)));
    else if (message.kind === "unpack") this.#next(() => this.#answer(message.question, () => this.#unpacking(message)));
    else this.#next(() => this.#close(message.part));
  }

  /** Does nothing more: once it is fulfilled nothing is read or written any more. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#reading?.reject(new Error("the thread was stopped"));
    return this.#asked;
  }

  #next(work: () => Promise<void>): void {
    this.#asked = this.#asked.then(() => (this.#stopped ? undefined : work()));
  }

  async #turn(): Promise<void> {
    if (this.#yields) await turn();
    if (this.#stopped) throw new Error("the thread was stopped");
  }

  #opened(index: number, opening: Opening): Asked {
    const { tensor, first, step } = opening;
    const bytes = this.#readerOf(index, opening);
    const read: ReadRange = async (offset, byteLength) => {
      await this.#turn();
      return bytes(offset, byteLength);
    };
    const onBlock = (byteLength: number): void => this.#say({ kind: "worked", part: index, byteLength });
    const options = { first, step, budget: this.#budget, onBlock };
    const part = new Part(this.#kernels, tensor.dtype, tensorBlocks(tensor, read), options);
    return Object.assign(part, {
      encode: (treatment: Parameters<Asked["encode"]>[0]) => encodeWork(this.#kernels, tensor.dtype, wholeWork(tensor, part), treatment),
    });
  }

  /** What only the pool can read is asked of it: one reading at a time, since one question is worked on at a time. */
  #readerOf(part: number, { place }: Opening): ReadRange {
    if (place) return this.#places.from(place);
    return (offset, byteLength) =>
      new Promise((resolve, reject) => {
        this.#reading = { resolve, reject };
        this.#say({ kind: "read", part, offset, byteLength });
      });
  }

  #asking({ part, method, args }: Extract<ToThread, { kind: "ask" }>): Promise<unknown> {
    const work = this.#parts.get(part) as Asked;
    return (work[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }

  async #unpacking({ job, from }: Extract<ToThread, { kind: "unpack" }>): Promise<void> {
    await this.#turn();
    const { offset, byteLength } = job.span;
    const bytes = from instanceof Uint8Array ? from : this.#places.read({ fd: from.fd, offset: from.offset + offset }, byteLength);
    this.#unpacker.unpack(job, bytes);
  }

  async #answer(question: number, work: () => Promise<unknown>): Promise<void> {
    try {
      const answer = await work();
      // A block that was written is nobody's here any more.
      this.#say({ kind: "answer", question, answer }, answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []);
    } catch (error) {
      this.#say({ kind: "error", question, error: sent(error) });
    }
  }

  async #close(part: number): Promise<void> {
    await this.#parts.get(part)?.restore();
    this.#parts.delete(part);
  }
}
