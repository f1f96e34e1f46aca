import { describe, expect, it } from "vitest";
import { open } from "../../src/decode/index.js";
import { newRunner } from "../../src/kernels/runner.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { FormatError, init, Layer, type LayerOptions, loadLayer } from "../../src/run/index.js";
import { archiveOf, craftArchive, craftRecord, floats, sealed, tensorOf } from "../archive/craft.js";
import { sourceOf } from "../decode/ways.js";
import { expectSame } from "../kernels/all.js";
import { Expected, weightsOf } from "./expected.js";
import { decodedFloats } from "./helpers.js";

const [ROWS, COLUMNS] = [6, 10];
const weights = weightsOf(1, ROWS * COLUMNS, 0.4, 5);
const crafted = { ...floats("w", [ROWS, COLUMNS], weights), coding: "sparse", codebook: "listed", gapParameter: 9 } as const;
const archive = craftArchive([
  crafted,
  { ...floats("flat", [4], [1, 2, 3, 4]), coding: "raw" },
  { ...tensorOf("whole", "I32", [2, 2], new Uint8Array(16)), coding: "raw" },
  { ...floats("empty", [0, 4], []), coding: "raw" },
]);

const load = (options?: LayerOptions) => loadLayer(archive, "w", options);
const xs = (length = COLUMNS): Float32Array => new Float32Array(length).fill(1);

describe("loadLayer refuses", () => {
  it.each([
    ["no archive", [undefined, "w"], /archive/],
    ["a string for an archive", ["net.coppice", "w"], /archive/],
    ["no name", [archive], /name/],
    ["an empty name", [archive, ""], /name/],
    ["a layout that is none", [archive, "w", { layout: "diagonal" }], /layout/],
    ["a variant that is none", [archive, "w", { variant: "fast" }], /variant/],
    ["a bias that is no name and no numbers", [archive, "w", { bias: [1, 2] }], /bias/],
    ["relu that is no truth value", [archive, "w", { relu: 1 }], /relu/],
  ] as const)("%s by a TypeError", async (_, args, named) => {
    const failure = await (loadLayer as (...args: readonly unknown[]) => Promise<unknown>)(...args).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as Error).message).toMatch(named);
  });

  it.each([
    ["a name that no tensor has", "weight", {}, /name.*"weight"/],
    ["a tensor of one axis", "flat", {}, /name.*"flat"/],
    ["a tensor that is not of floats", "whole", {}, /name.*"whole"/],
    ["a tensor without elements", "empty", {}, /"empty"/],
    ["the name of a bias that no tensor has", "w", { bias: "b" }, /bias.*"b"/],
    ["a bias of another length by name", "w", { bias: "flat" }, /bias.*6/],
    ["a bias of another length", "w", { bias: new Float32Array(7) }, /bias.*6/],
    ["a bias that is not of floats", "w", { bias: "whole" }, /bias.*"whole"/],
  ] as const)("%s by a RangeError", async (_, name, options, named) => {
    const failure = await loadLayer(archive, name, options).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RangeError);
    expect((failure as Error).message).toMatch(named);
  });

  it("a record that says more survivors than its tensor has room for, though every checksum is right", async () => {
    // The record of a tensor of 60 elements, in one of 50.
    const record = craftRecord(crafted);
    const lying = archiveOf([{ name: "w", dtype: "F32", shape: [5, COLUMNS], record }]);
    const failure = await loadLayer(lying, "w").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FormatError);
    expect(failure).toMatchObject({ code: "CORRUPT" });
  });

  it("every byte of a record that is not as it was written", async () => {
    const { length } = craftRecord(crafted);
    const one = craftArchive([crafted]);
    for (let at = one.length - length; at < one.length; at++) {
      const broken = one.slice();
      broken[at] ^= 0x10;
      await expect(loadLayer(broken, "w"), `byte ${at}`).rejects.toThrow(FormatError);
    }
  });

  it("what is outside the tensor, and codes without a centroid, in a record of which any byte is another and every checksum is right", async () => {
    const three = { ...crafted, ...floats("w", [ROWS, COLUMNS], weightsOf(2, ROWS * COLUMNS, 0.4, 3)), ways: [0] as const };
    let refused = 0;
    for (const record of [craftRecord(crafted), craftRecord({ ...crafted, escape: true, gapParameter: 2 }), craftRecord(three)]) {
      for (let at = 0; at < record.length - 4; at++) {
        for (const mask of [1, 0x10, 0x3f, 0xff]) {
          const bytes = record.slice(0, -4);
          bytes[at] ^= mask;
          const lying = archiveOf([{ name: "w", dtype: "F32", shape: [ROWS, COLUMNS], record: sealed(bytes) }]);
          const layer = await loadLayer(lying, "w", { layout: "rows" }).catch((error: unknown) => error);
          if (layer instanceof Layer) {
            // What is left is within the tensor: as the decoder has it.
            const [x, y] = [xs(), xs(ROWS)];
            layer.matvec(x, y);
            const decoded = decodedFloats(lying, "w");
            expectSame(y, new Expected(ROWS, COLUMNS, decoded).matvec(layer.layout as "rows" | "dense", x), `byte ${at} ^ ${mask}`);
          } else {
            expect(layer, `byte ${at} ^ ${mask}`).toBeInstanceOf(FormatError);
            refused++;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("a shape for which there is no memory, or whose places are not told apart, where the caller set no limit", async () => {
    for (const shape of [
      [65_552, 65_537],
      [2 ** 30, 1],
      [1, 2 ** 30],
      [2 ** 31 - 1, 1],
    ]) {
      // The least that may be said to hold so many elements: blocks of zeros.
      const zeros = craftRecord({ ...floats("w", [1, 1], [0]), coding: "zeros" });
      const record = new Uint8Array(5 * 2 ** 13);
      record.set(zeros);
      const lying = archiveOf([{ name: "w", dtype: "F32", shape, record }]);
      const opened = await open(sourceOf(lying), { maxBytes: Infinity });
      const failure = await loadLayer(opened, "w").catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(FormatError);
      if (shape[0] > 1) expect(failure).toMatchObject({ code: "LIMIT" });
    }
  });

  it("an archive that is cut off anywhere", async () => {
    const one = craftArchive([crafted]);
    for (let length = 0; length < one.length; length++) await expect(loadLayer(one.slice(0, length), "w")).rejects.toThrow(FormatError);
    await expect(loadLayer(one, "w")).resolves.toBeDefined();
  });
});

describe.each(VARIANTS)("the kernel that lays rows out, %s,", (variant) => {
  /** Whether it takes survivors at these places of a matrix of 3 rows and 4 columns. */
  function takes(...places: readonly number[]): boolean {
    const { arena, exports } = newRunner({ variant });
    const [from, laying, pointers, counts, indices, codes] = [64, exports.layingBytes(), 16, 16, 32, 16].map((byteLength) =>
      arena.alloc(byteLength),
    );
    arena.u32(from, places.length).set(places.map((place) => place * 256));
    exports.beginLaying(laying, 4, 3, 1, pointers);
    try {
      exports.layEntries(false, from, places.length, laying, pointers, counts, 1, indices, codes);
    } catch (error) {
      expect(error).toBeInstanceOf(WebAssembly.RuntimeError);
      return false;
    }
    return true;
  }

  it("takes what is within the matrix", () => {
    expect(takes(0, 3, 4, 11)).toBe(true);
  });

  it.each([
    ["a survivor after the last row", [0, 12]],
    ["a survivor far after it", [2 ** 24 - 1]],
    ["a survivor before another", [5, 4]],
    ["two survivors in one place", [5, 5]],
  ] as const)("refuses %s", (_, places) => {
    expect(takes(...places)).toBe(false);
  });
});

describe("a layer refuses", () => {
  const detached = (): Float32Array => {
    const values = xs();
    structuredClone(values.buffer, { transfer: [values.buffer] });
    return values;
  };
  const shared = new Float32Array(COLUMNS + ROWS);

  it.each([
    ["x of another length", () => [xs(9), xs(ROWS)], RangeError, /x must have 10 numbers, got 9/],
    ["y of another length", () => [xs(), xs(7)], RangeError, /y must have 6 numbers, got 7/],
    ["x that is an array", () => [[...xs()], xs(ROWS)], TypeError, /x must be a Float32Array/],
    ["x of float64", () => [new Float64Array(COLUMNS), xs(ROWS)], TypeError, /x must be a Float32Array/],
    ["y that is missing", () => [xs()], TypeError, /y must be a Float32Array/],
    ["x whose buffer was detached", () => [detached(), xs(ROWS)], RangeError, /x must have 10 numbers.*detached/],
    [
      "x and y that overlap by one number",
      () => [shared.subarray(0, COLUMNS), shared.subarray(COLUMNS - 1, COLUMNS - 1 + ROWS)],
      RangeError,
      /x and y/,
    ],
    [
      "y before x that overlap by one number",
      () => [shared.subarray(ROWS - 1, ROWS - 1 + COLUMNS), shared.subarray(0, ROWS)],
      RangeError,
      /x and y/,
    ],
  ] as const)("%s, and writes nothing", async (_, args, error, message) => {
    const layer = await load({ bias: Float32Array.of(1, 2, 3, 4, 5, 6) });
    const given = args() as [Float32Array, Float32Array];
    const before = given[1]?.slice();
    expect(() => layer.matvec(...given)).toThrow(error);
    expect(() => layer.matvec(...given)).toThrow(message);
    expect(given[1]).toEqual(before);
  });

  it("nothing where x and y touch", async () => {
    const layer = await load({ bias: Float32Array.of(1, 2, 3, 4, 5, 6) });
    layer.matvec(shared.subarray(0, COLUMNS), shared.subarray(COLUMNS));
    expect([...shared.subarray(COLUMNS)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ["n that is no integer", () => [xs(2 * COLUMNS), 1.5, xs(2 * ROWS)], TypeError, /n must be an integer/],
    ["n that is missing", () => [xs(COLUMNS), undefined, xs(ROWS)], TypeError, /n must be an integer/],
    ["n below 0", () => [xs(0), -1, xs(0)], RangeError, /n must be/],
    ["X of another length", () => [xs(2 * COLUMNS - 1), 2, xs(2 * ROWS)], RangeError, /X must have 20 numbers/],
    ["Y of another length", () => [xs(2 * COLUMNS), 2, xs(2 * ROWS + 1)], RangeError, /Y must have 12 numbers/],
    ["X and Y that overlap", () => [shared.subarray(0, COLUMNS), 1, shared.subarray(0, ROWS)], RangeError, /X and Y/],
  ] as const)("%s", async (_, args, error, message) => {
    const layer = await load();
    const given = args() as unknown as [Float32Array, number, Float32Array];
    expect(() => layer.matmul(...given)).toThrow(error);
    expect(() => layer.matmul(...given)).toThrow(message);
  });

  it("everything once it was disposed", async () => {
    const layer = await load();
    layer.dispose();
    layer.dispose();
    expect(() => layer.matvec(xs(), xs(ROWS))).toThrow(/disposed/);
    expect(() => layer.matmul(xs(), 1, xs(ROWS))).toThrow(TypeError);
    expect(() => layer.byteLength).toThrow(/disposed/);
  });
});

describe("init", () => {
  it("refuses what is no module of the kernels", () => {
    expect(() => init({})).toThrow(TypeError);
    const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    expect(() => init(empty)).toThrow(/runner/);
  });
});
