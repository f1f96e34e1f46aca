import { describe, expect, it } from "vitest";
import { open } from "../../src/decode/index.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type LayerOptions, loadLayer } from "../../src/run/index.js";
import { type Crafted, craftArchive, floats, tensorOf } from "../archive/craft.js";
import { sourceOf } from "../decode/ways.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { activations, Expected, weightsOf } from "./expected.js";
import { decodedFloats } from "./helpers.js";

const [ROWS, COLUMNS] = [12, 35];

/** The upper halves of float32 values. */
function bfloats(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer);
}

/** Float16 of numbers whose magnitudes are 0 or powers of 2 from 2^-14 to 2^15. */
function halfs(values: Float32Array): Uint8Array {
  const half = (value: number): number =>
    value === 0 ? 0 : (value < 0 ? 0x8000 : 0) | ((Math.round(Math.log2(Math.abs(value))) + 15) << 10);
  return new Uint8Array(Uint16Array.from(values, half).buffer);
}

const sparse = weightsOf(1, ROWS * COLUMNS, 0.2, 7);
const powers = Float32Array.from(sparse, (weight) => Math.sign(weight) * 2 ** Math.round(Math.log2(Math.abs(weight) || 1)));
const shape = [ROWS, 5, 7];
const book = { codebook: "listed", gapParameter: 5 } as const;

/** Every coding, and all floats. */
const RECORDS: Readonly<Record<string, Crafted>> = {
  sparse: { ...floats("w", shape, sparse), coding: "sparse", ...book },
  "sparse, of two axes": { ...floats("w", [ROWS, COLUMNS], sparse), coding: "sparse", ...book },
  "sparse, escapes": { ...floats("w", shape, sparse), coding: "sparse", codebook: "sorted", escape: true, gapParameter: 2 },
  "sparse, four streams": { ...floats("w", shape, sparse), coding: "sparse", ...book, ways: [3, 3] },
  ...Object.fromEntries(
    [1, 2, 3, 4, 5].map((scan) => [`sparse, scan ${scan}`, { ...floats("w", shape, sparse), coding: "sparse" as const, ...book, scan }]),
  ),
  "sparse, own elements": { ...floats("w", shape, sparse), coding: "sparse", codebook: "own", gapParameter: 5 },
  "sparse, own elements, scan 3": { ...floats("w", shape, sparse), coding: "sparse", codebook: "own", gapParameter: 5, scan: 3 },
  "sparse, float16 codebook": { ...floats("w", shape, powers), coding: "sparse", codebook: "float16", gapParameter: 5 },
  "sparse, several blocks": { ...floats("w", shape, sparse), coding: "sparse", ...book, blockLog: 8 },
  "sparse, own elements, several blocks": {
    ...floats("w", shape, sparse),
    coding: "sparse",
    codebook: "own",
    gapParameter: 5,
    blockLog: 8,
  },
  "sparse float64": { ...tensorOf("w", "F64", shape, new Uint8Array(Float64Array.from(sparse).buffer)), coding: "sparse", ...book },
  "sparse float64, own elements": {
    ...tensorOf("w", "F64", shape, new Uint8Array(Float64Array.from(sparse, (weight) => weight * (1 + 1e-9)).buffer)),
    ...{ coding: "sparse", codebook: "own", gapParameter: 5 },
  },
  "sparse bfloat16": { ...tensorOf("w", "BF16", shape, bfloats(sparse)), coding: "sparse", ...book },
  "sparse float16": { ...tensorOf("w", "F16", shape, halfs(powers)), coding: "sparse", ...book },
  dense: { ...floats("w", shape, sparse), coding: "dense", codebook: "listed" },
  "dense, scan 4": { ...floats("w", shape, sparse), coding: "dense", codebook: "listed", scan: 4 },
  "dense bfloat16": { ...tensorOf("w", "BF16", shape, bfloats(sparse)), coding: "dense", codebook: "listed" },
  "by context": { ...floats("w", shape, sparse), coding: "context", codebook: "listed" },
  "bytes, few values": { ...floats("w", shape, sparse), coding: "bytes", ways: [2] },
  "raw, few values": { ...floats("w", shape, sparse), coding: "raw" },
  "raw float16, several blocks": { ...tensorOf("w", "F16", shape, halfs(powers)), coding: "raw", blockLog: 8 },
  zeros: { ...floats("w", shape, new Float32Array(ROWS * COLUMNS)), coding: "zeros" },
};

const many = new Random(3).weights(ROWS * COLUMNS);

/** Tensors with more values than there are codes, of which most are not 0. */
const MANY: Readonly<Record<string, Crafted>> = {
  raw: { ...floats("w", shape, many), coding: "raw" },
  "bytes, several blocks": { ...floats("w", shape, many), coding: "bytes", ways: [0], blockLog: 8 },
  "own elements": {
    ...floats(
      "w",
      shape,
      many.map((weight, i) => (i % 4 === 0 ? 0 : weight)),
    ),
    ...{ coding: "sparse", codebook: "own", gapParameter: 5 },
  },
};

const pruned = many.map((weight, i) => (i % 14 < 5 ? 0 : weight));
const own = { coding: "sparse", codebook: "own", gapParameter: 5 } as const;

/** And those of which fewer are not. */
const PRUNED: Readonly<Record<string, Crafted>> = {
  raw: { ...floats("w", shape, pruned), coding: "raw" },
  "raw, several blocks": { ...floats("w", shape, pruned), coding: "raw", blockLog: 8 },
  "own elements": { ...floats("w", shape, pruned), ...own },
  "own elements, several blocks": { ...floats("w", shape, pruned), ...own, blockLog: 8 },
  "own elements float64": { ...tensorOf("w", "F64", shape, new Uint8Array(Float64Array.from(pruned).buffer)), ...own },
  ...Object.fromEntries([1, 3, 5].map((scan) => [`own elements, scan ${scan}`, { ...floats("w", shape, pruned), ...own, scan }])),
};

const bias = new Random(4).weights(ROWS);

const withBias = (crafted: Crafted): Uint8Array =>
  craftArchive([
    { ...floats("before", [3], [1, 2, 3]), coding: "raw" },
    { ...crafted, name: "net.weight" },
    { ...floats("net.bias", [ROWS], bias), coding: "raw" },
    {
      ...floats(
        "other",
        [1, ROWS],
        bias.map((value) => 2 * value),
      ),
      coding: "raw",
    },
    { ...floats("short", [ROWS - 1], new Float32Array(ROWS - 1)), coding: "raw" },
    { ...tensorOf("whole", "I32", [ROWS, 1], new Uint8Array(4 * ROWS)), coding: "raw" },
  ]);

function expectedOf(archive: Uint8Array): Expected {
  return new Expected(ROWS, COLUMNS, decodedFloats(archive, "net.weight"));
}

async function run(archive: Uint8Array, options: LayerOptions, x: Float32Array): Promise<Float32Array> {
  const y = new Float32Array(ROWS).fill(5);
  (await loadLayer(archive, "net.weight", options)).matvec(x, y);
  return y;
}

describe.each(VARIANTS)("a layer, %s", (variant) => {
  const random = new Random(5);
  const x = activations(random, COLUMNS);

  it.each(Object.entries(RECORDS))("of a record %s runs as the decoded tensor does, by columns and by rows", async (_, crafted) => {
    const archive = withBias(crafted);
    const expected = expectedOf(archive);
    for (const layout of ["columns", "rows"] as const) {
      const layer = await loadLayer(archive, "net.weight", { layout, variant });
      const y = new Float32Array(ROWS).fill(5);
      layer.matvec(x, y);
      expectSame(y, expected.matvec(layout, x, bias), layout);
      const { inputs, outputs, weights, survivors, density } = layer;
      expect({ inputs, outputs, weights, survivors, density, layout: layer.layout }).toEqual({
        ...{ inputs: COLUMNS, outputs: ROWS, weights: ROWS * COLUMNS, survivors: expected.survivors, layout },
        density: expected.survivors / (ROWS * COLUMNS),
      });
    }
  });

  it.each(Object.entries(PRUNED))("with more than 256 values, %s, runs from its survivors in float32", async (_, crafted) => {
    const archive = withBias(crafted);
    const expected = expectedOf(archive);
    expect(expected.codebook.length).toBeGreaterThan(256);
    for (const layout of ["columns", "rows", "both"] as const) {
      const layer = await loadLayer(archive, "net.weight", { layout, variant });
      const y = new Float32Array(ROWS);
      layer.matvec(x, y);
      expectSame(y, expected.matvec("columns", x, bias), layout);
      const Y = new Float32Array(5 * ROWS);
      const X = activations(random, 5 * COLUMNS);
      layer.matmul(X, 5, Y);
      expectSame(Y, expected.matmul(X, 5, bias), layout);
      expect([layer.layout, layer.survivors]).toEqual([layout, expected.survivors]);
    }
  });

  it.each(Object.entries(MANY))("with more than 256 values, %s, runs dense in float32", async (_, crafted) => {
    const archive = withBias(crafted);
    const expected = expectedOf(archive);
    expect(expected.codebook.length).toBeGreaterThan(256);
    for (const layout of ["auto", "columns", "rows", "both"] as const) {
      const layer = await loadLayer(archive, "net.weight", { layout, variant });
      const y = new Float32Array(ROWS);
      layer.matvec(x, y);
      expectSame(y, expected.matvec("dense", x, bias));
      const Y = new Float32Array(5 * ROWS);
      const X = activations(random, 5 * COLUMNS);
      layer.matmul(X, 5, Y);
      expectSame(Y, expected.matmul(X, 5, bias, false, true));
      expect([layer.layout, layer.survivors]).toEqual(["dense", expected.survivors]);
    }
  });

  it("adds the bias that it is given, that beside the weights, or none", async () => {
    const archive = withBias(RECORDS["sparse"]);
    const expected = expectedOf(archive);
    const twice = bias.map((value) => 2 * value);
    expectSame(await run(archive, { variant }, x), expected.matvec("columns", x, bias));
    expectSame(await run(archive, { variant, bias: "other" }, x), expected.matvec("columns", x, twice));
    expectSame(await run(archive, { variant, bias: twice }, x), expected.matvec("columns", x, twice));
    expectSame(await run(archive, { variant, bias: null }, x), expected.matvec("columns", x));
  });

  it.each(["columns", "rows", "both"] as const)("leaves no output below 0 with relu, %s", async (layout) => {
    const archive = withBias(RECORDS["sparse"]);
    const expected = expectedOf(archive);
    const order = layout === "both" ? "columns" : layout;
    const y = await run(archive, { variant, layout, relu: true }, x);
    expectSame(y, expected.matvec(order, x, bias, true));
    expect(y).not.toEqual(expected.matvec(order, x, bias));
    const layer = await loadLayer(archive, "net.weight", { variant, layout, relu: true });
    const Y = new Float32Array(6 * ROWS);
    const X = activations(random, 6 * COLUMNS);
    layer.matmul(X, 6, Y);
    expectSame(Y, expected.matmul(X, 6, bias, true));
  });

  it("takes batches of any length, by rows", async () => {
    const archive = withBias(RECORDS["sparse"]);
    const expected = expectedOf(archive);
    const layer = await loadLayer(archive, "net.weight", { variant, layout: "rows" });
    for (const n of [0, 1, 2, 3, 4, 5, 8, 31, 32, 33, 64, 71]) {
      const X = activations(random, n * COLUMNS);
      const Y = new Float32Array(n * ROWS).fill(5);
      layer.matmul(X, n, Y);
      expectSame(Y, expected.matmul(X, n, bias), `${n} vectors`);
    }
  });

  it.each([
    ["shared weights", 16],
    ["more than 256 values", 5000],
  ])("takes batches of more rows and columns than are worked at a time, of %s", async (_, values) => {
    const [rows, columns] = [150, 1100];
    const weights = weightsOf(8, rows * columns, 0.05, values);
    const archive = craftArchive([
      { ...floats("w", [rows, columns], weights), coding: "raw" },
      { ...floats("b", [rows], new Random(9).weights(rows)), coding: "raw" },
    ]);
    const bias = decodedFloats(archive, "b");
    const layer = await loadLayer(archive, "w", { variant, bias, layout: "rows" });
    const X = activations(random, 18 * columns);
    const Y = new Float32Array(18 * rows);
    layer.matmul(X, 18, Y);
    expectSame(Y, new Expected(rows, columns, weights).matmul(X, 18, bias));
  });

  it("gives the same numbers whatever order its survivors are in, and whenever it is turned", async () => {
    const [rows, columns] = [64, 300];
    const weights = weightsOf(21, rows * columns, 0.2, 12);
    const archive = craftArchive([{ ...floats("w", [rows, columns], weights), coding: "raw" }]);
    const expected = new Expected(rows, columns, weights);
    const layer = await loadLayer(archive, "w", { variant });
    const layouts = new Set<string>();
    for (const [n, density, times] of [
      [1, 0.3, 40],
      [48, 1, 8],
      [1, 0.02, 80],
      [16, 0.9, 20],
      [1, 0.02, 80],
    ] as const) {
      for (let i = 0; i < times; i++) {
        const X = activations(random, n * columns, density);
        const Y = new Float32Array(n * rows);
        if (n === 1) layer.matvec(X, Y);
        else layer.matmul(X, n, Y);
        expectSame(Y, expected.matmul(X, n));
      }
      layouts.add(layer.layout);
    }
    expect(layouts).toEqual(new Set(["columns", "rows"]));
  });

  it("of layout auto is turned once it has lost as much as that takes, and not for a call or two", async () => {
    const [rows, columns] = [64, 300];
    const archive = craftArchive([{ ...floats("w", [rows, columns], weightsOf(21, rows * columns, 0.2, 12)), coding: "raw" }]);
    const layer = await loadLayer(archive, "w", { variant });
    const batch = (n: number, density: number): void =>
      layer.matmul(activations(random, n * columns, density), n, new Float32Array(n * rows));
    expect(layer.layout).toBe("columns");
    batch(5, 1);
    expect(layer.layout).toBe("columns");
    for (let i = 0; i < 20; i++) batch(5, 1);
    expect(layer.layout).toBe("rows");
    batch(1, 0.02);
    expect(layer.layout).toBe("rows");
    for (let i = 0; i < 60; i++) batch(1, 0.02);
    expect(layer.layout).toBe("columns");
    // At once, where the batch is so large.
    batch(64, 1);
    expect(layer.layout).toBe("rows");
  });

  it("of few outputs has its survivors by rows, and of many by columns", async () => {
    for (const [rows, columns, order] of [
      [2, 400, "rows"],
      [400, 100, "columns"],
    ] as const) {
      const archive = craftArchive([{ ...floats("w", [rows, columns], weightsOf(3, rows * columns, 0.3, 9)), coding: "raw" }]);
      expect((await loadLayer(archive, "w", { variant })).layout).toBe(order);
    }
  });

  it.each([0.05, 1])("of layout both gives the numbers of either order, activations of density %d", async (density) => {
    const [rows, columns] = [64, 300];
    const weights = weightsOf(21, rows * columns, 0.2, 12);
    const archive = craftArchive([{ ...floats("w", [rows, columns], weights), coding: "raw" }]);
    const layer = await loadLayer(archive, "w", { variant, layout: "both" });
    for (const n of [1, 2, 7, 16, 40]) {
      const X = activations(random, n * columns, density);
      const Y = new Float32Array(n * rows);
      layer.matmul(X, n, Y);
      expectSame(Y, new Expected(rows, columns, weights).matmul(X, n));
    }
    expect(layer.layout).toBe("both");
  });
});

describe("loading a layer", () => {
  it("takes an archive that was opened, and leaves it open", async () => {
    const archive = withBias(RECORDS["sparse"]);
    const source = sourceOf(archive);
    let closed = 0;
    const opened = await open({ ...source, read: source.read, close: async () => void closed++ });
    const x = activations(new Random(6), COLUMNS);
    const y = new Float32Array(ROWS);
    (await loadLayer(opened, "net.weight")).matvec(x, y);
    expectSame(y, expectedOf(archive).matvec("columns", x, bias));
    expect(closed).toBe(0);
  });

  it("keeps to 3 bytes a survivor, pointers and the activations", async () => {
    const [rows, columns] = [600, 4000];
    const weights = weightsOf(7, rows * columns, 0.1, 16);
    const archive = craftArchive([{ ...floats("w", [rows, columns], weights), coding: "sparse", ...book, gapParameter: 40, blockLog: 20 }]);
    const survivors = weights.filter((weight) => weight !== 0).length;
    const page = 65536;
    const most = 3.2 * survivors + 4 * 2 * (rows + columns) + 3 * page;
    for (const layout of ["columns", "rows"] as const) {
      const layer = await loadLayer(archive, "w", { layout });
      expect(layer.byteLength).toBeGreaterThan(3 * survivors);
      expect(layer.byteLength).toBeLessThan(most);
      layer.matmul(new Float32Array(33 * columns).fill(1), 33, new Float32Array(33 * rows));
      // 16 vectors at a time, in lanes.
      expect(layer.byteLength).toBeLessThan(most + (layout === "rows" ? 4 * 16 * columns : 0));
    }
  });

  it("is stopped by its signal", async () => {
    const archive = withBias(RECORDS["sparse"]);
    const reason = new Error("enough");
    await expect(loadLayer(archive, "net.weight", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
