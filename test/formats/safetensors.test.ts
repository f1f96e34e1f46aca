import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/errors.js";
import { openSafetensors, safetensorsHeader } from "../../src/formats/index.js";
import { fileSource } from "../../src/formats/source.js";
import type { OpenModel } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import {
  acceptedOrRefused,
  ascii,
  concat,
  expectLadder,
  expectSame,
  floats,
  lendingSource,
  makeSafetensors,
  mutants,
  refused,
  restore,
  safetensorsOf,
} from "./helpers.js";

const open = (bytes: Uint8Array): Promise<OpenModel> => openSafetensors(lendingSource(bytes));
const tensor = (fields: string): string => `{"a":{${fields}}}`;
const A = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

const small = makeSafetensors(
  [
    { name: "w", dtype: "F32", shape: [2, 3], data: floats(6) },
    { name: "none", dtype: "F16", shape: [0, 3], data: new Uint8Array(0) },
    { name: "s", dtype: "I64", shape: [], data: new Uint8Array(8).fill(7) },
  ],
  new Map([["format", "pt"]]),
);

const REAL = [
  "lenet/lenet-300-100.dense.safetensors",
  "lenet/lenet-300-100.dns-sparse.safetensors",
  "lenet/lenet-5.dense.safetensors",
  "lenet/lenet-5.dns-sparse.safetensors",
  "resnet-cifar10/resnet20-cifar10.safetensors",
  "resnet-cifar10/resnet32-cifar10.safetensors",
  "silero-vad/silero_vad_16k.safetensors",
  "squeezenet/squeezenet-v1.0-han.safetensors",
];

describe("openSafetensors", () => {
  it("gives names, dtypes, shapes and bytes in the order of the offsets", async () => {
    const header =
      '{"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},' +
      '"d":{"dtype":"F32","shape":[9,0],"data_offsets":[4,4]},"a":{"data_offsets":[0,4],"shape":[],"dtype":"F32"}}';
    const model = await open(concat(safetensorsOf(header), Uint8Array.of(1, 2, 3, 4, 5, 6)));
    expect(model.tensors).toEqual([
      { name: "a", dtype: "F32", shape: [] },
      { name: "e", dtype: "F32", shape: [0] },
      { name: "d", dtype: "F32", shape: [9, 0] },
      { name: "b", dtype: "U8", shape: [2] },
    ]);
    expect([...(await model.read(3, 1, 1))]).toEqual([6]);
    expect([...(await model.read(0, 0, 4))]).toEqual([1, 2, 3, 4]);
    expect(await model.read(1, 0, 0)).toHaveLength(0);
  });

  it.for(REAL)("gives %s back byte for byte", async (name, context) => {
    const file = dataFile(name);
    if (!file) return context.skip(NO_DATA);
    const source = await fileSource(file);
    const model = await openSafetensors(source);
    expect(model.tensors.length).toBeGreaterThan(1);
    expectSame(await restore(model), new Uint8Array(await readFile(file)));
    await model.close();
  });

  it("refuses every truncation and one byte more", () => expectLadder(small, open));

  it("takes a file without tensors, padding, and names that JavaScript objects have", async () => {
    expect((await open(safetensorsOf("{}"))).tensors).toEqual([]);
    expect((await open(safetensorsOf('{"__metadata__":{}}  \n\t\r '))).tensors).toEqual([]);
    for (const name of ["__proto__", "constructor", "", "\\u0000", "é", "\\ud83d\\ude00", 'a\\"\\\\\\/\\b\\f\\n\\r\\t']) {
      const model = await open(safetensorsOf(`{"${name}":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, 3));
      expect(model.tensors[0].name).toBe(JSON.parse(`"${name}"`));
      expect(await acceptedOrRefused(safetensorsOf(`{"__metadata__":{"${name}":"${name}"}}`), open)).toBe(true);
    }
  });

  it("reads an escaped key as the key that it means", async () => {
    const model = await open(
      safetensorsOf('{"\\u005f_metadata__":{"a":"b"},"a":{"dtyp\\u0065":"F\\u00332","shape":[1],"data_offsets":[0,4]}}', 4),
    );
    expect(model.tensors).toEqual([{ name: "a", dtype: "F32", shape: [1] }]);
  });

  const lie = (length: bigint): Uint8Array => {
    const file = safetensorsOf("{}");
    new DataView(file.buffer).setBigUint64(0, length, true);
    return file;
  };

  const REFUSED_HEADS: [rule: string, code: FormatErrorCode, file: Uint8Array, offset: number][] = [
    ["nothing", "TRUNCATED", new Uint8Array(0), 0],
    ["no header", "TRUNCATED", lie(0n).slice(0, 8), 8],
    ["a header longer than the file", "TRUNCATED", lie(3n), 10],
    ["a header at the limit that the file does not have", "TRUNCATED", lie(100_000_000n), 10],
    ["a header above the limit", "LIMIT", lie(100_000_001n), 0],
    ["a header of 2^63 bytes", "LIMIT", lie(2n ** 63n), 0],
    ["a header of 2^64 - 1 bytes", "LIMIT", lie(2n ** 64n - 1n), 0],
    ["a header of no bytes", "CORRUPT", lie(0n), 8],
    ["a name that is not UTF-8", "CORRUPT", safetensorsOf(concat(ascii('{"'), Uint8Array.of(0xff), ascii('":{}}'))), 10],
    ["tensors longer than the file", "TRUNCATED", safetensorsOf(`{${A}}`, 3), 65],
    ["bytes behind the last tensor", "TRAILING", safetensorsOf(`{${A}}`, 5), 66],
  ];

  it.each(REFUSED_HEADS)("refuses %s with %s", async (_, code, file, offset) => {
    expect((await refused(open(file), code)).offset).toBe(offset);
  });

  // ¦ stands before the byte that the error names, and is not in the file.
  const REFUSED: [rule: string, code: FormatErrorCode, header: string, dataBytes?: number][] = [
    ["a header that starts with a space", "MAGIC", `¦ {${A}}`, 4],
    ["a list as header", "MAGIC", "¦[]"],
    ["a byte order mark", "MAGIC", `¦\ufeff{${A}}`, 4],
    ["JSON that does not end", "CORRUPT", `{${A}¦`, 4],
    ["bytes behind the JSON", "CORRUPT", `{${A}}¦\0`, 4],
    ["a comma too many", "CORRUPT", `{${A},¦}`, 4],
    ["two headers", "CORRUPT", `{${A}}¦{}`, 4],
    ["a name twice", "DUPLICATE", `{${A},¦${A}}`, 4],
    ["a name twice, once escaped", "DUPLICATE", `{${A},¦${A.replace('"a"', '"\\u0061"')}}`, 4],
    ["__proto__ twice", "DUPLICATE", `{${A},¦${A}}`.replaceAll('"a"', '"__proto__"'), 4],
    ["a field twice", "DUPLICATE", tensor('"dtype":"F32",¦"dtype":"F32","shape":[1],"data_offsets":[0,4]'), 4],
    ["__metadata__ twice", "DUPLICATE", `{"__metadata__":{},¦"__metadata__":{},${A}}`, 4],
    ["a metadata key twice", "DUPLICATE", `{"__metadata__":{"k":"v",¦"k":"v"},${A}}`, 4],
    ["metadata that is null", "CORRUPT", `{"__metadata__":¦null,${A}}`, 4],
    ["metadata that is no text", "CORRUPT", `{"__metadata__":{"k":¦1},${A}}`, 4],
    ["metadata in metadata", "CORRUPT", `{"__metadata__":{"k":¦{"l":"m"}},${A}}`, 4],
    ["a field that is not known", "UNSUPPORTED", tensor('¦"x":1,"dtype":"F32","shape":[1],"data_offsets":[0,4]'), 4],
    ["a tensor that is a list", "CORRUPT", '{"a":¦["F32",[1],[0,4]]}', 4],
    ["no dtype", "CORRUPT", '{¦"a":{"shape":[1],"data_offsets":[0,4]}}', 4],
    ["no shape", "CORRUPT", '{¦"a":{"dtype":"F32","data_offsets":[0,4]}}', 4],
    ["no data_offsets", "CORRUPT", '{¦"a":{"dtype":"F32","shape":[1]}}', 4],
    ["a dtype that is not known", "UNSUPPORTED", tensor('"dtype":¦"F31","shape":[1],"data_offsets":[0,4]'), 4],
    ["a dtype that safetensors does not have", "UNSUPPORTED", tensor('"dtype":¦"C128","shape":[1],"data_offsets":[0,16]'), 16],
    ["a dtype that is an object", "CORRUPT", tensor('"dtype":¦{"F32":null},"shape":[1],"data_offsets":[0,4]'), 4],
    ["a shape with a fraction", "CORRUPT", tensor('"dtype":"F32","shape":[1¦.0],"data_offsets":[0,4]'), 4],
    ["a shape with an exponent", "CORRUPT", tensor('"dtype":"F32","shape":[1¦e0],"data_offsets":[0,4]'), 4],
    ["a shape with a negative axis", "CORRUPT", tensor('"dtype":"F32","shape":[¦-1],"data_offsets":[0,4]'), 4],
    ["a shape with minus zero", "CORRUPT", tensor('"dtype":"F32","shape":[¦-0],"data_offsets":[0,0]')],
    ["a shape with a leading zero", "CORRUPT", tensor('"dtype":"F32","shape":[¦01],"data_offsets":[0,4]'), 4],
    ["a shape with text", "CORRUPT", tensor('"dtype":"F32","shape":[¦"1"],"data_offsets":[0,4]'), 4],
    ["a shape that nests", "CORRUPT", tensor(`"dtype":"F32","shape":[¦${"[".repeat(100_000)}`), 4],
    ["a shape with a comma too many", "CORRUPT", tensor('"dtype":"F32","shape":[1,¦],"data_offsets":[0,4]'), 4],
    ["an axis of 2^53", "LIMIT", tensor('"dtype":"F32","shape":[0,¦9007199254740992],"data_offsets":[0,0]')],
    ["an axis of 400 digits", "LIMIT", tensor(`"dtype":"F32","shape":[¦${"9".repeat(400)}],"data_offsets":[0,0]`)],
    ["a shape that overflows", "LIMIT", tensor('"dtype":"F32","shape":¦[4294967296,4294967296],"data_offsets":[0,4]'), 4],
    ["a shape that overflows before its 0", "LIMIT", tensor('"dtype":"F32","shape":¦[4294967296,4294967296,0],"data_offsets":[0,0]')],
    ["bytes that overflow", "LIMIT", tensor('"dtype":"F64","shape":¦[9007199254740991],"data_offsets":[0,4]'), 4],
    ["one offset", "CORRUPT", tensor('"dtype":"F32","shape":[1],"data_offsets":¦[0]'), 4],
    ["three offsets", "CORRUPT", tensor('"dtype":"F32","shape":[1],"data_offsets":¦[0,4,4]'), 4],
    ["a first offset that is not 0", "CORRUPT", tensor('"dtype":"F32","shape":[1],"data_offsets":¦[4,8]'), 8],
    ["an end before its start", "CORRUPT", `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":¦[4,0]}}`, 4],
    ["an overlap", "CORRUPT", `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":¦[2,6]}}`, 6],
    ["two tensors at one place", "CORRUPT", `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":¦[0,4]}}`, 4],
    ["a hole", "CORRUPT", `{${A},"b":{"dtype":"F32","shape":[1],"data_offsets":¦[8,12]}}`, 12],
    ["a span that is not shape x dtype", "CORRUPT", tensor('"dtype":"F32","shape":[2],"data_offsets":¦[0,4]'), 4],
    ["half a byte of F4", "CORRUPT", tensor('"dtype":"F4","shape":¦[3],"data_offsets":[0,2]'), 2],
    ["a terabyte in a small file", "TRUNCATED", `${tensor(`"dtype":"U8","shape":[${2 ** 40}],"data_offsets":[0,${2 ** 40}]`)}¦`],
    ["a control character in a name", "CORRUPT", '{"¦\x01":{}}'],
    ["half a surrogate pair", "CORRUPT", '{"\\ud800¦":{}}'],
    ["surrogates in the wrong order", "CORRUPT", '{"\\udc00¦\\ud800":{}}'],
    ["two high surrogates", "CORRUPT", '{"\\ud800\\ud800¦":{}}'],
    ["an escape that JSON does not have", "CORRUPT", '{"\\¦x41":{}}'],
    ["an escape that does not end", "CORRUPT", '{"\\u¦00'],
  ];

  it.each(REFUSED)("refuses %s with %s", async (_, code, header, dataBytes) => {
    const error = await refused(open(safetensorsOf(header.replace("¦", ""), dataBytes)), code);
    expect(error.offset).toBe(8 + Buffer.byteLength(header.slice(0, header.indexOf("¦"))));
  });

  it("takes packed dtypes that fill whole bytes", async () => {
    expect((await open(safetensorsOf(tensor('"dtype":"F4","shape":[4],"data_offsets":[0,2]'), 2))).tensors[0].dtype).toBe("F4");
    expect((await open(safetensorsOf(tensor('"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]'), 3))).tensors[0].dtype).toBe("F6_E2M3");
  });

  it("keeps its messages short when a name is not", async () => {
    const error = await refused(open(safetensorsOf(`{"${"n".repeat(1_000_000)}":{"dtype":1}}`)), "CORRUPT");
    expect(error.message.length).toBeLessThan(300);
  });

  it("gives nothing but a FormatError for mutants, and accepted ones back byte for byte", async () => {
    let accepted = 0;
    for (const mutant of mutants(small, 4000, 11)) if (await acceptedOrRefused(mutant, open)) accepted++;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(4000);
  });

  it("blames the caller for a range outside a tensor", async () => {
    const model = await open(small);
    await expect(model.read(3, 0, 1)).rejects.toThrow(RangeError);
    await expect(model.read(0, 20, 5)).rejects.toThrow(RangeError);
    await expect(model.read(0, 0.5, 1)).rejects.toThrow(TypeError);
  });
});

describe("safetensorsHeader", () => {
  it("writes what the reference implementation writes", () => {
    // From safetensors 0.8.0 for Python, with the tensors in this order.
    const wanted =
      '{"__metadata__":{"k":"v","b":"é\\u001f"},"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]},' +
      '"z":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"é\\u0001\x7f\u2028\\"\\\\/\\n\\t\\b\\f😀\\u001f":' +
      '{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"a":{"dtype":"F16","shape":[0,3],"data_offsets":[16,16]}}     ';
    const header = safetensorsHeader(
      [
        { name: "s", dtype: "F64", shape: [] },
        { name: "z", dtype: "F32", shape: [0] },
        { name: 'é\x01\x7f\u2028"\\/\n\t\b\f😀\x1f', dtype: "F32", shape: [2] },
        { name: "a", dtype: "F16", shape: [0, 3] },
      ],
      new Map([
        ["k", "v"],
        ["b", "é\x1f"],
      ]),
    );
    expect(new TextDecoder().decode(header.subarray(8))).toBe(wanted);
    expect(new DataView(header.buffer).getBigUint64(0, true)).toBe(0x128n);
  });

  it.for(REAL)("gives the tensors of %s the places that they have", async (name, context) => {
    const file = dataFile(name);
    if (!file) return context.skip(NO_DATA);
    const bytes = new Uint8Array(await readFile(file));
    const { tensors } = await open(bytes);
    const again = await open(
      concat(safetensorsHeader(tensors), bytes.subarray(8 + Number(new DataView(bytes.buffer).getBigUint64(0, true)))),
    );
    expect(again.tensors).toEqual(tensors);
  });

  it("blames the caller for what safetensors cannot hold", () => {
    const a = { name: "a", dtype: "F32", shape: [1] } as const;
    expect(() => safetensorsHeader([a, a])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, name: "__metadata__" }])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, name: "\ud800" }])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, dtype: "C128" }])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, dtype: "F4" }])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, shape: [-1] }])).toThrow(RangeError);
    expect(() => safetensorsHeader([{ ...a, shape: [1.5] }])).toThrow(TypeError);
  });
});
