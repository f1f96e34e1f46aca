import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { shapesOf } from "../../src/network/shapes.js";
import { type LayerSpec, type NetworkSpec, Sequential, train } from "../../src/nn/index.js";
import { expectSame } from "../kernels/all.js";
import { floats, noise } from "./networks.js";

/** Every kind of layer. */
const ALL: NetworkSpec = {
  input: [2, 8, 8],
  layers: [
    { type: "conv2d", name: "conv1", in: 2, out: 6, kernel: 3, padding: 1 },
    { type: "batchnorm", name: "bn1", features: 6 },
    { type: "relu" },
    { type: "maxpool2d", kernel: 2 },
    { type: "conv2d", name: "conv2", in: 6, out: 8, kernel: [3, 2], stride: [1, 2], groups: 2, bias: false },
    { type: "averagepool2d", kernel: 2 },
    { type: "flatten" },
    { type: "dropout", rate: 0.2 },
    { type: "linear", name: "fc", in: 8, out: 5 },
  ],
};

const IMAGE = [2, 8, 8];
const withLayers = (...layers: object[]): unknown => ({ input: IMAGE, layers });

describe("a network of images", () => {
  it("has its tensors named and shaped as PyTorch has them, in the order of the layers", () => {
    const found = new Sequential(ALL).tensors().map(({ name, dtype, shape }) => `${name} ${dtype} ${shape}`);
    expect(found).toEqual([
      "conv1.weight F32 6,2,3,3",
      "conv1.bias F32 6",
      "bn1.weight F32 6",
      "bn1.bias F32 6",
      "bn1.running_mean F32 6",
      "bn1.running_var F32 6",
      "conv2.weight F32 8,3,3,2",
      "fc.weight F32 5,8",
      "fc.bias F32 5",
    ]);
  });

  it("goes through JSON, and loads what another gave", () => {
    const network = new Sequential(ALL, { seed: 6 });
    expect([network.inputs, network.outputs]).toEqual([128, 5]);
    const again = new Sequential(JSON.parse(JSON.stringify(network)) as NetworkSpec, { seed: 7 });
    again.load(network.tensors());
    const { inputs } = noise(9, 128, 5);
    expectSame(again.forward(inputs), network.forward(inputs));
  });

  const shapes: readonly (readonly [LayerSpec, readonly number[]])[] = [
    [{ type: "conv2d", name: "a", in: 3, out: 7, kernel: 3 }, [7, 9, 10]],
    [{ type: "conv2d", name: "a", in: 3, out: 6, kernel: [5, 1], stride: 2, padding: [2, 0], groups: 3 }, [6, 6, 6]],
    [{ type: "maxpool2d", kernel: 2 }, [3, 5, 6]],
    [{ type: "maxpool2d", kernel: 2, ceil: true }, [3, 6, 6]],
    [{ type: "maxpool2d", kernel: 3, stride: 2, padding: 1 }, [3, 6, 6]],
    // The window that would begin in the padding behind the image is left out.
    [{ type: "maxpool2d", kernel: 2, stride: 2, padding: 1, ceil: true }, [3, 6, 7]],
    [{ type: "maxpool2d", kernel: 1, stride: 7, ceil: true }, [3, 2, 2]],
    [{ type: "averagepool2d", kernel: [11, 12] }, [3, 1, 1]],
    [{ type: "batchnorm", name: "a", features: 3 }, [3, 11, 12]],
    [{ type: "flatten" }, [396]],
  ];

  it.each(shapes)("makes of [3, 11, 12] with %j %j", (layer, shape) => {
    const layers: LayerSpec[] = [layer, { type: "flatten" }];
    expect(shapesOf({ input: [3, 11, 12], layers })[1]).toEqual(shape);
  });

  const refused: readonly (readonly [string, unknown, typeof TypeError | typeof RangeError, RegExp])[] = [
    ["without an input", { layers: ALL.layers }, RangeError, /input.*\[1, 28, 28\]/],
    ["with an input of two axes", { input: [8, 8], layers: ALL.layers }, RangeError, /input.*got 2/],
    ["with an input that is no list", { input: 128, layers: ALL.layers }, TypeError, /input/],
    ["with an axis of 0", { input: [2, 0, 8], layers: ALL.layers }, RangeError, /input\[1\]/],
    ["with a field misspelt", { inputs: IMAGE, layers: ALL.layers }, RangeError, /"inputs"/],
    ["without layers", { input: IMAGE, layers: [] }, RangeError, /layers/],
    ["that gives images", withLayers(ALL.layers[0]), RangeError, /flat logits.*\[6,8,8\]/],
    [
      "with images for a linear layer",
      withLayers({ type: "linear", name: "fc", in: 128, out: 2 }),
      RangeError,
      /layers\[0\] \(fc\) takes 128 inputs, flat, but the input gives \[2,8,8\]/,
    ],
    [
      "with numbers for a convolution",
      { input: [5], layers: [ALL.layers[0]] },
      RangeError,
      /layers\[0\] \(conv1\) takes images, but the input gives 5/,
    ],
    [
      "with numbers for pooling",
      {
        layers: [
          { type: "linear", name: "fc", in: 4, out: 4 },
          { type: "maxpool2d", kernel: 2 },
        ],
      },
      RangeError,
      /layers\[1\] \(maxpool2d\) takes images, but fc before it gives 4/,
    ],
    [
      "with other channels",
      withLayers({ type: "conv2d", name: "c", in: 3, out: 2, kernel: 3 }),
      RangeError,
      /layers\[0\] \(c\) takes 3 channels, but the input gives \[2,8,8\]/,
    ],
    ["with other features", withLayers({ type: "batchnorm", name: "b", features: 3 }), RangeError, /layers\[0\] \(b\) takes 3 features/],
    [
      "with groups that do not divide",
      withLayers({ type: "conv2d", name: "c", in: 2, out: 3, kernel: 3, groups: 2 }),
      RangeError,
      /layers\[0\] \(c\) has 2 groups/,
    ],
    [
      "with a kernel that is too large",
      withLayers({ type: "conv2d", name: "c", in: 2, out: 3, kernel: [3, 11], padding: 1 }),
      RangeError,
      /layers\[0\] \(c\) has a kernel of 3 x 11, larger than 8 x 8/,
    ],
    [
      "with too much padding",
      withLayers({ type: "maxpool2d", kernel: 2, padding: 2 }),
      RangeError,
      /layers\[0\] \(maxpool2d\) has padding 2 x 2/,
    ],
    ["with a kernel of 0", withLayers({ type: "maxpool2d", kernel: 0 }), RangeError, /layers\[0\]\.kernel/],
    ["with a kernel of three axes", withLayers({ type: "maxpool2d", kernel: [1, 1, 1] }), RangeError, /layers\[0\]\.kernel.*got 3/],
    ["with half a stride", withLayers({ type: "maxpool2d", kernel: 2, stride: [1, 0.5] }), TypeError, /layers\[0\]\.stride\[1\]/],
    ["with a rate of 1", withLayers({ type: "dropout", rate: 1 }), RangeError, /layers\[0\]\.rate/],
    ["with an epsilon of 0", withLayers({ type: "batchnorm", name: "b", features: 2, epsilon: 0 }), RangeError, /layers\[0\]\.epsilon/],
    [
      "with a name that two kinds of layer have",
      withLayers(ALL.layers[0], { type: "batchnorm", name: "conv1", features: 6 }),
      RangeError,
      /layers\[1\]\.name.*"conv1"/,
    ],
    ["with a field of another layer", withLayers({ type: "averagepool2d", kernel: 2, ceil: true }), RangeError, /layers\[0\].*"ceil"/],
    ["with numbers that may vanish", withLayers({ type: "localresponsenorm", size: 5, k: 0.5 }), RangeError, /layers\[0\]\.k/],
    [
      "with numbers for normalization across channels",
      { input: [5], layers: [{ type: "localresponsenorm", size: 5 }] },
      RangeError,
      /layers\[0\] \(localresponsenorm\) takes images/,
    ],
    [
      "with a layer that runs and is not trained",
      withLayers({ type: "localresponsenorm", size: 5 }, { type: "flatten" }),
      TypeError,
      /layers\[0\] \(localresponsenorm\) must be one that can be trained/,
    ],
    [
      "with more numbers than there is memory",
      { input: [1, 16000, 16000], layers: [{ type: "conv2d", name: "c", in: 1, out: 9, kernel: 1 }] },
      RangeError,
      /layers\[0\] \(c\) gives 2304000000/,
    ],
    [
      "with more weights than there is memory to train, of all layers together",
      withLayers(
        { type: "flatten" },
        { type: "linear", name: "a", in: 128, out: 2 ** 21 },
        { type: "batchnorm", name: "b", features: 2 ** 21 },
        { type: "linear", name: "c", in: 2 ** 21, out: 40 },
      ),
      RangeError,
      /layers\[3\] \(c\) must leave the network at most 357913941 weights, .* with it there are 362807336$/,
    ],
    [
      "with a convolution of more weights than there is memory to train",
      withLayers({ type: "conv2d", name: "c", in: 2, out: 2 ** 22, kernel: 8, bias: false }, { type: "flatten" }),
      RangeError,
      /layers\[0\] \(c\) must leave the network .* with it there are 536870912$/,
    ],
  ];

  it.each(refused)("is refused %s", (_, spec, error, message) => {
    expect(() => new Sequential(spec as NetworkSpec)).toThrow(error);
    expect(() => new Sequential(spec as NetworkSpec)).toThrow(message);
  });

  it("starts as He has it, by what comes to an output", () => {
    const network = new Sequential({
      input: [4, 9, 9],
      layers: [{ type: "conv2d", name: "c", in: 4, out: 90, kernel: 9, groups: 2 }, { type: "flatten" }],
    });
    const values = floats(network.tensors()[0]);
    const limit = Math.sqrt(6 / (2 * 81));
    const largest = Math.max(...values.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(limit);
    expect(largest).toBeGreaterThan(0.99 * limit);
  });

  it("does not depend on how many samples are evaluated at once", () => {
    const network = new Sequential(ALL);
    const { inputs } = noise(150, 128, 5);
    const one = new Float32Array(150 * 5);
    for (let i = 0; i < 150; i++) one.set(network.forward(inputs.subarray(i * 128, (i + 1) * 128)), i * 5);
    expectSame(network.forward(inputs), one);
  });
});

describe.each(VARIANTS)("a network of images on engine %s", (variant) => {
  it("learns which way stripes run, whatever their place", () => {
    const count = 64;
    const inputs = new Float32Array(count * 64);
    for (let i = 0; i < inputs.length; i++) {
      const [sample, y, x] = [i >> 6, (i >> 3) & 7, i & 7];
      inputs[i] = (((sample & 1 ? y : x) + (sample >> 1)) & 2) - 1;
    }
    const samples = { inputs, labels: Array.from({ length: count }, (_, i) => i & 1) };
    const layers: LayerSpec[] = [
      { type: "conv2d", name: "c", in: 1, out: 4, kernel: 3 },
      { type: "relu" },
      { type: "averagepool2d", kernel: 6 },
      { type: "flatten" },
      { type: "linear", name: "fc", in: 4, out: 2 },
    ];
    const network = new Sequential({ input: [1, 8, 8], layers }, { variant });
    train(network, samples, { epochs: 30, learningRate: 0.05, batchSize: 16 });
    expect(network.evaluate(samples)).toMatchObject({ correct: count });
  });
});

describe("training of every kind of layer", () => {
  it("gives the same bytes in every run and on every variant, and others for another seed", () => {
    const samples = noise(40, 128, 5);
    const trained = (variant: "simd" | "scalar", seed: number): unknown => {
      const network = new Sequential(ALL, { variant, seed });
      train(network, samples, { epochs: 2, learningRate: 0.05, batchSize: 16 });
      return network.tensors();
    };
    expect(trained("simd", 1)).toEqual(trained("simd", 1));
    expect(trained("scalar", 1)).toEqual(trained("simd", 1));
    expect(trained("simd", 2)).not.toEqual(trained("simd", 1));
  });
});

describe("batch normalization", () => {
  const spec: NetworkSpec = { layers: [{ type: "batchnorm", name: "bn", features: 3, momentum: 0.25, epsilon: 0.5 }], input: [3] };
  const samples = { inputs: Float32Array.of(1, 10, 0, 3, 10, 0, 5, 40, 0), labels: [0, 1, 2] };
  const how = { learningRate: 0, momentum: 0, weightDecay: 0 };

  it("moves the running statistics by its momentum towards the mean and the unbiased variance of each step", () => {
    const network = new Sequential(spec);
    network.step(samples, how);
    const [weight, bias, mean, variance] = network.tensors().map(floats);
    expect([...weight, ...bias]).toEqual([1, 1, 1, 0, 0, 0]);
    expect([...mean]).toEqual([0.75, 5, 0]);
    expect([...variance]).toEqual([1.75, 75.75, 0.75]);
    network.step(samples, how);
    expect([...floats(network.tensors()[2])]).toEqual([1.3125, 8.75, 0]);
  });

  it("normalizes by the running statistics in evaluation, which changes none of them, nor do gradients or a step that fails", () => {
    const network = new Sequential(spec);
    network.step(samples, how);
    const before = network.tensors();
    const logits = network.forward(Float32Array.of(0.75, 5, 3));
    for (const [i, wanted] of [0, 0, 3 / Math.sqrt(1.25)].entries()) expect(logits[i]).toBeCloseTo(wanted, 6);
    network.gradients(samples);
    expect(() => network.step({ ...samples, inputs: samples.inputs.map((value, i) => (i === 4 ? Number.NaN : value)) }, how)).toThrow(
      /loss of sample 0 is NaN/,
    );
    expect(network.tensors()).toEqual(before);
  });
});

describe("dropout", () => {
  const spec: NetworkSpec = {
    input: [100],
    layers: [
      { type: "dropout", rate: 0.5 },
      { type: "linear", name: "fc", in: 100, out: 2 },
    ],
  };
  const samples = noise(4, 100, 2);

  it("is off in evaluation", () => {
    const bare = new Sequential({ layers: [spec.layers[1]] });
    expectSame(new Sequential(spec).forward(samples.inputs), bare.forward(samples.inputs));
  });

  it("drops others in the next step, and the same with the same seed", () => {
    const still = { learningRate: 0, momentum: 0, weightDecay: 0 };
    const network = new Sequential(spec);
    const losses = [1, 2, 3].map(() => network.step(samples, still));
    expect(new Set(losses).size).toBe(3);
    const again = new Sequential(spec);
    expect([1, 2, 3].map(() => again.step(samples, still))).toEqual(losses);
  });
});
