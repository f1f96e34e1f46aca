import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type NetworkSpec, type Samples, Sequential } from "../../src/nn/index.js";
import { Random } from "../random.js";
import { floats, loss64, noise, SMALL } from "./networks.js";

const SPECS: Readonly<Record<string, NetworkSpec>> = {
  "three layers": SMALL,
  "one layer": { layers: [{ type: "linear", name: "only", in: 6, out: 4 }] },
  "no bias": {
    layers: [
      { type: "linear", name: "a", in: 5, out: 8, bias: false },
      { type: "relu" },
      { type: "linear", name: "b", in: 8, out: 3, bias: false },
    ],
  },
  "ReLU first, twice and last": {
    layers: [
      { type: "relu" },
      { type: "linear", name: "a", in: 5, out: 12 },
      { type: "relu" },
      { type: "relu" },
      { type: "linear", name: "b", in: 12, out: 8 },
      { type: "linear", name: "c", in: 8, out: 6 },
      { type: "relu" },
    ],
  },
  "convolutions, the second in groups, with strides and padding": {
    input: [1, 7, 6],
    layers: [
      { type: "conv2d", name: "a", in: 1, out: 4, kernel: [3, 2], stride: [1, 2], padding: [0, 1] },
      { type: "relu" },
      { type: "conv2d", name: "b", in: 4, out: 6, kernel: 3, stride: 2, padding: 1, groups: 2, bias: false },
      { type: "conv2d", name: "c", in: 6, out: 3, kernel: 1 },
      { type: "flatten" },
      { type: "linear", name: "d", in: 18, out: 4 },
    ],
  },
  "a small LeNet": {
    input: [1, 10, 10],
    layers: [
      { type: "conv2d", name: "conv1", in: 1, out: 3, kernel: 3 },
      { type: "maxpool2d", kernel: 2 },
      { type: "conv2d", name: "conv2", in: 3, out: 5, kernel: 2 },
      { type: "maxpool2d", kernel: 2, ceil: true },
      { type: "flatten" },
      { type: "linear", name: "fc1", in: 20, out: 9 },
      { type: "relu" },
      { type: "linear", name: "fc2", in: 9, out: 4 },
    ],
  },
  "pooling with windows that overlap, hang over and are padded": {
    input: [2, 6, 7],
    layers: [
      { type: "conv2d", name: "a", in: 2, out: 3, kernel: 1 },
      { type: "maxpool2d", kernel: 3, stride: 2, padding: 1, ceil: true },
      { type: "conv2d", name: "b", in: 3, out: 4, kernel: 2 },
      { type: "averagepool2d", kernel: [2, 3], stride: 1, padding: 1 },
      { type: "conv2d", name: "c", in: 4, out: 3, kernel: 3 },
      { type: "averagepool2d", kernel: [2, 1] },
      { type: "flatten" },
    ],
  },
  "batch normalization of images and of numbers, with and without weights": {
    input: [2, 4, 3],
    layers: [
      { type: "batchnorm", name: "a", features: 2, epsilon: 0.01 },
      { type: "conv2d", name: "b", in: 2, out: 4, kernel: 2, stride: 2, padding: 1, bias: false },
      { type: "batchnorm", name: "c", features: 4, affine: false },
      { type: "relu" },
      { type: "flatten" },
      { type: "linear", name: "d", in: 24, out: 5, bias: false },
      { type: "batchnorm", name: "e", features: 5 },
    ],
  },
  "dropout of images and of numbers": {
    input: [2, 3, 3],
    layers: [
      { type: "conv2d", name: "a", in: 2, out: 4, kernel: 2 },
      { type: "dropout", rate: 0.25 },
      { type: "relu" },
      { type: "flatten" },
      { type: "linear", name: "b", in: 16, out: 6 },
      { type: "relu" },
      { type: "dropout", rate: 0.5 },
      { type: "linear", name: "c", in: 6, out: 4 },
    ],
  },
};

const STEP = 1e-6;
const SEED = 3;

/** Compares every element of every gradient with finite differences. */
function expectGradients(spec: NetworkSpec, network: Sequential, samples: Samples): void {
  const { loss, tensors } = network.gradients(samples);
  const elements = new Map(network.tensors().map((tensor) => [tensor.name, Float64Array.from(floats(tensor))]));
  expect(Math.abs(loss / loss64(spec, elements, samples, SEED) - 1)).toBeLessThan(1e-5);
  expect(tensors.map(({ name }) => name)).toEqual([...elements.keys()].filter((name) => !name.includes(".running_")));
  for (const tensor of tensors) {
    const values = elements.get(tensor.name)!;
    const found = floats(tensor);
    expect(found.length).toBe(values.length);
    let largest = 0;
    for (let i = 0; i < values.length; i++) {
      const kept = values[i];
      values[i] = kept + STEP;
      const above = loss64(spec, elements, samples, SEED);
      values[i] = kept - STEP;
      const below = loss64(spec, elements, samples, SEED);
      values[i] = kept;
      const wanted = (above - below) / (2 * STEP);
      expect(Math.abs(found[i] - wanted), `${tensor.name}[${i}]`).toBeLessThanOrEqual(1e-3 * Math.abs(wanted) + 1e-6);
      largest = Math.max(largest, Math.abs(wanted));
    }
    expect(largest, `${tensor.name} has a gradient`).toBeGreaterThan(1e-3);
  }
}

describe.each(VARIANTS)("gradients on engine %s", (variant) => {
  it.each(Object.entries(SPECS))("agree with finite differences of the loss in float64: %s", (_, spec) => {
    const network = new Sequential(spec, { seed: SEED, variant });
    expect(network.variant).toBe(variant);
    expectGradients(spec, network, noise(11, network.inputs, network.outputs));
  });

  it.each([
    [1, 0.5],
    [4, 0.75],
    [2.5, 1],
  ])("agree with finite differences where a teacher of temperature %d has %d of the loss", (temperature, weight) => {
    const network = new Sequential(SMALL, { seed: SEED, variant });
    const logits = new Random(5).weights(11 * network.outputs, 3);
    expectGradients(SMALL, network, { ...noise(11, network.inputs, network.outputs), softTargets: { logits, temperature, weight } });
  });
});
