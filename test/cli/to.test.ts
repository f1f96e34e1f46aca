import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { openSafetensors } from "../../src/formats/safetensors.js";
import { compress, decompress } from "../../src/index.js";
import type { Tensor } from "../../src/types.js";
import { floats, makeNpy, makeSafetensors, readAll } from "../formats/helpers.js";
import { writeFiles } from "../formats/several.js";
import { makeZip } from "../formats/zipfile.js";
import { expectSame } from "../kernels/all.js";
import { done, fails, modelFile, testFolder } from "./cli.js";

const USAGE = 2;
const FILE_FAULT = 3;

const folder = testFolder();
const at = (...names: string[]): string => path.join(folder, ...names);

const A: Tensor = { name: "z.first", dtype: "F32", shape: [2, 3], data: floats(6, 1) };
const B: Tensor = { name: "a.second", dtype: "F32", shape: [4], data: floats(4, 2) };
const C: Tensor = { name: "m.third", dtype: "F32", shape: [], data: floats(1, 3) };

/** Two shards and their index; gives the path of the index. */
function shards(name: string): string {
  const metadata = new Map([["format", "pt"]]);
  const one = makeSafetensors([A], metadata);
  const two = makeSafetensors([B, C], metadata);
  const weight_map = { [A.name]: "one.safetensors", [B.name]: "two.safetensors", [C.name]: "two.safetensors" };
  const index = Buffer.from(JSON.stringify({ metadata: {}, weight_map }));
  return writeFiles(at(name), { "model.safetensors.index.json": index, "one.safetensors": one, "two.safetensors": two });
}

async function expectTensors(file: string, tensors: readonly Tensor[]): Promise<void> {
  const model = await openSafetensors(bytesSource(new Uint8Array(readFileSync(file))));
  expect(model.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
    tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
  );
  for (const [i, data] of (await readAll(model)).entries()) expectSame(data, tensors[i].data, tensors[i].name);
}

describe("decompress --to safetensors", () => {
  it("gives the tensors of any model, in order, in a file that is called like the model", async () => {
    const big = new Uint8Array(A.data).reverse();
    writeFileSync(
      at("net.npz"),
      makeZip([
        { name: "z.first.npy", data: makeNpy(">f4", [2, 3], big) },
        { name: "a.second.npy", data: makeNpy("<f4", [4], B.data), level: 6 },
        { name: "readme.txt", data: new Uint8Array(9) },
      ]),
    );
    await done(["compress", at("net.npz"), "--preset", "exact"]);
    const { stdout } = await done(["decompress", at("net.npz.coppice"), "--to", "safetensors", "--json"]);
    const bytes = readFileSync(at("net.safetensors")).length;
    expect(JSON.parse(stdout.toString())).toEqual({ files: [{ path: at("net.safetensors"), bytes }] });
    const turned = Float32Array.from({ length: 6 }, (_, i) => new DataView(big.buffer).getFloat32(4 * i));
    await expectTensors(at("net.safetensors"), [{ ...A, data: new Uint8Array(turned.buffer) }, B]);
  });

  it("makes one file of several, which may go to standard output, and keeps what all say of themselves", async () => {
    const index = shards("sharded");
    await done(["compress", index, "--preset", "exact", "-o", at("v1.5.coppice")]);
    await done(["decompress", at("v1.5.coppice"), "--to", "safetensors"]);
    await expectTensors(at("v1.5.safetensors"), [A, B, C]);
    const file = readFileSync(at("v1.5.safetensors"));
    expect(file.toString("latin1")).toContain('"__metadata__":{"format":"pt"}');
    const { stdout } = await done(["decompress", at("v1.5.coppice"), "--to", "safetensors", "-o", "-"]);
    expect(Buffer.compare(stdout, file)).toBe(0);
  });

  it("gives a safetensors file back as it was", async () => {
    const file = modelFile(folder, "own.safetensors");
    await done(["compress", file, "--preset", "exact"]);
    expect(await fails(USAGE, ["decompress", `${file}.coppice`, "--to", "safetensors"])).toMatch(/own\.safetensors exists already/);
    await done(["decompress", `${file}.coppice`, "--to", "safetensors", "-o", at("same")]);
    expect(Buffer.compare(readFileSync(at("same")), readFileSync(file))).toBe(0);
  });

  it("is the same in memory", async () => {
    const { archive } = await compress([A, B], { preset: "exact" });
    const own = await decompress(archive);
    expect(await decompress(archive, { to: "safetensors" })).toEqual(own);
    const zip = makeZip([{ name: `${B.name}.npy`, data: makeNpy("<f4", [4], B.data) }]);
    const [{ path: name, bytes }] = await decompress((await compress(zip)).archive, { to: "safetensors" });
    expect(name).toBe("");
    expectSame(bytes, makeSafetensors([B]));
    await expect(decompress(archive, { to: "onnx" as "safetensors" })).rejects.toThrow(/^to must be/);
  });

  it("knows no other format, and no list of them", async () => {
    for (const to of ["npz", "safetensors,npz", ""]) {
      expect(await fails(USAGE, ["decompress", at("v1.5.coppice"), "--to", to])).toMatch(/--to .*Allowed choices are safetensors/);
    }
  });

  it("refuses what safetensors cannot hold, and names it", async () => {
    const refused = async (name: string, array: Uint8Array): Promise<string> => {
      writeFileSync(at("odd.npz"), makeZip([{ name: `${name}.npy`, data: array }]));
      await done(["compress", at("odd.npz"), "--force"]);
      return fails(FILE_FAULT, ["decompress", at("odd.npz.coppice"), "--to", "safetensors"]);
    };
    expect(await refused("waves", makeNpy("<c16", [2], new Uint8Array(32)))).toMatch(/UNSUPPORTED .*"waves": the format has no C128/);
    expect(await refused("__metadata__", makeNpy("<f4", [4], B.data))).toMatch(/UNSUPPORTED .*"__metadata__": .*uses that name itself/);
    expect(existsSync(at("odd.safetensors"))).toBe(false);
  });
});

describe("decompress without -o", () => {
  it("refuses numbers that are scaled by what the model says elsewhere, and takes those that are not", async () => {
    const quantised = async (name: string, quantization: object): Promise<string> => {
      const weights = [{ name: "half/kernel", shape: [10, 10], dtype: "float32", quantization }];
      const json = { format: "graph-model", modelTopology: {}, weightsManifest: [{ paths: ["w.bin"], weights }] };
      const model = writeFiles(at(name), { "model.json": Buffer.from(JSON.stringify(json)), "w.bin": floats(50) });
      await done(["compress", model, "--preset", "exact", "-o", at(`${name}.coppice`)]);
      return at(`${name}.coppice`);
    };
    const half = await quantised("half", { dtype: "float16", original_dtype: "float32" });
    await done(["decompress", half, "--to", "safetensors"]);
    await expectTensors(at("half.safetensors"), [{ name: "half/kernel", dtype: "F16", shape: [10, 10], data: floats(50) }]);
    const scaled = await quantised("scaled", { dtype: "uint16", scale: 0.01, min: -0.5 });
    expect(await fails(FILE_FAULT, ["decompress", scaled, "--to", "safetensors"])).toMatch(/"half\/kernel".*scale and least value/);
    expect(existsSync(at("scaled.safetensors"))).toBe(false);
  });

  it("puts several files into a folder called like the archive, and one file in its place", async () => {
    const index = shards("usual");
    await done(["compress", index]);
    await done(["decompress", `${index}.coppice`]);
    expect(readdirSync(at("usual", "model")).sort()).toEqual(["model.safetensors.index.json", "one.safetensors", "two.safetensors"]);
    for (const name of ["v1.5", "net.onnx"]) {
      await done(["compress", index, "-o", at(`${name}.coppice`), "--force"]);
      await done(["decompress", at(`${name}.coppice`)]);
    }
    expect(readdirSync(at("v1.5"))).toHaveLength(3);
    expect(readdirSync(at("net"))).toHaveLength(3);
  });

  it("overwrites no file that has the folder's name", async () => {
    writeFileSync(at("taken"), "mine");
    await done(["compress", shards("again"), "-o", at("taken.coppice")]);
    expect(await fails(USAGE, ["decompress", at("taken.coppice"), "--force"])).toMatch(/must name a folder for the 3 files/);
    expect(readFileSync(at("taken"), "utf8")).toBe("mine");
  });
});
