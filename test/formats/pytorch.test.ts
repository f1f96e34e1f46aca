import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import type { FormatErrorCode } from "../../src/errors.js";
import { fileSource, openModel } from "../../src/formats/index.js";
import { compress, decode, decompress, verify } from "../../src/index.js";
import type { OpenModel } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import { acceptedOrRefused, concat, expectSame, floats, lendingSource, makeNpy, mutants, readAll, refused, restore } from "./helpers.js";
import {
  build,
  checksums,
  global,
  makeTorchLegacy,
  makeTorchZip,
  ops,
  type Py,
  pickle,
  push,
  reduce,
  type Storages,
  storage,
  type TorchLegacyOptions,
  type TorchZipOptions,
  tensor,
  tuple,
  typedTensor,
  type View,
} from "./pickler.js";
import { makeZip } from "./zipfile.js";

const open = (bytes: Uint8Array, name?: string): Promise<OpenModel> => openModel(lendingSource(bytes), { name });
const made = (name: string): Uint8Array => new Uint8Array(readFileSync(path.join(ROOT, "test/formats/torch", `${name}.pt`)));
const listed = (model: OpenModel): string[] => model.tensors.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`);

const TEN = floats(10);
const W: View = { count: 10, shape: [2, 5] };

/** Both forms of a file. */
const FORMS: [form: string, make: (root: Py, storages: Storages) => Uint8Array][] = [
  ["zip", (root, storages) => makeTorchZip(root, storages)],
  ["legacy", (root, storages) => makeTorchLegacy(root, storages)],
];

async function listOf(root: Py, storages: Storages = { 0: TEN }): Promise<string[]> {
  const lists: string[][] = [];
  for (const [, make] of FORMS) {
    const file = make(root, storages);
    const model = await open(file);
    expect(model.format).toBe("pytorch");
    expectSame(await restore(model), file);
    lists.push(listed(model));
  }
  expect(lists[1]).toEqual(lists[0]);
  return lists[0];
}

const CHECKPOINT = [
  "state_dict.0.weight F32 [2,1,3,3]",
  "state_dict.0.bias F32 [2]",
  "state_dict.1.weight F32 [2]",
  "state_dict.1.bias F32 [2]",
  "state_dict.1.running_mean F32 [2]",
  "state_dict.1.running_var F32 [2]",
  "state_dict.1.num_batches_tracked I64 []",
  "optimizer.state.0.step F32 []",
  "optimizer.state.0.exp_avg F32 [2,1,3,3]",
  "parameter F32 [3,2]",
  "items.0 F32 [2]",
  "items.1.0 F32 [3]",
  "tied.0 F32 [4,6]",
  "transposed F32 [5,3]",
  "channels (axes 0, 2, 3, 1) F32 [2,2,2,3]",
  "halves.0 F32 [1,2]",
  "halves.1 F32 [2,2]",
  "expanded (as stored) F32 [3]",
  "part F32 [2]",
  "empty F32 [0,3]",
  "scalar F32 []",
  "part (rest at 48) F32 [1988]",
];

describe("files that PyTorch made", () => {
  it.each(["checkpoint", "checkpoint.legacy"])("%s: tensors by their paths, in the order of the dictionaries", async (name) => {
    const file = made(name);
    const model = await open(file);
    expect(listed(model)).toEqual(CHECKPOINT);
    const all = await readAll(model);
    // Elements count up in row-major order, but where the bytes are not those of the tensor alone.
    for (const [i, { name: title, dtype }] of model.tensors.entries()) {
      if (dtype !== "F32" || /channels|halves.1|part/.test(title)) continue;
      const values = [...new Float32Array(all[i].slice().buffer)];
      expect(values, title).toEqual(values.map((_, k) => k));
    }
    const valuesOf = (title: string): number[] => [
      ...new Float32Array(all[model.tensors.findIndex((t) => t.name.startsWith(title))].slice().buffer),
    ];
    expect(valuesOf("channels").slice(0, 6)).toEqual([0, 4, 8, 1, 5, 9]);
    expect(valuesOf("halves.1")).toEqual([2, 3, 4, 5]);
    expect(valuesOf("part")).toEqual([10, 11]);
    expect(valuesOf("part (rest").slice(0, 2)).toEqual([12, 13]);
    expectSame(await restore(model), file);
  });

  it.each(["dtypes", "dtypes.legacy"])("%s: every dtype", async (name) => {
    const model = await open(made(name));
    expect(model.tensors.map(({ name: title, dtype }) => [title, dtype])).toEqual([
      ["float16", "F16"],
      ["bfloat16", "BF16"],
      ["float64", "F64"],
      ["int64", "I64"],
      ["int32", "I32"],
      ["int16", "I16"],
      ["int8", "I8"],
      ["uint8", "U8"],
      ["bool", "BOOL"],
      ["complex64", "C64"],
      ["complex128", "C128"],
      ["uint16", "U16"],
      ["uint32", "U32"],
      ["uint64", "U64"],
      ["float8_e4m3fn", "F8_E4M3"],
      ["float8_e5m2", "F8_E5M2"],
      ["float8_e4m3fnuz", "F8_E4M3FNUZ"],
      ["float8_e5m2fnuz", "F8_E5M2FNUZ"],
    ]);
    expect(model.tensors.every(({ shape }) => String(shape) === "2,3")).toBe(true);
    const all = await readAll(model);
    const counting = [0, 1, 2, 3, 4, 5];
    expect([...new Float64Array(all[2].slice().buffer)]).toEqual(counting);
    expect([...new BigInt64Array(all[3].slice().buffer)]).toEqual(counting.map(BigInt));
    expect([...all[7]]).toEqual(counting);
    expect([...new Uint16Array(all[11].slice().buffer)]).toEqual(counting);
    expectSame(await restore(model), made(name));
  });

  it.each(["protocol4", "protocol4.legacy", "unchecked"])("%s comes back byte for byte", async (name) => {
    const model = await open(made(name));
    expect(listed(model)).toEqual(CHECKPOINT.slice(0, 7).map((line) => line.slice("state_dict.".length)));
    expectSame(await restore(model), made(name));
  });

  it("are refused where they hold classes, whose code would have to be run", async () => {
    expect((await refused(open(made("module")), "UNSUPPORTED")).message).toContain("torch.nn.modules.container.Sequential");
  });

  it.each(["checkpoint", "unchecked"])("%s: checksums are right where tensors come back changed", async (name) => {
    const model = await open(made(name));
    const [weight] = await readAll(model);
    const changed = weight.map((byte) => byte ^ 0x40);
    const back = await restore(model, new Map([[0, changed]]));
    const entry = `${name}/data/0`;
    const before = checksums(made(name));
    for (const [member, [said, actual]] of checksums(back)) {
      if (member === entry) expect([said, actual !== before.get(member)?.[1]], member).toEqual([actual, true]);
      else expect([said, actual], member).toEqual(before.get(member));
    }
    const again = await readAll(await open(back));
    expectSame(again[0], changed);
  });
});

describe("the tensors of a file", () => {
  it("have the path on which they are reached first, from dictionaries, lists, tuples and attributes", async () => {
    const root = ops(
      "}(",
      ...["X\x01\0\0\0a", tensor(W)],
      ...["K\x07", ops("](", tensor({ ...W, key: "1" }), "N", tuple(tensor({ ...W, key: "2" })), "e")],
      ...["X\x01\0\0\0s", build(ops(global("argparse", "Namespace"), ")", 0x81), { net: { w: tensor({ ...W, key: "3" }) } })],
      ...["X\x01\0\0\0o", build(reduce(global("collections", "OrderedDict")), { _extra: tensor({ ...W, key: "4" }) })],
      ...[tuple(1, 2), tensor({ ...W, key: "5" })],
      ...["N", tensor({ ...W, key: "6" })],
      "u",
    );
    const storages = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [String(i), TEN]));
    const paths = (await listOf(root, storages)).map((line) => line.split(" ")[0]);
    expect(paths).toEqual(["a", "7.0", "7.2.0", "s.net.w", "o._extra", "#4", "None"]);
  });

  it("have the file's name where one is saved alone", async () => {
    const file = makeTorchZip(tensor(W), { 0: TEN });
    expect((await open(file, "models/fc1.pt")).tensors[0].name).toBe("fc1");
    expect((await open(file)).tensors[0].name).toBe("tensor");
  });

  it("are found in cycles, and once", async () => {
    const root = ops("}q", 0, "(X\x04\0\0\0self", "h", 0, "X\x01\0\0\0w", tensor(W), "q", 1, "X\x01\0\0\0v", "h", 1, "u");
    expect(await listOf(root)).toEqual(["w F32 [2,5]"]);
  });

  it("are weights where they are of the model and have two axes, whatever they are called", async () => {
    let next = 0;
    const storages: Record<string, Uint8Array> = {};
    const own = (shape: readonly number[] = [2, 5]): Uint8Array => {
      const key = String(next++);
      storages[key] = TEN;
      return tensor({ key, count: 10, shape });
    };
    const shared = own();
    const root: Py = {
      optimizer: ops("}(", push("held"), shared, "q", 9, push("exp"), own(), "u"),
      state_dict: { "optimizer.weight": own(), bias: own([10]), held: ops("h", 9), exp_avg: own() },
      others: [
        { state: { 0: { m: own() } }, param_groups: [] },
        { state: own(), groups: [] },
      ],
      optimizer_states: [own()],
      ema: { optimizer: own(), weight: own(), running_mean: own([10]) },
    };
    const model = await open(makeTorchZip(root, storages));
    expect(Object.fromEntries(model.tensors.map(({ name }, i) => [name, model.role?.(i)]))).toEqual({
      "optimizer.held": "weight",
      "optimizer.exp": "other",
      "state_dict.optimizer.weight": "weight",
      "state_dict.bias": "other",
      "state_dict.exp_avg": "other",
      "others.0.state.0.m": "other",
      "others.1.state": "weight",
      "optimizer_states.0": "other",
      "ema.optimizer": "other",
      "ema.weight": "weight",
      "ema.running_mean": "other",
    });
  });

  it("are one weight where a weight shares its bytes with an optimizer's", async () => {
    const root: Py = { optimizer: { copy: tensor(W) }, model: { w: tensor(W) } };
    const model = await open(makeTorchZip(root, { 0: TEN }));
    expect(model.tensors.map((_, i) => model.role?.(i))).toEqual(["weight"]);
  });

  it("have names of their own, where paths are the same", async () => {
    const root: Py = { "a.b": tensor(W), a: { b: tensor({ ...W, key: "1" }), "b (2)": tensor({ ...W, key: "2" }) } };
    expect(await listOf(root, { 0: TEN, 1: TEN, 2: TEN })).toEqual(["a.b F32 [2,5]", "a.b (2) F32 [2,5]", "a.b (2) (2) F32 [2,5]"]);
  });

  it.each<[string, Record<string, View>, string[]]>([
    ["one on part of a storage, the rest of which is literal", { w: { count: 10, first: 3, shape: [2] } }, ["w F32 [2]"]],
    [
      "two that lie side by side",
      { a: { count: 10, first: 6, shape: [4] }, b: { count: 10, shape: [2, 3] } },
      ["a F32 [4]", "b F32 [2,3]"],
    ],
    ["the same twice", { a: W, b: W }, ["a F32 [2,5]"]],
    ["a part of another", { row: { count: 10, first: 5, shape: [5] }, all: W }, ["all F32 [2,5]"]],
    ["one and its transposed view", { t: { count: 10, shape: [5, 2], strides: [1, 5] }, w: W }, ["w F32 [2,5]"]],
    ["in column-major order", { t: { count: 10, shape: [5, 2], strides: [1, 5] } }, ["t F32 [5,2]"]],
    ["with strides of axes of length 1 that say nothing", { w: { count: 10, shape: [1, 10, 1], strides: [77, 1, 5] } }, ["w F32 [1,10,1]"]],
    ["with axes in another order", { w: { count: 8, shape: [2, 1, 2, 2], strides: [4, 9, 1, 2] } }, ["w (axes 0, 3, 2, 1) F32 [2,2,2,1]"]],
    ["spread", { w: { count: 10, shape: [2, 2], strides: [5, 2] } }, ["w (as stored) F32 [8]"]],
    ["repeated", { w: { count: 10, shape: [1000, 5], strides: [0, 1] } }, ["w (as stored) F32 [5]"]],
    [
      "repeated beyond all memory",
      { w: { count: 10, shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], strides: [0, 0, 0] } },
      ["w (as stored) F32 [1]"],
    ],
    ["that overlap", { a: { count: 10, shape: [6] }, b: { count: 10, first: 4, shape: [6] } }, ["a (as stored) F32 [10]"]],
    ["without elements", { w: { count: 10, shape: [3, 0], strides: [9, 9] }, v: W }, ["w F32 [3,0]", "v F32 [2,5]"]],
    ["a scalar", { w: { count: 10, first: 9, shape: [] } }, ["w F32 []"]],
  ])("%s", async (_, views, wanted) => {
    const root = Object.fromEntries(Object.entries(views).map(([name, view]) => [name, tensor(view)]));
    const count = Object.values(views)[0].count as number;
    expect(await listOf(root, { 0: TEN.subarray(0, 4 * count) })).toEqual(wanted);
  });

  it("are one of bytes where they see a storage in different dtypes", async () => {
    const views = (b: View): Py => ({ a: typedTensor("float32", { count: 40, first: 1, shape: [3] }), b: typedTensor("float16", b) });
    const file = (b: View): Uint8Array => makeTorchZip(views(b), { 0: TEN });
    expect(listed(await open(file({ count: 40, first: 7, shape: [2] })))).toEqual(["a (as stored) U8 [14]"]);
    expect(listed(await open(file({ count: 40, first: 2, shape: [2, 3] })))).toEqual(["a F32 [3]"]);
    expect(listed(await open(file({ count: 40, first: 8, shape: [2, 3] })))).toEqual(["a F32 [3]", "b F16 [2,3]"]);
  });

  it("hold what no tensor shows, where that is much", async () => {
    const storages = { 0: floats(3000), 1: floats(2000), 2: TEN };
    const root = ops(
      "](",
      tensor({ count: 3000, first: 1100, shape: [100] }),
      reduce(global("torch", "device"), storage({ key: "1", count: 2000 }), storage({ key: "2", count: 10 })),
      "e",
    );
    expect(await listOf(root, storages)).toEqual([
      "0 F32 [100]",
      "0 (rest at 0) F32 [1100]",
      "0 (rest at 4800) F32 [1800]",
      "storage 1 F32 [2000]",
    ]);
  });

  it("are those of parameters, of a storage that is saved itself, and of tensors with attributes", async () => {
    const rebuild = (name: string): Uint8Array => global("torch._utils", name);
    const inner = tuple(storage({ key: "1", count: 10 }), 0, tuple(5), tuple(2));
    const root: Py = {
      p: reduce(rebuild("_rebuild_parameter"), tensor(W), true, {}),
      t: reduce(global("torch._tensor", "_rebuild_from_type_v2"), rebuild("_rebuild_tensor"), global("torch", "Tensor"), inner, {
        note: "x",
      }),
      s: storage({ key: "2", count: 10 }),
      h: reduce(
        rebuild("_rebuild_tensor_v3"),
        storage({ type: "Untyped", key: "3", count: 40 }),
        1,
        tuple(2, 4),
        tuple(4, 1),
        false,
        {},
        global("torch", "complex32"),
      ),
    };
    const file = makeTorchZip(root, { 0: TEN, 1: TEN, 2: TEN, 3: TEN });
    expect(listed(await open(file))).toEqual(["p F32 [2,5]", "t (as stored) F32 [9]", "s F32 [10]", "h F16 [2,4,2]"]);
    expectSame(await restore(await open(file)), file);
  });

  it("of an old file may be on a view of a storage", async () => {
    const file = makeTorchLegacy({ w: tensor({ count: 10, shape: [3], view: tuple("7", 4, 3) }) }, { 0: TEN });
    const model = await open(file);
    expect(listed(model)).toEqual(["w F32 [3]"]);
    expectSame((await readAll(model))[0], TEN.subarray(16, 28));
    expectSame(await restore(model), file);
    await refused(open(makeTorchLegacy({ w: tensor({ count: 10, shape: [3], view: tuple("7", 8, 3) }) }, { 0: TEN })), "CORRUPT");
    await refused(open(makeTorchLegacy({ w: tensor({ count: 10, shape: [3], view: tuple("7", 0, 2) }) }, { 0: TEN })), "CORRUPT");
  });

  it("are little-endian, whatever the file is", async () => {
    const root: Py = {
      w: tensor(W),
      t: tensor({ ...W, key: "1", shape: [5, 2], strides: [1, 5] }),
      b: tensor({ ...W, type: "Byte", key: "2" }),
    };
    const big = TEN.slice();
    for (let at = 0; at < 40; at += 4) big.subarray(at, at + 4).reverse();
    const file = makeTorchZip(root, { 0: big, 1: big, 2: TEN.subarray(0, 10) }, { byteorder: "big" });
    const model = await open(file);
    const [w, t, b] = await readAll(model, 7);
    expectSame(w, TEN);
    const values = new Float32Array(TEN.slice().buffer);
    expect([...new Float32Array(t.slice().buffer)]).toEqual([0, 5, 1, 6, 2, 7, 3, 8, 4, 9].map((i) => values[i]));
    expectSame(b, TEN.subarray(0, 10));
    expectSame(await restore(model), file);
    const changed = TEN.map((byte) => byte & 0xf0);
    const back = await readAll(await open(await restore(model, new Map([[0, changed]]))));
    expectSame(back[0], changed);
  });

  it("are read by range, where they are", async () => {
    const model = await open(makeTorchZip({ w: tensor(W) }, { 0: TEN }));
    expectSame(await model.read(0, 12, 8), TEN.subarray(12, 20));
    await expect(model.read(0, 37, 4)).rejects.toThrow(RangeError);
    await expect(model.read(1, 0, 1)).rejects.toThrow(RangeError);
  });

  it("stand in one run of an open file, but those that are turned", async () => {
    const model = await openModel(await fileSource(path.join(ROOT, "test/formats/torch/checkpoint.pt")));
    const file = made("checkpoint");
    for (const [i, { name }] of model.tensors.entries()) {
      const place = model.place?.(i);
      if (name === "transposed") {
        expect(place).toBeUndefined();
        continue;
      }
      const all = (await readAll(model))[i];
      expectSame(file.subarray(place!.offset, place!.offset + all.length), all);
    }
    await model.close();
  });
});

describe("a zip", () => {
  it("is of PyTorch where a folder has a data.pkl, and else a .npz", async () => {
    const npy = makeNpy("<f4", [10], TEN);
    expect((await open(makeZip([{ name: "data.pkl.npy", data: npy }]))).format).toBe("npz");
    expect((await open(makeTorchZip({ w: tensor(W) }, { 0: TEN }, { more: [{ name: "x.npy", data: npy }] }))).format).toBe("pytorch");
    await refused(open(makeZip([{ name: "data.pkl", data: pickle(null) }])), "MAGIC");
  });

  it("may have a deflated pickle, and members that are no storages", async () => {
    const zip = makeZip([
      { name: "m/", data: new Uint8Array(0) },
      { name: "m/data/0", data: TEN },
      { name: "m/data/9", data: floats(50) },
      { name: "m/data.pkl", data: pickle({ w: tensor(W) }), level: 6 },
    ]);
    const model = await open(zip);
    expect(listed(model)).toEqual(["w F32 [2,5]"]);
    expectSame(await restore(model), zip);
  });
});

describe("a hostile file", () => {
  const zip = (root: Py, storages: Storages = { 0: TEN }, options?: TorchZipOptions): Uint8Array => makeTorchZip(root, storages, options);
  const legacy = (options: TorchLegacyOptions, storages: Storages = { 0: TEN }, root: Py = { w: tensor(W) }): Uint8Array =>
    makeTorchLegacy(root, storages, options);
  const one = (view: Partial<View>): Uint8Array => zip({ w: tensor({ ...W, ...view }) });

  it.each<[string, FormatErrorCode, Uint8Array]>([
    ["a tensor past its storage", "CORRUPT", one({ first: 1 })],
    ["a tensor whose strides leave its storage", "CORRUPT", one({ strides: [6, 1] })],
    ["a tensor of 2^53 elements", "CORRUPT", one({ shape: [2 ** 31 - 1, 2 ** 31 - 1], strides: [2 ** 31 - 1, 1] })],
    ["an empty tensor past its storage", "CORRUPT", one({ first: 11, shape: [0] })],
    ["an empty tensor of too many elements", "LIMIT", one({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 0] })],
    ["a tensor of negative strides", "CORRUPT", one({ strides: [5, -1] })],
    ["a tensor of a negative axis", "CORRUPT", one({ shape: [-2, 5] })],
    ["a tensor of half an axis", "CORRUPT", one({ shape: [2.5, 4] })],
    ["a tensor with a word for a length", "CORRUPT", one({ shape: ["two", 5], strides: [5, 1] })],
    ["a tensor of more axes than strides", "CORRUPT", one({ strides: [1] })],
    ["a tensor of 65 axes", "LIMIT", one({ shape: Array(65).fill(1) })],
    ["a tensor whose shape is no tuple", "CORRUPT", zip(reduce(global("torch._utils", "_rebuild_tensor"), storage(W), 0, 5, 1))],
    ["a tensor without a storage", "CORRUPT", zip(reduce(global("torch._utils", "_rebuild_tensor"), null, 0, tuple(5), tuple(1)))],
    ["a tensor without a dtype", "CORRUPT", zip(reduce(global("torch._utils", "_rebuild_tensor_v3"), storage(W), 0, tuple(5), tuple(1)))],
    ["a tensor whose dtype is none", "UNSUPPORTED", zip(typedTensor("Size", { count: 40, shape: [2] }))],
    ["a tensor to which state is given", "UNSUPPORTED", zip(build(tensor(W), tuple(1)))],
    ["a name of more than 65535 bytes", "LIMIT", zip({ ["n".repeat(65_536)]: tensor(W) })],
    ["an object outside that is no storage", "UNSUPPORTED", zip(ops(tuple("module", "x", "y", "z"), "Q"))],
    ["an object outside that is no tuple", "UNSUPPORTED", zip(ops("NQ"))],
    ["a storage of another class", "UNSUPPORTED", zip(ops(tuple("storage", global("torch", "Size"), "0", "cpu", 10), "Q"))],
    ["a storage without a key", "CORRUPT", zip(ops(tuple("storage", global("torch", "FloatStorage"), 0, "cpu", 10), "Q"))],
    ["a storage of two sizes", "CORRUPT", zip([tensor(W), tensor({ ...W, count: 11 })])],
    ["a storage that is not there", "CORRUPT", zip({ w: tensor({ ...W, key: "1" }) })],
    ["a storage outside of the folder", "CORRUPT", zip({ w: tensor({ ...W, key: "../version" }) })],
    ["a storage shorter than the pickle says", "CORRUPT", one({ count: 11 })],
    ["a storage of 2^53 bytes", "CORRUPT", zip({ w: tensor({ ...W, count: 2 ** 53 }) })],
    ["a deflated storage", "UNSUPPORTED", zip({ w: tensor(W) }, { 0: TEN }, { member: { level: 6, descriptor: undefined } })],
    ["bytes behind the pickle", "TRAILING", zip(null, { 0: TEN }, { pickle: concat(pickle({ w: tensor(W) }), Uint8Array.of(0)) })],
    ["a pickle without an end", "TRUNCATED", zip(null, { 0: TEN }, { pickle: pickle({ w: tensor(W) }).slice(0, -1) })],
    ["another byte order", "CORRUPT", zip({ w: tensor(W) }, { 0: TEN }, { byteorder: "middle" })],
    ["a byte order of a kilobyte", "LIMIT", zip({ w: tensor(W) }, { 0: TEN }, { byteorder: "little".repeat(200) })],
    [
      "a member with a size that lies",
      "CORRUPT",
      zip({ w: tensor(W) }, { 0: TEN }, { member: { size: 1 << 30, compressedSize: 1 << 30 } }),
    ],
    ["another magic number", "MAGIC", legacy({ magic: 0x1950a86a20f9469cfc6dn })],
    ["another version", "VERSION", legacy({ version: 1002 })],
    ["a big-endian machine", "UNSUPPORTED", legacy({ system: { little_endian: false } })],
    ["a machine that does not say", "CORRUPT", legacy({ system: [] })],
    ["a machine that is a function", "UNSUPPORTED", legacy({ system: global("os", "system") })],
    ["keys that are no list", "CORRUPT", legacy({ keys: 1 })],
    ["a key that is no string", "CORRUPT", legacy({ keys: [0] })],
    ["a key that is not asked for", "CORRUPT", legacy({}, { 0: TEN, 1: TEN })],
    ["a key too few", "CORRUPT", legacy({}, {})],
    ["a key twice", "DUPLICATE", legacy({ keys: ["0", "0"] })],
    ["another number of elements", "CORRUPT", legacy({ counts: { 0: 11 } })],
    ["2^63 elements", "CORRUPT", legacy({ counts: { 0: 2 ** 63 } })],
    ["a storage that does not end", "TRUNCATED", legacy({}).slice(0, -1)],
    ["a storage without its number", "TRUNCATED", legacy({}).slice(0, -41)],
    ["bytes behind the last storage", "TRAILING", concat(legacy({}), Uint8Array.of(0))],
  ])("with %s is refused", async (_, code, file) => void (await refused(open(file), code)));

  it("that asks for a function is refused in either form, and says what and where", async () => {
    const call = reduce(global("posix", "system"), "echo pwned");
    for (const [, make] of FORMS) {
      const error = await refused(open(make({ w: tensor(W), x: call }, { 0: TEN })), "UNSUPPORTED");
      expect(error.message).toContain('"posix.system"');
    }
    await refused(open(makeTorchLegacy({ w: tensor(W) }, { 0: TEN }, { keys: call })), "UNSUPPORTED");
  });

  it("with tensors behind names that multiply ends at a limit", async () => {
    const name = "n".repeat(60_000);
    const views = Array.from({ length: 1200 }, () => tensor({ count: 10, shape: [1] }));
    await refused(open(zip({ [name]: views })), "LIMIT");
  });

  it("with lists that hold each other twice is walked once", async () => {
    const levels = 60;
    const nested = ops(
      "]q",
      0,
      tensor(W),
      "a0",
      ...Array.from({ length: levels }, (_, i) => ops("](h", i, "h", i, "eq", i + 1, "0")),
      "h",
      levels,
    );
    expect(listed(await open(zip(nested))).map((line) => line.split(" ")[0])).toEqual([
      Array(levels + 1)
        .fill("0")
        .join("."),
    ]);
  });

  it("that is cut off anywhere is refused", async () => {
    const root: Py = { w: tensor({ count: 2, shape: [2] }) };
    for (const [, make] of FORMS) {
      const file = make(root, { 0: TEN.subarray(0, 8) });
      for (let n = 0; n < file.length; n++) expect(await acceptedOrRefused(file.slice(0, n), open), `${n} bytes`).toBe(false);
      expect(await acceptedOrRefused(file, open)).toBe(true);
    }
  });

  it("gives nothing but a FormatError for mutants, and accepted ones back byte for byte", async () => {
    let accepted = 0;
    const files = [
      makeTorchZip({ w: tensor({ count: 4, shape: [2, 2] }), n: [1, 2.5] }, { 0: TEN.subarray(0, 16) }),
      made("protocol4.legacy"),
    ];
    for (const file of files) for (const mutant of mutants(file, 2500, 5)) if (await acceptedOrRefused(mutant, open)) accepted++;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(5000);
  });
});

describe("compressing", () => {
  it("shares the weights of a file, which is one of PyTorch again", async () => {
    const weights = floats(4000);
    for (const [, make] of FORMS) {
      const file = make(
        { net: { weight: tensor({ count: 4000, shape: [50, 80] }), bias: tensor({ ...W, key: "1" }) } },
        { 0: weights, 1: TEN },
      );
      const { archive, report } = await compress(file);
      expect(report.tensors.map(({ name, exact }) => [name, exact])).toEqual([
        ["net.weight", false],
        ["net.bias", true],
      ]);
      const [{ bytes }] = await decompress(archive);
      const back = await readAll(await open(bytes));
      for (const [i, { data }] of decode(archive).entries()) expectSame(back[i], data);
      for (const [member, [said, actual]] of checksums(bytes)) expect(said, member).toBe(actual);
      expect((await verify(file, archive)).tensors[1].exact).toBe(true);
    }
  });
});

describe("the models of the data folder", () => {
  it.for([
    ["resnet-cifar10/resnet20-12fca82f.th", "resnet-cifar10/resnet20-cifar10.safetensors"],
    ["resnet-cifar10/resnet32-d509ac18.th", "resnet-cifar10/resnet32-cifar10.safetensors"],
  ])("%s has the tensors of %s", async ([torch, safetensors], context) => {
    const [file, beside] = [dataFile(torch), dataFile(safetensors)];
    if (!file || !beside) return context.skip(NO_DATA);
    const [model, wanted] = [await openModel(await fileSource(file)), await openModel(await fileSource(beside))];
    const bytes = await readAll(wanted);
    const byName = new Map(wanted.tensors.map((info, i) => [`state_dict.module.${info.name}`, { info, data: bytes[i] }]));
    for (const [i, data] of (await readAll(model)).entries()) {
      const { name, dtype, shape } = model.tensors[i];
      const same = byName.get(name);
      expect([dtype, shape], name).toEqual([same?.info.dtype, same?.info.shape]);
      expectSame(data, same!.data);
      byName.delete(name);
    }
    // The files are from before PyTorch counted batches.
    expect([...byName.keys()].filter((name) => !name.endsWith(".num_batches_tracked"))).toEqual([]);
    expectSame(await restore(model), new Uint8Array(readFileSync(file)));
    await model.close();
    await wanted.close();
  });

  it("ultraface has its 244 tensors, and comes back byte for byte", async (context) => {
    const file = dataFile("ultraface/version-RFB-320.pth");
    if (!file) return context.skip(NO_DATA);
    const model = await openModel(await fileSource(file));
    expect(model.tensors).toHaveLength(244);
    expect(listed(model).slice(0, 2)).toEqual(["base_net.0.0.weight F32 [16,3,3,3]", "base_net.0.1.weight F32 [16]"]);
    expectSame(await restore(model), new Uint8Array(readFileSync(file)));
    await model.close();
  });
});
