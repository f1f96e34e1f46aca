import { Worker } from "node:worker_threads";
import { type Answer, Asking } from "../asking.js";
import type { Form } from "./form.js";
import type { RunQuestion, RunValue, Work } from "./thread.js";

/** The thread of a form. */
export type RunThread = Asking<RunQuestion, RunValue>;

export type StartThread = (title: string) => RunThread;

/** Starts a thread, which is an isolate, beside the bundle that this is in. */
export function startRunThread(title: string): RunThread {
  const worker = new Worker(new URL("./bench-run.cjs", import.meta.url));
  const thread: RunThread = new Asking({ post: (question) => worker.postMessage(question), stop: () => void worker.terminate() }, title);
  worker.on("message", (answer: Answer<RunValue>) => thread.hear(answer));
  worker.on("error", (error) => thread.fail(error));
  worker.on("exit", (code) => thread.fail(new Error(`${title} ended with exit code ${code}`)));
  return thread;
}

/** A form in a thread of its own, which says what WebAssembly has there. */
export async function threadedForm(name: string, work: Work, start: StartThread): Promise<Form & { bytes(): Promise<number> }> {
  const thread = start(`the thread of ${name}`);
  try {
    await thread.ask({ kind: "open", work });
  } catch (error) {
    thread.close();
    throw error;
  }
  return {
    name,
    feed: async (feed) => void (await thread.ask({ kind: "feed", feed })),
    time: async (calls) => Number(await thread.ask({ kind: "time", calls })),
    outputs: async () => (await thread.ask({ kind: "outputs" })) as Float32Array,
    bytes: async () => Number(await thread.ask({ kind: "bytes" })),
    close: async () => thread.close(),
  };
}
