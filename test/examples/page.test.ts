import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ticksOf } from "../../examples/browser/histogram.js";
import { BINS, centroidsOf, histogramOf, patternOf, rangeOf, type Weights } from "../../examples/browser/look.js";
import { best, SIDE, specOf } from "../../examples/browser/network.js";
import { Workshop } from "../../examples/browser/workshop.js";
import { LENET_5 } from "../../examples/lenet-5.js";
import { LENET_300_100 } from "../../examples/lenet-300-100.js";
import { loadMnist, samplesOf } from "../../examples/mnist.js";
import { compress, decode } from "../../src/index.js";
import { Sequential } from "../../src/nn/index.js";
import { loadNetwork, type NetworkSpec } from "../../src/run/index.js";
import type { TensorInfo } from "../../src/types.js";
import { dataFile, NO_DATA } from "../data.js";

/** Weights that come in blocks. */
function weights(values: readonly number[], size = 3): Weights {
  return async function* () {
    for (let at = 0; at < values.length; at += size) yield Float32Array.from(values.slice(at, at + size));
  };
}

describe("a file that comes as a stream", () => {
  it("is told to be an archive however small its first chunks are, each tensor once its last block came", async () => {
    const data = new Uint8Array(3 << 20).fill(1); // three blocks
    const { archive } = await compress([
      { name: "large", dtype: "U8", shape: [data.length], data },
      { name: "empty", dtype: "F32", shape: [0], data: new Uint8Array(0) },
    ]);
    const told: string[] = [];
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of archive) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const onTensor = ({ name }: TensorInfo): void => void told.push(name);
    const shop = await Workshop.open("net.coppice", stream, "net.coppice", { watch: () => undefined, onTensor });
    expect(told).toEqual(["large", "empty"]);
    expect(shop.archive?.header.tensors.map(({ name }) => name)).toEqual(told);
  });
});

describe("what there is to see of a tensor", () => {
  const values = [0, -1, 2, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2, 0, 0];

  it("is counted over blocks, without what is not finite", async () => {
    const range = await rangeOf(weights(values));
    expect(range).toEqual({ low: -1, high: 2 });
    const counts = await histogramOf(weights(values), range);
    expect([counts[0], counts[BINS / 2], counts[BINS - 1]]).toEqual([1, 1, 2]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it("counts who shares a centroid", async () => {
    const { counts } = await centroidsOf(weights(values), Float32Array.of(-1, 0.5, 2));
    expect([...counts]).toEqual([1, 1, 2]);
  });

  it("has a range where all weights are alike, or none is there", async () => {
    expect(await rangeOf(weights([3, 3]))).toEqual({ low: 3, high: 3 });
    expect(await rangeOf(weights([]))).toEqual({ low: 0, high: 0 });
    expect((await histogramOf(weights([3, 3]), { low: 3, high: 3 }))[0]).toBe(2);
  });

  it("has a cell for each weight of a small tensor", async () => {
    const { pattern, survivors } = await patternOf(weights([0, 1, -2, 0, 0, 0]), [2, 3]);
    expect(survivors).toBe(2);
    expect(pattern).toMatchObject({ rows: 2, columns: 3, height: 2, width: 3 });
    expect([...pattern.density]).toEqual([0, 255, 255, 0, 0, 0]);
    expect([...pattern.mean]).toEqual([0, 64, -127, 0, 0, 0]);
  });

  it("shows a lone survivor of a large one", async () => {
    const columns = 2000;
    const values = Array.from({ length: 1000 * columns }, (_, i) => (i === 999 * columns + 1999 ? 1 : 0));
    const { pattern, survivors } = await patternOf(weights(values, 4096), [1000, columns]);
    expect(survivors).toBe(1);
    expect([pattern.height, pattern.width]).toEqual([334, 667]);
    expect(pattern.density.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0)).toBe(1);
    expect(pattern.density.at(-1)).toBeGreaterThan(0);
  });

  it.each([
    { shape: [], rows: 1, columns: 1 },
    { shape: [7], rows: 1, columns: 7 },
    { shape: [120], rows: 3, columns: 50 },
    { shape: [1, 6, 2], rows: 6, columns: 2 },
    { shape: [4, 3, 2, 2], rows: 4, columns: 12 },
  ])("lays out $shape as $rows x $columns", async ({ shape, rows, columns }) => {
    const count = shape.reduce((product, axis) => product * axis, 1);
    const { pattern, survivors } = await patternOf(weights(Array(count).fill(1)), shape);
    expect(survivors).toBe(count);
    expect(pattern).toMatchObject({ rows, columns });
  });
});

describe("ticks", () => {
  it("are round, and within the range", () => {
    expect(ticksOf(-0.45, 0.32)).toEqual([-0.4, -0.2, 0, 0.2]);
    expect(ticksOf(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticksOf(3, 3)).toEqual([3]);
    for (const scale of [1e-30, 1e-6, 7, 1e9]) {
      const ticks = ticksOf(-0.7 * scale, 1.3 * scale);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.every((tick) => tick >= -0.7 * scale && tick <= 1.3 * scale)).toBe(true);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });
});

describe("the network that reads digits", () => {
  const linear = (name: string, outputs: number, inputs: number): TensorInfo[] => [
    { name: `${name}.weight`, dtype: "F32", shape: [outputs, inputs] },
    { name: `${name}.bias`, dtype: "F32", shape: [outputs] },
  ];

  /** The tensors of a network with weights. */
  const tensorsOf = ({ layers }: NetworkSpec): TensorInfo[] =>
    layers.flatMap((layer): TensorInfo[] => {
      if (layer.type === "linear") return linear(layer.name, layer.out, layer.in);
      if (layer.type !== "conv2d") return [];
      const [{ name, dtype }, bias] = linear(layer.name, layer.out, layer.in);
      return [{ name, dtype, shape: [layer.out, layer.in, 5, 5] }, bias];
    });

  it("is found where layers fit each other, pixels and digits, and nowhere else", () => {
    const fitting = [...linear("a", 30, SIDE * SIDE), ...linear("b", 10, 30)];
    expect(specOf(fitting)?.layers).toEqual([
      { type: "flatten" },
      { type: "linear", name: "a", in: SIDE * SIDE, out: 30 },
      { type: "relu" },
      { type: "linear", name: "b", in: 30, out: 10 },
    ]);
    expect(specOf(tensorsOf(LENET_5))).toEqual(JSON.parse(JSON.stringify(LENET_5).replaceAll('"kernel":5', '"kernel":[5,5]')));
    expect(specOf([...linear("a", 30, SIDE * SIDE), ...linear("b", 10, 31)])).toBeUndefined();
    expect(specOf([...tensorsOf(LENET_5), ...tensorsOf(LENET_5).slice(0, 2)])).toBeUndefined();
    expect(specOf(tensorsOf(LENET_5).slice(2))).toBeUndefined();
    expect(specOf(linear("a", 11, SIDE * SIDE))).toBeUndefined();
    expect(specOf(fitting.slice(0, 3))).toBeUndefined();
    expect(specOf(fitting.map((tensor) => ({ ...tensor, dtype: "F16" as const })))).toBeUndefined();
    expect(specOf([])).toBeUndefined();
  });

  it("reads MNIST out of the page's archive as the engine does", async ({ skip }) => {
    if (!["t10k-images-idx3", "t10k-labels-idx1"].every((name) => dataFile(`mnist/${name}-ubyte.gz`))) skip(NO_DATA);
    const { archive } = await compress(new Uint8Array(await readFile("examples/models/lenet-300-100.safetensors")), { preset: "paper" });
    const tensors = decode(archive);
    const running = await loadNetwork(archive, specOf(tensors)!, { softmax: true });
    const { inputs, labels } = samplesOf(await loadMnist("test"), 255, 0, 1000);
    const network = new Sequential(LENET_300_100);
    network.load(tensors);
    const answers = Array.from(labels, (_, i) => best(running.run(inputs.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE))));
    expect(answers).toEqual([...network.predict(inputs)]);
    expect(answers.filter((answer, i) => answer === labels[i]).length).toBeGreaterThan(960);
  });
});
