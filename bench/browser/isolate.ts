import { type Answer, Isolate } from "../isolate.js";

/** Starts a worker, which is an isolate, from the one that the harness is in. */
export function startJavaScript(): Isolate {
  const worker = new Worker("javascript.js", { type: "module" });
  const isolate = new Isolate({ post: (question) => worker.postMessage(question), stop: () => worker.terminate() });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => isolate.hear(data);
  worker.onerror = ({ message }) => isolate.fail(new Error(`the worker that times JavaScript: ${message || "it did not start"}`));
  return isolate;
}
