import { describe, expect, it } from "vitest";
import type { Progress } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { ARCHIVE, BLOCKS, DENSE_BYTES, LIBRARIES, TENSORS } from "./libraries.js";
import { chunked } from "./streams.js";

/** What each block of the archive is told as. */
const ALL: Progress[] = [];
for (const [i, { name, data }] of TENSORS.entries()) {
  const before = TENSORS.slice(0, i).reduce((sum, tensor) => sum + tensor.data.length, 0);
  const block = name === "dense" ? 512 : 1024;
  for (let index = 1; index <= BLOCKS[i]; index++)
    ALL.push({ tensor: name, doneBytes: before + Math.min(index * block, data.length), totalBytes: DENSE_BYTES });
}

describe.each(LIBRARIES)("the progress of $name", ({ library }) => {
  it("is told after each block, never falls, and ends with all of it", async () => {
    let told: Progress[] = [];
    const onProgress = (progress: Progress): void => void told.push(progress);
    library.decode(ARCHIVE, { onProgress });
    expect(told).toEqual(ALL);
    expect(told.at(-1)?.doneBytes).toBe(DENSE_BYTES);
    told = [];
    for await (const _ of library.decodeStream(chunked(ARCHIVE, 13), { onProgress }));
    expect(told).toEqual(ALL);
    told = [];
    let blocks = 0;
    for await (const _ of library.decodeStream(chunked(ARCHIVE, 13), { onProgress, blocks: true })) expect(told.length).toBe(++blocks);
    expect(told).toEqual(ALL);
  });

  it("of one tensor by range counts that tensor", async () => {
    const archive = await library.open(bytesSource(ARCHIVE));
    const entry = archive.header.tensors[2];
    const told: Progress[] = [];
    const onProgress = (progress: Progress): void => void told.push(progress);
    await archive.tensor(entry, { onProgress });
    const expected = [1, 2, 3, 4, 5].map((n) => ({ tensor: "sparse", doneBytes: 1024 * n, totalBytes: 5120 }));
    expect(told).toEqual(expected);
    for await (const _ of archive.blocks(entry, { onProgress }));
    expect(told).toEqual([...expected, ...expected]);
  });

  it("stops the work with what the caller throws, and the stream is cancelled", async () => {
    const reason = new Error("no more");
    const onProgress = (): void => {
      throw reason;
    };
    expect(() => library.decode(ARCHIVE, { onProgress })).toThrow(reason);
    let cancelled = 0;
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(ARCHIVE), cancel: () => void cancelled++ });
    await expect(library.decodeStream(stream, { onProgress }).next()).rejects.toBe(reason);
    expect(cancelled).toBe(1);
  });
});
