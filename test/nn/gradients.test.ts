import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type NetworkSpec, Sequential } from "../../src/nn/index.js";
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
};

const STEP = 1e-6;

describe.each(VARIANTS)("gradients on engine %s", (variant) => {
  it.each(Object.entries(SPECS))("agree with finite differences of the loss in float64: %s", (_, spec) => {
    const network = new Sequential(spec, { seed: 3, variant });
    expect(network.variant).toBe(variant);
    const samples = noise(11, network.inputs, network.outputs);
    const { loss, tensors } = network.gradients(samples);
    const elements = new Map(network.tensors().map((tensor) => [tensor.name, Float64Array.from(floats(tensor))]));
    expect(Math.abs(loss / loss64(spec, elements, samples) - 1)).toBeLessThan(1e-5);
    expect(tensors.map(({ name }) => name)).toEqual([...elements.keys()]);
    for (const tensor of tensors) {
      const values = elements.get(tensor.name)!;
      const found = floats(tensor);
      expect(found.length).toBe(values.length);
      let largest = 0;
      for (let i = 0; i < values.length; i++) {
        const kept = values[i];
        values[i] = kept + STEP;
        const above = loss64(spec, elements, samples);
        values[i] = kept - STEP;
        const below = loss64(spec, elements, samples);
        values[i] = kept;
        const wanted = (above - below) / (2 * STEP);
        expect(Math.abs(found[i] - wanted), `${tensor.name}[${i}]`).toBeLessThanOrEqual(1e-3 * Math.abs(wanted) + 1e-6);
        largest = Math.max(largest, Math.abs(wanted));
      }
      expect(largest, `${tensor.name} has a gradient`).toBeGreaterThan(1e-3);
    }
  });
});
