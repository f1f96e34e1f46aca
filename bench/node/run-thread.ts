import { parentPort } from "node:worker_threads";
import { answeringRuns } from "../run/thread.js";

// A thread of `coppice bench run`: a file of its own (scripts/bundling.mjs), without an engine.

const port = parentPort;
if (port === null) throw new Error("bench-run.cjs runs as a worker thread");
port.on(
  "message",
  answeringRuns((answer) => port.postMessage(answer)),
);
