import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { compress, decode, decodeStream, decompress, FormatError, inspect, open, readHeader, type Source } from "../../src/index.js";
import { archiveOf, craftArchive, craftRecord, floats, sealed, tensorOf } from "../archive/craft.js";
import { refused, refusedLater } from "../archive/refused.js";
import { SAMPLES } from "../archive/samples.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { chunked } from "./streams.js";

interface Watched extends Source {
  readonly ranges: (readonly [offset: number, byteLength: number])[];
  closed: boolean;
}

function watched(bytes: Uint8Array): Watched {
  const source: Watched = {
    byteLength: bytes.length,
    ranges: [],
    closed: false,
    async read(offset, byteLength) {
      if (offset < 0 || byteLength < 0 || offset + byteLength > bytes.length) throw new RangeError("read beyond the source");
      source.ranges.push([offset, byteLength]);
      return bytes.slice(offset, offset + byteLength);
    },
    async close() {
      source.closed = true;
    },
  };
  return source;
}

const random = new Random(77);
const TENSORS = [
  { ...tensorOf("big", "U8", [50000], random.bytes(50000)), coding: "raw" },
  { ...floats("small", [5], [1, 2, 3, 4, 5]), coding: "raw" },
  {
    ...tensorOf(
      "blocks",
      "U8",
      [3000],
      random.bytes(3000).map((byte) => byte & 3),
    ),
    coding: "dense",
    blockLog: 9,
  },
  { ...tensorOf("last", "U8", [20000], random.bytes(20000)), coding: "raw" },
] as const;
const ARCHIVE = craftArchive(TENSORS);

describe("an archive read by range", () => {
  it("is opened by its header alone", async () => {
    const source = watched(ARCHIVE);
    const archive = await open(source);
    expect(archive.header.tensors.map(({ name }) => name)).toEqual(TENSORS.map(({ name }) => name));
    const { recordsOffset } = readHeader(ARCHIVE);
    expect(Math.max(...source.ranges.map(([offset, byteLength]) => offset + byteLength))).toBe(recordsOffset);
    expect(source.ranges.reduce((sum, [, byteLength]) => sum + byteLength, 0)).toBe(recordsOffset + 14);
  });

  it("gives each tensor, in any order, for the bytes of its record", async () => {
    const source = watched(ARCHIVE);
    const archive = await open(source);
    for (const i of [2, 0, 3, 1, 1]) {
      source.ranges.length = 0;
      const entry = archive.header.tensors[i];
      const tensor = await archive.tensor(entry);
      expectSame(tensor.data, TENSORS[i].data);
      expect(tensor).toMatchObject({ name: entry.name, dtype: entry.dtype, shape: entry.shape });
      for (const [offset, byteLength] of source.ranges) {
        expect(offset).toBeGreaterThanOrEqual(entry.recordOffset);
        expect(offset + byteLength).toBeLessThanOrEqual(entry.recordOffset + entry.recordByteLength);
      }
      // The head is read with up to 8 KiB behind it, and what stands there is read again with its block.
      const read = source.ranges.reduce((sum, [, byteLength]) => sum + byteLength, 0);
      expect(read).toBeLessThanOrEqual(entry.recordByteLength + 8192 + 8 * 6);
    }
  });

  it("gives a tensor block by block", async () => {
    const archive = await open(watched(ARCHIVE));
    const blocks: Uint8Array[] = [];
    for await (const block of archive.blocks(archive.header.tensors[2])) blocks.push(block);
    expect(blocks.map(({ length }) => length)).toEqual([512, 512, 512, 512, 512, 440]);
    expectSame(new Uint8Array(Buffer.concat(blocks)), TENSORS[2].data);
  });

  it("is closed by its caller", async () => {
    const source = watched(ARCHIVE);
    const archive = await open(source);
    expect(source.closed).toBe(false);
    await archive.close();
    expect(source.closed).toBe(true);
  });

  it.each([...SAMPLES].map(([name, sample]) => ({ name, ...sample })))(
    "is what it is in memory: $name",
    async ({ archive: bytes, tensors }) => {
      const archive = await open(watched(bytes));
      for (const [i, entry] of archive.header.tensors.entries()) expectSame((await archive.tensor(entry)).data, tensors[i].data);
      for (let length = 0; length < bytes.length; length++) await refusedLater(open(watched(bytes.subarray(0, length))), "TRUNCATED");
      await refusedLater(open(watched(Uint8Array.of(...bytes, 0))), "TRAILING");
    },
  );

  it("that became shorter since it was opened is TRUNCATED", async () => {
    const source = watched(ARCHIVE);
    const archive = await open({
      ...source,
      read: async (offset, byteLength) => (await source.read(offset, byteLength)).subarray(0, 1000),
    });
    await refusedLater(archive.tensor(archive.header.tensors[0]), "TRUNCATED");
  });

  it("with one broken record still gives the others", async () => {
    const broken = ARCHIVE.slice();
    broken[readHeader(ARCHIVE).tensors[1].recordOffset + 3] ^= 1;
    const archive = await open(watched(broken));
    await refusedLater(archive.tensor(archive.header.tensors[1]), "CHECKSUM");
    for (const i of [0, 2, 3]) expectSame((await archive.tensor(archive.header.tensors[i])).data, TENSORS[i].data);
  });
});

describe("the ceiling", () => {
  const total = TENSORS.reduce((sum, { data }) => sum + data.length, 0);

  it("refuses what is above it, before anything is decoded", async () => {
    expect(decode(ARCHIVE, { maxBytes: total }).length).toBe(4);
    const broken = ARCHIVE.slice();
    broken[broken.length - 1] ^= 1;
    refused(() => decode(broken, { maxBytes: total - 1 }), "LIMIT");
    refused(() => decode(ARCHIVE, { maxBytes: 0 }), "LIMIT");
    await refusedLater(open(watched(ARCHIVE), { maxBytes: total - 1 }), "LIMIT");
    await refusedLater(decodeStream(chunked(ARCHIVE, 100), { maxBytes: total - 1 }).next(), "LIMIT");
    await refusedLater(decompress(ARCHIVE, { maxBytes: total - 1 }), "LIMIT");
    await refusedLater(inspect(ARCHIVE, { maxBytes: total - 1 }), "LIMIT");
  });

  it("is checked itself", async () => {
    for (const maxBytes of [-1, Number.NaN]) expect(() => decode(ARCHIVE, { maxBytes })).toThrow(RangeError);
    expect(() => decode(ARCHIVE, { maxBytes: "1" as never })).toThrow(TypeError);
    expect(decode(ARCHIVE, { maxBytes: Number.POSITIVE_INFINITY }).length).toBe(4);
  });

  it("unless given, stops a small archive that claims gigabytes, in milliseconds", () => {
    // 300 records of 5 bytes, each a block of zeros, 8 MiB of them.
    const zeros = { dtype: "F64", shape: [1 << 20], record: sealed(Uint8Array.of(3)) } as const;
    const bomb = archiveOf(Array.from({ length: 300 }, (_, i) => ({ ...zeros, name: `${i}` })));
    const started = performance.now();
    refused(() => decode(bomb), "LIMIT");
    expect(performance.now() - started).toBeLessThan(200);
    const one = archiveOf([{ ...zeros, name: "one" }]);
    expect(decode(one)[0].data.length).toBe(8 << 20);
  });

  it("refuses tensors that no memory holds", async () => {
    const record = craftRecord({ ...tensorOf("t", "U8", [9], new Uint8Array(9)), coding: "raw" });
    // The claim is larger than the record may carry: refused whatever the ceiling.
    for (const shape of [[2 ** 40], [2 ** 52], [2 ** 20 * 3 + 1]]) {
      const claims = archiveOf([{ name: "t", dtype: "U8", shape, record }]);
      refused(() => decode(claims, { maxBytes: Number.POSITIVE_INFINITY }), "LIMIT", `${shape}`);
    }
  });
});

describe("the decoder's bundle", () => {
  /** Runs a module's text in a Node of its own. */
  function run(code: string): string {
    return execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8", cwd: inject("bundles") });
  }

  const decoded = `decode(Uint8Array.from(${JSON.stringify([...(SAMPLES.get("fillers")?.archive ?? [])])}))[0].name`;

  it("does nothing when it is imported: the module is compiled by the first call", () => {
    const output = run(`
      const { Module } = WebAssembly;
      let compiled = 0;
      WebAssembly.Module = class extends Module { constructor(bytes) { super(bytes); compiled++; } };
      const before = Object.getOwnPropertyNames(globalThis).length;
      const { decode } = await import("./decode.js");
      console.log(compiled, Object.getOwnPropertyNames(globalThis).length - before);
      console.log(${decoded}, compiled > 0);
    `);
    expect(output.split("\n")).toEqual(["0 0", "fillers true", ""]);
  });

  it("needs nothing of Node", () => {
    const output = run(`
      const { log } = console;
      const { decode } = await import("./decode.js");
      for (const name of ["Buffer", "process", "global", "setImmediate", "clearImmediate"]) delete globalThis[name];
      log(${decoded});
    `);
    expect(output).toBe("fillers\n");
    expect(readFileSync(path.join(inject("bundles"), "decode.js"), "utf8")).not.toMatch(/["']node:|\brequire\(/);
  });
});

it("mistakes of the caller are no FormatErrors", async () => {
  for (const wrong of [undefined, null, 7, "text", [1, 2], new ArrayBuffer(20), new Uint16Array(20)]) {
    expect(() => decode(wrong as never)).toThrow(TypeError);
    expect(() => readHeader(wrong as never)).toThrow(TypeError);
  }
  for (const archive of [new Uint8Array(0), Uint8Array.of(1, 2, 3)]) expect(() => decode(archive)).toThrow(FormatError);
  await expect(compress(null as never)).rejects.toThrow(TypeError);
});
