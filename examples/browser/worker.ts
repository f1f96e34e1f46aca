import type { Progress } from "../../src/decode/options.js";
import type { News, Wish } from "./messages.js";
import { Workshop } from "./workshop.js";

// The worker: the page stays alive while models are read and compressed here.

const tell = (news: News): void => self.postMessage(news);

/** A page shows no more than this many steps in a second. */
const TOLD_EVERY_MS = 40;

let job = new AbortController();
let workshop: Workshop | undefined;

/** Tells of the work, not more often than it can be seen, and stops it where it should stop. */
function progressOf(doing: string, { signal }: AbortController): (progress: Pick<Progress, "doneBytes" | "totalBytes">) => void {
  let told = Number.NEGATIVE_INFINITY;
  return ({ doneBytes, totalBytes }) => {
    signal.throwIfAborted();
    const now = performance.now();
    if (now - told < TOLD_EVERY_MS && doneBytes < totalBytes) return;
    told = now;
    tell({ kind: "progress", doing, doneBytes, totalBytes });
  };
}

async function open({ name, from }: Extract<Wish, { kind: "open" }>, mine: AbortController): Promise<void> {
  workshop = undefined;
  let stream: ReadableStream<Uint8Array>;
  let totalBytes: number;
  if (typeof from === "string") {
    const response = await fetch(from, { signal: mine.signal });
    if (!response.ok || response.body === null) throw new Error(`${from} gave status ${response.status}`);
    stream = response.body;
    totalBytes = Number(response.headers.get("content-length") ?? 0);
  } else {
    stream = from.stream();
    totalBytes = from.size;
  }
  const onBytes = progressOf("reading", mine);
  const watch = (doneBytes: number): void => onBytes({ doneBytes, totalBytes: Math.max(doneBytes, totalBytes) });
  const opened = await Workshop.open(name, stream, from, { watch, onTensor: (tensor) => tell({ kind: "arrived", tensor }) });
  mine.signal.throwIfAborted();
  workshop = opened;
  if (opened.archive === undefined) {
    const { tensors, byteLength } = opened.model!;
    tell({ kind: "model", name, byteLength, tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })) });
  } else {
    const report = await opened.inspect({ signal: mine.signal, onProgress: progressOf("counting", mine) });
    tell({ kind: "archive", name, report, network: await opened.network() });
  }
}

async function compress({ choice }: Extract<Wish, { kind: "compress" }>, mine: AbortController): Promise<void> {
  if (workshop === undefined) throw new Error("no model is open");
  const start = performance.now();
  const { report, file } = await workshop.compress(choice, { signal: mine.signal, onProgress: progressOf("compressing", mine) });
  const milliseconds = performance.now() - start;
  tell({ kind: "archive", name: `${workshop.name}.coppice`, report, network: await workshop.network(), made: { file, milliseconds } });
}

async function answer(wish: Wish): Promise<void> {
  if (wish.kind === "look") return tell({ kind: "look", number: wish.number, look: await workshop?.look(wish.tensor) });
  job.abort();
  if (wish.kind === "stop") return;
  job = new AbortController();
  const mine = job;
  try {
    await (wish.kind === "open" ? open(wish, mine) : compress(wish, mine));
  } catch (error) {
    if (mine.signal.aborted) tell({ kind: "stopped" });
    else throw error;
  }
}

self.onmessage = ({ data }: MessageEvent<Wish>) => {
  answer(data).catch((error: unknown) => {
    const file = data.kind === "open" ? data.name : workshop?.name;
    tell({ kind: "failed", text: error instanceof Error ? error.message : String(error), file });
  });
};
