import { Worker } from "node:worker_threads";
import { type Answer, Asking } from "../asking.js";
import type { Form } from "./form.js";
import type { RunQuestion, RunValue, Work } from "./thread.js";

/** A form in a thread, which is an isolate, beside the bundle that this is in. */
export async function threadedForm(name: string, work: Work): Promise<Form> {
  const worker = new Worker(new URL("./bench-run.cjs", import.meta.url));
  const thread = new Asking<RunQuestion, RunValue>(
    { post: (question) => worker.postMessage(question), stop: () => void worker.terminate() },
    `the thread of ${name}`,
  );
  worker.on("message", (answer: Answer<RunValue>) => thread.hear(answer));
  worker.on("error", (error) => thread.fail(error));
  worker.on("exit", (code) => thread.fail(new Error(`the thread of ${name} ended with exit code ${code}`)));
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
    close: async () => thread.close(),
  };
}
