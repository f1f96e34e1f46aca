import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { deflateRaw } from "pako";
import { afterEach, describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { safetensorsHeader } from "../../src/archive/safetensors-header.js";
import { writeShell } from "../../src/archive/shell.js";
import { type FileArchive, type FormatError, files, open, toFile } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/index.js";
import { decompress } from "../../src/index.js";
import type { FileTemplate, Piece } from "../../src/types.js";
import { archiveOf, type Crafted, craftArchive, craftRecord, floats, tensorOf } from "../archive/craft.js";
import { refused, refusedLater } from "../archive/refused.js";
import { collect, expectSame, lendingSource } from "../formats/helpers.js";
import type { Golden } from "../golden/golden.js";
import { Random } from "../random.js";

const GOLDENS = path.join(ROOT, "test/golden");
const golden = (...name: string[]): Uint8Array => new Uint8Array(readFileSync(path.join(GOLDENS, ...name)));
const expected = JSON.parse(readFileSync(path.join(GOLDENS, "expected.json"), "utf8")) as Record<string, Golden>;
const ofOneFile = Object.entries(expected).filter(([, { files: known }]) => known.length === 1);

const opened = (archive: Uint8Array): Promise<FileArchive> => open(lendingSource(archive));
const fileOf = async (archive: Uint8Array, file?: string): Promise<Uint8Array> => collect(toFile(await opened(archive), { path: file }));

const literal = (text: string): Piece => ({ kind: "bytes", bytes: new TextEncoder().encode(text) });

function withShell(tensors: readonly Crafted[], templates: readonly FileTemplate[]): Uint8Array {
  return archiveOf(
    tensors.map((tensor) => ({ ...tensor, record: craftRecord(tensor) })),
    writeShell(templates, tensors, (bytes) => deflateRaw(bytes, { level: 9 })),
  );
}

const random = new Random(5);
/** Three blocks and a half, by rows and by columns of 64 weights. */
const BLOCKS = { ...tensorOf("blocks", "U16", [28, 64], random.bytes(3584)), coding: "raw", blockLog: 9 } as const;
const SMALL = { ...floats("small", [2, 3], [1, 2, 3, 4, 5, 6]), coding: "raw" } as const;
/** The shell of this one is deflated. */
const SHARDS = withShell(
  [BLOCKS, SMALL],
  [
    { path: "model.onnx", pieces: [literal("graph ".repeat(500)), { kind: "tensor", tensor: 1, bigEndian: true }] },
    { path: "weights/model.bin", pieces: [{ kind: "tensor", tensor: 0 }, literal("end")] },
  ],
);

/** Where the parts begin: in a block, at the end of one, in the same, over several. */
const CUTS = [0, 7, 1024, 1025, 1999, 3584];
const PARTS = withShell(
  [BLOCKS, SMALL],
  CUTS.slice(1).map((end, i) => ({
    path: `shard${i}`,
    pieces: [
      literal(`${i}`),
      { kind: "part", tensor: 0, offset: CUTS[i], byteLength: end - CUTS[i] },
      ...(end === 3584 ? [{ kind: "tensor", tensor: 1 } as const] : []),
    ],
  })),
);

function partsOf(file: string): Uint8Array {
  const i = Number(file.slice("shard".length));
  return Uint8Array.of(48 + i, ...BLOCKS.data.subarray(CUTS[i], CUTS[i + 1]), ...(CUTS[i + 1] === 3584 ? SMALL.data : []));
}

describe("the file of an archive", () => {
  it.each(ofOneFile)("%s is the one that was compressed", async (name, { files: [{ path: known, sha256 }] }) => {
    const archive = await opened(golden(name));
    const bytes = await collect(toFile(archive));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    expect(await files(archive)).toEqual([{ path: known, byteLength: bytes.length }]);
  });

  it.each(readdirSync(GOLDENS).filter((name) => name.endsWith(".coppice")))("%s is what decompressing gives", async (name) => {
    const archive = await opened(golden(name));
    const wanted = await decompress(golden(name)).catch(({ code }: FormatError) => code);
    if (typeof wanted === "string") await refusedLater(files(archive), wanted);
    else {
      expect(await files(archive)).toEqual(wanted.map((file) => ({ path: file.path, byteLength: file.bytes.length })));
      for (const file of wanted) expectSame(await collect(toFile(archive, { path: file.path })), file.bytes);
    }
  });

  it("that was made of tensors alone is a safetensors file", async () => {
    const archive = craftArchive([BLOCKS, SMALL]);
    expectSame(await fileOf(archive), Uint8Array.of(...safetensorsHeader([BLOCKS, SMALL]), ...BLOCKS.data, ...SMALL.data));
    const none = craftArchive([{ ...tensorOf("complex", "C128", [1], new Uint8Array(16)), coding: "raw" }]);
    await refusedLater(fileOf(none), "UNSUPPORTED");
    await refusedLater(files(await opened(none)), "UNSUPPORTED");
  });

  it("has its part of a tensor, whichever file is asked for first", async () => {
    const archive = await opened(PARTS);
    const paths = (await files(archive)).map((file) => file.path);
    for (const file of paths.reverse()) expectSame(await collect(toFile(archive, { path: file })), partsOf(file));
    for (const { path: file, bytes } of await decompress(PARTS)) expectSame(bytes, partsOf(file));
  });

  it("is picked by its path where there are several", async () => {
    const archive = await opened(SHARDS);
    const graph = await collect(toFile(archive, { path: "model.onnx" }));
    const weights = await collect(toFile(archive, { path: "weights/model.bin" }));
    const bigEndian = [1, 2, 3, 4, 5, 6].flatMap((value) => {
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, value);
      return [...new Uint8Array(view.buffer)];
    });
    expectSame(graph, Uint8Array.of(...Buffer.from("graph ".repeat(500)), ...bigEndian));
    expectSame(weights, Uint8Array.of(...BLOCKS.data, ...Buffer.from("end")));
    expect(await files(archive)).toEqual([
      { path: "model.onnx", byteLength: graph.length },
      { path: "weights/model.bin", byteLength: weights.length },
    ]);
  });

  it("is not guessed: the error names the argument", async () => {
    await expect(fileOf(SHARDS)).rejects.toThrow(new RangeError("path must be given: the model has 2 files"));
    await expect(fileOf(SHARDS, "weights")).rejects.toThrow(new RangeError('path must be that of a file of the model, got "weights"'));
    await expect(fileOf(craftArchive([SMALL]), "x")).rejects.toThrow(RangeError);
    const archive = await opened(SHARDS);
    expect(() => toFile(archive, { path: 1 as unknown as string })).toThrow(new TypeError("path must be a string"));
    for (const wrong of [SHARDS, undefined, null, {}]) {
      expect(() => toFile(wrong as unknown as FileArchive)).toThrow(new TypeError("archive must be what open gives"));
      await expect(files(wrong as unknown as FileArchive)).rejects.toThrow(TypeError);
    }
  });

  it("comes in chunks that are the caller's", async () => {
    const archive = await opened(craftArchive([BLOCKS, SMALL]));
    const first = await collect(toFile(archive));
    for await (const chunk of toFile(archive)) chunk.fill(0xa5);
    expectSame(await collect(toFile(archive)), first);
    const plain = await opened(withShell([SMALL], [{ path: "", pieces: [literal("plain"), { kind: "tensor", tensor: 0 }] }]));
    for await (const chunk of toFile(plain)) structuredClone(chunk, { transfer: [chunk.buffer] });
    expectSame(await collect(toFile(plain)), Uint8Array.of(...Buffer.from("plain"), ...SMALL.data));
  });
});

describe("a broken archive", () => {
  const group = (byteLength: number): Uint8Array => {
    const pieces: Piece[] = [{ kind: "tensor", tensor: 0 }];
    return withShell([BLOCKS], [{ path: "", pieces: [{ kind: "deflate", level: 6, byteLength, pieces }] }]);
  };

  it("with a zlib group of another length is refused, and gives no more bytes than it said", async () => {
    await refusedLater(fileOf(golden("bad", "zlib-group-of-another-length.coppice")), "CORRUPT");
    const { length } = deflateRaw(BLOCKS.data, { level: 6 });
    expect((await fileOf(group(length))).length).toBe(length);
    for (const byteLength of [1, length - 1, length + 1]) {
      let given = 0;
      const archive = await opened(group(byteLength));
      const error = await (async () => {
        for await (const chunk of toFile(archive)) given += chunk.length;
      })().catch((reason) => reason);
      refused(
        () => {
          throw error;
        },
        "CORRUPT",
        `${byteLength} of ${length} bytes`,
      );
      expect(given).toBeLessThanOrEqual(byteLength);
    }
  });

  it("whose bytes end early is refused after what came before", async () => {
    const archive = craftArchive([SMALL, BLOCKS]);
    const source = bytesSource(archive);
    const cut = {
      ...source,
      read: async (offset: number, length: number) => archive.slice(offset, Math.min(offset + length, archive.length - 1)),
    };
    const chunks: Uint8Array[] = [];
    await refusedLater(
      (async () => {
        for await (const chunk of toFile(await open(cut))) chunks.push(chunk);
      })(),
      "TRUNCATED",
    );
    const whole = await fileOf(archive);
    const given = Buffer.concat(chunks);
    expect(given.length).toBeGreaterThanOrEqual(whole.length - BLOCKS.data.length);
    expect(given.length).toBeLessThan(whole.length);
    expectSame(given, whole.subarray(0, given.length));
  });

  it("with a broken block is refused by its checksum", async () => {
    const archive = SHARDS.slice();
    archive[archive.length - 20] ^= 1;
    expect((await fileOf(archive, "weights/model.bin")).length).toBe(3587);
    await refusedLater(fileOf(archive, "model.onnx"), "CHECKSUM");
  });
});

/** An archive that counts the blocks it was asked for, and those that wait to be used. */
async function counting(archive: Uint8Array): Promise<FileArchive & { given: number; readonly signals: (AbortSignal | undefined)[] }> {
  const { header, maxBytes, blocks } = await opened(archive).then((it) => ({ ...it, blocks: it.blocks.bind(it) }));
  const counted = {
    header,
    maxBytes,
    given: 0,
    signals: [] as (AbortSignal | undefined)[],
    async *blocks(...[entry, options]: Parameters<FileArchive["blocks"]>): AsyncGenerator<Uint8Array> {
      counted.signals.push(options?.signal);
      for await (const block of blocks(entry)) {
        counted.given++;
        yield block;
      }
    },
  };
  return counted;
}

describe("making a file", () => {
  const holding = (hole: Partial<Extract<Piece, { kind: "tensor" }>>): Uint8Array =>
    withShell([BLOCKS], [{ path: "", pieces: [literal("start"), { kind: "tensor", tensor: 0, ...hole }] }]);

  it.each([
    ["as it is", {}],
    ["big-endian", { bigEndian: true }],
  ])("takes a tensor %s block by block, the next once the last was used", async (_, hole) => {
    const archive = await counting(holding(hole));
    const asked: number[] = [];
    for await (const chunk of toFile(archive)) {
      expect(chunk.length).toBeLessThanOrEqual(1024);
      asked.push(archive.given);
    }
    expect(asked).toEqual([0, 1, 2, 3, 4]);
  });

  it("holds a tensor that is wanted column-major, and nothing else", async () => {
    const archive = await counting(holding({ columnMajor: true }));
    const asked: number[] = [];
    for await (const _ of toFile(archive)) asked.push(archive.given);
    expect(asked).toEqual([0, 4]);
  });

  it("gives long literals in pieces", async () => {
    const archive = await opened(
      withShell([SMALL], [{ path: "", pieces: [literal("long ".repeat(60_000)), { kind: "tensor", tensor: 0 }] }]),
    );
    let total = 0;
    for await (const chunk of toFile(archive)) {
      expect(chunk.length).toBeLessThanOrEqual(65536);
      total += chunk.length;
    }
    expect(total).toBe(300_024);
  });

  it("stops with the signal's reason: before, between chunks, and while it waits for a block, which hears the signal too", async () => {
    const reason = new Error("enough");
    const before = await counting(SHARDS);
    const options = { path: "weights/model.bin", signal: AbortSignal.abort(reason) };
    await expect(toFile(before, options).next()).rejects.toBe(reason);
    expect(before.signals).toEqual([]);

    const controller = new AbortController();
    const between = await counting(SHARDS);
    const chunks = toFile(between, { ...options, signal: controller.signal });
    expect((await chunks.next()).done).toBe(false);
    controller.abort(reason);
    await expect(chunks.next()).rejects.toBe(reason);
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
    expect(between.given).toBe(1);
    expect(between.signals).toEqual([controller.signal]);

    const late = new AbortController();
    const waiting = await counting(SHARDS);
    const { blocks } = waiting;
    waiting.blocks = async function* (entry) {
      for await (const block of blocks(entry)) {
        late.abort(reason);
        yield block;
      }
    };
    await expect(toFile(waiting, { ...options, signal: late.signal }).next()).rejects.toBe(reason);
  });

  it("lets go of the blocks when its consumer does", async () => {
    const archive = await counting(SHARDS);
    const { blocks } = archive;
    let closed = false;
    archive.blocks = async function* (entry) {
      try {
        yield* blocks(entry);
      } finally {
        closed = true;
      }
    };
    for await (const _ of toFile(archive, { path: "weights/model.bin" })) break;
    expect(closed).toBe(true);
    expect(archive.given).toBe(1);
  });
});

describe("a runtime without compression streams", () => {
  const { CompressionStream, DecompressionStream } = globalThis;
  afterEach(() => Object.assign(globalThis, { CompressionStream, DecompressionStream }));

  it("gives the same files: templates are inflated and groups deflated by what the decoder carries", async () => {
    const tensors = [SMALL];
    const group: Piece = {
      kind: "deflate",
      level: 6,
      byteLength: deflateRaw(SMALL.data, { level: 6 }).length,
      pieces: [{ kind: "tensor", tensor: 0 }],
    };
    const archive = withShell(tensors, [{ path: "", pieces: [literal("long ".repeat(1000)), group] }]);
    expect(archive.length).toBeLessThan(500);
    const wanted = Uint8Array.of(...Buffer.from("long ".repeat(1000)), ...deflateRaw(SMALL.data, { level: 6 }));
    expectSame(await fileOf(archive), wanted);
    for (const name of ["CompressionStream", "DecompressionStream"]) Reflect.deleteProperty(globalThis, name);
    expect(typeof globalThis.DecompressionStream).toBe("undefined");
    expectSame(await fileOf(archive), wanted);
  });
});
