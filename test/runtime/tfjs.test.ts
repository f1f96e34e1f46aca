import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { decode, FormatError, open, readHeader } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/index.js";
import { compress, compressFile } from "../../src/index.js";
import { archiveOf } from "../../src/runtime/source.js";
import { type Artifacts, coppiceIO } from "../../src/runtime/tfjs.js";
import { craftArchive } from "../archive/craft.js";
import { concat, expectSame, floats, makeNpy, makeSafetensors, refused } from "../formats/helpers.js";
import { writeFiles } from "../formats/several.js";
import { streamed } from "./streamed.js";

const folder = mkdtempSync(path.join(tmpdir(), "coppice-tfjs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (json: unknown): Uint8Array => new Uint8Array(Buffer.from(JSON.stringify(json)));

const WEIGHTS = [
  { name: "conv/kernel", dtype: "float32", shape: [3, 3, 2, 4] },
  { name: "conv/bias", dtype: "float32", shape: [4], quantization: { dtype: "uint8", min: -1.5, scale: 0.01 } },
  { name: "large", dtype: "float32", shape: [1100, 1000] },
];
const BYTES = concat(floats(72), Uint8Array.of(1, 2, 3, 4), floats(1_100_000, 3));
const MODEL = {
  format: "layers-model",
  generatedBy: "keras v2.2.4-tf",
  convertedBy: null,
  modelTopology: { class_name: "Sequential", config: [{ rate: 0.5, ü: [null] }] },
  trainingConfig: { loss: "mse" },
  userDefinedMetadata: { labels: ["ein"] },
};
const FILES = {
  "model.json": text({ ...MODEL, weightsManifest: [{ paths: ["./a.bin", "sub/b.bin"], weights: WEIGHTS }] }),
  "a.bin": BYTES.subarray(0, 1000),
  "sub/b.bin": BYTES.subarray(1000),
};

/** The archive of a model of several files. */
async function archived(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const model = writeFiles(mkdtempSync(path.join(folder, "model-")), files);
  await compressFile(model, `${model}.coppice`, { preset: "exact" });
  return new Uint8Array(readFileSync(`${model}.coppice`));
}

const ARCHIVE = await archived(FILES);
const SMALL = await archived({
  "model.json": text({ modelTopology: {}, weightsManifest: [{ paths: ["a"], weights: WEIGHTS.slice(0, 2) }] }),
  a: BYTES.subarray(0, 292),
});

const joined = (data: readonly ArrayBuffer[] | undefined): Uint8Array => concat(...(data ?? []).map((piece) => new Uint8Array(piece)));

async function expectModel({ weightData, weightSpecs, ...model }: Artifacts): Promise<void> {
  expect(model).toEqual(MODEL);
  expect(weightSpecs).toEqual(WEIGHTS);
  expectSame(joined(weightData), BYTES);
}

describe("coppiceIO", () => {
  it.each<[string, () => Parameters<typeof coppiceIO>[0] | Promise<Parameters<typeof coppiceIO>[0]>]>([
    ["bytes", () => ARCHIVE],
    ["a Buffer", () => Buffer.from(ARCHIVE)],
    ["an ArrayBuffer", () => ARCHIVE.slice().buffer],
    ["an address", () => `data:application/octet-stream;base64,${Buffer.from(ARCHIVE).toString("base64")}`],
    ["a URL", () => new URL(`data:application/octet-stream;base64,${Buffer.from(ARCHIVE).toString("base64")}`)],
    ["a Response", () => new Response(ARCHIVE as BodyInit)],
    ["a web stream", () => streamed(ARCHIVE, [1, 0, 70_000, 3]).stream],
    ["a Node stream", () => Readable.from([ARCHIVE.subarray(0, 100), ARCHIVE.subarray(100)])],
    ["an opened archive", () => open(bytesSource(ARCHIVE))],
  ])("gives model.json and the weights in one run of pieces out of %s", async (_, source) => {
    await expectModel(await coppiceIO(await source()).load());
  });

  it("cuts the weights into pieces of one size, as TF.js wants them, the last one shorter", async () => {
    const { weightData = [] } = await coppiceIO(ARCHIVE).load();
    expect(weightData.map(({ byteLength }) => byteLength)).toEqual([2 ** 22, BYTES.length - 2 ** 22]);
  });

  it("loads from an address or bytes again and again", async () => {
    const handler = coppiceIO(ARCHIVE);
    await expectModel(await handler.load());
    await expectModel(await handler.load());
  });

  it("gives the weights as a stream where that is asked for, and lets go of the archive at the end", async () => {
    const { stream, cancelled } = streamed(ARCHIVE, [50_000]);
    const { weightData, getWeightStream, weightSpecs } = await coppiceIO(stream, { streamWeights: true }).load();
    expect(weightData).toBeUndefined();
    expect(weightSpecs).toEqual(WEIGHTS);
    const chunks: ArrayBuffer[] = [];
    for await (const chunk of getWeightStream?.() ?? []) chunks.push(chunk);
    expectSame(joined(chunks), BYTES);
    expect(chunks.length).toBeGreaterThan(3);
    expect(cancelled()).toBe(false);
  });

  it("cancels what arrives where the stream of weights is cancelled", async () => {
    const { stream, cancelled } = streamed(ARCHIVE, [1000]);
    const { getWeightStream } = await coppiceIO(stream, { streamWeights: true }).load();
    await getWeightStream?.().cancel();
    expect(cancelled()).toBe(true);
  });

  it("tells its progress, and stops at what that throws", async () => {
    const told: number[] = [];
    await coppiceIO(ARCHIVE, { onProgress: (fraction) => void told.push(fraction) }).load();
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    const stop = new Error("stop");
    const { stream, cancelled } = streamed(ARCHIVE, [1000]);
    const onProgress = (): never => {
      throw stop;
    };
    await expect(coppiceIO(stream, { onProgress }).load()).rejects.toBe(stop);
    expect(cancelled()).toBe(true);
  });

  it("leaves an archive open that the caller opened", async () => {
    let closed = 0;
    const archive = await open({ ...bytesSource(SMALL), close: async () => void closed++ });
    await coppiceIO(archive).load();
    expect(closed).toBe(0);
  });

  it("gives the weights of a manifest alone", async () => {
    const archive = await archived({
      "weights_manifest.json": text([{ paths: ["a"], weights: WEIGHTS.slice(0, 1) }]),
      a: BYTES.subarray(0, 288),
    });
    const { weightData, weightSpecs, ...rest } = await coppiceIO(archive).load();
    expect(weightSpecs).toEqual(WEIGHTS.slice(0, 1));
    expectSame(joined(weightData), BYTES.subarray(0, 288));
    expect(rest).toEqual({});
  });

  it("refuses archives of other models, and says of what they are", async () => {
    const tensors = decode(SMALL);
    const index = await archived({
      "model.safetensors.index.json": text({ weight_map: { "conv/kernel": "1.safetensors", "conv/bias": "1.safetensors" } }),
      "1.safetensors": makeSafetensors(tensors),
    });
    for (const archive of [
      (await compress(tensors)).archive,
      (await compress(makeNpy("<f4", [72], BYTES.subarray(0, 288)))).archive,
      index,
    ]) {
      const error = await refused(coppiceIO(archive).load(), "UNSUPPORTED");
      expect(error.message).toMatch(/a TF.js model is wanted, the archive is of ("model.safetensors.index.json"|a model of one file)$/);
    }
  });

  it("refuses an archive that lacks a file of its model, or whose first file is no model", async () => {
    const of = (json: unknown): Uint8Array => craftArchive([], [{ path: "model.json", pieces: [{ kind: "bytes", bytes: text(json) }] }]);
    await refused(coppiceIO(of({ weightsManifest: [{ paths: ["x"], weights: [] }] })).load(), "CORRUPT");
    for (const json of [1, null, "x", {}, { weightsManifest: 1 }, { weightsManifest: [null] }, [{ paths: ["x"] }]])
      await refused(coppiceIO(of(json)).load(), "UNSUPPORTED");
    expect(await coppiceIO(of({ weightsManifest: [] })).load()).toEqual({ weightSpecs: [], weightData: [] });
  });

  it("refuses an archive that is cut off anywhere, or goes on, and cancels what arrives", async () => {
    for (let n = 0; n < SMALL.length; n++) {
      await expect(coppiceIO(streamed(SMALL.slice(0, n), [61]).stream).load(), `${n} bytes`).rejects.toBeInstanceOf(FormatError);
    }
    await refused(coppiceIO(streamed(concat(SMALL, Uint8Array.of(0)), [SMALL.length, 1]).stream).load(), "TRAILING");
    const { stream, cancelled } = streamed(concat(Uint8Array.of(1), ARCHIVE), [5000]);
    await refused(coppiceIO(stream).load(), "MAGIC");
    expect(cancelled()).toBe(true);
  });

  it("holds to the ceiling that it is given", async () => {
    await refused(coppiceIO(ARCHIVE, { maxBytes: 1000 }).load(), "LIMIT");
  });

  it.each([undefined, null, 7, {}])("blames the caller for the source %s", async (source) => {
    await expect(coppiceIO(source as never).load()).rejects.toThrow(/^source must be/);
  });

  it("blames the caller for an address where there is no archive", async () => {
    await expect(coppiceIO(new Response("no", { status: 404 })).load()).rejects.toThrow(
      "source must be an archive: the response has status 404",
    );
    await expect(coppiceIO(new Response(null, { status: 204 })).load()).rejects.toThrow("status 204 and no body");
  });
});

describe("an archive that arrives", () => {
  it("is open when its header is there, and gives each tensor when its bytes are", async () => {
    const { recordsOffset, tensors } = readHeader(ARCHIVE);
    const { recordOffset, recordByteLength } = tensors[1];
    let send!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
    const opening = archiveOf(stream);
    send.enqueue(ARCHIVE.slice(0, recordsOffset));
    const archive = await opening;
    send.enqueue(ARCHIVE.slice(recordsOffset, recordOffset + recordByteLength));
    // What is further back first.
    expect((await archive.tensor(archive.header.tensors[1])).data).toEqual(Uint8Array.of(1, 2, 3, 4));
    expectSame((await archive.tensor(archive.header.tensors[0])).data, floats(72));
    await archive.close();
  });

  it.each([0, 10, SMALL.length - 3])("stops at its signal when after %d bytes nothing comes", async (byteLength) => {
    const controller = new AbortController();
    const { stream } = streamed(SMALL.slice(0, byteLength), [1000], true);
    const loading = coppiceIO(stream, { signal: controller.signal }).load();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 10);
    await expect(loading).rejects.toBe(reason);
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield SMALL.slice(0, byteLength);
      await new Promise(() => undefined);
    }
    await expect(coppiceIO(stalling(), { signal: AbortSignal.timeout(10) }).load()).rejects.toThrow(/timeout/);
  });
});
