import { describe, expect, it } from "vitest";
import { compress } from "../../src/index.js";
import { archiveOf } from "../../src/runtime/source.js";
import type { Tensor } from "../../src/types.js";
import { collect, expectSame, floats, noise, refused } from "../formats/helpers.js";

// Records of more than a piece of what is held, and some within one.
const tensors = [
  { name: "a", dtype: "F32", shape: [1000], data: floats(1000, 1) },
  { name: "b", dtype: "F32", shape: [700, 1000], data: floats(700_000, 2) },
  { name: "c", dtype: "F32", shape: [10], data: floats(10, 3) },
  { name: "d", dtype: "F32", shape: [600, 1000], data: floats(600_000, 4) },
] as const;
const { archive } = await compress(tensors, { recipe: { rules: [], contexts: "none" } });

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

describe("an archive that arrives", () => {
  it.each([1000, 65536, 2 ** 20, 3_000_001, archive.length])("in chunks of %d bytes has its tensors, in any order", async (size) => {
    const opened = await archiveOf(inChunks(archive, size));
    for (const i of [0, 1, 3, 2, 1]) {
      const entry = opened.header.tensors[i];
      expectSame(await collect(opened.blocks(entry)), tensors[i].data);
    }
    await opened.close();
  });

  it("byte by byte is one, too", async () => {
    const small = await compress([tensors[2]]);
    const opened = await archiveOf(inChunks(small.archive, 1));
    expectSame(await collect(opened.blocks(opened.header.tensors[0])), tensors[2].data);
  });

  it("may have a header of several pieces", async () => {
    const next = noise(5);
    const named = Array.from({ length: 5000 }, (): Tensor => {
      const name = Array.from({ length: 30 }, () => next().toString(36).slice(2, 10)).join("");
      return { name, dtype: "U8", shape: [1], data: Uint8Array.of(7) };
    });
    const { archive: long } = await compress(named, { preset: "exact" });
    const opened = await archiveOf(inChunks(long, 10_000));
    expect(opened.header.recordsOffset).toBeGreaterThan(2 ** 20);
    expect(opened.header.tensors.map(({ name }) => name)).toEqual(named.map(({ name }) => name));
    expectSame(await collect(opened.blocks(opened.header.tensors[4999])), Uint8Array.of(7));
  });

  it("must be bytes", async () => {
    const texts = (async function* () {
      yield "text" as unknown as Uint8Array;
    })();
    await expect(archiveOf(texts)).rejects.toThrow(/a chunk of the stream must be a Uint8Array/);
    await refused(archiveOf(inChunks(new Uint8Array(5000), 100)), "MAGIC");
    await refused(archiveOf(inChunks(new Uint8Array(0), 100)), "TRUNCATED");
    await expect(archiveOf(7 as never)).rejects.toThrow(/source must be an address/);
  });
});
