import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bytesSource, FORMATS, fileSource, openModel } from "../../src/formats/index.js";
import type { OpenModel } from "../../src/types.js";
import { makeH5 } from "./h5file.js";
import { acceptedOrRefused, ascii, expectSame, floats, makeNpy, makeSafetensors, noise, refused } from "./helpers.js";
import { initializer, model, raw, tensor } from "./onnxfile.js";
import { makeTorchLegacy, makeTorchZip, tensor as torchTensor } from "./pickler.js";
import { makeZip } from "./zipfile.js";

const NPY = makeNpy("<f4", [2], floats(2));
const NPZ = makeZip([{ name: "w.npy", data: NPY }]);
const ONNX = model([initializer(tensor("w", "FLOAT", [2], raw(floats(2))))]);
const TORCH = makeTorchZip({ w: torchTensor({ count: 2, shape: [2] }) }, { 0: floats(2) });
const LEGACY = makeTorchLegacy({ w: torchTensor({ count: 2, shape: [2] }) }, { 0: floats(2) });
const H5 = makeH5((file) => file.create_dataset({ name: "w", data: new Float32Array(2) }));
const SAFETENSORS = makeSafetensors([{ name: "w", dtype: "F32", shape: [2], data: floats(2) }]);

describe("openModel", () => {
  it("tells the format by the bytes", async () => {
    for (const [name, file] of [
      ["npy", NPY],
      ["npz", NPZ],
      ["onnx", ONNX],
      ["pytorch", TORCH],
      ["pytorch", LEGACY],
      ["keras", H5],
      ["keras", makeZip([{ name: "model.weights.h5", data: H5 }])],
      ["safetensors", SAFETENSORS],
    ] as const) {
      expect((await openModel(bytesSource(file))).format).toBe(name);
    }
    expect((await openModel(bytesSource(makeZip([])))).format).toBe("npz");
    expect(FORMATS.map(({ name }) => name)).toEqual(["json", "npy", "npz", "pytorch", "keras", "onnx", "safetensors"]);
  });

  it.each([
    ["models/fc1.npy", "fc1"],
    ["models\\fc1.weight.npy", "fc1.weight"],
    ["fc1", "fc1"],
    ["models/", "array"],
    [undefined, "array"],
  ])("names the tensor of %s %s", async (name, wanted) => {
    expect((await openModel(bytesSource(NPY), { name })).tensors[0].name).toBe(wanted);
  });

  it("refuses what is no model", async () => {
    await refused(openModel(bytesSource(ascii("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"))), "MAGIC");
    await refused(openModel(bytesSource(new Uint8Array(0))), "TRUNCATED");
    await refused(openModel(bytesSource(ascii("PK"))), "TRUNCATED");
  });

  it("gives nothing but a FormatError for noise", async () => {
    const next = noise(21);
    for (let i = 0; i < 3000; i++) {
      const bytes = Uint8Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256));
      const heads = [
        [],
        [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 20, 0],
        [0x50, 0x4b, 3, 4],
        [9, 0, 0, 0, 0, 0, 0, 0, 0x7b],
        [8, 8, 0x3a, 40, 0x2a, 38],
        [...LEGACY.subarray(0, 100)],
      ];
      const head = heads[i % heads.length];
      bytes.set(head.slice(0, bytes.length));
      await acceptedOrRefused(bytes, (file): Promise<OpenModel> => openModel(bytesSource(file)));
    }
  });
});

describe("fileSource", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "coppice-source-"));
  const file = path.join(folder, "bytes");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads by range, and says when the file became shorter", async () => {
    const bytes = floats(5000);
    writeFileSync(file, bytes);
    const source = await fileSource(file);
    expect(source.byteLength).toBe(20_000);
    expectSame(await source.read(0, 20_000), bytes);
    expectSame(await source.read(777, 5), bytes.subarray(777, 782));
    expect(await source.read(20_000, 0)).toHaveLength(0);
    expect(() => source.read(19_999, 2)).toThrow(RangeError);
    expect(() => source.read(-1, 2)).toThrow(RangeError);
    truncateSync(file, 10_000);
    expect((await refused(source.read(9_000, 5_000), "TRUNCATED")).offset).toBe(10_000);
    await source.close();
  });

  it("blames the caller for a path that is not a file", async () => {
    await expect(fileSource(folder)).rejects.toThrow(TypeError);
    await expect(fileSource(path.join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("bytesSource", () => {
  it("gives views within the buffer and nothing outside", async () => {
    const source = bytesSource(Uint8Array.of(1, 2, 3));
    expect([...(await source.read(1, 2))]).toEqual([2, 3]);
    await expect(source.read(1, 3)).rejects.toThrow(RangeError);
    expect(() => bytesSource([1, 2] as never)).toThrow(TypeError);
  });
});
