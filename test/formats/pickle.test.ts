import { describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { unpickle } from "../../src/formats/pickle.js";
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleOpaque,
  PickleTuple,
  type PickleValue,
} from "../../src/formats/pickle-values.js";
import { torchGlobal } from "../../src/formats/pytorch-globals.js";
import { ascii, concat, lendingSource, numpy, refused } from "./helpers.js";
import { build, global, ops, type Py, pickle, push, reduce, tuple, uint32 } from "./pickler.js";

const read = async (bytes: Uint8Array): Promise<PickleValue> =>
  (await unpickle(lendingSource(bytes), 0, { global: torchGlobal, where: "here: " })).value;

/** A value as JavaScript has it, for comparison. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof PickleList) return value.items.map(plain);
  if (value instanceof PickleDict) return new Map([...value.entries].map(([key, item]) => [plain(key), plain(item)]));
  if (value instanceof PickleObject) return { state: plain(value.state) };
  if (value instanceof PickleOpaque) return value.what;
  if (value instanceof PickleGlobal) return { global: value.name };
  return value;
}

const body = (...parts: Parameters<typeof ops>): Uint8Array => ops(0x80, 2, ...parts, ".");

describe("unpickle", () => {
  it.each<[string, Uint8Array, unknown]>([
    ["None", body("N"), null],
    ["booleans", body("(", 0x88, 0x89, "t"), { tuple: [true, false] }],
    ["integers", body("(K", 200, "M", 1, 2, "J", Uint8Array.of(254, 255, 255, 255), "t"), { tuple: [200, 513, -2] }],
    [
      "long integers",
      body("(", 0x8a, 0, 0x8a, 1, 255, 0x8a, 2, 0, 1, 0x8b, uint32(9), uint32(0), uint32(0), 1, "t"),
      { tuple: [0, -1, 256, 2n ** 64n] },
    ],
    ["a float, big-endian", body("G", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5],
    [
      "strings",
      body("(X", uint32(2), "\xc3\xa9", 0x8c, 1, "a", 0x8d, uint32(1), uint32(0), "b", "T", uint32(1), "c", "U", 1, "d", "t"),
      { tuple: ["é", "a", "b", "c", "d"] },
    ],
    [
      "bytes",
      body("(C", 1, "a", "B", uint32(2), "ab", 0x8e, uint32(1), uint32(0), "a", 0x96, uint32(1), uint32(0), "a", "t"),
      { tuple: ["bytes", "bytes", "bytes", "bytes"] },
    ],
    [
      "tuples",
      body(")", 0x85, "NN", 0x86, "NNN", 0x87, 0x87),
      { tuple: [{ tuple: [{ tuple: [] }] }, { tuple: [null, null] }, { tuple: [null, null, null] }] },
    ],
    ["lists", body("](NNe", "Na"), [null, null, null]],
    ["a list and a dictionary of what a mark has", body("((Nl(NNdt"), { tuple: [[null], new Map([[null, null]])] }],
    ["sets", body("(", 0x8f, "(K", 1, 0x90, "(K", 2, 0x91, "t"), { tuple: [[1], [2]] }],
    [
      "a dictionary, whose later key counts",
      body("}(K", 1, "K", 2, "K", 1, "K", 3, "uK", 4, "Ns"),
      new Map<unknown, unknown>([
        [1, 3],
        [4, null],
      ]),
    ],
    ["the memo", body("]q", 7, "r", uint32(4_000_000_000), "h", 7, "aj", uint32(4_000_000_000), "Na"), undefined],
    ["None in the memo", body("Nq", 0, "0h", 0), null],
    ["memoize", body("K", 9, 0x94, "0h", 0), 9],
    ["what is taken away", body("NN0(0(NN1"), null],
    ["a doubled value", body("N2", 0x86), { tuple: [null, null] }],
    ["a frame", ops(0x80, 4, 0x95, uint32(2), uint32(0), "N."), null],
  ])("reads %s", async (_, bytes, wanted) => {
    if (wanted === undefined) return void (await expect(read(bytes)).rejects.toMatchObject({ code: "CORRUPT" }));
    expect(plain(await read(bytes))).toEqual(wanted);
  });

  it("makes plain values of the names on its list", async () => {
    const values: [Uint8Array, unknown][] = [
      [global("torch", "float32"), { global: "torch.float32" }],
      [ops(push("torch"), push("Size"), 0x93), { global: "torch.Size" }],
      [reduce(global("collections", "OrderedDict")), new Map()],
      [reduce(global("collections", "OrderedDict"), [["a", 1] as Py]), new Map([["a", 1]])],
      [reduce(global("collections", "Counter"), { a: 1 }), new Map([["a", 1]])],
      [reduce(global("collections", "defaultdict"), global("__builtin__", "dict")), new Map()],
      [reduce(global("__builtin__", "set"), [1]), [1]],
      [reduce(global("torch", "Size"), tuple(1, 2)), { tuple: [1, 2] }],
      [reduce(global("torch", "device"), "cpu"), "torch.device"],
      [build(ops(global("argparse", "Namespace"), ")", 0x81), { lr: 1 }), { state: new Map([["lr", 1]]) }],
      [build(ops(global("argparse", "Namespace"), ")}", 0x92), { lr: 1 }), { state: new Map([["lr", 1]]) }],
      [ops("(iargparse\nNamespace\n"), { state: null }],
      [ops("(", global("argparse", "Namespace"), "o"), { state: null }],
      [build(reduce(global("numpy", "dtype"), "f8"), tuple(3, "<")), "numpy.dtype"],
    ];
    for (const [bytes, wanted] of values) expect(plain(await read(body(bytes)))).toEqual(wanted);
  });

  it("reads what stands behind its start, and says where it ends", async () => {
    const bytes = concat(ascii("before"), pickle({ a: 1 }), ascii("behind"));
    const { value, end } = await unpickle(lendingSource(bytes), 6, { global: () => undefined });
    expect(plain(value)).toEqual(new Map([["a", 1]]));
    expect(end).toBe(bytes.length - 6);
  });

  it("reads what is longer than its window", async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => i);
    const long = "x".repeat(200_000);
    expect(plain(await read(pickle([long, ...items])))).toEqual([long, ...items]);
  });

  it("reads what Python writes, in every protocol of two and more", async (context) => {
    const made = numpy(`import pickle
v = {"a": [1, 2.5, None, True, -7, 10**12, 2**70, "é" * 300], "t": (1, (2,), ()), "n": {"m": {}}}
v["again"] = v["a"]
print("\\n".join(pickle.dumps(v, p).hex() for p in range(2, pickle.HIGHEST_PROTOCOL + 1)))`);
    if (made === undefined) return context.skip("no python3 with numpy");
    const a = [1, 2.5, null, true, -7, 10 ** 12, 2n ** 70n, "é".repeat(300)];
    const t = { tuple: [1, { tuple: [2] }, { tuple: [] }] };
    for (const line of made.trim().split("\n")) {
      const value = plain(await read(new Uint8Array(Buffer.from(line, "hex"))));
      expect(value).toEqual(
        new Map<string, unknown>([
          ["a", a],
          ["t", t],
          ["n", new Map([["m", new Map()]])],
          ["again", a],
        ]),
      );
    }
  });

  it("passes over long strings as over bytes", async () => {
    const long = ops("X", uint32((1 << 20) + 1), new Uint8Array((1 << 20) + 1));
    const [value, after] = ((await read(body("](", long, "K", 7, "e"))) as PickleList).items;
    expect(value).toBeInstanceOf(PickleOpaque);
    expect(after).toBe(7);
  });

  it("gives cycles as they are, and many levels without a stack", async () => {
    const cycle = await read(body("]q", 0, "h", 0, "a"));
    expect((cycle as PickleList).items[0]).toBe(cycle);
    const deep = await read(body(")", new Uint8Array(200_000).fill(0x85)));
    expect(deep).toBeInstanceOf(PickleTuple);
  });
});

/** Every way to a name that pickle has, and then to a call of it. */
function waysTo(module: string, name: string): [way: string, bytes: Uint8Array][] {
  const loaded = global(module, name);
  const command = push("echo pwned");
  return [
    ["GLOBAL", body(loaded)],
    ["STACK_GLOBAL", body(push(module), push(name), 0x93)],
    ["REDUCE", body(loaded, command, 0x85, "R")],
    ["INST", body("(", command, `i${module}\n${name}\n`)],
    ["OBJ", body("(", loaded, command, "o")],
    ["NEWOBJ", body(loaded, command, 0x85, 0x81)],
    ["NEWOBJ_EX", body(loaded, command, 0x85, "}", 0x92)],
    ["BUILD", body(loaded, "}(", push("__setstate__"), global(module, name), "ub")],
    ["a name that is remembered", body(push(module), "q", 0, push(name), "q", 1, 0x93)],
    ["a name in a value that is dropped", body(loaded, "0N")],
    [
      "a type with attributes",
      body(reduce(global("torch._tensor", "_rebuild_from_type_v2"), loaded, global("torch", "Tensor"), tuple("x"), null)),
    ],
    ["a dictionary's class", body(reduce(global("collections", "defaultdict"), loaded))],
  ];
}

describe("a hostile pickle", () => {
  const COMMANDS = [
    ["os", "system"],
    ["posix", "system"],
    ["nt", "system"],
    ["builtins", "eval"],
    ["__builtin__", "eval"],
    ["builtins", "exec"],
    ["builtins", "getattr"],
    ["builtins", "__import__"],
    ["subprocess", "Popen"],
    ["torch.hub", "load"],
    ["torch", "load"],
    ["torch.storage", "_load_from_bytes"],
    ["collections", "OrderedDict.__class__"],
    ["functools", "partial"],
    ["__main__", "__proto__"],
    ["constructor", "constructor"],
  ] as const;

  it.each(COMMANDS.flatMap(([module, name]) => waysTo(module, name).map(([way, bytes]) => [`${module}.${name}`, way, bytes] as const)))(
    "that asks for %s by %s is refused where it does",
    async (name, _, bytes) => {
      const error = await refused(read(bytes), "UNSUPPORTED");
      expect(error.message).toContain(JSON.stringify(name.replace("__builtin__", "builtins")));
      expect(error.message).toContain("here: ");
      expect(error.offset).toBeGreaterThan(1);
      expect(error.offset).toBeLessThan(bytes.length);
    },
  );

  it.each<[string, FormatErrorCode, Uint8Array]>([
    ["of the registry of extensions, one byte", "UNSUPPORTED", body(0x82, 1)],
    ["of the registry of extensions, two bytes", "UNSUPPORTED", body(0x83, 1, 0)],
    ["of the registry of extensions, four bytes", "UNSUPPORTED", body(0x84, uint32(1))],
    ["with a persistent id as text", "UNSUPPORTED", body("Pstorage\n")],
    ["with an object outside, where there is none", "UNSUPPORTED", body("NQ")],
    ["with buffers outside", "UNSUPPORTED", body(0x97)],
    ["that calls a name that is no function", "UNSUPPORTED", body(global("torch", "float32"), ")R")],
    ["that calls a number", "CORRUPT", body("K", 1, ")R")],
    ["that calls with no tuple", "CORRUPT", body(global("torch", "Size"), "NR")],
    ["that sets attributes of a tensor's class", "UNSUPPORTED", body(global("torch", "Tensor"), "}b")],
    [
      "that makes a tensor with attributes by another function",
      "CORRUPT",
      body(reduce(global("torch._tensor", "_rebuild_from_type_v2"), global("torch", "device"), null, tuple())),
    ],
    [
      "that makes a tensor with attributes by itself",
      "CORRUPT",
      body(reduce(global("torch._tensor", "_rebuild_from_type_v2"), global("torch._tensor", "_rebuild_from_type_v2"), null, tuple())),
    ],
    ["of another protocol", "VERSION", ops(0x80, 6, "N.")],
    ["with a name that does not end", "TRUNCATED", ops("cos")],
    ["with a name of two thousand letters", "LIMIT", body(global("a".repeat(2000), "b"), new Uint8Array(2000))],
    ["that is empty", "TRUNCATED", new Uint8Array(0)],
    ["that does not end", "TRUNCATED", ops(0x80, 2, "N")],
    ["that ends without a value", "CORRUPT", body()],
    ["that ends with two values", "CORRUPT", body("NN")],
    ["that ends with a mark", "CORRUPT", body("N(")],
    ["that takes what is not there", "CORRUPT", body("0")],
    ["that takes what stands before a mark", "CORRUPT", body("N(", 0x85)],
    ["that has no mark", "CORRUPT", body("t")],
    ["that remembers nothing", "CORRUPT", body("h", 0)],
    ["that adds to no list", "CORRUPT", body("NNa")],
    ["that sets a key of no dictionary", "CORRUPT", body("NNNs")],
    ["with a key without a value", "CORRUPT", body("}(Nu")],
    ["with a name that is a number", "CORRUPT", body("K", 1, "K", 2, 0x93)],
    ["with a dictionary of what are no pairs", "CORRUPT", body(reduce(global("collections", "OrderedDict"), [1]))],
    ["with a dictionary of a number", "CORRUPT", body(reduce(global("collections", "OrderedDict"), 1))],
    ["with a string longer than the file", "TRUNCATED", body("X", uint32(1000), "N")],
    ["with a string of four gigabytes", "TRUNCATED", body("X", uint32(2 ** 32 - 1), "N")],
    ["with a string of 2^63 bytes", "TRUNCATED", body(0x8d, uint32(0), uint32(2 ** 31), "N")],
    ["with bytes of 2^63", "TRUNCATED", body(0x8e, uint32(0), uint32(2 ** 31), "N")],
    ["with an integer of a gigabyte", "LIMIT", body(0x8b, uint32(1 << 30), "N")],
  ])("%s is refused", async (_, code, bytes) => void (await refused(read(bytes), code)));

  const filled = (count: number, ...opcodes: number[]): Uint8Array => {
    const bytes = new Uint8Array(count * opcodes.length);
    for (let i = 0; i < count; i++) bytes.set(opcodes, i * opcodes.length);
    return bytes;
  };
  /** Nearly all that a pickle may be read into, in strings, so that the rest is soon spent. */
  const MEBIBYTE = ops("X", uint32(1 << 20), new Uint8Array(1 << 20), "0");
  const LONG_STRINGS = ops(...Array.from({ length: 191 }, () => MEBIBYTE));
  const dictionary = global("collections", "OrderedDict");
  const copies = filled(200, ...dictionary, 0x68, 0, 0x85, 0x52);

  it.each<[string, Uint8Array, Uint8Array]>([
    ["numbers", ops(), filled(500_000, 0x4e)],
    ["doubled numbers", ops("N"), filled(500_000, 0x32)],
    ["lists", ops(), filled(50_000, 0x5d)],
    ["dictionaries", ops(), filled(50_000, 0x7d)],
    ["marks", ops(), filled(500_000, 0x28)],
    ["places in the memo", ops("N"), filled(150_000, 0x94)],
    ["uses of the memo", ops("Nq", 0), filled(500_000, 0x68, 0, 0x30)],
    ["tuples, one in the other", ops(")"), filled(50_000, 0x85)],
    ["pairs that are copied into dictionaries", ops("](K", 1, "N", 0x86, filled(5000, 0x32), "eq", 0), copies],
    [
      "entries that are copied into dictionaries",
      ops("}(", ...Array.from({ length: 5000 }, (_, i) => ops("J", uint32(i), "N")), "uq", 0),
      copies,
    ],
    ["entries of one key", ops("}"), filled(100_000, 0x4e, 0x4e, 0x73)],
    ["items of a list", ops("]"), filled(300_000, 0x4e, 0x61)],
    ["names", ops(), filled(50_000, ...global("torch", "Size"))],
    ["characters", ops(), ops(...Array.from({ length: 5 }, () => MEBIBYTE))],
  ])("of more %s than memory may take ends at a limit", async (_, before, many) => {
    await refused(read(body(LONG_STRINGS, before, many)), "LIMIT");
    // Without the string before, there is room: only the end is at fault.
    await refused(read(body(before, many, "(")), "CORRUPT");
  });
});
