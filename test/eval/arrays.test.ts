import { describe, expect, it } from "vitest";
import { arraySamples, type RunOptions, randomSamples, readArrays, type Samples, type Signature } from "../../src/eval/index.js";
import type { Tensor } from "../../src/types.js";
import { makeNpy, makeSafetensors, refused } from "../formats/helpers.js";
import { makeZip } from "../formats/zipfile.js";
import { f32, numbers, value } from "./models.js";

const usual: RunOptions = { limit: Infinity, fed: new Set(), shapes: {} };
const OPEN: Signature = { inputs: [value("x", ["n", 2])], outputs: [value("y", ["n", 2])] };

async function runs(
  samples: Samples,
  model: Signature,
  options: Partial<RunOptions> = {},
): Promise<(readonly (readonly [string, readonly number[], readonly number[]])[])[]> {
  const { runs } = await samples.plan(model, { ...usual, ...options });
  return Array.from(runs, ({ inputs }) => [...inputs.values()].map((tensor) => [tensor.name, tensor.shape, numbers(tensor)] as const));
}

const X = f32("x", [3, 2], [1, 2, 3, 4, 5, 6]);

describe("arrays whose first axis is that of the samples", () => {
  it("go in together, or as many as the caller asks for", async () => {
    expect(await runs(arraySamples([X]), OPEN)).toEqual([[["x", [3, 2], [1, 2, 3, 4, 5, 6]]]]);
    expect(await runs(arraySamples([X]), OPEN, { batch: 2 })).toEqual([[["x", [2, 2], [1, 2, 3, 4]]], [["x", [1, 2], [5, 6]]]]);
    expect(await runs(arraySamples([X]), OPEN, { limit: 2 })).toEqual([[["x", [2, 2], [1, 2, 3, 4]]]]);
  });

  it("go in as many as the model fixes, and those that it takes once are the same in every run", async () => {
    const model = { inputs: [value("x", [1, 2]), value("k", [1])], outputs: [] };
    expect(await runs(arraySamples([X, f32("k", [1], [9])]), model)).toEqual(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ].map((row) => [
        ["x", [1, 2], row],
        ["k", [1], [9]],
      ]),
    );
  });

  it("are one run where there is nothing to divide", async () => {
    expect(await runs(arraySamples([f32("x", [1, 2], [1, 2])]), { inputs: [value("x", [1, 2])], outputs: [] })).toEqual([
      [["x", [1, 2], [1, 2]]],
    ]);
  });

  it("must be as many each, and fill the model", async () => {
    const two = { inputs: [value("x", ["n", 2]), value("z", ["n", 2])], outputs: [] };
    await expect(runs(arraySamples([X, { ...f32("z", [1, 2], [0, 0]) }]), two)).rejects.toThrow(
      /as many samples each; there is "x" F32 \[3, 2\], "z" F32 \[1, 2\]/,
    );
    await expect(
      runs(arraySamples([f32("x", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])]), { inputs: [value("x", [2, 2])], outputs: [] }, { limit: 3 }),
    ).rejects.toThrow(/must fill the model's "x" F32 \[2, 2\]; there are 3 samples/);
  });
});

describe("arrays with a first axis of runs", () => {
  const model = { inputs: [value("frame", ["batch", 2]), value("state", [1, "batch"]), value("rate", [])], outputs: [] };
  const frames = f32("frame", [3, 1, 2], [1, 2, 3, 4, 5, 6]);
  const rate = f32("rate", [], [16000]);

  it("are a run for each of its elements, the others the same in each", async () => {
    expect(await runs(arraySamples([frames, rate]), model, { fed: new Set(["state"]) })).toEqual(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ].map((row) => [
        ["frame", [1, 2], row],
        ["rate", [], [16000]],
      ]),
    );
  });

  it("are wanted where there is a state", async () => {
    await expect(runs(arraySamples([f32("frame", [3, 2], [1, 2, 3, 4, 5, 6]), rate]), model, { fed: new Set(["state"]) })).rejects.toThrow(
      /must have an array with a first axis of steps/,
    );
  });
});

describe("arrays that the model does not take are the caller's mistake, which names both:", () => {
  const cases: readonly (readonly [string, readonly Tensor[], RegExp])[] = [
    ["another name", [f32("image", [3, 2], [1, 2, 3, 4, 5, 6])], /array for the model's "x" F32 \[n, 2\]; there is "image" F32 \[3, 2\]/],
    ["another shape", [f32("x", [2, 3], [1, 2, 3, 4, 5, 6])], /must meet the model's "x" F32 \[n, 2\]; there is "x" F32 \[2, 3\]/],
    [
      "two axes more",
      [f32("x", [1, 1, 3, 2], [1, 2, 3, 4, 5, 6])],
      /must meet the model's "x" F32 \[n, 2\]; there is "x" F32 \[1, 1, 3, 2\]/,
    ],
    ["an axis less", [f32("x", [2], [1, 2])], /must meet the model's "x"/],
    ["one that it has no input for", [X, f32("mask", [3], [1, 1, 1])], /must be the model's, "x" F32 \[n, 2\]; there is "mask" F32 \[3\]/],
    [
      "no numbers",
      [{ name: "x", dtype: "C64", shape: [1, 2], data: new Uint8Array(16) }],
      /become those of "x" F32 \[n, 2\]; there is "x" C64/,
    ],
  ];

  it.each(cases)("%s", async (_, arrays, says) => {
    await expect(runs(arraySamples(arrays), OPEN)).rejects.toThrow(says);
    await expect(runs(arraySamples(arrays), OPEN)).rejects.toThrow(RangeError);
  });

  it("but one that is called like an output is left alone", async () => {
    expect((await runs(arraySamples([X, f32("y", [3, 9], new Array(27).fill(0))]), OPEN)).length).toBe(1);
  });
});

describe("arrays of other elements than the model's", () => {
  const doubles = (values: readonly number[]): Tensor => ({
    name: "x",
    dtype: "F64",
    shape: [1, 2],
    data: new Uint8Array(Float64Array.from(values).buffer),
  });

  it("become those", async () => {
    expect(await runs(arraySamples([doubles([0.1, 2])]), OPEN)).toEqual([[["x", [1, 2], [Math.fround(0.1), 2]]]]);
    const ids = { inputs: [value("x", ["n", 2], "I64")], outputs: [] };
    const [{ inputs }] = (await arraySamples([doubles([-3, 7])]).plan(ids, usual)).runs;
    expect([...new BigInt64Array(inputs.get("x")!.data.slice().buffer)]).toEqual([-3n, 7n]);
  });

  it("must be such that they can", () => {
    const ids = { inputs: [value("x", ["n", 2], "U8")], outputs: [] };
    for (const wrong of [0.5, -1, 256])
      expect(() => arraySamples([doubles([1, wrong])]).plan(ids, usual)).toThrow(/elements that U8 holds/);
  });
});

describe("readArrays", () => {
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

  it("gives the one array of a .npy file to the one input", async () => {
    expect(await runs(await readArrays(makeNpy("<f4", [2, 2], data)), OPEN)).toEqual([[["x", [2, 2], [1, 2, 3, 4]]]]);
    expect(await runs(await readArrays(makeNpy("<f4", [2, 2], data, true)), OPEN), "column-major").toEqual([[["x", [2, 2], [1, 3, 2, 4]]]]);
  });

  it("gives arrays by their names", async () => {
    expect(await runs(await readArrays(makeZip([{ name: "x.npy", data: makeNpy("<f4", [2, 2], data), level: 6 }])), OPEN)).toEqual([
      [["x", [2, 2], [1, 2, 3, 4]]],
    ]);
    expect(await runs(await readArrays(makeSafetensors([{ name: "x", dtype: "F32", shape: [2, 2], data }])), OPEN)).toEqual([
      [["x", [2, 2], [1, 2, 3, 4]]],
    ]);
  });

  it("reads no array that the model does not take", async () => {
    const spoilt = makeZip([
      { name: "x.npy", data: makeNpy("<f4", [2, 2], data), level: 6 },
      { name: "y.npy", data: makeNpy("<f4", [2, 2], data), level: 0 },
    ]);
    // An element of y, whose checksum no longer holds: y is an output, and is left alone.
    spoilt[spoilt.lastIndexOf(0x40)] ^= 1;
    expect(await runs(await readArrays(spoilt), OPEN)).toHaveLength(1);
    const both = { inputs: [...OPEN.inputs, value("y", ["n", 2])], outputs: [] };
    await refused(runs(await readArrays(spoilt), both), "CHECKSUM");
  });

  it("refuses more bytes than the caller allows, in the file or as the model takes them", async () => {
    const wide = { inputs: [value("x", ["n", 2], "F64")], outputs: [] };
    const bytes = makeNpy("<f4", [2, 2], data);
    expect(await runs(await readArrays(bytes, { maxBytes: 16 }), OPEN)).toHaveLength(1);
    await refused(runs(await readArrays(bytes, { maxBytes: 15 }), OPEN), "LIMIT");
    await refused(runs(await readArrays(bytes, { maxBytes: 31 }), wide), "LIMIT");
    // Zeros, a thousandth of what they become.
    const bomb = makeZip([{ name: "x.npy", data: makeNpy("<f4", [2 ** 18, 2], new Uint8Array(2 ** 21)), level: 9 }]);
    await refused(runs(await readArrays(bomb, { maxBytes: 2 ** 20 }), OPEN), "LIMIT");
    // Those with another name are the caller's mistake, whatever they would take.
    await expect(runs(await readArrays(bomb, { maxBytes: 0 }), { inputs: [value("z", ["n", 2])], outputs: [] })).rejects.toThrow(
      /array for the model's "z"/,
    );
  });

  it("takes the name of an input for a file without names alone", async () => {
    const two = { inputs: [value("x", ["n", 2])], outputs: [] };
    expect(await runs(await readArrays(makeNpy("<f4", [2, 2], data), { input: "x" }), two)).toHaveLength(1);
    await expect(readArrays(makeSafetensors([{ name: "x", dtype: "F32", shape: [2, 2], data }]), { input: "x" })).rejects.toThrow(
      /input must be left out/,
    );
  });

  it("refuses what is none", async () => {
    await refused(readArrays(makeNpy("<f4", [2, 2], data).slice(0, -1)), "TRUNCATED");
    await refused(readArrays(new Uint8Array(32)), "MAGIC");
  });
});

describe("random samples", () => {
  const model = { inputs: [value("x", ["n", 3]), value("ids", ["n", "t"], "I64"), value("state", [2])], outputs: [] };

  it("are the same for a seed, in shapes that the model leaves open at 1", async () => {
    const fed = new Set(["state"]);
    const of = async (seed: number) => [...(await randomSamples(2, seed).plan(model, { ...usual, fed, shapes: { ids: [1, 4] } })).runs];
    const [first, second] = await of(5);
    expect([...first.inputs.keys()]).toEqual(["x", "ids"]);
    expect(first.inputs.get("x")).toMatchObject({ dtype: "F32", shape: [1, 3] });
    expect(first.inputs.get("ids")).toMatchObject({ dtype: "I64", shape: [1, 4] });
    for (const one of numbers(first.inputs.get("x")!)) expect(Math.abs(one)).toBeLessThanOrEqual(1);
    for (const id of new BigInt64Array(first.inputs.get("ids")!.data.slice().buffer)) expect([0n, 1n]).toContain(id);
    expect(await of(5)).toEqual([first, second]);
    expect(second).not.toEqual(first);
    expect((await of(6))[0]).not.toEqual(first);
  });

  it("must have shapes that meet the model, and are not huge by mistake", () => {
    expect(() => randomSamples(1).plan(model, { ...usual, shapes: { x: [1, 4] } })).toThrow(
      /shapes must meet the model: \[1, 4\] is given for "x", which is \[n, 3\]/,
    );
    expect(() => randomSamples(1).plan(model, { ...usual, shapes: { ids: [30000, 30000] } })).toThrow(/shapes must have at most/);
    expect(() => randomSamples(0)).toThrow(/random must be in/);
    expect(() => randomSamples(1, -1)).toThrow(/seed must be in/);
  });
});
