import { parentPort, workerData } from "node:worker_threads";
import { useEngineModule } from "../kernels/engine.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import { ThreadWork } from "./thread.js";
import type { ThreadData, ToThread } from "./thread-messages.js";

// A thread of the pool beside the one that calls.

const port = parentPort;
if (port === null) throw new Error("worker.cjs runs as a worker thread");

const { module, variant } = workerData as ThreadData;
useEngineModule(variant, module);
const work = new ThreadWork(engineKernels({ variant }), {
  say: (message, transfer) => port.postMessage(message, transfer ?? []),
  yields: false,
});
port.on("message", (message: ToThread) => work.hear(message));
