import { describe, expect, it } from "vitest";
import { renderTemplate } from "../../src/archive/template.js";
import type { FormatErrorCode } from "../../src/errors.js";
import { openModel } from "../../src/formats/index.js";
import type { OpenModel, Source } from "../../src/types.js";
import { collect, concat, expectSame, floats, lendingSource, readAll, refused } from "./helpers.js";
import { bytes, external, initializer, model, names, node, tensor, W, w, weights } from "./onnxfile.js";

describe("a model with data in other files", () => {
  const file = (...tensors: readonly Uint8Array[]): Uint8Array => model(tensors.map((fields) => initializer(fields)));
  const at = (name: string, keys: Readonly<Record<string, string | number>>, dims: readonly number[] = [24]): Uint8Array =>
    tensor(name, "FLOAT", dims, external(keys));

  /** What was opened, and what of it is open still. */
  function folder(files: Readonly<Record<string, Uint8Array>>) {
    const opened: string[] = [];
    let left = 0;
    const beside = async (path: string): Promise<Source> => {
      if (!Object.hasOwn(files, path)) throw new Error(`there is no ${path}`);
      opened.push(path);
      left++;
      return { ...lendingSource(files[path]), close: async () => void left-- };
    };
    return { opened, left: () => left, open: (main: Uint8Array) => openModel(lendingSource(main), { name: "some/net.onnx", beside }) };
  }

  async function restoredFiles(opened: OpenModel): Promise<Map<string, Uint8Array>> {
    const data = await readAll(opened);
    const bytesOf = async function* (tensor: number): AsyncGenerator<Uint8Array> {
      yield data[tensor];
    };
    const templates = await opened.templates({ exact: () => true, bytes: bytesOf });
    const rendered = templates.map(async (one) => [one.path, await collect(renderTemplate(one, opened.tensors, bytesOf))] as const);
    return new Map(await Promise.all(rendered));
  }

  it("comes back as all its files, with what is between the tensors", async () => {
    const [a, b] = [floats(24, 1), floats(24, 2)];
    const files = { "net.data": concat(Uint8Array.of(1, 2, 3, 4), b, W.subarray(0, 5), a, W.subarray(0, 7)), "deep/er/more.bin": b };
    const main = file(
      at("a", { location: "net.data", offset: 105, length: 96 }),
      at("b", { location: "./net.data", offset: 4 }, [4, 6]),
      w("inside"),
      at("whole", { location: "deep/er/more.bin", checksum: "of which nothing is known" }),
      at("nothing", { location: "net.data", offset: 200 }, [0]),
    );
    const { open, opened, left } = folder(files);
    const net = await open(main);
    expect(names(net)).toEqual(["a", "b", "inside", "whole"]);
    expect(opened).toEqual(["net.data", "deep/er/more.bin"]);
    expect(net.byteLength).toBe(main.length + files["net.data"].length + b.length);
    const data = await readAll(net);
    for (const [i, wanted] of [a, b, W, b].entries()) expectSame(data[i], wanted);
    expectSame(await net.read(1, 4, 8), b.subarray(4, 12));
    const restored = await restoredFiles(net);
    expect([...restored.keys()]).toEqual(["net.onnx", "net.data", "deep/er/more.bin"]);
    for (const [path, wanted] of Object.entries({ "net.onnx": main, ...files })) expectSame(restored.get(path) as Uint8Array, wanted);
    await net.close();
    expect(left()).toBe(0);
  });

  it("lists bytes once that several tensors have, as weights where one of them is", async () => {
    const same = { location: "d", offset: 0 };
    const graph = [at("a", same), at("b", same), at("c", { location: "d", offset: 96 })].map(initializer);
    const net = await folder({ d: concat(W, W) }).open(model([...graph, node("Conv", ["x", "b"], ["y"])]));
    expect(names(net)).toEqual(["a", "c"]);
    expect(weights(net)).toEqual(["a"]);
    expectSame((await restoredFiles(net)).get("d") as Uint8Array, concat(W, W));
  });

  it("keeps the data of sparse initialisers and of training, too", async () => {
    const sparse = bytes(15, concat(bytes(1, at("values", { location: "s", length: 96 })), bytes(2, tensor("", "INT64", [0]))));
    const training = bytes(20, bytes(2, initializer(at("t", { location: "t" }))));
    const main = model([sparse], training);
    const net = await folder({ s: W, t: W }).open(main);
    expect(names(net)).toEqual(["values", "training/t"]);
    expect([...(await restoredFiles(net)).keys()]).toEqual(["net.onnx", "s", "t"]);
  });

  const REFUSED: [what: string, code: FormatErrorCode, tensors: readonly Uint8Array[]][] = [
    ...[
      "../d",
      "/etc/passwd",
      "a/../../d",
      "..",
      "a\\b",
      "C:\\d",
      "c:d",
      "",
      ".",
      "./",
      "a//b",
      "a/./b",
      "a\0b",
      "net.onnx",
      "./net.onnx",
    ].map((location): [string, FormatErrorCode, Uint8Array[]] => [
      `the path ${JSON.stringify(location)}`,
      "CORRUPT",
      [at("a", { location })],
    ]),
    ["bytes behind the end", "TRUNCATED", [at("a", { location: "d", offset: 97 })]],
    ["an offset behind the end", "TRUNCATED", [at("a", { location: "d", offset: 193, length: 0 }, [0])]],
    ["an offset that is no number", "CORRUPT", [at("a", { location: "d", offset: "1e1" })]],
    ["a negative offset", "CORRUPT", [at("a", { location: "d", offset: -1 })]],
    ["an offset of 2^53", "CORRUPT", [at("a", { location: "d", offset: "9007199254740992" })]],
    ["a length that is not the tensor's", "CORRUPT", [at("a", { location: "d", length: 95 })]],
    ["tensors that share some bytes", "CORRUPT", [at("a", { location: "d" }), at("b", { location: "d", offset: 95 })]],
    ["a tensor within another", "CORRUPT", [at("a", { location: "d" }), at("b", { location: "d" }, [1])]],
    ["bytes that are of two types", "CORRUPT", [at("a", { location: "d" }), tensor("b", "INT32", [24], external({ location: "d" }))]],
  ];

  it.each(REFUSED)("is refused for %s, and nothing stays open", async (_, code, tensors) => {
    const { open, left, opened } = folder({ d: concat(W, W) });
    const main = file(at("first", { location: "d", offset: 96 }, [0]), ...tensors);
    await refused(open(main), code);
    expect(left()).toBe(0);
    expect(
      opened.filter((path) => path !== "d"),
      "no other file was looked for",
    ).toEqual([]);
  });

  it("hands on why another file cannot be opened", async () => {
    await expect(folder({}).open(file(at("a", { location: "d" })))).rejects.toThrow("there is no d");
  });
});
