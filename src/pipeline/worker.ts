import { parentPort, workerData } from "node:worker_threads";
import { type ReadRange, tensorBlocks } from "../codec/blocks.js";
import { type Budget, Part } from "../codec/part.js";
import { encodeWork, wholeWork } from "../codec/tensor.js";
import { placeReader } from "../formats/source.js";
import { useEngineModule } from "../kernels/engine.js";
import { engineKernels } from "../kernels/engine-kernels.js";
import type { Place } from "../types.js";
import { type Asked, type FromThread, type Opening, sent, type ThreadData, type ToThread } from "./thread-messages.js";
import { Unpacker } from "./unpack.js";

// One thread of the pool: it holds parts of tensors, and works on them as it is asked to, one question after another.

/** Survivors of all parts that this thread may hold at a time. */
const HELD_BYTES = 1 << 25;

const port = parentPort;
if (port === null) throw new Error("worker.cjs runs as a worker thread");

const { module, variant } = workerData as ThreadData;
useEngineModule(variant, module);
const kernels = engineKernels({ variant });
const budget: Budget = { left: HELD_BYTES };
const parts = new Map<number, Asked>();
const unpacker = new Unpacker(kernels);
let blocksFrom: { readonly fd: number; readonly read: ReadRange } | undefined;

let reading: { resolve: (bytes: Uint8Array) => void; reject: (reason: unknown) => void } | undefined;
let asked: Promise<void> = Promise.resolve();

function say(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** What only the pool can read is asked of it: one reading at a time, since one question is worked on at a time. */
function readerOf(part: number, { place }: Opening): ReadRange {
  if (place) return placeReader(place);
  return (offset, byteLength) =>
    new Promise((resolve, reject) => {
      reading = { resolve, reject };
      say({ kind: "read", part, offset, byteLength });
    });
}

function opened(index: number, opening: Opening): Asked {
  const { tensor, first, step } = opening;
  const onBlock = (byteLength: number): void => say({ kind: "worked", part: index, byteLength });
  const part = new Part(kernels, tensor.dtype, tensorBlocks(tensor, readerOf(index, opening)), { first, step, budget, onBlock });
  return Object.assign(part, {
    encode: (treatment: Parameters<Asked["encode"]>[0]) => encodeWork(kernels, tensor.dtype, wholeWork(tensor, part), treatment),
  });
}

function asking({ part, method, args }: Extract<ToThread, { kind: "ask" }>): Promise<unknown> {
  const work = parts.get(part) as Asked;
  return (work[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

async function unpacking({ job, from }: Extract<ToThread, { kind: "unpack" }>): Promise<void> {
  unpacker.unpack(job, from instanceof Uint8Array ? from : await blockReader(from)(job.span.offset, job.span.byteLength));
}

/** The reader of the file that blocks come from: one buffer serves for all of them. */
function blockReader(place: Place): ReadRange {
  if (place.fd !== blocksFrom?.fd) blocksFrom = { fd: place.fd, read: placeReader(place) };
  return blocksFrom.read;
}

async function answer(question: number, work: () => Promise<unknown>): Promise<void> {
  try {
    const answer = await work();
    // A block that was written is nobody's here any more.
    say({ kind: "answer", question, answer }, answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []);
  } catch (error) {
    say({ kind: "error", question, error: sent(error) });
  }
}

port.on("message", (message: ToThread) => {
  if (message.kind === "bytes") reading?.resolve(message.bytes);
  else if (message.kind === "unread") reading?.reject(new Error("reading failed"));
  else if (message.kind === "open") parts.set(message.part, opened(message.part, message.opening));
  else if (message.kind === "ask") asked = asked.then(() => answer(message.question, () => asking(message)));
  else if (message.kind === "unpack") asked = asked.then(() => answer(message.question, () => unpacking(message)));
  else {
    asked = asked.then(() => parts.get(message.part)?.restore());
    asked = asked.then(() => void parts.delete(message.part));
  }
});
