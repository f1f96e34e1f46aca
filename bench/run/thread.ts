import type { Answer } from "../asking.js";
import { csrMultiply, csrMultiplyVector, csrRoom } from "../js/spmv.js";
import { rehearse, SHORT } from "../kernels/task.js";
import { Loop } from "./form.js";
import type { Csr, Feed } from "./layers.js";
import { wasmBytes } from "./memories.js";
import { type OnnxModel, onnxStep } from "./onnx-runtime.js";

// The forms that have an isolate to themselves: plain JavaScript, which V8 slows down where a WebAssembly memory has grown (bench/isolate.ts), and onnxruntime-web, which has such a memory.

/** What the thread runs. */
export type Work =
  | { readonly kind: "csr"; readonly csr: Csr; readonly inputs: number }
  | ({ readonly kind: "onnx"; readonly outputs: number } & OnnxModel);

export type RunQuestion =
  | { readonly kind: "open"; readonly work: Work }
  | { readonly kind: "feed"; readonly feed: Feed }
  | { readonly kind: "time"; readonly calls: number }
  | { readonly kind: "outputs" }
  /** How many bytes WebAssembly has in this thread. */
  | { readonly kind: "bytes" };

export type RunValue = number | Float32Array | undefined;

function csrLoop({ starts, columns, values }: Csr, inputs: number): Loop {
  const room = csrRoom(inputs);
  const outputs = starts.length - 1;
  // V8 is to compile both from their first line to their last.
  const few = Math.min(outputs, Math.ceil((SHORT * outputs) / values.length));
  const [some, x, y] = [starts.subarray(0, few + 1), new Float32Array(8 * inputs), new Float32Array(8 * few)];
  rehearse({
    run: () => undefined,
    outputs: () => [],
    rehearse() {
      csrMultiplyVector(some, columns, values, x, y);
      csrMultiply(some, columns, values, x, 8, y, room);
    },
  });
  return new Loop(outputs, (x, batch, y) => {
    if (batch === 1) csrMultiplyVector(starts, columns, values, x, y);
    else csrMultiply(starts, columns, values, x, batch, y, room);
    return y;
  });
}

async function loopOf(work: Work): Promise<Loop> {
  return work.kind === "csr" ? csrLoop(work.csr, work.inputs) : new Loop(work.outputs, (await onnxStep(work)).step);
}

/** What the thread does with a question. */
export function answeringRuns(say: (answer: Answer<RunValue>) => void): (question: RunQuestion) => Promise<void> {
  let loop: Loop | undefined;

  async function answer(question: RunQuestion): Promise<RunValue> {
    if (question.kind === "open") loop = await loopOf(question.work);
    else if (question.kind === "bytes") return wasmBytes();
    else if (loop === undefined) throw new Error("nothing is open");
    else if (question.kind === "feed") loop.feed(question.feed);
    else return question.kind === "time" ? loop.time(question.calls) : loop.outputs();
    return undefined;
  }

  return async (question) => {
    try {
      say({ value: await answer(question) });
    } catch (error) {
      say({ failed: String(error) });
    }
  };
}
