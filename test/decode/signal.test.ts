import { Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { bytesSource } from "../../src/formats/bytes-source.js";
import type { Source, Tensor } from "../../src/index.js";
import { ARCHIVE, LIBRARIES, TENSORS } from "./libraries.js";
import { chunked } from "./streams.js";

const REASON = new Error("enough");

/** A web stream that gives some bytes and then nothing, without an end. */
function stalled(bytes: Uint8Array): { stream: ReadableStream<Uint8Array>; cancelled: unknown[]; pulled: Promise<void> } {
  const cancelled: unknown[] = [];
  let heard: () => void;
  const pulled = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(bytes),
      pull: () => {
        heard();
        return new Promise(() => undefined);
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled, pulled };
}

async function drained(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of stream) count++;
  return count;
}

/** Bytes that are there, in promises that are fulfilled: nothing of it takes a turn of the event loop. */
function instant(bytes: Uint8Array, forever: Uint8Array | undefined): AsyncIterable<Uint8Array> {
  let first = true;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const value = first ? bytes : forever;
    first = false;
    return value ? { done: false, value } : { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

describe.each(LIBRARIES)("a signal stops $name", ({ library }) => {
  it("before it begins: nothing is read, and the stream is cancelled", async () => {
    const signal = AbortSignal.abort(REASON);
    expect(() => library.decode(ARCHIVE, { signal })).toThrow(REASON);
    const { stream, cancelled } = stalled(ARCHIVE);
    await expect(library.decodeStream(stream, { signal }).next()).rejects.toBe(REASON);
    expect(cancelled.length).toBe(1);
    const reads: number[] = [];
    const read = async (offset: number): Promise<Uint8Array> => {
      reads.push(offset);
      return ARCHIVE;
    };
    const source: Source = { ...bytesSource(ARCHIVE), read };
    await expect(library.open(source, { signal })).rejects.toBe(REASON);
    expect(reads).toEqual([]);
  });

  it("between the blocks of an archive in memory", () => {
    const controller = new AbortController();
    let told = 0;
    const onProgress = (): void => {
      if (++told === 3) controller.abort(REASON);
    };
    expect(() => library.decode(ARCHIVE, { signal: controller.signal, onProgress })).toThrow(REASON);
    expect(told).toBe(3);
  });

  it.each([true, undefined])("between the blocks of a stream, blocks: %s", async (blocks) => {
    const controller = new AbortController();
    let closed = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* chunked(ARCHIVE, 50);
      } finally {
        closed++;
      }
    }
    let told = 0;
    const onProgress = (): void => {
      if (++told === 9) controller.abort(REASON);
    };
    const options = { signal: controller.signal, onProgress };
    const decoding = blocks ? library.decodeStream(source(), { ...options, blocks }) : library.decodeStream(source(), options);
    await expect(drained(decoding)).rejects.toBe(REASON);
    expect(told).toBe(9);
    await new Promise(setImmediate);
    expect(closed).toBe(1);
  });

  it.each([0, 10, 400])("that waits for a chunk that never comes, after %i bytes: the stream is cancelled", async (byteLength) => {
    const controller = new AbortController();
    const { stream, cancelled, pulled } = stalled(ARCHIVE.subarray(0, byteLength));
    const decoding = drained(library.decodeStream(stream, { signal: controller.signal, blocks: true }));
    await pulled;
    expect(cancelled).toEqual([]);
    controller.abort(REASON);
    await expect(decoding).rejects.toBe(REASON);
    expect(cancelled.length).toBe(1);
  });

  it("after the tensors whose bytes had come were delivered", async () => {
    const controller = new AbortController();
    const { tensors } = library.readHeader(ARCHIVE);
    for (const [i, { recordOffset, recordByteLength }] of tensors.entries()) {
      const { stream, cancelled } = stalled(ARCHIVE.subarray(0, recordOffset + recordByteLength));
      const decoding = library.decodeStream(stream, { signal: controller.signal });
      for (let n = 0; n <= i; n++) {
        const { value } = await decoding.next();
        expect((value as Tensor).data).toEqual(TENSORS[n].data);
      }
      expect(cancelled).toEqual([]);
      await decoding.return();
      expect(cancelled.length).toBe(1);
    }
  });

  it("that waits for an async generator, which hears of it with its next chunk", async () => {
    const controller = new AbortController();
    let [go, closed, begun] = [(): void => undefined, false, false];
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield ARCHIVE.subarray(0, 10);
        begun = true;
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        yield ARCHIVE.subarray(10);
      } finally {
        closed = true;
      }
    }
    const decoding = drained(library.decodeStream(source(), { signal: controller.signal }));
    while (!begun) await new Promise(setImmediate);
    controller.abort(REASON);
    await expect(decoding).rejects.toBe(REASON);
    go();
    await new Promise(setImmediate);
    expect(closed).toBe(true);
  });

  it("that waits for a Node stream, which is destroyed", async () => {
    const controller = new AbortController();
    let waiting: () => void;
    const waits = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    let reads = 0;
    const stream = new Readable({
      read() {
        if (reads++ === 0) this.push(ARCHIVE.subarray(0, 10));
        else waiting();
      },
    });
    const decoding = drained(library.decodeStream(stream, { signal: controller.signal }));
    await waits;
    controller.abort(REASON);
    await expect(decoding).rejects.toBe(REASON);
    expect(stream.destroyed).toBe(true);
  });

  it("whose stream never takes a turn of the event loop, and never brings anything", async () => {
    const controller = new AbortController();
    const decoding = drained(library.decodeStream(instant(ARCHIVE.subarray(0, 9), new Uint8Array(0)), { signal: controller.signal }));
    setTimeout(() => controller.abort(REASON));
    await expect(decoding).rejects.toBe(REASON);
  });

  it("that decodes again and again what never makes it wait", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(REASON));
    const again = async (): Promise<void> => {
      const archive = await library.open(bytesSource(ARCHIVE));
      for (;;) for (const entry of archive.header.tensors) await archive.tensor(entry, { signal: controller.signal });
    };
    await expect(again()).rejects.toBe(REASON);
  });

  it("that reads by range: the header, a tensor, blocks", async () => {
    const never: Source = { ...bytesSource(ARCHIVE), read: () => new Promise(() => undefined) };
    for (const work of ["open", "tensor", "blocks"] as const) {
      const controller = new AbortController();
      const { signal } = controller;
      let source: Source = bytesSource(ARCHIVE);
      const lent: Source = { ...bytesSource(ARCHIVE), read: (offset, byteLength) => source.read(offset, byteLength) };
      const archive = await library.open(lent);
      source = never;
      const [entry] = archive.header.tensors;
      const works = {
        open: () => library.open(never, { signal }),
        tensor: () => archive.tensor(entry, { signal }),
        blocks: () => drained(archive.blocks(entry, { signal })),
      };
      const working = works[work]();
      await new Promise(setImmediate);
      controller.abort(REASON);
      await expect(working, work).rejects.toBe(REASON);
    }
  });

  it("not, where it is not aborted: it is let go of", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const tensors: Tensor[] = [];
    for await (const tensor of library.decodeStream(chunked(ARCHIVE, 40), { signal })) tensors.push(tensor);
    expect(tensors.map(({ data }) => data)).toEqual(TENSORS.map(({ data }) => data));
    expect(library.decode(ARCHIVE, { signal }).length).toBe(TENSORS.length);
    const listeners = new Set(added.mock.calls.map(([, listener]) => listener));
    expect(listeners.size).toBeGreaterThan(0);
    expect(new Set(removed.mock.calls.map(([, listener]) => listener))).toEqual(listeners);
  });
});
