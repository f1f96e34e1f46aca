import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compress, compressFile } from "../../src/index.js";
import { coppiceFetch } from "../../src/runtime/transformers.js";
import { expectSame, floats } from "../formats/helpers.js";
import { external, initializer, model, raw, tensor } from "../formats/onnxfile.js";
import { writeFiles } from "../formats/several.js";
import { streamed } from "./streamed.js";

const folder = await mkdtemp(path.join(tmpdir(), "coppice-transformers-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const ONE = model([initializer(tensor("w", "FLOAT", [300, 100], raw(floats(30_000))))]);
const ONE_ARCHIVE = (await compress(ONE, { preset: "exact" })).archive;

const SEVERAL = {
  "model.onnx": model([
    initializer(tensor("a", "FLOAT", [40, 10], external({ location: "model.onnx_data", offset: 0, length: 1600 }))),
    initializer(tensor("b", "FLOAT", [40, 10], external({ location: "model.onnx_data_1", offset: 0, length: 1600 }))),
  ]),
  "model.onnx_data": floats(400, 1),
  "model.onnx_data_1": floats(400, 2),
};
const first = writeFiles(folder, SEVERAL);
await compressFile(first, `${first}.coppice`, { preset: "exact" });
const SEVERAL_ARCHIVE = new Uint8Array(readFileSync(`${first}.coppice`));

/** A server that has these files: what is fetched from it, and whether it was cancelled. */
function server(has: Readonly<Record<string, Uint8Array>>) {
  const asked: { url: string; method: string | undefined; range: string | null; cancelled: () => boolean }[] = [];
  const fetch = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const bytes = has[String(input)];
    const { stream, cancelled } = streamed(bytes ?? new Uint8Array(0), [1000]);
    asked.push({ url: String(input), method: init?.method, range: new Headers(init?.headers).get("range"), cancelled });
    return new Response(init?.method === "HEAD" ? null : stream, { status: bytes ? 200 : 404 });
  };
  return { asked, fetch: coppiceFetch({ fetch }) };
}

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

const HUB = "https://hub/me/tiny/resolve/main/onnx";

describe("coppiceFetch", () => {
  it("answers with the model out of the archive beside it, and says its length", async () => {
    const { asked, fetch } = server({ [`${HUB}/model_fp16.onnx.coppice?x=1`]: ONE_ARCHIVE });
    for (const input of [`${HUB}/model_fp16.onnx?x=1`, new URL(`${HUB}/model_fp16.onnx?x=1`)]) {
      const response = await fetch(input, { headers: { "user-agent": "test" } });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-length")).toBe(String(ONE.length));
      expectSame(await bytesOf(response), ONE);
    }
    expect(asked.map(({ url }) => url)).toEqual(Array(2).fill(`${HUB}/model_fp16.onnx.coppice?x=1`));
  });

  it("answers with the data files of a model, too", async () => {
    const { fetch } = server({ [`${HUB}/model.onnx.coppice`]: SEVERAL_ARCHIVE });
    for (const [name, bytes] of Object.entries(SEVERAL)) expectSame(await bytesOf(await fetch(`${HUB}/${name}`)), bytes);
  });

  it("fetches all else as it is: other files, models without an archive, and files that the archive does not have", async () => {
    const plain = {
      [`${HUB}/../config.json`]: Uint8Array.of(1),
      [`${HUB}/bare.onnx`]: Uint8Array.of(2),
      [`${HUB}/one.onnx_data`]: Uint8Array.of(3),
    };
    const { asked, fetch } = server({ ...plain, [`${HUB}/one.onnx.coppice`]: ONE_ARCHIVE });
    for (const [url, bytes] of Object.entries(plain)) expectSame(await bytesOf(await fetch(url)), bytes);
    expect((await fetch(`${HUB}/none.onnx`)).status).toBe(404);
    expect(asked.map(({ url }) => url.slice(HUB.length))).toEqual([
      ...["/../config.json", "/bare.onnx.coppice", "/bare.onnx", "/one.onnx.coppice", "/one.onnx_data"],
      ...["/none.onnx.coppice", "/none.onnx"],
    ]);
    expect(asked[3].cancelled(), "the archive is let go").toBe(true);
  });

  it("tells the length where a range is asked for, without that the archive comes", async () => {
    const { asked, fetch } = server({ [`${HUB}/model.onnx.coppice`]: ONE_ARCHIVE });
    const response = await fetch(`${HUB}/model.onnx`, { headers: { Range: "bytes=0-0" } });
    expect(response.headers.get("content-length")).toBe(String(ONE.length));
    await response.body?.cancel();
    expect(asked).toMatchObject([{ range: null }]);
    expect(asked[0].cancelled()).toBe(true);
  });

  it("tells the length where only the head is asked for, with no body, and lets the archive go", async () => {
    const { asked, fetch } = server({ [`${HUB}/model.onnx.coppice`]: ONE_ARCHIVE, [`${HUB}/bare.onnx`]: ONE });
    for (const method of ["HEAD", "head"]) {
      const response = await fetch(`${HUB}/model.onnx`, { method });
      expect(response.headers.get("content-length")).toBe(String(ONE.length));
      expect(response.body).toBe(null);
    }
    expect((await fetch(`${HUB}/bare.onnx`, { method: "HEAD" })).status).toBe(200);
    expect(asked.map(({ method }) => method)).toEqual(["GET", "GET", "GET", "HEAD"]);
    expect(asked.slice(0, 2).map(({ cancelled }) => cancelled())).toEqual([true, true]);
  });

  it("fetches the model as it is where the server answers for the archive with a page, however short, or with nothing", async () => {
    for (const page of ["<!doctype html><html></html>".repeat(500), "<", ""]) {
      const { asked, fetch } = server({ [`${HUB}/model.onnx.coppice`]: new Uint8Array(Buffer.from(page)), [`${HUB}/model.onnx`]: ONE });
      expectSame(await bytesOf(await fetch(`${HUB}/model.onnx`)), ONE);
      if (page.length > 1000) expect(asked[0].cancelled()).toBe(true);
    }
    const none = coppiceFetch({ fetch: async (url) => new Response(String(url).endsWith(".coppice") ? null : ONE.slice()) });
    expectSame(await bytesOf(await none(`${HUB}/model.onnx`)), ONE);
  });

  it("refuses a broken archive: at once where its header is, and else when the body is read", async () => {
    const broken = ONE_ARCHIVE.slice();
    broken[broken.length - 5] ^= 1;
    const version = ONE_ARCHIVE.slice();
    version[4] = 99;
    const { asked, fetch } = server({
      [`${HUB}/a.onnx.coppice`]: version,
      [`${HUB}/b.onnx.coppice`]: broken,
      [`${HUB}/c.onnx.coppice`]: ONE_ARCHIVE.subarray(0, -1),
    });
    await expect(fetch(`${HUB}/a.onnx`)).rejects.toMatchObject({ code: "VERSION" });
    expect(asked[0].cancelled()).toBe(true);
    await expect(bytesOf(await fetch(`${HUB}/b.onnx`))).rejects.toMatchObject({ name: "FormatError" });
    await expect(bytesOf(await fetch(`${HUB}/c.onnx`))).rejects.toMatchObject({ code: "TRUNCATED" });
  });

  it("holds to its ceiling and to the caller's signal", async () => {
    const has: Record<string, Uint8Array> = { [`${HUB}/model.onnx.coppice`]: ONE_ARCHIVE };
    const fetch = async (url: string | URL): Promise<Response> => new Response(has[String(url)] as BodyInit);
    await expect(coppiceFetch({ fetch, maxBytes: 1000 })(`${HUB}/model.onnx`)).rejects.toMatchObject({ code: "LIMIT" });
    const controller = new AbortController();
    const response = await coppiceFetch({ fetch })(`${HUB}/model.onnx`, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(bytesOf(response)).rejects.toThrow("enough");
  });
});
