import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { LENET_5 } from "../../examples/lenet-5.js";
import { loadMnist, samplesOf } from "../../examples/mnist.js";
import { decode, open, type Source } from "../../src/decode/index.js";
import { compress } from "../../src/index.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import type { NetworkSpec } from "../../src/network/spec.js";
import { Sequential } from "../../src/nn/index.js";
import { loadNetwork } from "../../src/run/index.js";
import { dataFile, NO_DATA } from "../data.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { referenceRun, type Subject, subjectOf } from "./networks.js";

/** Groups, strides, paddings, pools of each kind, batch normalization behind weights and on its own. */
const NETWORKS: Readonly<Record<string, NetworkSpec>> = {
  "of linear layers": {
    layers: [
      { type: "linear", name: "fc1", in: 30, out: 21 },
      { type: "relu" },
      { type: "dropout", rate: 0.5 },
      { type: "linear", name: "fc2", in: 21, out: 9, bias: false },
    ],
  },
  "that begins with what has no weights": {
    input: [2, 6, 7],
    layers: [
      { type: "relu" },
      { type: "batchnorm", name: "bn", features: 2, affine: false },
      { type: "flatten" },
      { type: "batchnorm", name: "flat", features: 84, epsilon: 0.1 },
      { type: "linear", name: "fc", in: 84, out: 5 },
    ],
  },
  "with strides and groups": {
    input: [3, 35, 35],
    layers: [
      { type: "conv2d", name: "conv1", in: 3, out: 8, kernel: 11, stride: 4 },
      { type: "relu" },
      { type: "maxpool2d", kernel: 3, stride: 2, ceil: true },
      { type: "conv2d", name: "conv2", in: 8, out: 12, kernel: 5, padding: 2, groups: 2 },
      { type: "relu" },
      { type: "averagepool2d", kernel: 2, stride: 1, padding: 1 },
      { type: "conv2d", name: "conv3", in: 12, out: 6, kernel: [1, 3], stride: [2, 1], padding: [0, 1], groups: 3, bias: false },
      { type: "flatten" },
      { type: "linear", name: "fc", in: 48, out: 7 },
    ],
  },
  "of convolutions one after the other": {
    input: [2, 14, 14],
    layers: [
      { type: "conv2d", name: "a", in: 2, out: 6, kernel: 3, padding: 1 },
      { type: "conv2d", name: "b", in: 6, out: 6, kernel: 3, padding: 1 },
      { type: "relu" },
      { type: "conv2d", name: "c", in: 6, out: 5, kernel: 1 },
      { type: "conv2d", name: "d", in: 5, out: 5, kernel: 3 },
      { type: "relu" },
      { type: "maxpool2d", kernel: 2 },
      { type: "flatten" },
      { type: "linear", name: "fc", in: 180, out: 4 },
    ],
  },
  "with convolutions narrower than what comes to them": {
    input: [2, 13, 40],
    layers: [
      { type: "conv2d", name: "a", in: 2, out: 40, kernel: [3, 33], stride: [1, 2], padding: [1, 0] },
      { type: "relu" },
      { type: "conv2d", name: "b", in: 40, out: 30, kernel: [2, 4], groups: 2 },
      { type: "relu" },
      { type: "conv2d", name: "c", in: 30, out: 12, kernel: [3, 1] },
      { type: "maxpool2d", kernel: [2, 1] },
      { type: "flatten" },
      { type: "linear", name: "fc", in: 60, out: 4 },
    ],
  },
  "with batch normalization": {
    input: [3, 9, 10],
    layers: [
      { type: "conv2d", name: "conv1", in: 3, out: 8, kernel: 3, padding: 1, bias: false },
      { type: "batchnorm", name: "bn1", features: 8 },
      { type: "relu" },
      { type: "batchnorm", name: "bn2", features: 8 },
      { type: "conv2d", name: "conv2", in: 8, out: 16, kernel: 3, stride: 2, padding: 1 },
      { type: "batchnorm", name: "bn3", features: 16 },
      { type: "flatten" },
      { type: "linear", name: "fc1", in: 400, out: 20 },
      { type: "batchnorm", name: "bn4", features: 20 },
      { type: "relu" },
      { type: "linear", name: "fc2", in: 20, out: 6 },
    ],
  },
};

const WITH_RESPONSES: NetworkSpec = {
  input: [2, 12, 13],
  layers: [
    { type: "conv2d", name: "conv", in: 2, out: 9, kernel: 3, padding: 1 },
    { type: "relu" },
    { type: "localresponsenorm", size: 5, alpha: 0.3, k: 2 },
    { type: "maxpool2d", kernel: 3, stride: 2 },
    { type: "localresponsenorm", size: 4, alpha: 0.1, beta: 0.6 },
    { type: "flatten" },
    { type: "linear", name: "fc", in: 270, out: 4 },
  ],
};

/** The network of `coppice/nn` with the tensors decoded from the archive. */
function denseOf({ spec, archive }: Pick<Subject, "spec" | "archive">): Sequential {
  const network = new Sequential(spec);
  network.load(decode(archive));
  return network;
}

const argmax = (values: Float32Array): number => values.indexOf(Math.max(...values));

function expectClose(found: Float32Array, wanted: Float32Array, within = 1e-4): void {
  const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  expect(found.length).toBe(wanted.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - wanted[i]), `output ${i}`).toBeLessThanOrEqual(within * most);
}

describe.each(VARIANTS)("a network, %s", (variant) => {
  describe.each(Object.entries(NETWORKS))("%s", (_, spec) => {
    const subject = subjectOf(spec, 3);

    it("gives the bits of the reference", async () => {
      const network = await loadNetwork(subject.archive, spec, { variant });
      const random = new Random(8);
      for (let i = 0; i < 3; i++) {
        const x = random.weights(network.inputs, 1);
        expectSame(network.run(x), referenceRun(subject, x));
      }
    });

    it("gives what training's network gives with the decoded tensors", async () => {
      const network = await loadNetwork(subject.archive, spec, { variant });
      const dense = denseOf(subject);
      const X = new Random(9).weights(5 * network.inputs, 1);
      const wanted = dense.forward(X);
      const found = network.runBatch(X, 5);
      expectClose(found, wanted);
      const { outputs } = network;
      for (let i = 0; i < 5; i++)
        expect(argmax(found.subarray(i * outputs, (i + 1) * outputs))).toBe(argmax(wanted.subarray(i * outputs, (i + 1) * outputs)));
    });
  });

  it("with local response normalization gives the bits of the reference", async () => {
    const subject = subjectOf(WITH_RESPONSES, 4);
    const network = await loadNetwork(subject.archive, WITH_RESPONSES, { variant });
    const x = new Random(10).weights(network.inputs, 1);
    expectSame(network.run(x), referenceRun(subject, x));
  });

  it("runs layers with more than 256 different weights in float32", async () => {
    for (const spec of [NETWORKS["with strides and groups"], NETWORKS["with batch normalization"]]) {
      const subject = subjectOf(spec, 5, { conv2: 2000, fc1: 2000 });
      const network = await loadNetwork(subject.archive, spec, { variant });
      expect(network.layers.find(({ name }) => name === "conv2")?.layout).toBe("rows");
      const X = new Random(11).weights(2 * network.inputs, 1);
      expectClose(network.runBatch(X, 2), denseOf(subject).forward(X));
    }
  });

  it("gives in batches what it gives one by one, whatever its linear layers do at a time", async () => {
    for (const name of ["of linear layers", "with batch normalization", "with strides and groups"]) {
      const subject = subjectOf(NETWORKS[name], 8);
      const one = await loadNetwork(subject.archive, subject.spec, { variant, softmax: true });
      const many = await loadNetwork(subject.archive, subject.spec, { variant, softmax: true });
      const { inputs, outputs } = one;
      for (const n of [1, 3, 16, 37]) {
        const X = new Random(n).weights(n * inputs, 1);
        const Y = many.runBatch(X, n);
        for (let i = 0; i < n; i++)
          expectSame(Y.slice(i * outputs, (i + 1) * outputs), one.run(X.slice(i * inputs, (i + 1) * inputs)), `${name}, ${i} of ${n}`);
      }
    }
  });

  it("gives probabilities with softmax", async () => {
    const subject = subjectOf(NETWORKS["of linear layers"], 6);
    const x = new Random(12).weights(30, 1);
    const logits = (await loadNetwork(subject.archive, subject.spec, { variant })).run(x);
    const found = (await loadNetwork(subject.archive, subject.spec, { variant, softmax: true })).run(x);
    const powers = [...logits].map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(powers[i] / sum, 6);
  });

  it("gives the same again, whatever ran in between", async () => {
    const subject = subjectOf(NETWORKS["with strides and groups"], 7);
    const network = await loadNetwork(subject.archive, subject.spec, { variant });
    const random = new Random(13);
    const x = random.weights(network.inputs, 1);
    const first = network.run(x);
    network.run(new Float32Array(network.inputs).fill(Number.NaN));
    expectSame(network.run(x), first);
  });
});

describe("loading a network", () => {
  it("says what its layers are", async () => {
    const { spec, archive, tensors } = subjectOf(NETWORKS["with strides and groups"], 3, { conv1: 2000 });
    const network = await loadNetwork(archive, spec);
    const survivors = (name: string): number => tensors.get(`${name}.weight`)!.filter((weight) => weight !== 0).length;
    expect([network.inputShape, network.inputs, network.outputs]).toEqual([[3, 35, 35], 3675, 7]);
    expect(network.layers).toEqual([
      { type: "conv2d", name: "conv1", shape: [8, 7, 7], weights: 2904, survivors: survivors("conv1"), layout: "rows" },
      { type: "maxpool2d", shape: [8, 3, 3], weights: 0, survivors: 0 },
      { type: "conv2d", name: "conv2", shape: [12, 3, 3], weights: 1200, survivors: survivors("conv2"), layout: "rows" },
      { type: "averagepool2d", shape: [12, 4, 4], weights: 0, survivors: 0 },
      { type: "conv2d", name: "conv3", shape: [6, 2, 4], weights: 72, survivors: survivors("conv3"), layout: "rows" },
      { type: "flatten", shape: [48], weights: 0, survivors: 0 },
      { type: "linear", name: "fc", shape: [7], weights: 336, survivors: survivors("fc"), layout: "rows" },
    ]);
  });

  it("keeps to 3 bytes a survivor, pointers and the activations", async () => {
    const spec: NetworkSpec = {
      input: [32, 20, 20],
      layers: [
        { type: "conv2d", name: "conv", in: 32, out: 300, kernel: 3, padding: 1 },
        { type: "relu" },
        { type: "averagepool2d", kernel: 4 },
        { type: "flatten" },
        { type: "linear", name: "fc", in: 7500, out: 200 },
      ],
    };
    const { archive } = subjectOf(spec, 2);
    const network = await loadNetwork(archive, spec);
    const survivors = network.layers.reduce((sum, layer) => sum + layer.survivors, 0);
    const activations = 4 * (32 * 22 * 21 + 300 * 20 * 21);
    const pointers = 4 * (300 * (2 + 1) + 7500 * 2 + 32 * 9 + 500);
    expect(network.byteLength).toBeGreaterThan(3 * survivors);
    expect(network.byteLength).toBeLessThan(3.2 * survivors + pointers + activations + 3 * 65536);
  });
});

describe("a network that is being loaded", () => {
  const spec: NetworkSpec = {
    input: [1, 8, 8],
    layers: [
      { type: "maxpool2d", kernel: 2 },
      { type: "flatten" },
      { type: "linear", name: "fc", in: 16, out: 5 },
      { type: "batchnorm", name: "bn", features: 5 },
    ],
  };
  const { archive } = subjectOf(spec);
  const x = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));

  it("may come from a source that lends one buffer for all that it reads", async () => {
    const buffer = new Uint8Array(archive.length);
    const source: Source = {
      byteLength: archive.length,
      async read(offset, byteLength) {
        await new Promise(setImmediate);
        buffer.set(archive.subarray(offset, offset + byteLength));
        return buffer.subarray(0, byteLength);
      },
      close: async () => {},
    };
    const wanted = (await loadNetwork(archive, spec)).run(x);
    expectSame((await loadNetwork(await open(source), spec)).run(x), wanted);
  });

  it("is what its JSON said when it was asked for", async () => {
    const wanted = (await loadNetwork(archive, spec)).run(x);
    const changed = structuredClone(spec);
    const loading = loadNetwork(archive, changed);
    Object.assign(changed.layers[0], { kernel: 8, stride: 8 });
    expectSame((await loading).run(x), wanted);
  });

  it("takes the numbers of another realm", async () => {
    const network = await loadNetwork(archive, spec);
    const foreign = runInNewContext("new Float32Array(64)") as Float32Array;
    foreign.set(x);
    expectSame(network.run(foreign), network.run(x));
  });
});

describe("LeNet-5 from its archive, trained or shared from a published one", () => {
  const trained = (): Uint8Array => new Uint8Array(readFileSync("examples/models/lenet-5.coppice"));
  const published = async (): Promise<Uint8Array> =>
    (await compress(new Uint8Array(readFileSync(dataFile("lenet/lenet-5.dns-sparse.safetensors")!)), { preset: "paper" })).archive;

  it.for([
    ["trained", trained, 255, 9931],
    ["published", published, 256, 9850],
  ] as const)(
    "reads all 10,000 test digits as the dense network decoded from it does: %s",
    { timeout: 120_000 },
    async ([, archiveOf, divisor, least], { skip }) => {
      const files = ["lenet/lenet-5.dns-sparse.safetensors", "mnist/t10k-images-idx3-ubyte.gz"];
      if (files.some((file) => dataFile(file) === undefined)) return skip(NO_DATA);
      const archive = await archiveOf();
      const { inputs, labels } = samplesOf(await loadMnist("test"), divisor);
      const wanted = denseOf({ spec: LENET_5, archive }).forward(inputs);
      const network = await loadNetwork(archive, LENET_5);
      expect(network.layers.filter(({ layout }) => layout === "dense")).toEqual([]);
      const found = network.runBatch(inputs, labels.length);
      let correct = 0;
      for (let i = 0; i < labels.length; i++) {
        const own = argmax(found.subarray(10 * i, 10 * i + 10));
        expect(own, `digit ${i}`).toBe(argmax(wanted.subarray(10 * i, 10 * i + 10)));
        if (own === labels[i]) correct++;
      }
      expect(correct).toBeGreaterThanOrEqual(least);
    },
  );
});
