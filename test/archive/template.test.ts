import { gzipSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import pako, { deflateRaw } from "pako";
import { describe, expect, it } from "vitest";
import { renderTemplate } from "../../src/archive/template.js";
import { deflated } from "../../src/archive/zlib.js";
import { crc32 } from "../../src/formats/crc32.js";
import type { Piece, TensorInfo } from "../../src/types.js";
import { ascii, collect, expectSame, floats, noise } from "../formats/helpers.js";

const tensors: readonly TensorInfo[] = [
  { name: "a", dtype: "I16", shape: [2, 3] },
  { name: "c", dtype: "C64", shape: [1] },
];
const data = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)];

/** Cuts `bytes` after every `step`. */
async function* cut(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

const render = (pieces: readonly Piece[], step = 5): Promise<Uint8Array> =>
  collect(renderTemplate({ path: "", pieces }, tensors, (tensor) => cut(data[tensor], step)));

describe("renderTemplate", () => {
  it.each([1, 3, 100])("fills holes in the order of bytes and elements that they want, from chunks of %i", async (step) => {
    const bytes = await render(
      [
        { kind: "bytes", bytes: ascii("<") },
        { kind: "tensor", tensor: 0 },
        { kind: "tensor", tensor: 0, bigEndian: true },
        { kind: "tensor", tensor: 0, columnMajor: true },
        { kind: "tensor", tensor: 0, columnMajor: true, bigEndian: true },
        { kind: "tensor", tensor: 1, bigEndian: true },
        { kind: "bytes", bytes: ascii(">") },
      ],
      step,
    );
    const rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const rowsBig = [2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11];
    const columns = [1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12];
    const columnsBig = [2, 1, 8, 7, 4, 3, 10, 9, 6, 5, 12, 11];
    expect([...bytes]).toEqual([60, ...rows, ...rowsBig, ...columns, ...columnsBig, 4, 3, 2, 1, 8, 7, 6, 5, 62]);
    expect([...data[0]]).toEqual(rows);
  });

  it("deflates what stands in a deflate group", async () => {
    const group: Extract<Piece, { kind: "deflate" }> = {
      kind: "deflate",
      level: 6,
      byteLength: pako.deflateRaw(Uint8Array.of(...ascii("head"), ...data[0]), { level: 6 }).length,
      pieces: [
        { kind: "bytes", bytes: ascii("head") },
        { kind: "tensor", tensor: 0 },
      ],
    };
    expect([...inflateRawSync(await render([group]))]).toEqual([...ascii("head"), ...data[0]]);
    expect([...inflateRawSync(await render([{ kind: "deflate", level: 1, byteLength: 2, pieces: [] }]))]).toEqual([]);
    for (const byteLength of [0, group.byteLength - 1, group.byteLength + 1]) {
      await expect(render([{ ...group, byteLength }])).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  it("blames the caller for a tensor of another length, a hole without tensor and a level that is none", async () => {
    await expect(
      collect(renderTemplate({ path: "", pieces: [{ kind: "tensor", tensor: 0 }] }, tensors, () => cut(data[1], 3))),
    ).rejects.toThrow(RangeError);
    await expect(
      collect(renderTemplate({ path: "", pieces: [{ kind: "tensor", tensor: 1 }] }, tensors, () => cut(data[0], 3))),
    ).rejects.toThrow(RangeError);
    await expect(render([{ kind: "tensor", tensor: 2 }])).rejects.toThrow(RangeError);
    await expect(render([{ kind: "deflate", level: 0, byteLength: 0, pieces: [] }])).rejects.toThrow(RangeError);
    await expect(render([{ kind: "deflate", level: 10, byteLength: 0, pieces: [] }])).rejects.toThrow(RangeError);
  });
});

describe("deflated", () => {
  it("gives the same stream however its input is cut", async () => {
    const next = noise(4);
    const repetitive = Uint8Array.from({ length: 300_000 }, (_, i) => (next() < 0.1 ? Math.floor(next() * 256) : i % 7));
    for (const bytes of [floats(60_000), repetitive, new Uint8Array(200_000)]) {
      for (const level of [1, 4, 6, 9]) {
        const whole = deflateRaw(bytes, { level: level as 6 });
        for (const step of [bytes.length, 65536, 32768, 10_007, 1000]) expectSame(await collect(deflated(cut(bytes, step), level)), whole);
        expect(Buffer.compare(inflateRawSync(whole), bytes)).toBe(0);
      }
    }
  });

  it("gives back what went in", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 999 }),
        async (bytes, level, step) => {
          expectSame(new Uint8Array(inflateRawSync(await collect(deflated(cut(bytes, step), level)))), bytes);
        },
      ),
      { seed: 7, numRuns: 50 },
    );
  });
});

describe("crc32", () => {
  it("is the one of zip", () => {
    expect(crc32(ascii("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it("goes on from what stands before", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (bytes, cutAt) => {
        expect(crc32(bytes.subarray(cutAt), crc32(bytes.subarray(0, cutAt)))).toBe(crc32(bytes));
      }),
      { seed: 9 },
    );
  });

  it("is the one that gzip stores", () => {
    const bytes = floats(999);
    expect(crc32(bytes)).toBe(new DataView(gzipTail(bytes).buffer).getUint32(0, true));
  });
});

/** The last 8 bytes of a gzip file: the CRC-32, by zlib, and the length. */
function gzipTail(bytes: Uint8Array): Uint8Array {
  const file = gzipSync(bytes);
  return new Uint8Array(file.subarray(-8));
}
