import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { bytesSource, fileSource, openModel, openOnnx, openSafetensors } from "../../src/formats/index.js";
import { compress, decompress } from "../../src/index.js";
import type { Source } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import { acceptedOrRefused, concat, expectSame, floats, makeSafetensors, mutants, readAll, refused, restore } from "./helpers.js";
import {
  bytes,
  constant,
  external,
  fixed32,
  graphAttribute,
  initializer,
  int,
  model,
  names,
  node,
  oneOf,
  open,
  packed,
  raw,
  tensor,
  tensorAttribute,
  varint,
  W,
  w,
} from "./onnxfile.js";

const REAL = [
  "lenet/lenet-300-100.dense.onnx",
  "lenet/lenet-300-100.dns-sparse.onnx",
  "lenet/lenet-5.dense.onnx",
  "lenet/lenet-5.dns-sparse.onnx",
  "mnist-cntk-onnx/mnist.onnx",
  "resnet-cifar10/resnet20-cifar10.onnx",
  "resnet-cifar10/resnet32-cifar10.onnx",
  "silero-vad/silero_vad_16k_op15.onnx",
  "squeezenet/squeezenet-v1.1-fp16.onnx",
  "ultraface/version-RFB-320.onnx",
];

describe("openOnnx lists", () => {
  const eight = floats(8);
  const LISTED: [what: string, fields: Uint8Array, listed: object, data: Uint8Array][] = [
    ["raw data", w("a"), { name: "a", dtype: "F32", shape: [4, 6] }, W],
    ["a scalar", tensor("a", "FLOAT16", [], raw(Uint8Array.of(1, 2))), { dtype: "F16", shape: [] }, Uint8Array.of(1, 2)],
    ["bfloat16", tensor("a", "BFLOAT16", [16], raw(eight)), { dtype: "BF16", shape: [16] }, eight],
    ["int64", tensor("a", "INT64", [4], raw(eight)), { dtype: "I64", shape: [4] }, eight],
    ["bool", tensor("a", "BOOL", [32], raw(eight)), { dtype: "BOOL", shape: [32] }, eight],
    ["8-bit floats", tensor("a", "FLOAT8E8M0", [32], raw(eight)), { dtype: "F8_E8M0", shape: [32] }, eight],
    ["packed float_data", tensor("a", "FLOAT", [2, 4], bytes(4, eight)), { dtype: "F32", shape: [2, 4] }, eight],
    ["complex float_data", tensor("a", "COMPLEX64", [4], bytes(4, eight)), { dtype: "C64", shape: [4] }, eight],
    ["packed double_data", tensor("a", "DOUBLE", [4], bytes(10, eight)), { dtype: "F64", shape: [4] }, eight],
    ["complex double_data", tensor("a", "COMPLEX128", [2], bytes(10, eight)), { dtype: "C128", shape: [2] }, eight],
    ["elements of 4 bits, as bytes", tensor("a", "INT4", [3, 21], raw(eight)), { dtype: "U8", shape: [32] }, eight],
    ["dims in a row", concat(bytes(1, packed([4, 6])), int(2, 1), raw(W)), { name: "", dtype: "F32", shape: [4, 6] }, W],
    ["data before all else", concat(raw(W), bytes(8, "z"), int(2, 1), int(1, 24)), { name: "z", shape: [24] }, W],
    ["data beside empty fields", concat(w("a"), bytes(4, ""), bytes(7, "")), { shape: [4, 6] }, W],
  ];

  it.each(LISTED)("%s", async (_, fields, listed, data) => {
    const file = oneOf(fields);
    const opened = await open(file);
    expect(opened.tensors).toHaveLength(1);
    expect(opened.tensors[0]).toMatchObject(listed);
    expectSame((await readAll(opened))[0], data);
    expectSame(await restore(opened), file);
    // What changes in it is all that changes in the file.
    const changed = data.map((byte) => byte ^ 0x55);
    const at = Buffer.from(file).indexOf(data);
    expectSame(await restore(opened, new Map([[0, changed]])), concat(file.subarray(0, at), changed, file.subarray(at + data.length)));
  });

  const KEPT: [what: string, fields: Uint8Array][] = [
    ["int64_data", tensor("a", "INT64", [3], bytes(7, packed([1, -1n, 300])))],
    ["int32_data", tensor("a", "INT32", [3], bytes(5, packed([1, -1n, 300])))],
    ["float16 in int32_data", tensor("a", "FLOAT16", [3], bytes(5, packed([15360, 0, 300])))],
    ["uint64_data", tensor("a", "UINT64", [1], bytes(11, packed([2n ** 64n - 1n])))],
    ["float_data that is not packed", tensor("a", "FLOAT", [2], fixed32(4, eight.subarray(0, 4)), fixed32(4, eight.subarray(4, 8)))],
    ["float_data in two parts", tensor("a", "FLOAT", [4], bytes(4, eight.subarray(0, 8)), bytes(4, eight.subarray(8, 16)))],
    ["float_data of another type", tensor("a", "FLOAT16", [8], bytes(4, eight))],
    ["raw data and other data", concat(w("a"), bytes(4, W))],
    ["texts", tensor("a", "STRING", [2], bytes(6, "one"), bytes(6, "two"))],
    ["a segment", concat(w("a"), bytes(3, int(1, 5)))],
    ["no data", tensor("a", "FLOAT", [0])],
    ["empty data", tensor("a", "FLOAT", [0, 3], raw(new Uint8Array(0)))],
    ["no type", concat(int(1, 24), bytes(8, "a"), raw(W))],
    ["a type that is not known", concat(int(1, 24), int(2, 99), raw(W))],
  ];

  it.each(KEPT)("not %s, which comes back as it is", async (_, fields) => {
    const file = model([initializer(w("first")), initializer(fields), initializer(w("last"))]);
    const opened = await open(file);
    expect(names(opened)).toEqual(["first", "last"]);
    expectSame(await restore(opened), file);
  });

  it("sparse initialisers not, and keeps fields that are not known", async () => {
    const sparse = concat(bytes(1, tensor("s", "FLOAT", [24], raw(W))), bytes(2, tensor("", "INT64", [0])), int(3, 9000));
    const file = model(
      [bytes(15, sparse), initializer(w("a")), bytes(999, "?"), int(998, -1n), fixed32(997, W.subarray(0, 4))],
      bytes(1_000_000, W),
      concat(varint(8 * 77 + 1), W.subarray(0, 8)),
    );
    const opened = await open(file);
    expect(names(opened)).toEqual(["a"]);
    expectSame(await restore(opened), file);
  });

  it("what attributes hold from 64 bytes on, by the node's output", async () => {
    const short = tensor("", "INT64", [7], raw(new Uint8Array(56)));
    const long = tensor("", "INT64", [8], raw(new Uint8Array(64)));
    const several = concat(bytes(1, "tables"), bytes(10, w("")), bytes(10, w("")), int(20, 9));
    const file = model([
      constant("short", short),
      constant("long", long),
      node("Custom", ["long"], ["y"], { attributes: [tensorAttribute("table", w("named")), several] }),
      initializer(short),
    ]);
    const opened = await open(file);
    expect(names(opened)).toEqual(["long", "y.table", "y.tables", "y.tables#2", ""]);
    expectSame(await restore(opened), file);
  });

  it("those of graphs in the graph, of functions and of training, each by a name of its own", async () => {
    const inner = node("If", ["c"], ["z"], { attributes: [graphAttribute("then_branch", initializer(w("w")))] });
    const branches = [graphAttribute("then_branch", initializer(w("w")), inner), graphAttribute("else_branch", initializer(w("w")))];
    const fn = concat(bytes(1, "layer"), constant("w", w("")).with(0, 8 * 7 + 2), bytes(10, "local"));
    const file = model(
      [
        node("If", ["c"], ["y"], { attributes: branches }),
        initializer(w("w")),
        initializer(w("")),
        initializer(w("")),
        initializer(w("w#2")),
      ],
      bytes(20, bytes(1, initializer(w("w")))),
      bytes(25, fn),
    );
    const opened = await open(file);
    expect(names(opened)).toEqual([
      ...["then_branch/w", "then_branch/w#2", "else_branch/w", "w", "", "#2", "w#2"],
      ...["training/w", "layer/w"],
    ]);
    expectSame(await restore(opened), file);
    const { archive } = await compress(file, { preset: "default" });
    expect((await decompress(archive))[0].bytes).toHaveLength(file.length);
  });

  it("nothing of an empty graph", async () => {
    const file = model([]);
    expect((await open(file)).tensors).toEqual([]);
    expectSame(await restore(await open(file)), file);
  });

  it.for(REAL)("all of %s, and gives it back byte for byte", async (name, context) => {
    const path = dataFile(name);
    if (!path) return context.skip(NO_DATA);
    const file = new Uint8Array(readFileSync(path));
    const opened = await openModel(await fileSource(path), { name: path });
    expect(opened.format).toBe("onnx");
    expect(opened.tensors.length).toBeGreaterThan(5);
    expectSame(await restore(opened), file);
    const [{ pieces }] = await opened.templates({ exact: () => true, bytes: () => collectNothing() });
    const kept = pieces.reduce((sum, piece) => sum + (piece.kind === "bytes" ? piece.bytes.length : 0), 0);
    expect(kept, "only the graph is left").toBeLessThan(52_000);
    await opened.close();
    const { archive } = await compress(path, { recipe: { rules: [], contexts: "none" } });
    expectSame((await decompress(archive))[0].bytes, file);
  });

  async function* collectNothing(): AsyncGenerator<Uint8Array> {}

  it.for([
    ["lenet/lenet-300-100.dense", 6],
    ["lenet/lenet-300-100.dns-sparse", 6],
    ["lenet/lenet-5.dense", 8],
    ["lenet/lenet-5.dns-sparse", 8],
  ] as const)("the tensors of the safetensors file beside %s", async ([name, count], context) => {
    const [onnx, safetensors] = [dataFile(`${name}.onnx`), dataFile(`${name}.safetensors`)];
    if (!onnx || !safetensors) return context.skip(NO_DATA);
    const [model, beside] = [await open(readFileSync(onnx)), await openSafetensors(bytesSource(readFileSync(safetensors)))];
    const [data, wanted] = [await readAll(model), await readAll(beside)];
    expect(model.tensors).toHaveLength(count);
    expect(new Set(names(model))).toEqual(new Set(names(beside)));
    for (const [i, info] of beside.tensors.entries()) {
      const at = names(model).indexOf(info.name);
      expect(model.tensors[at]).toEqual(info);
      expectSame(data[at], wanted[i]);
    }
  });
});

describe("openOnnx refuses", () => {
  /** A message in itself: a graph in a node in a graph. */
  const nested = (depth: number): Uint8Array =>
    depth === 0 ? bytes(2, "g") : node("If", ["c"], ["y"], { attributes: [graphAttribute("body", nested(depth - 1))] });
  const file = oneOf(w("a"));
  const REFUSED: [what: string, code: FormatErrorCode, file: Uint8Array][] = [
    ["no graph", "TRUNCATED", concat(int(1, 8), bytes(2, "coppice"))],
    ["field 0", "CORRUPT", concat(file, Uint8Array.of(0, 0))],
    ["a tag of more than 32 bits", "CORRUPT", concat(file, Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x1f, 1))],
    ["a tag of six bytes", "CORRUPT", concat(file, Uint8Array.of(0xf8, 0x80, 0x80, 0x80, 0x80, 0, 1))],
    ["a number of eleven bytes", "CORRUPT", concat(file, Uint8Array.of(8, ...new Array(10).fill(0x80), 0))],
    ["a number that is cut off", "TRUNCATED", concat(file, Uint8Array.of(8, 0x80))],
    ["a group", "UNSUPPORTED", concat(file, Uint8Array.of(0x9b, 1, 0x9c, 1))],
    ["a length that the file does not have", "TRUNCATED", concat(file, Uint8Array.of(0x12, 5, 1))],
    ["a length of 2^64 - 1", "TRUNCATED", concat(file, Uint8Array.of(0x12), varint(-1n))],
    ["a field longer than its message", "CORRUPT", model([concat(bytes(1, ""), varint(8 * 5 + 2), varint(9))])],
    ["a number cut off by the end of its message", "CORRUPT", model([concat(int(3, 1), Uint8Array.of(0x80))])],
    ["messages nested without end", "LIMIT", model([nested(40)])],
    ["a negative axis", "CORRUPT", oneOf(tensor("a", "FLOAT", [-1, 6], raw(W)))],
    ["an axis of 2^53", "CORRUPT", oneOf(tensor("a", "FLOAT", [2 ** 53], raw(W)))],
    ["axes whose product is too large", "LIMIT", oneOf(tensor("a", "FLOAT", [2 ** 40, 2 ** 40], raw(W)))],
    ["more axes than a model has", "LIMIT", oneOf(tensor("a", "FLOAT", new Array(65).fill(1), raw(W.subarray(0, 4))))],
    ["more axes than a model has, in a row", "LIMIT", oneOf(concat(bytes(1, packed(new Array(65).fill(1))), int(2, 1), raw(W)))],
    ["axes in a row, cut off", "CORRUPT", oneOf(concat(bytes(1, Uint8Array.of(1, 0x80)), int(2, 1), raw(W)))],
    ["too few bytes", "CORRUPT", oneOf(tensor("a", "FLOAT", [5, 6], raw(W)))],
    ["too many bytes", "CORRUPT", oneOf(tensor("a", "DOUBLE", [11], bytes(10, W)))],
    ["a name of 64 KiB", "LIMIT", oneOf(tensor("n".repeat(65536), "FLOAT", [24], raw(W)))],
    [
      "data in another file, of a model that has none",
      "UNSUPPORTED",
      oneOf(tensor("a", "FLOAT", [24], external({ location: "data.bin" }))),
    ],
    ["data in a file without a name", "CORRUPT", oneOf(tensor("a", "FLOAT", [24], external({ offset: 0 })))],
    ["texts in another file", "UNSUPPORTED", oneOf(tensor("a", "STRING", [24], external({ location: "data.bin" })))],
  ];

  it.each(REFUSED)("%s", async (_, code, bad) => {
    expect((await refused(open(bad), code)).offset).toBeLessThanOrEqual(bad.length);
  });

  it("takes graphs as deep as the reference implementation reads them", async () => {
    expect((await open(model([nested(32)]))).tensors).toEqual([]);
  });

  it("names the byte", async () => {
    const bad = oneOf(tensor("a", "FLOAT", [5, 6], raw(W)));
    expect((await refused(open(bad), "CORRUPT")).offset).toBe(bad.indexOf(9 * 8 + 2, bad.indexOf(0x61)));
  });

  it("every truncation within the graph", async () => {
    const end = file.length - 4; // the version of the operators follows it: so much is a whole model, too
    for (let n = 0; n < file.length; n++) expect(await acceptedOrRefused(file.slice(0, n), open), `${n} bytes`).toBe(n === end);
  });

  it("graphs of more nodes than memory has room for, before they fill it", async () => {
    const nodes = new Uint8Array(2 * ((1 << 22) + 1));
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a;
    await refused(open(concat(int(1, 8), bytes(7, nodes))), "LIMIT");
  });

  it("more beside the tensors than an archive holds, before it is read", async () => {
    const byteLength = 2 ** 28 + 100;
    const head = concat(int(1, 8), bytes(7, ""), Uint8Array.of(0x32), varint(byteLength));
    const read: number[] = [];
    const source: Source = {
      byteLength: head.length + byteLength,
      async read(offset, length) {
        read.push(length);
        const view = new Uint8Array(length);
        view.set(head.subarray(offset));
        return view;
      },
      close: async () => undefined,
    };
    await refused(openOnnx(source), "LIMIT");
    expect(Math.max(...read)).toBeLessThan(100_000);
  });

  it("nothing but with a FormatError, of mutants, and gives accepted ones back byte for byte", async () => {
    const branch = graphAttribute("then_branch", initializer(w("w")), node("Conv", ["x", "w"], ["y"]));
    const seeds = [
      oneOf(tensor("a", "FLOAT", [6], raw(floats(6)))),
      model([node("If", ["c"], ["y"], { attributes: [branch] }), constant("k", tensor("", "INT64", [8], raw(new Uint8Array(64))))]),
    ];
    let accepted = 0;
    for (const seed of seeds) for (const mutant of mutants(seed, 2500, 5)) if (await acceptedOrRefused(mutant, open)) accepted++;
    expect(accepted).toBeGreaterThan(500);
    expect(accepted).toBeLessThan(4500);
  });
});

describe("openModel", () => {
  it("tells ONNX from safetensors whose length begins as ONNX does", async () => {
    const length = 0x00_12_08_08; // as ONNX has it: version 8, then the name of who wrote it
    const file = concat(Uint8Array.of(8, 8, 0x12, 0, 0, 0, 0, 0), new TextEncoder().encode("{}".padEnd(length)));
    expect((await openModel(bytesSource(file))).format).toBe("safetensors");
    expect((await openModel(bytesSource(oneOf(w("a"))))).format).toBe("onnx");
    expect((await openModel(bytesSource(makeSafetensors([])))).format).toBe("safetensors");
  });
});
