import { Worker } from "node:worker_threads";
import type { EncodedTensor } from "../codec/tensor.js";
import type { EncodeJob } from "./worker.js";

type Read = (offset: number, byteLength: number) => Promise<Uint8Array>;

type Message =
  | { kind: "read"; offset: number; byteLength: number }
  | { kind: "encoded"; encoded: EncodedTensor }
  | { kind: "error"; error: unknown };

interface Task {
  readonly job: EncodeJob;
  readonly read: Read;
  readonly resolve: (encoded: EncodedTensor) => void;
  readonly reject: (error: unknown) => void;
  /** What reading threw: said to the caller instead of what the worker makes of it. */
  readError?: unknown;
}

/** Worker threads that encode tensors. Which thread takes which tensor does not show in what comes out. */
export class EncodePool {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #waiting: Task[] = [];
  readonly #running = new Map<Worker, Task>();
  #failure: { readonly error: unknown } | undefined;

  constructor(threads: number) {
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(new URL("./worker.js", import.meta.url));
      worker.on("message", (message: Message) => this.#hear(worker, message));
      worker.on("error", (error) => this.#fail(error));
      worker.on("exit", (code) => this.#fail(new Error(`a worker thread ended with exit code ${code}`)));
      this.#workers.push(worker);
      this.#idle.push(worker);
    }
  }

  encode(job: EncodeJob, read: Read): Promise<EncodedTensor> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure.error);
      this.#waiting.push({ job, read, resolve, reject });
      this.#start();
    });
  }

  async close(): Promise<void> {
    this.#failure ??= { error: new Error("the pool was closed") };
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.shift() as Worker;
      const task = this.#waiting.shift() as Task;
      this.#running.set(worker, task);
      worker.postMessage({ kind: "encode", job: task.job });
    }
  }

  async #hear(worker: Worker, message: Message): Promise<void> {
    const task = this.#running.get(worker);
    if (task === undefined) return;
    if (message.kind === "read") {
      try {
        const bytes = (await task.read(message.offset, message.byteLength)).slice();
        worker.postMessage({ kind: "bytes", bytes }, [bytes.buffer]);
      } catch (error) {
        task.readError = error;
        worker.postMessage({ kind: "failed" });
      }
      return;
    }
    this.#running.delete(worker);
    this.#idle.push(worker);
    this.#start();
    if (message.kind === "encoded") task.resolve(message.encoded);
    else task.reject(task.readError ?? message.error);
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    for (const task of [...this.#running.values(), ...this.#waiting]) task.reject(error);
  }
}
