import { runTask } from "../harness.js";
import { tasksFor } from "../kernels/index.js";
import { reported } from "../report.js";
import { startJavaScript } from "./isolate.js";
import type { News, Wanted } from "./messages.js";

// The same harness as on Node, in a worker: the page stays alive meanwhile.

const tell = (news: News): void => self.postMessage(news);

self.onmessage = async ({ data: { filters, rounds } }: MessageEvent<Wanted>) => {
  try {
    const tasks = tasksFor(filters);
    if (tasks.length === 0) throw new RangeError(`no kernel is called ${filters.join(" or ")}`);
    for (const task of tasks) {
      const result = await runTask(task, { rounds, startJavaScript, onProgress: (text) => tell({ kind: "step", text }) });
      tell({ kind: "task", task: reported(result) });
    }
    tell({ kind: "done" });
  } catch (error) {
    tell({ kind: "failed", text: String(error) });
  }
};
