import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { compressFile, decompressFile, inspect, verify } from "../../src/index.js";
import { ascii, expectSame, floats, makeNpy, makeSafetensors, openFiles, readAll, refused, restoreFiles } from "./helpers.js";
import { writeFiles } from "./several.js";

const tensor = (name: string, count: number, seed: number) => ({ name, dtype: "F32", shape: [count], data: floats(count, seed) }) as const;
const [A, B, C] = [tensor("a", 20, 1), tensor("b", 3000, 2), tensor("c", 7, 3)];

const ONE = makeSafetensors([C, A], new Map([["format", "pt"]]));
const TWO = makeSafetensors([B]);
const map = (weightMap: Readonly<Record<string, string>>, metadata: unknown = { total_size: 12108 }): Uint8Array =>
  ascii(JSON.stringify({ metadata, weight_map: weightMap }, undefined, 2));
const INDEX = map({ b: "m-2.safetensors", a: "m-1.safetensors", c: "m-1.safetensors" });
const FILES = { "model.safetensors.index.json": INDEX, "m-1.safetensors": ONE, "m-2.safetensors": TWO };

describe("safetensors in shards with an index", () => {
  it("has the tensors of all, by the names of the shards and their places in them", async () => {
    const model = await openFiles(FILES);
    expect(model).toMatchObject({ format: "safetensors index", byteLength: INDEX.length + ONE.length + TWO.length });
    expect(model.tensors.map(({ name, shape }) => [name, ...shape])).toEqual([
      ["c", 7],
      ["a", 20],
      ["b", 3000],
    ]);
    for (const [i, bytes] of (await readAll(model)).entries()) expectSame(bytes, [C, A, B][i].data);
  });

  it("comes back byte for byte, and with other tensors where those changed", async () => {
    const back = await restoreFiles(await openFiles(FILES));
    expect(back).toEqual(FILES);
    const zeros = new Uint8Array(12000);
    const changed = await restoreFiles(await openFiles(FILES), new Map([[2, zeros]]));
    expect(changed).toEqual({ ...FILES, "m-2.safetensors": makeSafetensors([{ ...B, data: zeros }]) });
  });

  it("may have shards in folders, be called anything, and name no tensor", async () => {
    const files = { "index.json": map({ b: "./shards/x/2" }, null), "shards/x/2": TWO };
    expect(await restoreFiles(await openFiles(files))).toEqual(files);
    const none = { "a.json": ascii('{"weight_map":{},"x":[1,-2.5e3,{"y":[true,null,"z"]}]}') };
    expect(await restoreFiles(await openFiles(none))).toEqual(none);
    const unnamed = await openModel(bytesSource(none["a.json"]));
    expect(Object.keys(await restoreFiles(unnamed))).toEqual(["model.safetensors.index.json"]);
  });

  const shards = { "m-1.safetensors": ONE, "m-2.safetensors": TWO };
  it.each<[string, FormatErrorCode, RegExp, Record<string, Uint8Array>]>([
    [
      "a tensor is in no shard",
      "CORRUPT",
      /"d" is not in "m-1/,
      { i: map({ a: "m-1.safetensors", c: "m-1.safetensors", d: "m-1.safetensors" }) },
    ],
    [
      "a tensor is in another shard",
      "CORRUPT",
      /"a" is in "m-1.*", not in "m-2/,
      { i: map({ a: "m-2.safetensors", b: "m-2.safetensors", c: "m-1.safetensors" }) },
    ],
    ["a shard's tensor is not in the index", "CORRUPT", /"c" is in "m-1.*", and not in weight_map/, { i: map({ a: "m-1.safetensors" }) }],
    [
      "a tensor is in two shards",
      "DUPLICATE",
      /"b" is in "m-2.*" and in "m-3/,
      { i: map({ b: "m-2.safetensors", d: "m-3" }), "m-3": makeSafetensors([B, { ...C, name: "d" }]) },
    ],
    [
      "a tensor is named twice",
      "DUPLICATE",
      /the key \\?"b\\?" twice/,
      { i: ascii('{"weight_map":{"b":"m-2.safetensors","b":"m-2.safetensors"}}') },
    ],
    ["a shard is not there", "TRUNCATED", /"m-9" is not there/, { i: map({ a: "m-9" }) }],
    ["a shard is cut off", "TRUNCATED", /"cut": /, { i: map({ b: "cut" }), cut: TWO.subarray(0, -1) }],
    ["a shard is no model", "MAGIC", /"m-3": /, { i: map({ b: "m-3" }), "m-3": ascii("something else, and long") }],
    ["a shard is an index itself", "UNSUPPORTED", /"m-3": /, { i: map({ b: "m-3" }), "m-3": INDEX }],
    ["the index is a shard", "DUPLICATE", /"i" is named twice/, { i: map({ b: "i" }) }],
    [
      "a shard would be in another",
      "CORRUPT",
      /"m-2.safetensors\/x" is in another file/,
      { i: map({ b: "m-2.safetensors", a: "m-2.safetensors/x" }) },
    ],
    ["the path climbs", "CORRUPT", /"\.\.\/m" does not stay/, { i: map({ b: "../m" }) }],
    ["the path climbs later", "CORRUPT", /does not stay/, { i: map({ b: "x/../../m" }) }],
    ["the path is absolute", "CORRUPT", /"\/etc\/passwd" does not stay/, { i: map({ b: "/etc/passwd" }) }],
    ["the path has a drive", "CORRUPT", /does not stay/, { i: map({ b: "c:m" }) }],
    ["the path has a backslash", "CORRUPT", /does not stay/, { i: map({ b: "..\\m" }) }],
    ["the path is empty", "CORRUPT", /does not stay/, { i: map({ b: "" }) }],
    ["a file is a number", "CORRUPT", /" expected for the file of "b"/, { i: ascii('{"weight_map":{"b":2}}') }],
    ["the JSON ends early", "CORRUPT", /./, { i: INDEX.subarray(0, -2) }],
    ["bytes follow", "CORRUPT", /bytes after the JSON/, { i: ascii('{"weight_map":{}} x') }],
    ["it is both an index and TF.js", "MAGIC", /neither/, { i: ascii('{"weight_map":{},"weightsManifest":[]}') }],
    ["it is any JSON", "MAGIC", /neither/, { i: ascii('{"modelTopology":{}}') }],
    ["it nests without an end", "LIMIT", /nests deeper/, { i: ascii(`{"x":${"[".repeat(1e5)}`) }],
    ["it has a word that JSON has not", "CORRUPT", /a value expected/, { i: ascii('{"x":[nul],"weight_map":{}}') }],
    ["it has a number that is none", "CORRUPT", /a value expected/, { i: ascii('{"x":01,"weight_map":{}}') }],
    ["brackets do not match", "CORRUPT", /./, { i: ascii('{"x":[{"a":1]},"weight_map":{}}') }],
  ])("is refused where %s", async (_, code, message, files) => {
    expect((await refused(openFiles({ ...files, ...shards }), code)).message).toMatch(message);
  });

  it("says where in the index what is wrong stands, and that its path is needed", async () => {
    const index = ascii('{"weight_map":{"b":"m-2.safetensors","lost":"m-2.safetensors"}}');
    expect((await refused(openFiles({ index, ...shards }), "CORRUPT")).offset).toBe(Buffer.from(index).indexOf('"lost"'));
    const bytes = await refused(openModel(bytesSource(INDEX)), "UNSUPPORTED");
    expect(bytes.message).toMatch(/open it by its path/);
  });

  it("takes shards of other formats: their tensors keep their byte order", async () => {
    const files = { "i.json": map({ array: "x.npy" }), "x.npy": makeNpy(">f4", [5], floats(5)) };
    expect(await restoreFiles(await openFiles(files))).toEqual(files);
  });
});

describe("a sharded model in a folder", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "coppice-index-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is compressed by its index, inspected, verified, and comes back: all of its files count", async () => {
    const index = writeFiles(path.join(folder, "model"), FILES);
    const archive = path.join(folder, "m.coppice");
    const report = await compressFile(index, archive, { preset: "exact" });
    const sourceBytes = INDEX.length + ONE.length + TWO.length;
    expect(report.file.sourceBytes).toBe(sourceBytes);
    expect((await inspect(archive)).file.sourceBytes).toBe(sourceBytes);
    expect(await verify(index, archive)).toMatchObject({ ok: true, tensors: [{ name: "c" }, { name: "a" }, { name: "b" }] });
    const written = await decompressFile(archive, path.join(folder, "back"));
    expect(written.map((file) => path.basename(file))).toEqual(Object.keys(FILES));
    for (const [i, bytes] of Object.values(FILES).entries()) expectSame(new Uint8Array(readFileSync(written[i])), bytes);
  });
});
