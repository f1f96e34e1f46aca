import { readFileSync } from "node:fs";
import type { File, Group, LIBVER_BOUND } from "h5wasm/node";
import { describe, expect, it } from "vitest";
import * as edge from "../../src/decode/index.js";
import { crc32 } from "../../src/formats/crc32.js";
import { bytesSource, openModel } from "../../src/formats/index.js";
import { readZip } from "../../src/formats/zip.js";
import { compress, decompress } from "../../src/index.js";
import type { OpenModel } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import { addDataset, contentsOf, makeH5 } from "./h5file.js";
import { acceptedOrRefused, collect, concat, expectSame, floats, lendingSource, mutants, readAll, refused, restore } from "./helpers.js";
import { makeZip } from "./zipfile.js";

const open = (bytes: Uint8Array): Promise<OpenModel> => openModel(lendingSource(bytes));

const float32 = (count: number, seed = 1): Float32Array => new Float32Array(floats(count, seed).buffer);

/** A layer as Keras 2 writes it. */
function addLayer(file: File, path: string, variables: Readonly<Record<string, readonly number[]>>): void {
  for (const [i, [name, shape]] of Object.entries(variables).entries()) {
    const data = float32(
      shape.reduce((product, axis) => product * axis, 1),
      i + path.length,
    );
    addDataset(file, `${path}/${name}`, { data, shape: [...shape] });
  }
}

/** A model as Keras 2 writes it, with what a training state has. */
function fillKeras(file: File): void {
  file.create_attribute("keras_version", "2.3.1");
  file.create_attribute("model_config", JSON.stringify({ class_name: "Sequential", config: { layers: [] } }));
  addLayer(file, "model_weights/conv2d/conv2d", { "kernel:0": [3, 3, 2, 4], "bias:0": [4] });
  (file.get("model_weights/conv2d") as Group).create_attribute("weight_names", ["conv2d/kernel:0", "conv2d/bias:0"]);
  addLayer(file, "model_weights/gru/gru", { "kernel:0": [4, 9], "recurrent_kernel:0": [3, 9], "bias:0": [2, 9] });
  addLayer(file, "model_weights/batch_normalization/batch_normalization", { "gamma:0": [4], "moving_variance:0": [4] });
  addLayer(file, "optimizer_weights/Adam/conv2d/kernel", { "m:0": [3, 3, 2, 4] });
  addDataset(file, "optimizer_weights/Adam/iter:0", { data: new BigInt64Array([1234n]), shape: [], dtype: "<q" });
}

const KERAS = makeH5(fillKeras);

const NEWEST: readonly [LIBVER_BOUND, boolean][] = [
  ["earliest", false],
  ["v108", false],
  ["v108", true],
  ["latest", false],
  ["latest", true],
];

describe.each(NEWEST)("an HDF5 file in the form of %s, in order of creation: %s", (libver, trackOrder) => {
  const all = (file: File): void => {
    fillKeras(file);
    const numbers = new Float64Array([0, 1, -2, 3.5, 1e3, 7]);
    for (const dtype of ["<b", "<B", "<h", "<H", "<i", "<I", "<f", "<d"])
      addDataset(file, `dtypes/${dtype}`, {
        data: dtype.endsWith("d") ? numbers : numbers.map((x) => Math.abs(x) | 0),
        dtype,
        shape: [2, 3],
      });
    addDataset(file, "text", { data: ["ein", "zwei"], shape: [2] });
    addDataset(file, "chunked", { data: float32(6000), shape: [60, 100], chunks: [10, 100], compression: "gzip" });
    file.create_group("many");
    for (let i = 0; i < 300; i++) file.create_dataset({ name: `many/variable number ${i}`, data: float32(4, i), shape: [2, 2] });
  };
  const made = makeH5(all, libver, trackOrder);

  it("lists every dataset that the library reads and that stands in one run, with its bytes", async () => {
    const model = await open(made);
    const contents = [...contentsOf(made)].filter(([, object]) => "value" in (object as object)) as [
      string,
      { value: ArrayLike<number | bigint>; shape: number[]; dtype: string; filters: unknown[] },
    ][];
    const wanted = contents.filter(([, { filters, dtype }]) => filters.length === 0 && typeof dtype === "string" && !dtype.startsWith("S"));
    expect(wanted.length).toBe(317);
    const listed = new Map(model.tensors.map((tensor, i) => [tensor.name, i]));
    const datas = await readAll(model);
    for (const [name, { value, shape }] of wanted) {
      const tensor = listed.get(name) as number;
      expect(model.tensors[tensor], name).toMatchObject({ name, shape });
      const typed = Array.from(typeof value === "object" ? value : [value]);
      expect(numbersOf(datas[tensor], model.tensors[tensor].dtype), name).toEqual(typed);
      listed.delete(name);
    }
    expect([...listed.keys()].filter((name) => !name.startsWith("(rest at "))).toEqual([]);
  });

  it("comes back byte for byte, and with other weights as a file in which only those differ", async () => {
    const model = await open(made);
    expectSame(await restore(model), made);
    const kernel = model.tensors.findIndex(({ name }) => name === "model_weights/conv2d/conv2d/kernel:0");
    const changed = floats(72, 99);
    const contents = contentsOf(await restore(model, new Map([[kernel, changed]])));
    const before = contentsOf(made);
    const { value } = contents.get("model_weights/conv2d/conv2d/kernel:0") as { value: Float32Array };
    expectSame(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), changed);
    expect(contents.size).toBe(before.size);
    for (const [path, object] of before) if (!path.endsWith("conv2d/kernel:0")) expect(contents.get(path), path).toEqual(object);
  });
});

function numbersOf(bytes: Uint8Array, dtype: string): (number | bigint)[] {
  const types = {
    F32: Float32Array,
    F64: Float64Array,
    I8: Int8Array,
    U8: Uint8Array,
    I16: Int16Array,
    U16: Uint16Array,
    I32: Int32Array,
    U32: Uint32Array,
    I64: BigInt64Array,
  };
  const type = types[dtype as keyof typeof types];
  return Array.from(new type(bytes.slice().buffer) as Iterable<number | bigint>);
}

describe("a Keras model", () => {
  it("says which of its variables are weights, of a recurrent model here: kernels and embeddings, not biases, statistics or the optimiser's state", async () => {
    const model = await open(KERAS);
    const weights = model.tensors.filter((_, i) => model.role?.(i) === "recurrent").map(({ name }) => name);
    expect(weights.sort()).toEqual([
      "model_weights/conv2d/conv2d/kernel:0",
      "model_weights/gru/gru/kernel:0",
      "model_weights/gru/gru/recurrent_kernel:0",
    ]);
  });

  it("of Keras 3 is a zip, whose weights are found in it", async () => {
    const weights = makeH5((file) => {
      addLayer(file, "layers/dense/vars", { 0: [40, 30], 1: [30] });
      addLayer(file, "optimizer/vars", { 0: [], 1: [40, 30], 2: [30] });
    });
    const members = [
      { name: "metadata.json", data: new Uint8Array(Buffer.from('{"keras_version": "3.5.0"}')) },
      { name: "config.json", data: new Uint8Array(Buffer.from("{}")) },
    ];
    for (const level of [0, 6]) {
      const file = makeZip([...members, { name: "model.weights.h5", data: weights, level }]);
      const model = await open(file);
      expect(model.format).toBe("keras");
      expect(model.tensors.filter((_, i) => model.role?.(i) === "weight").map(({ name }) => name)).toEqual(["layers/dense/vars/0"]);
      expectSame(await restore(model), file);
      const {
        archive,
        report: { tensors },
      } = await compress(file);
      expect(tensors.filter(({ exact }) => !exact).map(({ name }) => name)).toEqual(["layers/dense/vars/0"]);
      // The checksum of the member is that of the new bytes.
      const [{ bytes }] = await decompress(archive);
      expect((await open(bytes)).tensors).toEqual(model.tensors);
      const [member] = (await readZip(bytesSource(bytes))).entries.filter(({ name }) => name === "model.weights.h5");
      expect(crc32(bytes.subarray(member.dataOffset, member.dataEnd))).toBe(member.crc);
    }
  });

  it("comes back byte for byte, on the edge too, and default shares its kernels alone", async ({ skip }) => {
    const file = dataFile("mlperf-tiny-resnet8/pretrainedResnet.h5");
    if (!file) return skip(NO_DATA);
    const original = new Uint8Array(readFileSync(file));
    const exact = (await compress(original, { preset: "exact" })).archive;
    expectSame((await decompress(exact))[0].bytes, original);
    expectSame(await collect(edge.toFile(await edge.open(bytesSource(exact)))), original);
    const {
      archive,
      report: { tensors },
    } = await compress(original);
    const shared = tensors.filter((tensor) => !tensor.exact).map(({ name }) => name);
    expect(shared).toHaveLength(10);
    expect(shared.every((name) => /^model_weights\/.*\/kernel:0$/.test(name))).toBe(true);
    const [{ bytes }] = await decompress(archive);
    const [before, after] = [contentsOf(original), contentsOf(bytes)];
    expect([...after.keys()]).toEqual([...before.keys()]);
    expect(before.size).toBeGreaterThan(150);
    for (const [path, object] of before) if (!shared.includes(path)) expect(after.get(path), path).toEqual(object);
  });
});

describe("a file of another's", () => {
  it("is read behind a user's own bytes", async () => {
    for (const before of [512, 2048]) {
      const file = concat(new Uint8Array(before).fill(0x20), KERAS);
      const model = await open(file);
      expect(model.tensors).toEqual((await open(KERAS)).tensors.map((tensor) => tensor));
      expectSame(await restore(model), file);
    }
  });

  it("is read where its numbers are big-endian", async () => {
    const file = KERAS.slice();
    // The datatype of an IEEE float of 4 bytes: the lowest bit of the byte behind its class is the order.
    const types = Array.from(file.keys()).filter(
      (at) => file[at] === 0x11 && file[at + 1] === 0x20 && file[at + 2] === 0x1f && file[at + 4] === 4,
    );
    expect(types.length).toBe(8);
    for (const at of types) file[at + 1] |= 1;
    const model = await open(file);
    const contents = contentsOf(file);
    const datas = await readAll(model);
    for (const [i, { name, dtype }] of model.tensors.entries())
      if (dtype === "F32")
        expect(numbersOf(datas[i], dtype), name).toEqual(Array.from((contents.get(name) as { value: Float32Array }).value));
    expectSame(await restore(model), file);
  });

  it("keeps what stands between its datasets as tensors where that is long", async () => {
    const noise = Float32Array.from({ length: 40_000 }, (_, i) => Math.sin(i * i));
    const file = makeH5((h5) => h5.create_dataset({ name: "x", data: noise, shape: [40_000], chunks: [40_000] }));
    const model = await open(file);
    expect(model.tensors).toMatchObject([{ dtype: "U8" }]);
    expect(model.tensors[0].name).toMatch(/^\(rest at \d+\)$/);
    expect(model.role?.(0)).toBe("other");
    expectSame(await restore(model), file);
  });

  it("is refused wherever it is cut off", async () => {
    for (let n = 0; n < KERAS.length; n += n < 4096 ? 1 : 97) {
      expect(await acceptedOrRefused(KERAS.slice(0, n), open), `${n} of ${KERAS.length} bytes`).toBe(false);
    }
    expect(await acceptedOrRefused(KERAS, open)).toBe(true);
  });

  it.each(NEWEST)("gives nothing but a FormatError when mutated: %s %s", async (libver, trackOrder) => {
    const seed = makeH5(
      (file) => {
        addLayer(file, "layers/dense/vars", { 0: [4, 3], 1: [3] });
        for (let i = 0; i < 12; i++) file.create_dataset({ name: `v${i}`, data: float32(2), shape: [2] });
      },
      libver,
      trackOrder,
    );
    let accepted = 0;
    for (const mutant of mutants(seed, 1500, 7)) accepted += Number(await acceptedOrRefused(mutant, open));
    expect(accepted).toBeGreaterThan(50);
    expect(accepted).toBeLessThan(1500);
  });

  /** Offsets of an 8-byte number in a file. */
  const placesOf = (file: Uint8Array, value: number): number[] => {
    const view = new DataView(file.buffer);
    return Array.from({ length: file.length - 8 }, (_, at) => at).filter((at) => view.getBigUint64(at, true) === BigInt(value));
  };
  const patched = (file: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = file.slice();
    new DataView(copy.buffer).setBigUint64(at, BigInt(value), true);
    return copy;
  };
  const pair = makeH5((file) => {
    for (const name of ["a", "b"]) file.create_dataset({ name, data: float32(100, name.charCodeAt(0)), shape: [100] });
  });
  /** Where data of 400 bytes begin: an address with that length behind it. */
  const layouts = placesOf(pair, 400)
    .map((at) => at - 8)
    .filter((at) => new DataView(pair.buffer).getUint16(at - 2, true) === 0x0103);

  it("is refused where datasets overlap, end behind the file, or have other bytes than their shape", async () => {
    expect(layouts).toHaveLength(2);
    const [first] = layouts.map((at) => Number(new DataView(pair.buffer).getBigUint64(at, true)));
    await refused(open(patched(pair, layouts[1], first + 8)), "CORRUPT");
    await refused(open(patched(pair, layouts[1], pair.length - 8)), "TRUNCATED");
    await refused(open(patched(pair, layouts[1], 2 ** 52)), "TRUNCATED");
    await refused(open(patched(pair, layouts[1] + 8, 404)), "CORRUPT");
  });

  it("is refused where structures go round in circles", async () => {
    // A continuation of the header that is that header again.
    const deep = makeH5((file) => {
      const group = file.create_group("g");
      for (let i = 0; i < 6; i++) group.create_attribute(`attribute ${i}`, "x".repeat(300));
    });
    const view = new DataView(deep.buffer);
    let circles = 0;
    for (let at = 0; at + 24 < deep.length; at += 8) {
      if (view.getUint16(at, true) !== 0x10 || view.getUint16(at + 2, true) !== 16) continue;
      const chunk = Number(view.getBigUint64(at + 8, true));
      if (chunk === 0 || chunk > deep.length) continue;
      circles++;
      await refused(open(patched(patched(deep, at + 8, at), at + 16, 24)), "CORRUPT");
    }
    expect(circles).toBeGreaterThan(0);
  });

  it("is refused where its structures would take much memory", async () => {
    // The heap of a group's names, with a length of nearly all of a file of 2^40 bytes.
    const heap = Buffer.from(pair).indexOf("HEAP");
    const file = patched(pair, heap + 8, 2 ** 40 - 4096);
    const source = lendingSource(file);
    const huge = {
      ...source,
      byteLength: 2 ** 40,
      read: (offset: number, bytes: number) => source.read(offset, Math.min(bytes, file.length - offset)),
    };
    await refused(openModel(huge), "LIMIT");
    await refused(open(file), "CORRUPT");
  });

  it("is one tensor where two groups name it", async () => {
    const linked = makeH5((file) => {
      file.create_dataset({ name: "a", data: float32(4), shape: [4] });
      file.create_hard_link("a", "b");
      file.create_soft_link("/a", "c");
    });
    expect((await open(linked)).tensors).toMatchObject([{ name: "a", shape: [4] }]);
  });
});
