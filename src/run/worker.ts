import { reached } from "../kernels/answers.js";
import { init } from "../kernels/runner.js";
import { ANSWERS, COUNT, type CrewReady, type CrewStart, END, FAILED, ONE, ORDERS, PAGE_BYTES, PAGES, TURN_MS } from "./crew-messages.js";
import { Share } from "./share.js";
import { buffersOf } from "./split.js";

// A thread of a layer beside the one that calls: it takes its rows, and then works one order after another until it is ended. Of Node's threads, and of all that know web workers.

/** What Node's `parentPort` and a web worker's `self` have in common. */
interface Port {
  onmessage: ((event: { data: CrewStart }) => void) | null;
  postMessage(ready: CrewReady): void;
  close(): void;
}

/** `transfer` is of 2024: Node 20 has it not. */
type Movable = ArrayBuffer & { transfer?(byteLength: number): ArrayBuffer };

const node = typeof Worker === "function" ? undefined : globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = (node?.parentPort ?? globalThis) as unknown as Port;

function work(share: Share, { control, x, y, outputs, first, index }: CrewStart): void {
  const own = y.subarray(first, first + share.rows);
  const tell = (): void => void Atomics.store(control, PAGES + index, share.byteLength / PAGE_BYTES);
  tell();
  port.postMessage({ survivors: share.survivors });
  for (let orders = 1; reached(control, ORDERS, orders, Number.POSITIVE_INFINITY, TURN_MS); orders++) {
    const count = Atomics.load(control, COUNT);
    if (count === END) return;
    try {
      if (count === ONE) share.vector(x.subarray(0, share.columns), own);
      else share.vectors(x, count, { values: y, stride: outputs, first });
    } catch {
      Atomics.store(control, FAILED, 1);
    }
    tell();
    Atomics.add(control, ANSWERS, 1);
    Atomics.notify(control, ANSWERS);
  }
}

port.onmessage = ({ data }) => {
  try {
    const { part, module } = data;
    init(module);
    const share = new Share(part, data);
    // Nothing is collected while a thread waits: what came is let go at once, where the runtime can do that.
    for (const buffer of buffersOf(part) as Movable[]) buffer.transfer?.(0);
    work(share, data);
  } catch (error) {
    port.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
  port.close();
};
