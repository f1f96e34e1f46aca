import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { open } from "../../src/decode/index.js";
import { bytesSource } from "../../src/formats/index.js";
import { compress, compressFile } from "../../src/index.js";
import { createSession as createNodeSession } from "../../src/runtime/node/onnxruntime.js";
import { type ArchiveSource, createSession, type OnnxRuntime } from "../../src/runtime/onnxruntime.js";
import { testFolder } from "../cli/cli.js";
import { concat, expectSame, floats, makeSafetensors, refused } from "../formats/helpers.js";
import { external, initializer, model, raw, tensor } from "../formats/onnxfile.js";

const folder = testFolder();
const weights = (name: string, seed: number): Uint8Array => initializer(tensor(name, "FLOAT", [64, 64], raw(floats(4096, seed))));
const MODEL = model([weights("a", 1), weights("b", 2)]);
const { archive } = await compress(MODEL, { preset: "exact" });

interface Created {
  readonly model: Uint8Array;
  readonly options: { readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[] };
}

/** A runtime whose session is what it was made with. */
const ort: OnnxRuntime<Created> = {
  InferenceSession: { create: async (bytes, options) => ({ model: bytes, options: options as Created["options"] }) },
};

const stream = (bytes: Uint8Array, size = 1000): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });

describe.each([
  ["for the web", createSession],
  ["for Node", createNodeSession],
])("createSession %s", (_, create) => {
  const sources: readonly (readonly [string, () => ArchiveSource | Promise<ArchiveSource>])[] = [
    ["bytes", () => archive],
    ["a stream", () => stream(archive)],
    ["a Response", () => new Response(archive.slice())],
    ["an archive that was opened", () => open(bytesSource(archive))],
  ];

  it.each(sources)("hands the model of %s over, in one buffer of its length", async (_, source) => {
    const session = await create(await source(), { ort, session: { logId: "here" } });
    expectSame(session.model, MODEL);
    expect(session.model.buffer.byteLength).toBe(MODEL.length);
    expect(session.options).toEqual({ logId: "here" });
  });

  it("tells how far it is", async () => {
    const told: number[] = [];
    await create(archive, { ort, onProgress: ({ doneBytes, totalBytes }) => told.push(doneBytes / totalBytes) });
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
  });

  it("refuses an archive of another model, one that is cut off, and more than is allowed", async () => {
    const other = await compress(makeSafetensors([{ name: "a", dtype: "F32", shape: [64, 64], data: floats(4096) }]));
    expect((await refused(create(other.archive, { ort }), "UNSUPPORTED")).message).toMatch(/no ONNX/);
    await refused(create(stream(archive.slice(0, -1)), { ort }), "TRUNCATED");
    await refused(create(stream(concat(archive, Uint8Array.of(0))), { ort }), "TRAILING");
    await refused(create(archive, { ort, maxBytes: 1000 }), "LIMIT");
  });

  it("stops with a signal, and leaves no session", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    await expect(create(archive, { ort, signal: controller.signal, onProgress })).rejects.toBe(reason);
  });
});

describe("a model with data in other files", () => {
  const data = floats(4096, 3);
  const main = path.join(folder, "model.onnx");
  const packed = path.join(folder, "model.coppice");
  const graph = model([weights("a", 1), initializer(tensor("b", "FLOAT", [64, 64], external({ location: "data.bin" })))]);

  beforeAll(async () => {
    writeFileSync(main, graph);
    writeFileSync(path.join(folder, "data.bin"), data);
    await compressFile(main, packed, { preset: "exact" });
  });

  it("goes to onnxruntime with them, and with those of the caller", async () => {
    const { model: bytes, options } = await createNodeSession(packed, { ort, session: { externalData: ["more.bin"] } });
    expectSame(bytes, graph);
    expect(options.externalData).toEqual([{ path: "data.bin", data }, "more.bin"]);
  });

  it("is the file that the caller names", async () => {
    await expect(createNodeSession(packed, { ort, path: "nothing.onnx" })).rejects.toThrow(
      /path must be that of a file of the model, got "nothing.onnx"/,
    );
    expectSame((await createNodeSession(packed, { ort, path: "model.onnx" })).model, graph);
    await refused(createNodeSession(packed, { ort, path: "data.bin" }), "UNSUPPORTED");
  });
});

describe("an address", () => {
  const file = path.join(folder, "net.coppice");
  const server = createServer(({ url }, response) => {
    if (url === "/net.coppice") response.end(archive);
    else response.writeHead(404).end("no such page");
  });
  let origin: string;

  beforeAll(async () => {
    writeFileSync(file, archive);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it("is fetched", async () => {
    expectSame((await createSession(`${origin}/net.coppice`, { ort })).model, MODEL);
    expectSame((await createNodeSession(new URL(`${origin}/net.coppice`), { ort })).model, MODEL);
  });

  it("that gives another status is no archive", async () => {
    await expect(createSession(`${origin}/nothing`, { ort })).rejects.toThrow(/404/);
  });

  it("may be a file's, in Node", async () => {
    for (const source of [file, pathToFileURL(file), pathToFileURL(file).href])
      expectSame((await createNodeSession(source, { ort })).model, MODEL);
    await expect(createNodeSession(path.join(folder, "nothing"), { ort })).rejects.toMatchObject({ code: "ENOENT" });
  });
});
