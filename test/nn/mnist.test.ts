import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LENET_5 } from "../../examples/lenet-5.js";
import { LENET_300_100, readTensors, safetensorsBytes } from "../../examples/lenet-300-100.js";
import { loadMnist, parseIdx, samplesOf, shift } from "../../examples/mnist.js";
import { Sequential, train } from "../../src/nn/index.js";
import { dataFile, NO_DATA } from "../data.js";

const MODEL = "examples/models/lenet-300-100.safetensors";

const hasMnist = (): boolean =>
  ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"].every(
    (name) => dataFile(`mnist/${name}-ubyte.gz`) !== undefined,
  );

describe("an IDX file", () => {
  const good = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

  it("gives its elements", () => {
    const { count, elements } = parseIdx(good, ["any", 3]);
    expect([count, ...elements]).toEqual([2, 1, 2, 3, 4, 5, 6]);
  });

  it("is refused at every other length, with another magic or another shape", () => {
    for (let length = 0; length < good.length; length++)
      expect(() => parseIdx(good.subarray(0, length), ["any", 3]), `${length}`).toThrow();
    expect(() => parseIdx(Uint8Array.of(...good, 0), ["any", 3])).toThrow(/6 elements, got 7/);
    for (const at of [0, 1, 2, 3]) expect(() => parseIdx(good.with(at, good[at] ^ 1), ["any", 3])).toThrow(/does not start with/);
    expect(() => parseIdx(good, ["any", 4])).toThrow(/axis 1/);
  });
});

describe("shift", () => {
  it("moves an image in every direction and lets paper in", () => {
    const image = Float32Array.from({ length: 28 * 28 }, (_, i) => i + 1);
    for (const down of [-2, -1, 0, 1, 2]) {
      for (const right of [-2, -1, 0, 1, 2]) {
        const moved = image.slice();
        shift(moved, right, down);
        const wanted = image.map((_, i) => {
          const row = Math.floor(i / 28) - down;
          const column = (i % 28) - right;
          return row >= 0 && row < 28 && column >= 0 && column < 28 ? image[row * 28 + column] : 0;
        });
        expect(moved, `${right}, ${down}`).toEqual(wanted);
      }
    }
  });
});

describe("LeNet-5", () => {
  it.for([
    ["dense", 9909],
    ["dns-sparse", 9909],
  ] as const)("as published, %s, gets %i test digits right", async ([name, wanted], { skip }) => {
    const file = dataFile(`lenet/lenet-5.${name}.safetensors`);
    if (file === undefined || !hasMnist()) return skip(NO_DATA);
    const network = new Sequential(LENET_5);
    network.load(await readTensors(file));
    expect(network.evaluate(samplesOf(await loadMnist("test"), 256)).correct).toBe(wanted);
  });

  it("learns from 1,000 digits, to the same bytes on both variants", async ({ skip }) => {
    if (!hasMnist()) skip(NO_DATA);
    const digits = await loadMnist("train");
    const networks = (["simd", "scalar"] as const).map((variant) => {
      const network = new Sequential(LENET_5, { variant });
      train(network, samplesOf(digits, 255, 0, 1000), { epochs: 2, learningRate: 0.02, batchSize: 50 });
      return network;
    });
    expect(Buffer.compare(safetensorsBytes(networks[0].tensors(), new Map()), safetensorsBytes(networks[1].tensors(), new Map()))).toBe(0);
    expect(networks[0].evaluate(samplesOf(digits, 255, 59_000)).accuracy).toBeGreaterThan(0.8);
  });
});

describe("LeNet-300-100", () => {
  it("is committed as F32 tensors that fit, with what made it", async () => {
    const network = new Sequential(LENET_300_100);
    network.load(await readTensors(MODEL));
    const bytes = readFileSync(MODEL);
    const { __metadata__ } = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE()))) as { __metadata__: object };
    expect(Object.keys(__metadata__)).toEqual(["input", "accuracy", "trained_by"]);
    expect(__metadata__).toMatchObject({ input: "pixel / 255" });
    expect(Buffer.compare(safetensorsBytes(network.tensors(), new Map(Object.entries(__metadata__))), bytes)).toBe(0);
  });

  it("is committed with the accuracy that it claims, 98 % at least", async ({ skip }) => {
    if (!hasMnist()) skip(NO_DATA);
    const network = new Sequential(LENET_300_100);
    network.load(await readTensors(MODEL));
    const { accuracy } = network.evaluate(samplesOf(await loadMnist("test"), 255));
    expect(accuracy).toBeGreaterThanOrEqual(0.98);
    expect(readFileSync(MODEL).toString("latin1", 0, 1000)).toContain(`${(100 * accuracy).toFixed(2)} % of the 10,000 test digits`);
  });

  it.for([
    ["dense", 9772],
    ["dns-sparse", 9801],
  ] as const)("as published, %s, gets %i test digits right", async ([name, wanted], { skip }) => {
    const file = dataFile(`lenet/lenet-300-100.${name}.safetensors`);
    if (file === undefined || !hasMnist()) return skip(NO_DATA);
    const network = new Sequential(LENET_300_100);
    network.load(await readTensors(file));
    expect(network.evaluate(samplesOf(await loadMnist("test"), 256)).correct).toBe(wanted);
  });

  it("learns from 3,000 digits, to the same bytes on both variants", async ({ skip }) => {
    if (!hasMnist()) skip(NO_DATA);
    const digits = await loadMnist("train");
    const networks = (["simd", "scalar"] as const).map((variant) => {
      const network = new Sequential(LENET_300_100, { variant });
      train(network, samplesOf(digits, 255, 0, 3000), { epochs: 2, learningRate: 0.05, batchSize: 100 });
      return network;
    });
    expect(Buffer.compare(safetensorsBytes(networks[0].tensors(), new Map()), safetensorsBytes(networks[1].tensors(), new Map()))).toBe(0);
    expect(networks[0].evaluate(samplesOf(digits, 255, 55_000)).accuracy).toBeGreaterThan(0.85);
  });
});
