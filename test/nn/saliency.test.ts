import { describe, expect, it } from "vitest";
import { pruneBySaliency, Sequential, type Tensor, train } from "../../src/nn/index.js";
import { floats, noise, SMALL } from "./networks.js";

const samples = noise(50, 7, 5);
const WEIGHTS = ["fc1.weight", "fc2.weight", "fc3.weight"] as const;
const COUNT = 7 * 13 + 13 * 9 + 9 * 5;
const adam = { type: "adam" } as const;

function tensorOf(tensors: readonly Tensor[], name: string): Float32Array {
  return floats(tensors.find((tensor) => tensor.name === name)!);
}

/** A network that has made a few steps with Adam. */
function trained(): Sequential {
  const network = new Sequential(SMALL);
  for (let step = 0; step < 5; step++) network.step(samples, { ...adam, learningRate: 0.01 });
  return network;
}

describe("pruneBySaliency", () => {
  it("keeps of all tensors together the weights that are worth most", () => {
    const network = trained();
    const kept = network.optimizerTensors();
    const worth = WEIGHTS.flatMap((name) => {
      const square = tensorOf(kept, `${name}.square`);
      return Array.from(tensorOf(network.tensors(), name), (weight, i) => weight * weight * Math.sqrt(square[i]));
    });
    pruneBySaliency(network, [{ names: WEIGHTS, to: 0.8, end: 1 }])({ step: 1 });
    const left = WEIGHTS.flatMap((name) => Array.from(tensorOf(network.tensors(), name), (weight) => weight !== 0));
    const survivors = Math.round(0.2 * COUNT);
    expect(left.filter((stays) => stays).length).toBe(survivors);
    const least = [...worth].sort((a, b) => b - a)[survivors - 1];
    expect(left).toEqual(worth.map((value) => value >= least));
    // Not the same part of each: the sparsity is that of all.
    expect(new Set(WEIGHTS.map((name) => network.density(name).toFixed(2))).size).toBeGreaterThan(1);
  });

  it("with a rate, leaves what it keeps in fewer rows and columns", () => {
    const lines = (rate: number): number => {
      const network = trained();
      const prune = pruneBySaliency(network, [{ names: ["fc2.weight"], to: 0.8, end: 20, rate }]);
      for (let step = 1; step <= 20; step++) prune({ step });
      expect(network.density("fc2.weight")).toBeCloseTo(0.2, 2);
      const taken = [...tensorOf(network.tensors(), "fc2.weight").entries()].filter(([, weight]) => weight !== 0).map(([i]) => i);
      return new Set(taken.map((i) => i % 13)).size + new Set(taken.map((i) => Math.floor(i / 13))).size;
    };
    expect(lines(4)).toBeLessThan(lines(0));
  });

  it("prunes along the cubic while a network trains, and never lets a weight come back", () => {
    const network = new Sequential(SMALL);
    const prune = pruneBySaliency(network, [{ names: WEIGHTS, to: 0.75, begin: 2, end: 12, every: 5, rate: 1 }]);
    const density = (): number =>
      WEIGHTS.reduce((sum, name) => sum + network.density(name) * tensorOf(network.tensors(), name).length, 0) / COUNT;
    const found: number[] = [];
    const onStep = ({ step }: { readonly step: number }): void => {
      prune({ step });
      found.push(density());
    };
    train(network, samples, { epochs: 4, batchSize: 16, optimizer: adam, learningRate: 0.01, onStep });
    const wanted = [0, 0, 0, 0, 0, 0, 0.75 - 0.75 * 0.125].map((sparsity) => 1 - sparsity);
    for (const [i, one] of wanted.entries()) expect(found[i]).toBeCloseTo(one, 2);
    expect(found.slice(12).every((one) => Math.abs(one - 0.25) < 0.5 / COUNT + 1e-12)).toBe(true);
  });

  it("may prune everything, or nothing", () => {
    const network = trained();
    pruneBySaliency(network, [{ names: ["fc1.weight"], to: 0, end: 1 }])({ step: 1 });
    expect(network.density("fc1.weight")).toBe(1);
    pruneBySaliency(network, [{ names: ["fc1.weight", "fc1.bias"], to: 1, end: 1 }])({ step: 1 });
    expect(network.density("fc1.weight") + network.density("fc1.bias")).toBe(0);
  });

  it("refuses what it cannot prune, by its name", () => {
    const network = new Sequential(SMALL);
    expect(() => pruneBySaliency(network, [{ names: ["fc9.weight"], to: 0.5, end: 1 }])).toThrow(/fc9\.weight/);
    expect(() => pruneBySaliency(network, [{ names: WEIGHTS, to: 2, end: 1 }])).toThrow(/plans\[0\]\.to/);
    expect(() => pruneBySaliency(network, [{ names: WEIGHTS, to: 0.5, end: 1, rate: 0.5 }])).toThrow(/plans\[0\]\.rate/);
    network.step(samples, { learningRate: 0.1, momentum: 0.9, weightDecay: 0 });
    expect(() => pruneBySaliency(network, [{ names: WEIGHTS, to: 0.5, end: 1 }])({ step: 1 })).toThrow(/optimizer must be adam/);
  });
});
