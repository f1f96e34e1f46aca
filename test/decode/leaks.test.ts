import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import * as edge from "../../src/decode/index.js";
import { craftArchive, floats, tensorOf } from "../archive/craft.js";
import { Random } from "../random.js";
import { wasmBytes } from "../wasm-memories.js";
import { chunked } from "./streams.js";
import { sourceOf } from "./ways.js";

// What decodes leave behind that failed, or were left: measured, since one that kept its bytes would be seen by nothing else.

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const DECODES = 10_000;
/** Each decode has tensors of 40 KB: 10,000 that kept theirs, or a hundredth of them, were seen. */
const MOST_LEFT_BYTES = 1 << 21;

const random = new Random(8);
const ARCHIVE = craftArchive([
  {
    ...floats(
      "sparse",
      [40, 100],
      Float32Array.from(random.sparse(4000, 0.1), (value) => Math.round(20 * value)),
    ),
    coding: "sparse",
  },
  { ...tensorOf("blocks", "U8", [8000], random.symbols(8000, 4)), coding: "dense", blockLog: 11 },
  { ...floats("raw", [4000], random.weights(4000)), coding: "raw" },
]);
const broken = (at: number): Uint8Array => {
  const bytes = ARCHIVE.slice();
  bytes[at] ^= 1;
  return bytes;
};
const TENSORS = edge.readHeader(ARCHIVE).tensors;
/** The last byte of each record, and of the header, is one of a checksum; in the middle of a record, a block is not what its checksum says. */
const BROKEN = [
  edge.readHeader(ARCHIVE).recordsOffset - 1,
  ...TENSORS.map(({ recordOffset: at, recordByteLength }) => at + recordByteLength - 1),
].map(broken);

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** `expect(…).rejects` keeps what it was given. */
async function refusedOnce(promise: Promise<unknown>): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof edge.FormatError)) throw new Error("it was not refused", { cause: error });
}

/** Bytes of buffers and of wasm memory that `work` leaves, when it has been done so many times. */
async function leftBy(work: (turn: number) => Promise<unknown> | unknown): Promise<{ buffers: number; wasm: number; heap: number }> {
  const measure = async () => {
    // Streams are let go in a later turn of the event loop.
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return { buffers: arrayBuffers, wasm: wasmBytes(), heap: heapUsed };
  };
  for (let turn = 0; turn < 200; turn++) await work(turn);
  const before = await measure();
  for (let turn = 0; turn < DECODES; turn++) await work(turn);
  const after = await measure();
  return { buffers: after.buffers - before.buffers, wasm: after.wasm - before.wasm, heap: after.heap - before.heap };
}

function expectNothing({ buffers, wasm, heap }: { buffers: number; wasm: number; heap: number }): void {
  expect(wasm).toBe(0);
  expect(buffers).toBeLessThan(MOST_LEFT_BYTES);
  expect(heap).toBeLessThan(4 * MOST_LEFT_BYTES);
}

it("buffers that are kept are seen", async () => {
  const kept: unknown[] = [];
  const { buffers } = await leftBy((turn) => turn % 100 === 0 && kept.push(edge.decode(ARCHIVE)));
  expect(buffers).toBeGreaterThan(MOST_LEFT_BYTES);
});

describe("10,000 decodes that fail leave nothing", () => {
  it("of archives in memory", async () => {
    expectNothing(
      await leftBy(async (turn) => {
        await refusedOnce((async () => void edge.decode(BROKEN[turn % BROKEN.length]))());
      }),
    );
  });

  it("of streams", async () => {
    expectNothing(
      await leftBy(async (turn) => {
        const bytes = turn % 5 === 4 ? ARCHIVE.subarray(0, (turn * 37) % ARCHIVE.length) : BROKEN[turn % 5];
        await refusedOnce(drain(edge.decodeStream(chunked(bytes, 5000))));
      }),
    );
  });

  it("of sources", async () => {
    expectNothing(
      await leftBy(async (turn) => {
        const all = async () => {
          const archive = await edge.open(sourceOf(BROKEN[turn % BROKEN.length]));
          for (const entry of archive.header.tensors) {
            if (turn % 8 < 4) await archive.tensor(entry);
            else await drain(archive.blocks(entry));
          }
        };
        await refusedOnce(all());
      }),
    );
  });
});

describe("10,000 decodes that are left leave nothing", () => {
  it("in the middle of a stream", async () => {
    expectNothing(
      await leftBy(async (turn) => {
        let tensors = 0;
        for await (const _ of edge.decodeStream(chunked(ARCHIVE, 5000))) if (tensors++ === turn % 3) break;
      }),
    );
  });

  it("before a stream was asked for anything", async () => {
    expectNothing(await leftBy(() => edge.decodeStream(chunked(ARCHIVE, 5000))));
  });

  it("in the middle of a tensor's blocks", async () => {
    expectNothing(
      await leftBy(async () => {
        const archive = await edge.open(sourceOf(ARCHIVE));
        for await (const _ of archive.blocks(archive.header.tensors[1])) break;
      }),
    );
  });
});

describe("10,000 decodes that are aborted leave nothing", () => {
  async function abortedOnce(signal: AbortSignal, promise: Promise<unknown>): Promise<void> {
    const error = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error !== signal.reason) throw new Error("it was not aborted", { cause: error });
  }

  /** Gives some of the archive, then nothing. */
  function stalling(byteLength: number, controller: AbortController): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (stream) => stream.enqueue(ARCHIVE.slice(0, byteLength)),
      pull: () => queueMicrotask(() => controller.abort()),
    });
  }

  it.each([false, true])("of streams that stall (blocks: %s)", async (blocks) => {
    expectNothing(
      await leftBy(async (turn) => {
        const controller = new AbortController();
        const { signal } = controller;
        const stream = stalling((turn * 37) % ARCHIVE.length, controller);
        await abortedOnce(signal, drain(blocks ? edge.decodeStream(stream, { signal, blocks }) : edge.decodeStream(stream, { signal })));
      }),
    );
  });

  it("of sources that do not answer", async () => {
    expectNothing(
      await leftBy(async (turn) => {
        const controller = new AbortController();
        const { signal } = controller;
        const source = sourceOf(ARCHIVE);
        let answers = 2 + (turn % 9);
        const read = (offset: number, byteLength: number) => {
          if (answers-- > 0) return source.read(offset, byteLength);
          queueMicrotask(() => controller.abort());
          return new Promise<never>(() => {});
        };
        const all = async () => {
          const archive = await edge.open({ ...source, read }, { signal });
          for (const entry of archive.header.tensors) await archive.tensor(entry, { signal });
        };
        await abortedOnce(signal, all());
      }),
    );
  });
});

it("decodes that share a signal leave no listener on it", async () => {
  const { signal } = new AbortController();
  let [added, removed] = [0, 0];
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    added++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    removed++;
    remove(...args);
  };
  for (let turn = 0; turn < 500; turn++) {
    if (turn % 2 === 0) await drain(edge.decodeStream(chunked(ARCHIVE, 5000), { signal }));
    else await refusedOnce(drain(edge.decodeStream(chunked(BROKEN[3], 5000), { signal })));
  }
  expect(added).toBeGreaterThan(500);
  expect(removed).toBe(added);
});

describe("what a stream holds while it waits", () => {
  const LARGE = craftArchive([{ ...tensorOf("raw", "U8", [1 << 18], random.symbols(1 << 18, 200)), coding: "raw" }]);

  /** Bytes held more than before, when `chunks` has come to its end. */
  async function heldAfter(chunks: () => Iterable<Uint8Array>): Promise<number> {
    const used = (): number => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    let held = 0;
    async function* stream(): AsyncGenerator<Uint8Array> {
      const before = used();
      yield* chunks();
      held = used() - before;
    }
    await refusedOnce(drain(edge.decodeStream(stream())));
    return held;
  }

  it("is a few times what came, however small the chunks were", async () => {
    const cutOff = LARGE.subarray(0, LARGE.length - 9);
    const held = await heldAfter(function* () {
      for (const byte of cutOff) yield Uint8Array.of(byte);
    });
    expect(held).toBeLessThan(8 * LARGE.length);
  });

  it("is nothing for chunks without bytes, however many", async () => {
    const held = await heldAfter(function* () {
      for (let i = 0; i < 100_000; i++) yield new Uint8Array(0);
    });
    expect(held).toBeLessThan(1 << 20);
  });
});
