import { describe, expect, it } from "vitest";
import {
  cubicSparsity,
  type GradualPruning,
  type NetworkSpec,
  pruneGradually,
  type Samples,
  Sequential,
  sensitivity,
  train,
} from "../../src/nn/index.js";
import { Random } from "../random.js";
import { floats, noise, SMALL } from "./networks.js";

/** That a sparsity was reached as closely as so many weights allow. */
function expectDensity(density: number, sparsity: number, weights: number, context?: string): void {
  expect(Math.abs(density - (1 - sparsity)), context).toBeLessThanOrEqual(0.5 / weights + 1e-12);
}

describe("cubicSparsity", () => {
  it("goes from one sparsity to the other, fast at first, and stays there", () => {
    const schedule = { from: 0.2, to: 0.9, begin: 100, end: 300 };
    const at = [0, 100, 150, 200, 299, 300, 5000].map((step) => cubicSparsity(schedule, step));
    const wanted = [0.2, 0.2, 0.9 - 0.7 * 0.75 ** 3, 0.9 - 0.7 * 0.125, 0.9 - 0.7 * 0.005 ** 3, 0.9, 0.9];
    for (const [i, sparsity] of at.entries()) expect(sparsity).toBeCloseTo(wanted[i], 12);
    expect(cubicSparsity({ to: 0.5, end: 0 }, 0)).toBe(0.5);
  });

  const refused: readonly (readonly [object, RegExp])[] = [
    [{ to: 1.5, end: 1 }, /schedule\.to/],
    [{ from: 0.5, to: 0.4, end: 1 }, /schedule\.to must be in \[0\.5, 1\]/],
    [{ from: -1, to: 0.4, end: 1 }, /schedule\.from/],
    [{ to: 0.5, begin: 5, end: 4 }, /schedule\.end/],
    [{ to: 0.5, begin: 0.5, end: 4 }, /schedule\.begin/],
    [{ to: 0.5, end: 4, every: 0 }, /schedule\.every/],
  ];

  it.each(refused)("refuses %j", (schedule, message) => {
    expect(() => cubicSparsity(schedule as GradualPruning, 0)).toThrow(message);
  });
});

describe("pruneGradually", () => {
  const samples = noise(50, 7, 5);

  it("prunes while a network trains, each tensor by its own schedule, and never lets a weight come back", () => {
    const network = new Sequential(SMALL);
    const schedules = {
      "fc1.weight": { to: 0.8, begin: 2, end: 11, every: 3 },
      "fc2.weight": { from: 0.25, to: 0.5, end: 6 },
    };
    const prune = pruneGradually(network, schedules);
    const densities: number[][] = [];
    let zeros = new Set<number>();
    train(network, samples, {
      epochs: 4,
      learningRate: 0.05,
      batchSize: 16,
      onStep: (report) => {
        expect(report.steps).toBe(16);
        prune(report);
        densities.push(Object.keys(schedules).map((name) => network.density(name)));
        const pruned = new Set([...floats(network.tensors()[0]).entries()].flatMap(([i, weight]) => (weight === 0 ? [i] : [])));
        expect([...zeros].filter((i) => !pruned.has(i))).toEqual([]);
        zeros = pruned;
      },
    });
    expect(densities.length).toBe(16);
    const first = densities.map(([density]) => density);
    for (const [i, density] of first.entries()) {
      const step = i + 1;
      // Masks after 2, 5, 8 and 11 steps.
      const due = step < 2 ? undefined : Math.min(11, step - ((step - 2) % 3));
      expectDensity(density, due === undefined ? 0 : cubicSparsity(schedules["fc1.weight"], due), 91, `fc1 after ${step}`);
    }
    for (const [i, [, density]] of densities.entries()) {
      expectDensity(density, cubicSparsity(schedules["fc2.weight"], i + 1), 117, `fc2 after ${i + 1}`);
    }
  });

  it("reaches the last sparsity at the end, also between two masks", () => {
    const network = new Sequential(SMALL);
    const prune = pruneGradually(network, { "fc1.weight": { to: 0.8, end: 10, every: 4 } });
    for (let step = 1; step <= 12; step++) prune({ step });
    expectDensity(network.density("fc1.weight"), 0.8, 91);
  });

  it("names what is amiss before anything is pruned", () => {
    const network = new Sequential(SMALL);
    expect(() => pruneGradually(network, { "fc9.weight": { to: 0.5, end: 1 } })).toThrow(/"fc9\.weight"/);
    expect(() => pruneGradually(network, { "fc1.weight": { to: 2, end: 1 } })).toThrow(/fc1\.weight\.to/);
  });
});

describe("sensitivity", () => {
  /** Two classes by the sign of a sum, through one layer that is needed and one of which most is not. */
  const SPEC: NetworkSpec = {
    layers: [{ type: "linear", name: "wide", in: 4, out: 64 }, { type: "relu" }, { type: "linear", name: "out", in: 64, out: 2 }],
  };

  function separable(count: number, seed: number): Samples {
    const random = new Random(seed);
    const inputs = random.weights(4 * count, 1);
    return { inputs, labels: Uint8Array.from({ length: count }, (_, i) => (inputs[4 * i] + inputs[4 * i + 1] > 0 ? 1 : 0)) };
  }

  const network = new Sequential(SPEC);
  train(network, separable(400, 1), { epochs: 10, learningRate: 0.05 });
  network.mask("wide.weight", { sparsity: 0.3 });
  const heldOut = separable(300, 2);

  it("evaluates held-out samples with each tensor pruned so far, and leaves the network alone", () => {
    const before = [network.tensors(), network.constraints()];
    const found = sensitivity(network, heldOut);
    expect([network.tensors(), network.constraints()]).toEqual(before);
    expect(found.map(({ name }) => name)).toEqual(["wide.weight", "out.weight"]);
    const whole = network.evaluate(heldOut);
    expect(whole.accuracy).toBeGreaterThan(0.95);
    for (const { name, points } of found) {
      expect(points.map(({ sparsity }) => sparsity)).toEqual([0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]);
      expect(points[0]).toEqual({ sparsity: 0, density: name === "out.weight" ? 1 : network.density(name), ...whole });
      expect(points[8].loss).toBeGreaterThan(whole.loss);
      const other = new Sequential(SPEC);
      other.load(before[0]);
      other.mask(name, { sparsity: 0.8 });
      expect(points[6]).toEqual({ sparsity: 0.8, density: other.density(name), ...other.evaluate(heldOut) });
    }
  });

  it("takes the tensors and sparsities that it is given", () => {
    const [{ name, points }, ...more] = sensitivity(network, heldOut, { names: ["out.bias"], sparsities: [1] });
    expect([name, more.length, points.length, points[0].density]).toEqual(["out.bias", 0, 1, 0]);
    expect(() => sensitivity(network, heldOut, { names: ["none"] })).toThrow(/"none"/);
    expect(() => sensitivity(network, heldOut, { sparsities: [2] })).toThrow(/sparsity/);
  });
});
