import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { inject } from "vitest";

const HEAP_MEGABYTES = 512;

const SCRIPT = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData.library)
  .then(({ compress }) => compress(workerData.file, { threads: 1 }))
  .then(({ report }) => parentPort.postMessage(report.tensors.length + " tensors"), ({ code }) => parentPort.postMessage(code));
`;

/** What becomes of a file in a thread of so much heap. Where that is not enough, the thread ends and this throws. */
export function outcome(file: Uint8Array): Promise<string> {
  const library = pathToFileURL(path.join(inject("bundles"), "index.js")).href;
  const worker = new Worker(SCRIPT, {
    eval: true,
    workerData: { file, library },
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  return new Promise<string>((resolve, reject) => void worker.on("message", resolve).on("error", reject)).finally(() => worker.terminate());
}

/** The same over and over, with a number in it that counts where `at` says so. */
export function repeated(unit: Uint8Array, count: number, at?: number): Uint8Array {
  const bytes = new Uint8Array(count * unit.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    bytes.set(unit, i * unit.length);
    if (at !== undefined) view.setUint32(i * unit.length + at, i, true);
  }
  return bytes;
}
