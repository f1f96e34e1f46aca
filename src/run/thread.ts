import type { CrewReady, CrewStart } from "./crew-messages.js";
import { buffersOf } from "./split.js";

/** A thread that has started, whichever kind this runtime has. */
export interface Thread {
  /** The one message that it sends; undefined where it could not be started. */
  readonly ready: Promise<CrewReady | undefined>;
  /** What is done where it ends by itself. */
  onEnd: (reason: string) => void;
  end(): void;
}

/** A thread that has not started by then will not. */
const START_MS = 20_000;

/** Whether this runtime has threads that share memory. */
export function hasThreads(): boolean {
  if (typeof SharedArrayBuffer !== "function") return false;
  return typeof Worker === "function" ? globalThis.crossOriginIsolated !== false : nodeThreads() !== undefined;
}

/** Asked for here alone, so that everything else runs where there is no Node. */
function nodeThreads() {
  return globalThis.process?.getBuiltinModule?.("node:worker_threads");
}

/** Starts one; what it takes is transferred where it can be. */
export function startThread(start: CrewStart): Thread {
  let settle: (ready: CrewReady | undefined) => void = () => undefined;
  const ready = new Promise<CrewReady | undefined>((resolve) => {
    settle = resolve;
  });
  const timer = setTimeout(() => settle(undefined), START_MS);
  const worker = newWorker((message) => settle(message as CrewReady), ended);
  const thread: Thread = {
    onEnd: () => undefined,
    end: () => void worker?.terminate(),
    ready: ready.then((message) => {
      clearTimeout(timer);
      // A program that has nothing else to do may end.
      worker?.unref?.();
      return message;
    }),
  };
  function ended(reason: string): void {
    settle(undefined);
    thread.onEnd(reason);
  }
  if (worker === undefined) settle(undefined);
  else {
    worker.postMessage(start, buffersOf(start.part));
  }
  return thread;
}

interface AnyWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
  unref?(): void;
}

function newWorker(hear: (message: unknown) => void, ended: (reason: string) => void): AnyWorker | undefined {
  try {
    if (typeof Worker === "function") {
      const worker = new Worker(new URL("./run-worker.js", import.meta.url), { type: "module" });
      worker.addEventListener("message", ({ data }) => hear(data));
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        ended(event.message);
      });
      return worker;
    }
    const node = nodeThreads();
    if (node === undefined) return undefined;
    // What this program was started with is not for it: a script given on the command line, modules loaded first.
    const worker = new node.Worker(new URL("./run-worker.js", import.meta.url), { execArgv: [] });
    worker.on("message", hear);
    worker.on("error", (error) => ended(error instanceof Error ? error.message : String(error)));
    worker.on("exit", (code) => ended(`exit code ${code}`));
    return worker;
  } catch {
    return undefined;
  }
}
