import { parentPort } from "node:worker_threads";
import type { Treatment } from "../codec/quantize.js";
import { encodeTensor } from "../codec/tensor.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import type { TensorInfo } from "../types.js";

// One thread of the pool: it encodes a tensor at a time, and asks the main thread for its bytes.

export interface EncodeJob {
  readonly tensor: TensorInfo;
  readonly treatment: Treatment;
}

const port = parentPort;
if (port === null) throw new Error("worker.js runs as a worker thread");

let answer: { resolve: (bytes: Uint8Array) => void; reject: (reason: unknown) => void } | undefined;

/** The main thread's model is read through messages: what bytes there are, only it knows. */
function read(offset: number, byteLength: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    answer = { resolve, reject };
    port?.postMessage({ kind: "read", offset, byteLength });
  });
}

type Message = { kind: "encode"; job: EncodeJob } | { kind: "bytes"; bytes: Uint8Array } | { kind: "failed" };

port.on("message", async (message: Message) => {
  if (message.kind === "bytes") answer?.resolve(message.bytes);
  else if (message.kind === "failed") answer?.reject(new Error("reading failed"));
  else {
    try {
      const encoded = await encodeTensor(engineKernels(), message.job.tensor, read, message.job.treatment);
      port.postMessage({ kind: "encoded", encoded });
    } catch (error) {
      port.postMessage({ kind: "error", error });
    }
  }
});
