import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { bytesSource, fileSource, openModel } from "../../src/formats/index.js";
import { compressFile, decompress, decompressFile, inspect, verify } from "../../src/index.js";
import { dataFile, NO_DATA } from "../data.js";
import { Random } from "../random.js";
import { ascii, concat, expectSame, floats, mutants, openFiles, readAll, refused, restoreFiles } from "./helpers.js";
import { writeFiles } from "./several.js";

const random = new Random(3);

interface Made {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly quantization?: Readonly<Record<string, unknown>>;
  readonly data: Uint8Array;
  readonly group?: string;
}

const made = (name: string, dtype: string, shape: readonly number[], bytes: number, quantization?: Made["quantization"]): Made => ({
  ...{ name, dtype, shape, data: random.bytes(bytes) },
  ...(quantization && { quantization }),
});

/** Strings with their lengths before them. */
function strings(...texts: readonly string[]): Uint8Array {
  return concat(...texts.flatMap((text) => [new Uint8Array(Uint32Array.of(text.length).buffer), ascii(text)]));
}

const WEIGHTS: readonly Made[] = [
  { ...made("conv/kernel", "float32", [3, 3, 2, 4], 0), data: floats(72) },
  made("conv/bias", "float32", [4], 4, { dtype: "uint8", min: -1.5, scale: 0.01 }),
  made("dense/kernel", "float32", [5, 3], 30, { dtype: "uint16", min: 0, scale: 1e-3 }),
  made("half", "float32", [7], 14, { dtype: "float16", original_dtype: "float32" }),
  { name: "vocabulary", dtype: "string", shape: [3], data: strings("ein", "", "x".repeat(200)) },
  made("steps", "int32", [2, 2], 16),
  made("mask", "bool", [5], 5),
  made("empty", "float32", [0, 3], 0),
  made("bytes", "uint8", [], 1),
  made("spectrum", "complex64", [3], 24),
  made("small", "int16", [2], 4),
];

const entries = (weights: readonly Made[]) => weights.map(({ data: _, ...entry }) => entry);

/** A layers model of one group whose bytes are cut into files at `cuts`. */
function layersModel(weights: readonly Made[], cuts: readonly number[], rest = new Uint8Array(0)): Record<string, Uint8Array> {
  const all = concat(...weights.map(({ data }) => data), rest);
  const ends = [0, ...cuts, all.length];
  const shards = ends.slice(1).map((end, i) => [`group1-shard${i + 1}of${ends.length - 1}.bin`, all.slice(ends[i], end)] as const);
  const model = {
    format: "layers-model",
    modelTopology: { class_name: "Sequential", config: [{ rate: 0.5, ü: [null] }] },
    weightsManifest: [{ paths: shards.map(([file]) => file), weights: entries(weights) }],
  };
  return { "model.json": new Uint8Array(Buffer.from(JSON.stringify(model))), ...Object.fromEntries(shards) };
}

const total = WEIGHTS.reduce((sum, { data }) => sum + data.length, 0);

describe("a TF.js model", () => {
  it("uses as weights what has two axes longer than one, and is not the optimizer's", async () => {
    const weights: readonly Made[] = [
      made("conv/kernel", "float32", [1, 1, 2, 3], 24),
      made("batchnorm/mul", "float32", [1, 1, 1, 3], 12),
      made("bias", "float32", [3], 12),
      made("embeddings", "float32", [4, 2], 32),
      { ...made("Adam/m/kernel", "float32", [2, 3], 24), group: "optimizer" },
      { ...made("kernel", "float32", [2, 3], 24), group: "model" },
    ];
    const model = await openFiles(layersModel(weights, []));
    expect(model.tensors.map((_, tensor) => model.role?.(tensor))).toEqual(["weight", "other", "other", "weight", "other", "weight"]);
  });

  it("has a tensor for each weight, as it is stored, but for strings", async () => {
    const model = await openFiles(layersModel(WEIGHTS, []));
    expect(model.format).toBe("tfjs");
    expect(model.tensors.map(({ name, dtype, shape }) => [name, dtype, ...shape])).toEqual([
      ["conv/kernel", "F32", 3, 3, 2, 4],
      ["conv/bias", "U8", 4],
      ["dense/kernel", "U16", 5, 3],
      ["half", "F16", 7],
      ["steps", "I32", 2, 2],
      ["mask", "BOOL", 5],
      ["empty", "F32", 0, 3],
      ["bytes", "U8"],
      ["spectrum", "C64", 3],
      ["small", "I16", 2],
    ]);
    const wanted = WEIGHTS.filter(({ dtype }) => dtype !== "string");
    for (const [i, bytes] of (await readAll(model, 7)).entries()) expectSame(bytes, wanted[i].data);
  });

  it.each([
    ["one file", []],
    ["two", [300]],
    ["files that end within an element", [1, 287, 289, 290, 290, 293, 321, 340, 400, total - 1]],
    ["files of three bytes", Array.from({ length: Math.ceil(total / 3) - 1 }, (_, i) => 3 * i + 3)],
    ["files of which some are empty", [0, 0, 288, 288, total]],
  ] as [string, number[]][])("comes back byte for byte from %s", async (_, cuts) => {
    const files = layersModel(WEIGHTS, cuts);
    const model = await openFiles(files);
    expect(model.byteLength).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0));
    expect(await restoreFiles(model)).toEqual(files);
    const kernel = floats(72, 9);
    const changed = await restoreFiles(model, new Map([[0, kernel]]));
    expect(changed).toEqual(layersModel([{ ...WEIGHTS[0], data: kernel }, ...WEIGHTS.slice(1)], cuts));
  });

  it("may be a manifest alone, of several groups, and have bytes after its weights", async () => {
    const group = (paths: readonly string[], weights: readonly Made[]) => ({ paths, weights: entries(weights) });
    const [a, b, c] = WEIGHTS;
    const manifest = [group(["x", "sub/y"], [a]), group([], []), group(["z"], [b, c])];
    const files = {
      "net-weights_manifest.json": ascii(` ${JSON.stringify(manifest)}\n`),
      x: a.data.slice(0, 5),
      "sub/y": concat(a.data.slice(5), ascii("rest")),
      z: concat(b.data, c.data, new Uint8Array(3)),
    };
    expect(await restoreFiles(await openFiles(files))).toEqual(files);
    const none = { "manifest.json": ascii("[]") };
    expect(await restoreFiles(await openFiles(none))).toEqual(none);
  });

  it("keeps a byte order mark out: that is not JSON", async () => {
    await refused(openModel(bytesSource(concat(Uint8Array.of(0xef, 0xbb, 0xbf), ascii("[]    ")))), "MAGIC");
  });

  const one = (fields: object, paths: unknown = ["s"]): Uint8Array =>
    ascii(JSON.stringify([{ paths, weights: [{ name: "w", shape: [2], dtype: "float32", ...fields }] }]));
  const s = floats(2);
  it.each<[string, FormatErrorCode, RegExp, Record<string, Uint8Array>]>([
    ["its files are too short", "TRUNCATED", /"w" needs 12 bytes, its files have 8 left/, { m: one({ shape: [3] }) }],
    ["a file is missing", "TRUNCATED", /"t" is not there/, { m: one({}, ["s", "t"]) }],
    ["a file is named twice", "DUPLICATE", /"s" is named twice/, { m: one({}, ["s", "./s"]) }],
    ["a file is in another", "CORRUPT", /"s\/t" is in another file/, { m: one({}, ["s", "s/t"]) }],
    ["a path climbs", "CORRUPT", /does not stay/, { m: one({}, ["a/../../s"]) }],
    ["a path is a URL", "CORRUPT", /does not stay/, { m: one({}, ["http://x/s"]) }],
    ["a path is a number", "CORRUPT", /expected for a path/, { m: one({}, [7]) }],
    ["the paths are missing", "CORRUPT", /must have paths and weights/, { m: ascii('[{"weights":[]}]') }],
    ["the dtype is missing", "CORRUPT", /must have name, dtype and shape/, { m: one({ dtype: undefined }) }],
    ["the dtype is not known", "UNSUPPORTED", /"w" has dtype "float8"/, { m: one({ dtype: "float8" }) }],
    ["the quantised dtype is not known", "UNSUPPORTED", /"w" has dtype "int4"/, { m: one({ quantization: { dtype: "int4" } }) }],
    ["the quantised dtype is missing", "CORRUPT", /must say its dtype/, { m: one({ quantization: { scale: 1 } }) }],
    ["an axis is negative", "CORRUPT", /not negative/, { m: one({ shape: [-1] }) }],
    ["an axis is not whole", "CORRUPT", /not negative/, { m: one({ shape: [1.5] }) }],
    ["the shape is too large", "LIMIT", /counts too many/, { m: one({ shape: [2 ** 50, 2 ** 50] }) }],
    [
      "two weights have a name",
      "DUPLICATE",
      /two weights are named "w"/,
      { m: concat(one({}).slice(0, -1), ascii(","), one({}, []).slice(1)) },
    ],
    ["strings are more than the file can hold", "TRUNCATED", /strings of "w"/, { m: one({ dtype: "string", shape: [2 ** 40] }) }],
    [
      "a string is longer than the file",
      "TRUNCATED",
      /strings of "w"/,
      { m: one({ dtype: "string", shape: [1] }), s: Uint8Array.of(255, 255, 255, 255, 1) },
    ],
    [
      "a string's length is cut off",
      "TRUNCATED",
      /strings of "w"/,
      { m: one({ dtype: "string", shape: [2] }), s: Uint8Array.of(3, 0, 0, 0, 1, 2, 3, 0, 0) },
    ],
    ["groups are numbers", "CORRUPT", /expected for a group/, { m: ascii("[1, 2]") }],
  ])("is refused where %s", async (_, code, message, files) => {
    const error = await refused(openFiles({ ...files, ...("s" in files ? {} : { s }) }), code);
    expect(error.message).toMatch(message);
    expect(error.offset).toBeLessThan(Object.values(files)[0].length);
  });

  it("is refused, or comes back byte for byte, whatever is written into its JSON or its strings", async () => {
    const files = layersModel(WEIGHTS, [100, 330]);
    let accepted = 0;
    for (const name of ["model.json", "group1-shard2of3.bin"]) {
      for (const mutant of mutants(files[name], 600, 17)) {
        const mutated = { ...files, [name]: mutant };
        try {
          const back = await restoreFiles(await openFiles(mutated));
          for (const [file, bytes] of Object.entries(back)) expectSame(bytes, mutated[file]);
          accepted++;
        } catch (error) {
          expect(error).toMatchObject({ name: "FormatError" });
        }
      }
    }
    expect(accepted).toBeGreaterThan(100);
  });
});

describe("a TF.js model in a folder", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "coppice-tfjs-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function expectRoundTrip(model: string, files: readonly string[], title: string): Promise<void> {
    const archive = path.join(folder, `${title}.coppice`);
    const report = await compressFile(model, archive, { recipe: { rules: [], contexts: "none" } });
    const originals = files.map((file) => new Uint8Array(readFileSync(path.join(path.dirname(model), file))));
    const sourceBytes = originals.reduce((sum, { length }) => sum + length, 0);
    expect(report.file.sourceBytes).toBe(sourceBytes);
    expect((await inspect(archive)).file.sourceBytes).toBe(sourceBytes);
    expect((await verify(model, archive)).ok).toBe(true);
    const written = await decompressFile(archive, path.join(folder, title));
    expect(written).toEqual(files.map((file) => path.join(folder, title, file)));
    for (const [i, bytes] of originals.entries()) expectSame(new Uint8Array(readFileSync(written[i])), bytes);
    const inMemory = await decompress(archive);
    expect(inMemory.map((file) => file.path)).toEqual(files);
    for (const [i, { bytes }] of inMemory.entries()) expectSame(bytes, originals[i]);
  }

  it("whose weights cross the ends of files comes back byte for byte, from archives of several blocks", async () => {
    const large = { ...made("large", "float32", [1500, 1000], 0), data: floats(1_500_000) };
    const files = layersModel([WEIGHTS[0], large, ...WEIGHTS.slice(1)], [2_000_001, 4_000_000, 4_194_304 + 288, 4_194_304 + 291]);
    await expectRoundTrip(writeFiles(path.join(folder, "made"), files), Object.keys(files), "made-back");
  });

  it("is read from where its bytes stand, where they stand in one file", async () => {
    const files = layersModel(WEIGHTS, [300]);
    const first = writeFiles(path.join(folder, "places"), files);
    const beside = (name: string) => fileSource(path.join(folder, "places", name));
    const opened = await Promise.all(Object.keys(files).slice(1).map(beside));
    const model = await openModel(await fileSource(first), {
      name: first,
      beside: async (name) => opened[name.includes("shard1") ? 0 : 1],
    });
    expect(model.place?.(0)).toEqual({ fd: opened[0].place?.fd, offset: 0 });
    expect(model.place?.(2), "over the end of a file").toBeUndefined();
    const after = 30 + 14 + WEIGHTS[4].data.length - (300 - 292);
    expect(model.place?.(4)).toEqual({ fd: opened[1].place?.fd, offset: after });
    expect(model.place?.(6), "of no bytes").toBeUndefined();
    await model.close();
    for (const source of opened) await source.close();
  });

  it.for([
    ["doodlenet-tfjs", "model.json", "group1-shard1of1.bin", 16],
    ["faceapi-mtcnn-tfjs", "mtcnn_model-weights_manifest.json", "mtcnn_model-shard1", 50],
  ] as const)("%s comes back byte for byte", async ([title, name, shard, count], context) => {
    const model = dataFile(`${title}/${name}`);
    if (model === undefined) return context.skip(NO_DATA);
    await expectRoundTrip(model, [name, shard], title);
    expect((await inspect(path.join(folder, `${title}.coppice`))).tensors).toHaveLength(count);
  });
});
