import { parentPort } from "node:worker_threads";
import { answering } from "../isolate.js";
import { TASKS } from "../kernels/index.js";

// The thread that times plain JavaScript: a file of its own (scripts/bundling.mjs), without an engine.

const port = parentPort;
if (port === null) throw new Error("bench-javascript.cjs runs as a worker thread");
port.on(
  "message",
  answering(TASKS, (answer) => port.postMessage(answer)),
);
