import type { MessagePort, Worker } from "node:worker_threads";
import { patience, reached } from "../kernels/answers.js";
import { at } from "../kernels/arena.js";
import { lend } from "../kernels/encode-values.js";
import { engineModule } from "../kernels/engine.js";
import type { NetworkSpec } from "../network/spec.js";
import type { CrewData, CrewOrder, CrewResult } from "./crew-messages.js";
import type { Network, Share } from "./network.js";

/** A thread that has not started by then will not. */
const START_MS = 20_000;

/** Threads that compute gradients together. The calling one waits for the others without giving way to its event loop, so a step stays synchronous. */
export class Crew {
  readonly #network: Network;
  readonly #others: readonly { worker: Worker; port: MessagePort }[];
  readonly #receive: (port: MessagePort) => { message: unknown } | undefined;
  /** i32[2]: orders given, answers given. */
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  /** Numbers of all parameters. */
  readonly #count: number;
  /** f32[count] of the parameters, then of each other thread's gradients. */
  readonly #shared: Float32Array;
  #answers = 0;

  /** @throws Error where this is no Node, or a thread does not start */
  constructor(network: Network, spec: NetworkSpec, threads: number) {
    // Asked for here alone, so that everything else runs where there is no Node.
    const node = globalThis.process?.getBuiltinModule?.("node:worker_threads");
    if (node === undefined) throw new Error("threads need node:worker_threads");
    this.#network = network;
    this.#receive = node.receiveMessageOnPort;
    this.#count = network.parameters.reduce((sum, { count }) => sum + count, 0);
    this.#shared = new Float32Array(new SharedArrayBuffer(4 * this.#count * threads));
    const { variant } = network.engine;
    this.#others = Array.from({ length: threads - 1 }, (_, i) => {
      const { port1, port2 } = new node.MessageChannel();
      const gradient = this.#shared.subarray((i + 1) * this.#count, (i + 2) * this.#count);
      const workerData: CrewData = {
        module: engineModule(variant),
        variant,
        spec,
        port: port2,
        control: this.#control,
        parameters: this.#shared.subarray(0, this.#count),
        gradient,
      };
      const worker = new node.Worker(new URL("./nn-worker.cjs", import.meta.url), { workerData, transferList: [port2] });
      // What went wrong in it comes as an answer; a program that has nothing else to do may end.
      worker.on("error", () => undefined);
      worker.unref();
      port1.unref();
      return { worker, port: port1 };
    });
    try {
      const failure = this.#collect(START_MS).find((answer) => answer.failure !== undefined)?.failure;
      if (failure !== undefined) throw new Error(`a thread of the training did not start: ${failure}`);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** The sum of a batch's losses; leaves the gradients beside the parameters. Throws as a network's does, when all threads are done. */
  backward(batch: Share): number {
    const { arena, exports } = this.#network.engine;
    const rows = batch.labels.length;
    const shares = this.#others.length + 1;
    const startOf = (share: number): number => Math.ceil((share * rows) / shares);
    let offset = 0;
    for (const { values, count } of this.#network.parameters) {
      this.#shared.set(arena.f32(values, count), offset);
      offset += count;
    }
    for (const [i, { port }] of this.#others.entries()) {
      port.postMessage(this.#share(batch, startOf(i + 1), startOf(i + 2)) satisfies CrewOrder);
    }
    Atomics.add(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);

    let failure: unknown;
    let loss = 0;
    const start = performance.now();
    try {
      loss = this.#network.backward(this.#share(batch, 0, startOf(1)));
    } catch (error) {
      failure = error;
    }
    const results = this.#collect(patience(performance.now() - start));
    if (failure !== undefined) throw failure;
    for (const [i, result] of results.entries()) {
      if (result.failure !== undefined) throw new RangeError(result.failure);
      // A share may be empty.
      if (startOf(i + 1) === startOf(i + 2)) continue;
      loss += result.loss;
      arena.scope(() => {
        const other = lend(arena, this.#shared.subarray((i + 1) * this.#count, (i + 2) * this.#count));
        let from = 0;
        for (const { gradient, count } of this.#network.parameters) {
          exports.addBias(gradient, at(other, 4 * from), 1, count);
          from += count;
        }
      });
    }
    return loss;
  }

  /** Ends the other threads. */
  end(): void {
    for (const { worker } of this.#others) void worker.terminate();
  }

  #share(batch: Share, start: number, end: number): Share {
    const { inputs, labels, softTargets } = batch;
    const [width, classes] = [this.#network.inputs, this.#network.outputs];
    return {
      ...batch,
      inputs: inputs.slice(start * width, end * width),
      labels: labels.slice(start, end),
      softTargets: softTargets && { ...softTargets, logits: softTargets.logits.slice(start * classes, end * classes) },
      indices: batch.indices && Array.from(batch.indices),
      firstRow: start,
    };
  }

  /** An answer of each of the others. */
  #collect(timeoutMs: number): CrewResult[] {
    this.#answers += this.#others.length;
    if (!reached(this.#control, 1, this.#answers, timeoutMs)) throw new Error("a thread of the training does not answer");
    return this.#others.map(({ port }) => this.#receive(port)?.message as CrewResult);
  }
}
