import { beforeEach, describe, expect, it } from "vitest";
import { compress, decode, type Prune } from "../../src/index.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type Mask, Sequential } from "../../src/nn/index.js";
import { referenceNnKernels as reference } from "../../src/reference/index.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { floats, noise, SMALL } from "./networks.js";

const NAME = "fc1.weight";
const WEIGHTS = 7 * 13;
const samples = noise(50, 7, 5);
const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };

function weightsOf(network: Sequential, name = NAME): Float32Array {
  return floats(network.tensors().find((tensor) => tensor.name === name)!);
}

/** About half of the weights of fc1. */
function half(seed = 1): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: WEIGHTS }, () => (random.chance(0.5) ? 1 : 0));
}

describe("a mask", () => {
  const rules: readonly Prune[] = [{ sparsity: 0.7 }, { sparsity: 0 }, { sparsity: 1 }, { threshold: 0.05 }, { quality: 1.25 }];

  it.each(rules)("%j prunes what a recipe with that rule prunes", async (prune) => {
    const network = new Sequential({ layers: [{ type: "linear", name: "fc", in: 100, out: 70 }] });
    const { archive } = await compress(network.tensors(), { recipe: { rules: [{ match: "fc.weight", prune }] } });
    network.mask("fc.weight", prune);
    const [weight] = decode(archive);
    expectSame(weightsOf(network, "fc.weight"), floats(weight));
    expect(network.density("fc.weight")).toBe(floats(weight).filter((value) => value !== 0).length / 7000);
  });

  it("chooses among the weights of a tensor of several blocks as a recipe does", async () => {
    const network = new Sequential({ layers: [{ type: "linear", name: "fc", in: 1025, out: 1100 }] });
    for (const prune of [{ sparsity: 0.9 }, { quality: 1 }]) {
      const { archive } = await compress(network.tensors(), { recipe: { rules: [{ match: "fc.weight", prune }] } });
      network.mask("fc.weight", prune);
      expectSame(weightsOf(network, "fc.weight"), floats(decode(archive)[0]));
    }
  });

  it("may be given weight by weight, and is copied", () => {
    const network = new Sequential(SMALL);
    const before = weightsOf(network);
    const mask = half();
    network.mask(NAME, mask);
    expect(network.density(NAME)).toBe(mask.filter((kept) => kept === 1).length / WEIGHTS);
    expect(weightsOf(network)).toEqual(before.map((value, i) => (mask[i] === 0 ? 0 : value)));
    const again = new Sequential(SMALL);
    again.mask(NAME, half());
    mask.fill(0);
    network.step(samples, how);
    again.step(samples, how);
    expect(network.tensors()).toEqual(again.tensors());
  });

  it("leaves the other tensors alone", () => {
    const network = new Sequential(SMALL);
    const before = network.tensors();
    network.mask(NAME, { sparsity: 1 });
    expect(network.tensors().slice(1)).toEqual(before.slice(1));
    expect([network.density(NAME), network.density("fc1.bias"), network.density("fc3.weight")]).toEqual([0, 1, 1]);
  });

  it("is forgotten when weights are loaded", () => {
    const [network, fresh] = [new Sequential(SMALL), new Sequential(SMALL)];
    network.mask(NAME, { sparsity: 0.5 });
    network.load(fresh.tensors());
    for (const trained of [network, fresh]) trained.step(samples, how);
    expect(network.tensors()).toEqual(fresh.tensors());
    expect(network.density(NAME)).toBe(1);
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ["of another length", new Uint8Array(WEIGHTS + 1), /mask must have 91 elements, got 92/],
    ["of another kind of array", new Float32Array(WEIGHTS), /mask must be a Uint8Array/],
    ["by two rules", { sparsity: 0.5, threshold: 1 }, /mask must have exactly one of/],
    ["by no rule", {}, /mask must have exactly one of/],
    ["by a rule out of range", { sparsity: 1.5 }, /mask\.sparsity/],
    ["that is missing", undefined, /mask must be an object/],
  ];

  it.each(refused)("is refused %s, and no weight changes", (_, mask, message) => {
    const network = new Sequential(SMALL);
    const before = network.tensors();
    expect(() => network.mask(NAME, mask as Mask)).toThrow(message);
    expect(network.tensors()).toEqual(before);
    expect(network.density(NAME)).toBe(1);
  });

  it("is refused for a tensor that there is not, or whose weights a rule cannot weigh", () => {
    const network = new Sequential(SMALL);
    expect(() => network.mask("fc9.weight", { sparsity: 0.5 })).toThrow(/"fc9\.weight" belongs to no layer/);
    expect(() => network.density("fc9.weight")).toThrow(/"fc9\.weight"/);
    const tensors = network.tensors();
    tensors[0].data.set([0, 0, 0xc0, 0x7f]);
    network.load(tensors);
    for (const rule of [{ sparsity: 0.5 }, { quality: 1 }]) expect(() => network.mask(NAME, rule)).toThrow(/finite/);
  });
});

describe.each(VARIANTS)("training with a mask on engine %s", (variant) => {
  let network: Sequential;

  beforeEach(() => {
    network = new Sequential(SMALL, { variant });
  });

  it("steps as the reference does with masked gradients, so that what is pruned stays 0 with momentum and weight decay", () => {
    // Velocities from before the mask must not move what it prunes.
    network.step(samples, how);
    const values = network.tensors().map(floats);
    const velocities = values.map((weights) => new Float32Array(weights.length));
    const plain = new Sequential(SMALL, { variant });
    for (const [i, { name, data }] of plain.gradients(samples).tensors.entries()) {
      const start = floats(plain.tensors()[i]);
      const decay = name.endsWith("weight") ? how.weightDecay : 0;
      reference.sgdStep(start, new Float32Array(data.slice().buffer), velocities[i], { ...how, weightDecay: decay });
    }
    const mask = half();
    network.mask(NAME, mask);
    reference.maskValues(values[0], mask);
    reference.maskValues(velocities[0], mask);
    for (let step = 0; step < 5; step++) {
      for (const [i, tensor] of network.gradients(samples).tensors.entries()) {
        const gradient = floats(tensor);
        if (i === 0) reference.maskValues(gradient, mask);
        reference.sgdStep(values[i], gradient, velocities[i], {
          ...how,
          weightDecay: tensor.name.endsWith("weight") ? how.weightDecay : 0,
        });
      }
      network.step(samples, how);
      for (const [i, tensor] of network.tensors().entries()) expectSame(floats(tensor), values[i], `${tensor.name}, step ${step}`);
    }
    for (const [i, weight] of weightsOf(network).entries()) expect(weight === 0, `${i}`).toBe(mask[i] === 0);
  });

  it("lets weights grow again under another mask, from 0 and without velocity", () => {
    network.step(samples, how);
    network.mask(NAME, half());
    network.step(samples, how);
    const [before, mask] = [weightsOf(network), half()];
    network.mask(NAME, new Uint8Array(WEIGHTS).fill(1));
    expect(weightsOf(network), "nothing grows before it is trained").toEqual(before);
    const gradient = floats(network.gradients(samples).tensors[0]);
    network.step(samples, how);
    const after = weightsOf(network);
    const moved = mask.reduce((count, kept, i) => {
      if (kept === 1) return count;
      expect(after[i]).toBe(Math.fround(-Math.fround(Math.fround(0.1) * gradient[i])));
      return count + (after[i] === 0 ? 0 : 1);
    }, 0);
    expect(moved).toBeGreaterThan(10);
    expect(network.density(NAME)).toBe(1);
  });
});
