import { Worker } from "node:worker_threads";
import { type Answer, Isolate } from "../isolate.js";

/** Starts a thread, which is an isolate, beside the bundle that this is in. */
export function startJavaScript(): Isolate {
  const worker = new Worker(new URL("./bench-javascript.cjs", import.meta.url));
  const isolate = new Isolate({ post: (question) => worker.postMessage(question), stop: () => void worker.terminate() });
  worker.on("message", (answer: Answer) => isolate.hear(answer));
  worker.on("error", (error) => isolate.fail(error));
  worker.on("exit", (code) => isolate.fail(new Error(`the thread that times JavaScript ended with exit code ${code}`)));
  return isolate;
}
