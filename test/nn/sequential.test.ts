import { describe, expect, it } from "vitest";
import { type NetworkSpec, Sequential, type Tensor } from "../../src/nn/index.js";
import { expectSame } from "../kernels/all.js";
import { floats, noise, SMALL } from "./networks.js";

const copy = (): { layers: Record<string, unknown>[] } => structuredClone(SMALL) as unknown as { layers: Record<string, unknown>[] };

/** A network of one layer whose logits are easily known: [x, -x]. */
function sign(): Sequential {
  const network = new Sequential({ layers: [{ type: "linear", name: "fc", in: 1, out: 2 }] });
  network.load([
    { name: "fc.weight", dtype: "F32", shape: [2, 1], data: new Uint8Array(Float32Array.of(1, -1).buffer) },
    { name: "fc.bias", dtype: "F32", shape: [2], data: new Uint8Array(8) },
  ]);
  return network;
}

describe("a network's description", () => {
  it("goes through JSON", () => {
    const network = new Sequential(SMALL, { seed: 5 });
    const again = new Sequential(JSON.parse(JSON.stringify(network)) as NetworkSpec, { seed: 5 });
    expect([again.inputs, again.outputs]).toEqual([7, 5]);
    for (const [i, { data }] of again.tensors().entries()) expectSame(data, network.tensors()[i].data);
  });

  const refused: readonly (readonly [string, unknown, typeof TypeError | typeof RangeError, RegExp])[] = [
    ["not an object", null, TypeError, /spec/],
    ["without layers", {}, TypeError, /layers/],
    ["without a linear layer", { layers: [{ type: "relu" }] }, RangeError, /linear/],
    ["with a layer that is no object", { layers: [7] }, TypeError, /layers\[0\]/],
    ["with an unknown layer", { layers: [...SMALL.layers, { type: "conv9" }] }, TypeError, /layers\[5\].*"conv9"/],
    ["with a layer named as a property of objects", { layers: [{ type: "constructor" }] }, TypeError, /"constructor"/],
    [
      "with shapes that do not meet",
      { layers: [SMALL.layers[0], SMALL.layers[4]] },
      RangeError,
      /layers\[1\] \(fc3\) takes 9.*fc1.*gives 13/,
    ],
    [
      "with a name twice",
      { layers: [SMALL.layers[0], { type: "linear", name: "fc1", in: 13, out: 2 }] },
      RangeError,
      /layers\[1\]\.name.*"fc1"/,
    ],
    ["without a name", { layers: [{ type: "linear", in: 1, out: 2 }] }, TypeError, /layers\[0\]\.name/],
    ["with no inputs", { layers: [{ type: "linear", name: "a", in: 0, out: 2 }] }, RangeError, /layers\[0\]\.in/],
    ["with half an output", { layers: [{ type: "linear", name: "a", in: 2, out: 2.5 }] }, TypeError, /layers\[0\]\.out/],
    ["with a field misspelt", { layers: [{ type: "linear", name: "a", in: 2, out: 2, bais: false }] }, RangeError, /layers\[0\].*"bais"/],
    ["with a bias that is no boolean", { layers: [{ type: "linear", name: "a", in: 2, out: 2, bias: 1 }] }, TypeError, /layers\[0\]\.bias/],
  ];

  it.each(refused)("is refused %s", (_, spec, error, message) => {
    expect(() => new Sequential(spec as NetworkSpec)).toThrow(error);
    expect(() => new Sequential(spec as NetworkSpec)).toThrow(message);
  });

  it("is copied, so that a later change of it changes nothing", () => {
    const spec = copy();
    const network = new Sequential(spec as unknown as NetworkSpec);
    spec.layers[0]["out"] = 1;
    expect(network.toJSON()).toEqual(SMALL);
  });
});

describe("initial weights", () => {
  it("are He's: uniform within sqrt(6 / in), biases 0", () => {
    const network = new Sequential({ layers: [{ type: "linear", name: "fc", in: 600, out: 100 }] });
    const [weight, bias] = network.tensors();
    expect([weight.name, weight.shape, bias.name, bias.shape]).toEqual(["fc.weight", [100, 600], "fc.bias", [100]]);
    const values = floats(weight);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.1);
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(square * 300).toBeCloseTo(1, 1);
    expect(floats(bias).every((value) => value === 0)).toBe(true);
  });

  it("depend on the seed alone", () => {
    const weights = (seed: number, variant: "simd" | "scalar"): Uint8Array => new Sequential(SMALL, { seed, variant }).tensors()[2].data;
    expectSame(weights(1, "simd"), weights(1, "scalar"));
    expect(weights(2, "simd")).not.toEqual(weights(1, "simd"));
    expect(() => new Sequential(SMALL, { seed: -1 })).toThrow(/seed/);
  });
});

describe("tensors", () => {
  it("come back as they were loaded, in the order of the layers", () => {
    const network = new Sequential(SMALL, { seed: 2 });
    const tensors = network.tensors();
    expect(tensors.map(({ name }) => name)).toEqual(["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]);
    const other = new Sequential(SMALL, { seed: 9 });
    other.load([...tensors].reverse());
    expect(other.tensors()).toEqual(tensors);
    const samples = noise(20, 7, 5);
    expectSame(other.forward(samples.inputs), network.forward(samples.inputs));
  });

  const network = new Sequential(SMALL);
  const good = network.tensors();
  const refused: readonly (readonly [string, readonly Tensor[], RegExp])[] = [
    ["one is missing", good.slice(1), /"fc1\.weight"/],
    ["one stands twice", [...good, good[0]], /once/],
    ["one belongs to no layer", [...good, { ...good[0], name: "conv1.weight" }], /"conv1\.weight" belongs to no layer/],
    ["a shape is transposed", [{ ...good[0], shape: [7, 13] }, ...good.slice(1)], /fc1\.weight must be F32 \[13,7\].*F32 \[7,13\]/],
    ["a dtype is another", [...good.slice(0, 5), { ...good[5], dtype: "I32" }], /fc3\.bias must be F32 \[5\].*I32/],
    ["bytes are missing", [...good.slice(0, 5), { ...good[5], data: new Uint8Array(19) }], /fc3\.bias must be .*20 bytes.*19/],
  ];

  it.each(refused)("are refused where %s, and none is taken", (_, tensors, message) => {
    const doubled = tensors.map((tensor) => ({ ...tensor, data: tensor.data.map((byte) => byte ^ 1) }));
    expect(() => network.load(doubled)).toThrow(RangeError);
    expect(() => network.load(doubled)).toThrow(message);
    expect(network.tensors()).toEqual(good);
  });
});

describe("forward, predict and evaluate", () => {
  it("give logits, classes, accuracy and loss", () => {
    const network = sign();
    const inputs = Float32Array.of(2, -1, 0, -0.5);
    expect([...network.forward(inputs)]).toEqual([2, -2, -1, 1, 0, 0, -0.5, 0.5]);
    expect([...network.predict(inputs)]).toEqual([0, 1, 0, 1]);
    const { count, correct, accuracy, loss } = network.evaluate({ inputs, labels: [0, 0, 0, 1] });
    expect({ count, correct, accuracy }).toEqual({ count: 4, correct: 3, accuracy: 0.75 });
    const losses = [2, -1, 0, 0.5].map((margin) => Math.log(1 + Math.exp(-2 * margin)));
    expect(loss).toBeCloseTo(losses.reduce((sum, value) => sum + value) / 4, 6);
  });

  it("do not depend on how many samples go at once", () => {
    const network = new Sequential(SMALL);
    const { inputs, labels } = noise(1100, 7, 5);
    const together = network.forward(inputs);
    const one = new Float32Array(1100 * 5);
    for (let i = 0; i < 1100; i++) one.set(network.forward(inputs.subarray(i * 7, i * 7 + 7)), i * 5);
    expectSame(together, one);
    const classes = network.predict(inputs);
    expect(network.evaluate({ inputs, labels }).correct).toBe(classes.filter((found, i) => found === labels[i]).length);
    expect(network.evaluate({ inputs, labels: classes }).accuracy).toBe(1);
  });

  it("give nothing for no samples, except an accuracy, which there is none of", () => {
    const network = new Sequential(SMALL);
    expect(network.forward(new Float32Array(0)).length).toBe(0);
    expect(network.predict(new Float32Array(0)).length).toBe(0);
    expect(() => network.evaluate({ inputs: new Float32Array(0), labels: [] })).toThrow(RangeError);
  });
});

describe("a mistake of the caller", () => {
  const network = new Sequential(SMALL);
  const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0 };

  it("in the inputs is named", () => {
    expect(() => network.forward([1, 2] as unknown as Float32Array)).toThrow(TypeError);
    expect(() => network.forward(new Float32Array(8))).toThrow(/inputs must be a multiple of 7/);
    expect(() => network.evaluate({ inputs: new Float32Array(14), labels: [0] })).toThrow(/labels.*2.*got 1/);
  });

  it.each([5, -1, 1.5, Number.NaN, 2 ** 32])("in a label, %s, is named with its sample, and changes no weight", (label) => {
    const before = network.tensors();
    const { inputs } = noise(3, 7, 5);
    expect(() => network.step({ inputs, labels: [0, label, 0] }, how)).toThrow(/labels\[1\]/);
    expect(() => network.step({ inputs, labels: [0, label, 0] }, how, [70, 80, 90])).toThrow(/labels\[80\]/);
    expect(network.tensors()).toEqual(before);
  });

  it("that makes the loss NaN is named with its sample, and changes no weight", () => {
    const before = network.tensors();
    const { inputs, labels } = noise(600, 7, 5);
    inputs[555 * 7 + 3] = Number.NaN;
    expect(() => network.step({ inputs, labels }, how)).toThrow(RangeError);
    expect(() => network.step({ inputs, labels }, how)).toThrow(/loss of sample 555 is NaN/);
    expect(() => network.evaluate({ inputs, labels })).toThrow(/loss of sample 555 is NaN/);
    expect(network.tensors()).toEqual(before);
  });

  it.each(["learningRate", "momentum", "weightDecay"])("in %s is named", (name) => {
    const { inputs, labels } = noise(3, 7, 5);
    expect(() => network.step({ inputs, labels }, { ...how, [name]: -1 })).toThrow(name);
    expect(() => network.step({ inputs, labels }, { ...how, [name]: Number.NaN })).toThrow(RangeError);
  });
});
