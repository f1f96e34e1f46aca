import { describe, expect, it } from "vitest";
import { Sequential } from "../../src/nn/index.js";
import { floats, noise, SMALL } from "./networks.js";

const NAME = "fc2.weight";
const samples = noise(50, 7, 5);
const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0 };
const moving = { reassign: true } as const;

function weightsOf(network: Sequential): Float32Array {
  return floats(network.tensors().find(({ name }) => name === NAME)!);
}

describe("weights that move behind their centroids", () => {
  it("move by the gradient at their centroids, and take the nearest, which is then their mean", () => {
    const network = new Sequential(SMALL);
    network.mask(NAME, { sparsity: 0.4 });
    const before = weightsOf(network);
    network.share(NAME, { centroids: 4 }, moving);
    const { mask, centroids } = network.codebook(NAME)!;
    const gradient = floats(network.gradients(samples).tensors.find(({ name }) => name === NAME)!);
    network.step(samples, how);
    // The first step of momentum is the gradient itself.
    const moved = before.map((weight, i) => (mask[i] === 0 ? 0 : Math.fround(weight - how.learningRate * gradient[i])));
    const nearest = moved.map((weight) =>
      [...centroids.keys()].reduce((best, j) => (Math.abs(weight - centroids[j]) < Math.abs(weight - centroids[best]) ? j : best), 0),
    );
    const means = Array.from(centroids, (_, j) => {
      const taken = moved.filter((_weight, i) => mask[i] !== 0 && nearest[i] === j);
      return taken.reduce((sum, weight) => sum + weight, 0) / taken.length;
    });
    const found = weightsOf(network);
    for (const [i, weight] of found.entries()) expect(weight, `${i}`).toBeCloseTo(mask[i] === 0 ? 0 : means[nearest[i]], 5);
  });

  it("change centroids with time, and pruned weights stay 0", () => {
    const network = new Sequential(SMALL);
    network.mask(NAME, { sparsity: 0.5 });
    network.share(NAME, { centroids: 3 }, moving);
    const before = network.codebook(NAME)!;
    for (let step = 0; step < 20; step++) network.step(samples, how);
    const after = network.codebook(NAME)!;
    expect(after.mask).toEqual(before.mask);
    expect(after.codes.some((code, i) => code !== before.codes[i])).toBe(true);
    expect([...after.centroids]).toEqual([...after.centroids].sort((a, b) => a - b));
    expect(new Set(weightsOf(network)).size).toBe(4);
    expect(network.evaluate(samples).loss).toBeLessThan(new Sequential(SMALL).evaluate(samples).loss);
  });

  it("go on from a checkpoint to the same bits", () => {
    const network = new Sequential(SMALL);
    network.share(NAME, { centroids: 4 }, moving);
    for (let step = 0; step < 3; step++) network.step(samples, how);
    const other = new Sequential(SMALL, { seed: 2 });
    other.load(network.tensors());
    other.loadConstraints(network.constraints());
    other.loadOptimizer(network.optimizerTensors());
    for (const one of [network, other]) for (let step = 0; step < 5; step++) one.step(samples, how);
    expect(other.tensors()).toEqual(network.tensors());
    expect(other.constraints()).toEqual(network.constraints());
  });

  it("go on from a checkpoint of after they were finished, where two centroids have become one", () => {
    const network = new Sequential(SMALL);
    const codes = Uint8Array.from({ length: 13 * 9 }, (_, i) => i % 3);
    network.share(NAME, { codes, centroids: Float32Array.of(-0.3, 0.5, 0.50005) }, moving);
    network.finish();
    const { centroids } = network.codebook(NAME)!;
    expect(centroids[2]).toBe(centroids[1]);
    const other = new Sequential(SMALL, { seed: 2 });
    other.load(network.tensors());
    other.loadConstraints(network.constraints());
    other.loadOptimizer(network.optimizerTensors());
    for (const one of [network, other]) for (let step = 0; step < 3; step++) one.step(samples, how);
    expect(other.constraints()).toEqual(network.constraints());
    const after = network.codebook(NAME)!.centroids;
    expect([...after]).toEqual([...after].sort((a, b) => a - b));
  });

  it("want centroids that never descend", () => {
    const network = new Sequential(SMALL);
    const codebook = { codes: new Uint8Array(13 * 9), centroids: Float32Array.of(0.5, -0.5) };
    expect(() => network.share(NAME, codebook, moving)).toThrow(/must not descend/);
    expect(() => network.share(NAME, codebook, { reassign: 1 as never })).toThrow(/reassign/);
  });

  it("have no rate of centroids, which do not move by their gradients", () => {
    expect(() => new Sequential(SMALL).share(NAME, { centroids: 4 }, { ...moving, rate: 1 })).toThrow(
      /^rate must not stand beside reassign/,
    );
  });
});
