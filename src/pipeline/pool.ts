import { Worker } from "node:worker_threads";
import type { PartWork } from "../codec/part.js";
import type { Treatment } from "../codec/quantize.js";
import type { EncodedTensor } from "../codec/tensor.js";
import type { EncodeKernels } from "../kernel-types.js";
import { engineModule } from "../kernels/engine.js";
import { chooseVariant } from "../kernels/variant.js";
import type { Place } from "../types.js";
import type { PoolTensor, TensorPool } from "./host.js";
import { ThreadWork } from "./thread.js";
import { type Asked, type FromThread, received, type ThreadData, type ToThread } from "./thread-messages.js";
import type { BlockJob } from "./unpack.js";

/** The calling thread, or a worker. */
interface Thread {
  readonly say: (message: ToThread, transfer?: ArrayBuffer[]) => void;
  /** Once it is fulfilled the thread reads and writes no more. */
  readonly stop: () => Promise<unknown>;
  /** Blocks that it has to decode. */
  blocks: number;
}

interface Question {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
  readonly part?: OpenPart;
}

interface OpenPart extends PoolTensor {
  readonly number: number;
  readonly thread: Thread;
  /** What reading threw: said to the caller instead of what the thread makes of it. */
  readError?: unknown;
}

const METHODS: readonly (keyof PartWork)[] = [
  "distinct",
  "stats",
  "magnitudes",
  "sift",
  "share",
  "restore",
  "compare",
  "survey",
  "planes",
  "prepare",
  "write",
];

/** Threads that work on tensors, or on parts of them: the one that calls, and workers. Which thread takes which does not show in what comes out. */
export class Pool implements TensorPool {
  readonly #threads: Thread[];
  /** Threads that have no whole tensor, the next last; and who waits for one. */
  readonly #free: Thread[];
  readonly #wanting: ((thread: Thread) => void)[] = [];
  readonly #parts = new Map<number, OpenPart>();
  readonly #questions = new Map<number, Question>();
  #count = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #abandon = (): void => this.#fail(this.#signal?.reason);
  #failure: { readonly error: unknown } | undefined;

  /**
   * @param kernels what the calling thread works with
   * @param signal gives up all that was asked, with its reason
   */
  constructor(threads: number, kernels: EncodeKernels, signal?: AbortSignal) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abandon);
    if (signal?.aborted) this.#abandon();
    const variant = chooseVariant({});
    const workerData: ThreadData = { module: engineModule(variant), variant };
    const workers = Array.from({ length: threads - 1 }, () => this.#worker(workerData));
    this.#threads = [this.#here(kernels), ...workers];
    this.#free = [...this.#threads].reverse();
  }

  #worker(workerData: ThreadData): Thread {
    const worker = new Worker(new URL("./worker.cjs", import.meta.url), { workerData });
    const say = (message: ToThread, transfer: ArrayBuffer[] = []): void => worker.postMessage(message, transfer);
    const thread = { say, stop: () => worker.terminate(), blocks: 0 };
    worker.on("message", (message: FromThread) => this.#hear(thread, message));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", (code) => this.#fail(new Error(`a worker thread ended with exit code ${code}`)));
    return thread;
  }

  #here(kernels: EncodeKernels): Thread {
    const work = new ThreadWork(kernels, { say: (message) => this.#hear(thread, message), yields: true });
    const thread: Thread = { say: (message) => work.hear(message), stop: () => work.stop(), blocks: 0 };
    return thread;
  }

  get threadCount(): number {
    return this.#threads.length;
  }

  encode(tensor: PoolTensor, treatment: Treatment): Promise<EncodedTensor> {
    return this.#whole(tensor, (part) => this.#ask(part, "encode", [treatment]));
  }

  undivided<T>(tensor: PoolTensor, work: (parts: readonly PartWork[]) => Promise<T>): Promise<T> {
    return this.#whole(tensor, (part) => work([this.#asker(part)]));
  }

  /** Gives a tensor to the first thread that has no other whole one: how long one takes is not known before. */
  async #whole<T>(tensor: PoolTensor, work: (part: OpenPart) => Promise<T>): Promise<T> {
    const thread = this.#free.pop() ?? (await new Promise<Thread>((resolve) => this.#wanting.push(resolve)));
    const part = this.#open(tensor, thread, 0, 1);
    try {
      return await work(part);
    } finally {
      this.#close(part);
      const next = this.#wanting.shift();
      if (next) next(thread);
      else this.#free.push(thread);
    }
  }

  async divided<T>(tensor: PoolTensor, work: (parts: readonly PartWork[]) => Promise<T>): Promise<T> {
    const parts = this.#threads.map((thread, i) => this.#open(tensor, thread, i, this.#threads.length));
    try {
      return await work(parts.map((part) => this.#asker(part)));
    } finally {
      for (const part of parts) this.#close(part);
    }
  }

  /** Decodes a block of an archive into a file. */
  async unpack(job: BlockJob, from: Place | Uint8Array): Promise<void> {
    const thread = this.#idlest();
    thread.blocks++;
    try {
      await this.#question<void>(thread, undefined, (question) => ({ kind: "unpack", question, job, from }));
    } finally {
      thread.blocks--;
    }
  }

  /** Ends the threads: once it is fulfilled they read and write no more. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abandon);
    this.#fail(new Error("the pool was closed"));
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }

  #open(tensor: PoolTensor, thread: Thread, first: number, step: number): OpenPart {
    const part: OpenPart = { ...tensor, number: this.#count++, thread };
    this.#parts.set(part.number, part);
    thread.say({ kind: "open", part: part.number, opening: { tensor: tensor.tensor, place: tensor.place, first, step } });
    return part;
  }

  #close({ number, thread }: OpenPart): void {
    this.#parts.delete(number);
    thread.say({ kind: "close", part: number });
  }

  #idlest(): Thread {
    return this.#threads.reduce((least, thread) => (thread.blocks < least.blocks ? thread : least));
  }

  #ask<T>(part: OpenPart, method: keyof Asked, args: readonly unknown[]): Promise<T> {
    return this.#question(part.thread, part, (question) => ({ kind: "ask", part: part.number, question, method, args }));
  }

  #question<T>(thread: Thread, part: OpenPart | undefined, message: (question: number) => ToThread): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure.error);
      const question = this.#count++;
      this.#questions.set(question, { resolve, reject, part });
      thread.say(message(question));
    });
  }

  #asker(part: OpenPart): PartWork {
    const asks = METHODS.map((method) => [method, (...args: readonly unknown[]) => this.#ask(part, method, args)]);
    return Object.fromEntries(asks) as PartWork;
  }

  #hear(thread: Thread, message: FromThread): void {
    if (message.kind === "worked") this.#worked(message);
    else if (message.kind === "read") void this.#read(thread, message);
    else {
      const question = this.#questions.get(message.question);
      this.#questions.delete(message.question);
      if (message.kind === "answer") question?.resolve(message.answer as never);
      else question?.reject(question.part?.readError ?? received(message.error));
    }
  }

  /** What the caller throws at being told stops the work, as it does in one thread. */
  #worked({ part, byteLength }: Extract<FromThread, { kind: "worked" }>): void {
    try {
      this.#parts.get(part)?.onBlock(byteLength);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #read(thread: Thread, { part, offset, byteLength }: Extract<FromThread, { kind: "read" }>): Promise<void> {
    const open = this.#parts.get(part);
    try {
      if (open === undefined) throw new Error("the part was closed");
      const bytes = (await open.read(offset, byteLength)).slice();
      thread.say({ kind: "bytes", bytes }, [bytes.buffer]);
    } catch (error) {
      if (open) open.readError ??= error;
      thread.say({ kind: "unread" });
    }
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    for (const { reject } of this.#questions.values()) reject(error);
  }
}
