import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { byteSwapped, reordered } from "../../src/archive/order.js";
import type { FormatErrorCode } from "../../src/errors.js";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { openNpy } from "../../src/formats/index.js";
import type { Dtype, OpenModel } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";
import {
  acceptedOrRefused,
  concat,
  expectLadder,
  expectSame,
  floats,
  lendingSource,
  makeNpy,
  mutants,
  NO_NUMPY,
  npyOf,
  numpy,
  readAll,
  refused,
  restore,
} from "./helpers.js";

const open = (bytes: Uint8Array): Promise<OpenModel> => openNpy(lendingSource(bytes));
const bytesFrom = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

const DTYPES: [descr: string, dtype: Dtype, bytes: number, unit: number][] = [
  ["f2", "F16", 2, 2],
  ["f4", "F32", 4, 4],
  ["f8", "F64", 8, 8],
  ["i1", "I8", 1, 1],
  ["i2", "I16", 2, 2],
  ["i4", "I32", 4, 4],
  ["i8", "I64", 8, 8],
  ["u1", "U8", 1, 1],
  ["u2", "U16", 2, 2],
  ["u4", "U32", 4, 4],
  ["u8", "U64", 8, 8],
  ["b1", "BOOL", 1, 1],
  ["c8", "C64", 8, 4],
  ["c16", "C128", 16, 8],
];

describe("openNpy", () => {
  describe.each(DTYPES)("descr %s", (descr, dtype, elementBytes, unit) => {
    const data = floats(6 * elementBytes).slice(0, 6 * elementBytes);

    it.each(["<", "|", "="])("gives the bytes as they are where the order is %s", async (order) => {
      const model = await open(makeNpy(order + descr, [2, 3], data));
      expect(model.tensors).toEqual([{ name: "array", dtype, shape: [2, 3] }]);
      expectSame((await readAll(model, 5))[0], data);
      expectSame(await restore(model), makeNpy(order + descr, [2, 3], data));
    });

    it("turns big-endian bytes, and back", async () => {
      const file = makeNpy(`>${descr}`, [2, 3], byteSwapped(data, unit));
      for (const step of [1, 3, 1000]) expectSame((await readAll(await open(file), step))[0], data);
      expectSame(await restore(await open(file)), file);
    });

    it.each(["<", ">"])("turns column-major elements, and back, where the order is %s", async (order) => {
      const columns = concat(...[0, 3, 1, 4, 2, 5].map((i) => data.subarray(i * elementBytes, (i + 1) * elementBytes)));
      const file = makeNpy(order + descr, [2, 3], order === ">" ? byteSwapped(columns, unit) : columns, true);
      expectSame((await readAll(await open(file), 7))[0], data);
      expectSame(await restore(await open(file)), file);
    });
  });

  it("turns arrays of more axes, some of length 1", () => {
    const shape = [2, 1, 3, 4, 1, 2];
    const data = floats(48);
    const columns = reordered(data, "F32", shape, "column-major");
    // Element (1, 0, 2, 3, 0, 1), the last: last in both. Element (1, 0, 0, 0, 0, 0): 24th of the rows, second of the columns.
    expectSame(columns.subarray(4, 8), data.subarray(24 * 4, 25 * 4));
    expectSame(columns.subarray(188), data.subarray(188));
    expectSame(reordered(columns, "F32", shape, "row-major"), data);
  });

  it("sees no column-major where it would not differ", async () => {
    for (const shape of [[], [4], [1, 4, 1], [0, 4, 4]]) {
      const data = floats(shape.reduce((product, axis) => product * axis, 1));
      const model = await open(makeNpy("<f4", shape, data, true));
      const [{ pieces }] = await model.templates({ exact: () => true, bytes: () => (async function* () {})() });
      expect(pieces[1]).toEqual({ kind: "tensor", tensor: 0 });
      expectSame((await readAll(model))[0], data);
    }
  });

  it("reads versions 1, 2 and 3, any order of keys, either quote, any white space", async () => {
    const data = bytesFrom([1, 2]);
    for (const version of [1, 2, 3]) {
      for (const text of [
        "{'shape': (2,), 'descr': '<f4', 'fortran_order': False}",
        '{"fortran_order":False,"descr":"<f4","shape":(2,),}\t\n\r\f ',
        " { 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , ) , } ",
      ]) {
        const model = await open(npyOf(text, data, version));
        expect(model.tensors[0]).toEqual({ name: "array", dtype: "F32", shape: [2] });
        expectSame((await readAll(model))[0], data);
        expect(await acceptedOrRefused(npyOf(text, data, version), open)).toBe(true);
      }
    }
  });

  it("reads the long integers of Python 2, in the versions that had them", async () => {
    const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }";
    expect((await open(npyOf(text, bytesFrom([1, 2])))).tensors[0].shape).toEqual([1, 2]);
    await refused(open(npyOf(text, bytesFrom([1, 2]), 3)), "CORRUPT");
  });

  it("calls the tensor what the caller says", async () => {
    expect((await openNpy(bytesSource(makeNpy("<f4", [], bytesFrom([1]))), "fc1")).tensors[0].name).toBe("fc1");
  });

  it.each([makeNpy("<f4", [2, 2], floats(4)), makeNpy(">f8", [3], floats(6)), makeNpy("<i2", [2, 3], floats(3), true)])(
    "refuses every truncation and one byte more",
    (file) => expectLadder(file, open),
  );

  const header = (fields: string): Uint8Array => npyOf(`{${fields}}`, new Uint8Array(4));
  const patched = (at: number, ...values: number[]): Uint8Array => {
    const file = makeNpy("<f4", [1], bytesFrom([1]));
    file.set(values, at);
    return file;
  };
  const wide = npyOf("{}", new Uint8Array(0), 2);
  new DataView(wide.buffer).setUint32(8, 0xffffffff, true);

  const REFUSED: [rule: string, code: FormatErrorCode, file: Uint8Array][] = [
    ["another magic", "MAGIC", patched(0, 0x92)],
    ["version 0", "VERSION", patched(6, 0)],
    ["version 4", "VERSION", patched(6, 4)],
    ["version 1.1", "VERSION", patched(7, 1)],
    ["a header longer than the file", "TRUNCATED", patched(8, 0xff, 0xff)],
    ["a header of 4 GiB", "LIMIT", wide],
    ["a header of no bytes", "CORRUPT", patched(8, 0, 0)],
    ["no dictionary", "CORRUPT", npyOf("('descr', 'fortran_order', 'shape')")],
    ["two dictionaries", "CORRUPT", npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': ()}{}", new Uint8Array(4))],
    ["a NUL behind the dictionary", "CORRUPT", npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': ()}\0", new Uint8Array(4))],
    ["no descr", "CORRUPT", header("'fortran_order': False, 'shape': ()")],
    ["no fortran_order", "CORRUPT", header("'descr': '<f4', 'shape': ()")],
    ["no shape", "CORRUPT", header("'descr': '<f4', 'fortran_order': False")],
    ["another key", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (), '__proto__': 1")],
    ["a key that is no string", "CORRUPT", header("1: '<f4', 'fortran_order': False, 'shape': ()")],
    ["a key twice", "DUPLICATE", header("'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()")],
    ["two commas", "CORRUPT", header("'descr': '<f4',, 'fortran_order': False, 'shape': ()")],
    ["no colon", "CORRUPT", header("'descr' '<f4', 'fortran_order': False, 'shape': ()")],
    ["an expression", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (1+1,)")],
    ["a call", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': tuple()")],
    ["a word that starts like another", "CORRUPT", header("'descr': '<f4', 'fortran_order': Falsehood, 'shape': ()")],
    ["fortran_order 0", "CORRUPT", header("'descr': '<f4', 'fortran_order': 0, 'shape': ()")],
    ["a shape that is a list", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': [1]")],
    ["a shape that is a number", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (1)")],
    ["a shape that is None", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': None")],
    ["a shape with text", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': ('1',)")],
    ["a shape with True", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (True,)")],
    ["a negative axis", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (-1,)")],
    ["a fraction", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)")],
    ["a leading zero", "CORRUPT", header("'descr': '<f4', 'fortran_order': False, 'shape': (01,)")],
    ["an axis of 2^53", "LIMIT", header("'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740992,)")],
    ["a shape that overflows", "LIMIT", header(`'descr': '<f4', 'fortran_order': False, 'shape': (${2 ** 40}, ${2 ** 40})`)],
    ["65 axes", "LIMIT", header(`'descr': '<f4', 'fortran_order': False, 'shape': (${"1, ".repeat(65)})`)],
    ["a terabyte in a small file", "TRUNCATED", header(`'descr': '<f4', 'fortran_order': False, 'shape': (${2 ** 38},)`)],
    ["a terabyte of columns in a small file", "LIMIT", header(`'descr': '<f4', 'fortran_order': True, 'shape': (2, ${2 ** 37})`)],
    ["tuples in tuples without end", "LIMIT", header(`'descr': '<f4', 'fortran_order': False, 'shape': ${"(".repeat(60_000)}`)],
    ["a string that does not end", "CORRUPT", npyOf("{'descr': '<f4")],
    ["a string with an escape at the end", "CORRUPT", npyOf("{'descr': '\\")],
    ["objects, which are not unpickled", "UNSUPPORTED", header("'descr': '|O', 'fortran_order': False, 'shape': ()")],
    ["byte strings", "UNSUPPORTED", header("'descr': '|S4', 'fortran_order': False, 'shape': ()")],
    ["text", "UNSUPPORTED", header("'descr': '<U1', 'fortran_order': False, 'shape': ()")],
    ["times", "UNSUPPORTED", header("'descr': '<M8[ns]', 'fortran_order': False, 'shape': ()")],
    ["void, which bfloat16 is written as", "UNSUPPORTED", header("'descr': '<V2', 'fortran_order': False, 'shape': ()")],
    ["records", "UNSUPPORTED", header("'descr': [('a', '<f4'), ('b', '<f4', (2,))], 'fortran_order': False, 'shape': ()")],
    ["arrays in arrays", "UNSUPPORTED", header("'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': ()")],
    ["a descr that is a number", "CORRUPT", header("'descr': 4, 'fortran_order': False, 'shape': ()")],
    ["a descr that is None", "CORRUPT", header("'descr': None, 'fortran_order': False, 'shape': ()")],
  ];

  it.each(REFUSED)("refuses %s", async (_, code, file) => void (await refused(open(file), code)));

  it("names the byte at fault", async () => {
    const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }";
    expect((await refused(open(npyOf(text)), "CORRUPT")).offset).toBe(10 + text.indexOf("("));
    const twice = "{'descr': '<f4', 'descr': '<f4'}";
    expect((await refused(open(npyOf(twice, new Uint8Array(0), 2)), "DUPLICATE")).offset).toBe(12 + twice.lastIndexOf("'descr'"));
  });

  it("gives nothing but a FormatError for mutants, and accepted ones back byte for byte", async () => {
    let accepted = 0;
    for (const file of [makeNpy("<f4", [2, 2], floats(4)), makeNpy(">i4", [2, 3], floats(6), true)]) {
      for (const mutant of mutants(file, 2500, 5)) if (await acceptedOrRefused(mutant, open)) accepted++;
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(5000);
  });

  it.for(["mnist-cntk-onnx/reference_logits_t10k_first1000_input0to255.npy", "silero-vad/reference_probs_silero_vad_16k_op15.npy"])(
    "gives %s back byte for byte",
    async (name, context) => {
      const file = dataFile(name);
      if (!file) return context.skip(NO_DATA);
      const bytes = new Uint8Array(readFileSync(file));
      const model = await open(bytes);
      expect(model.tensors[0].dtype).toBe("F32");
      expectSame(await restore(model), bytes);
    },
  );

  it("agrees with numpy on the elements, in every order", async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), "coppice-npy-"));
    try {
      const names = numpy(
        `import sys, numpy as np
n = 0
for descr in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"]:
    for order in "<>":
        for shape in [(), (5,), (3, 4), (2, 3, 4), (0, 3), (4, 1)]:
            a = (np.arange(int(np.prod(shape))).reshape(shape) % 7 - 3).astype(descr)
            for layout in "CF":
                np.save(f"{sys.argv[1]}/{n}.npy", np.asarray(a.astype(a.dtype.newbyteorder(order)), order=layout))
                a.astype(a.dtype.newbyteorder("<")).tofile(f"{sys.argv[1]}/{n}.raw")
                n += 1
print(n)`,
        folder,
      );
      if (names === undefined) return context.skip(NO_NUMPY);
      for (let n = 0; n < Number(names); n++) {
        const bytes = new Uint8Array(readFileSync(path.join(folder, `${n}.npy`)));
        const model = await open(bytes);
        expectSame((await readAll(model, 13))[0], new Uint8Array(readFileSync(path.join(folder, `${n}.raw`))));
        expectSame(await restore(model), bytes);
      }
      expect(Number(names)).toBe(336);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
