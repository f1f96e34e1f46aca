import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type NetworkSpec, type Schedule, Sequential, train, trainSteps } from "../../src/nn/index.js";
import { floats, noise, SMALL } from "./networks.js";

const XOR = { inputs: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), labels: [0, 1, 1, 0] };

const XOR_NETWORK: NetworkSpec = {
  layers: [{ type: "linear", name: "hidden", in: 2, out: 8 }, { type: "relu" }, { type: "linear", name: "out", in: 8, out: 2 }],
};

describe.each(VARIANTS)("training on engine %s", (variant) => {
  it("learns XOR", () => {
    const network = new Sequential(XOR_NETWORK, { seed: 4, variant });
    expect(network.evaluate(XOR).loss).toBeGreaterThan(0.3);
    const reports = train(network, XOR, { epochs: 300, learningRate: 0.1, batchSize: 4 });
    expect(reports.length).toBe(300);
    expect(reports[299].loss).toBeLessThan(0.01);
    expect(network.evaluate(XOR)).toMatchObject({ count: 4, correct: 4, accuracy: 1 });
  });
});

describe("training", () => {
  const samples = noise(50, 7, 5);
  const options = { epochs: 3, learningRate: 0.05, batchSize: 16, weightDecay: 0.001, schedule: { type: "cosine" } } as const;

  function trained(variant: "simd" | "scalar", seed: number): Sequential {
    const network = new Sequential(SMALL, { variant });
    train(network, samples, { ...options, seed, augment: (input, random) => void (input[0] += random()) });
    return network;
  }

  it("gives the same bytes in every run and on every variant, and others for another seed", () => {
    const wanted = trained("simd", 1).tensors();
    expect(trained("simd", 1).tensors()).toEqual(wanted);
    expect(trained("scalar", 1).tensors()).toEqual(wanted);
    expect(trained("simd", 2).tensors()).not.toEqual(wanted);
    expect(wanted).not.toEqual(new Sequential(SMALL).tensors());
  });

  it("steps as momentum and weight decay say, and spares the biases the decay", () => {
    const network = new Sequential(SMALL, { seed: 8 });
    const how = { learningRate: 0.25, momentum: 0.5, weightDecay: 0.125 };
    const values = network.tensors().map((tensor) => Float64Array.from(floats(tensor)));
    const velocities = values.map(({ length }) => new Float64Array(length));
    for (let step = 0; step < 3; step++) {
      const { loss, tensors } = network.gradients(samples);
      for (const [i, tensor] of tensors.entries()) {
        for (const [j, slope] of floats(tensor).entries()) {
          velocities[i][j] = 0.5 * velocities[i][j] + slope + (tensor.name.endsWith("weight") ? 0.125 * values[i][j] : 0);
          values[i][j] -= 0.25 * velocities[i][j];
        }
      }
      expect(network.step(samples, how)).toBe(loss);
    }
    for (const [i, tensor] of network.tensors().entries()) {
      for (const [j, found] of floats(tensor).entries()) expect(Math.abs(found - values[i][j])).toBeLessThan(1e-5);
    }
  });

  it("forgets its momentum when weights are loaded", () => {
    const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0 };
    const used = new Sequential(SMALL);
    const start = used.tensors();
    used.step(samples, how);
    used.load(start);
    const fresh = new Sequential(SMALL);
    used.step(samples, how);
    fresh.step(samples, how);
    expect(used.tensors()).toEqual(fresh.tensors());
  });

  it("tells of every step, counted through, and of the loss before it", () => {
    const network = new Sequential(SMALL);
    const whole = network.evaluate(samples).loss;
    const steps: number[] = [];
    const [first] = train(network, samples, {
      ...options,
      batchSize: 50,
      onStep: ({ step, steps: all, loss }) => {
        if (step === 1) expect(loss).toBeCloseTo(whole, 5);
        else expect(loss).toBeLessThan(whole);
        steps.push(step, all);
      },
    });
    expect(steps).toEqual([1, 3, 2, 3, 3, 3]);
    expect(first.loss).toBeCloseTo(whole, 5);
    expect(() =>
      train(network, samples, {
        ...options,
        onStep: () => {
          throw new Error("enough");
        },
      }),
    ).toThrow("enough");
  });

  it("gives way after each step and epoch, to the same weights", () => {
    const [whole, stepwise] = [new Sequential(SMALL), new Sequential(SMALL)];
    const reports = train(whole, samples, { ...options, batchSize: 50 });
    const seen = [...trainSteps(stepwise, samples, { ...options, batchSize: 50 })];
    expect(seen.map((report) => ("epoch" in report ? "epoch" : report.step))).toEqual([1, "epoch", 2, "epoch", 3, "epoch"]);
    expect(seen.filter((report) => "epoch" in report)).toEqual(reports);
    expect(stepwise.tensors()).toEqual(whole.tensors());
    const cut = new Sequential(SMALL);
    for (const report of trainSteps(cut, samples, { ...options, batchSize: 50 })) if ("epoch" in report) break;
    const first = new Sequential(SMALL);
    for (const _ of trainSteps(first, samples, { ...options, epochs: 1, batchSize: 50 }));
    expect(cut.tensors()).toEqual(first.tensors());
  });

  it("learns from a teacher what it says of the samples, and of those that are augmented as they are then", () => {
    const teacher = { network: new Sequential(SMALL, { seed: 9 }), temperature: 2, weight: 0.7 };
    const softTargets = { temperature: 2, weight: 0.7, logits: teacher.network.forward(samples.inputs) };
    const [asked, told] = [new Sequential(SMALL), new Sequential(SMALL)];
    train(asked, samples, { ...options, teacher });
    train(told, { ...samples, softTargets }, options);
    expect(asked.tensors()).toEqual(told.tensors());
    const augment = (input: Float32Array): void => void input.reverse();
    const reversed = samples.inputs.slice();
    for (let i = 0; i < reversed.length; i += 7) reversed.subarray(i, i + 7).reverse();
    const logits = teacher.network.forward(reversed);
    const [turned, plain] = [new Sequential(SMALL), new Sequential(SMALL)];
    train(turned, samples, { ...options, teacher, augment });
    train(plain, { ...samples, inputs: reversed, softTargets: { ...softTargets, logits } }, options);
    expect(turned.tensors()).toEqual(plain.tensors());
  });

  it("goes on from an epoch with chance where it was, augmenting what it had anew only where it is not told what that draws", () => {
    const [first, second] = [new Sequential(SMALL), new Sequential(SMALL)];
    let called = 0;
    const given = {
      ...options,
      momentum: 0,
      augment: (input: Float32Array, random: () => number): void => {
        called++;
        input[0] += random() - random();
      },
    };
    train(first, samples, { ...given, onEpoch: ({ epoch }) => void (epoch === 2 && second.load(first.tensors())) });
    for (const [augmentDraws, calls] of [
      [2, 50],
      [undefined, 150],
    ] as const) {
      const third = new Sequential(SMALL);
      third.load(second.tensors());
      called = 0;
      train(third, samples, { ...given, epochsDone: 2, augmentDraws });
      expect(called).toBe(calls);
      expect(third.tensors()).toEqual(first.tensors());
    }
  });

  it("sees every sample once an epoch, in another order each time, as a copy", () => {
    const inputs = Float32Array.from({ length: 50 * 7 }, (_, i) => (i % 7 === 0 ? i / 7 : 0.01));
    const before = inputs.slice();
    const seen: number[][] = [];
    train(
      new Sequential(SMALL),
      { inputs, labels: samples.labels },
      {
        ...options,
        learningRate: 0,
        augment: (input) => {
          expect(input.length).toBe(7);
          if (seen.length === 0 || seen[seen.length - 1].length === 50) seen.push([]);
          seen[seen.length - 1].push(input[0]);
          input.fill(0);
        },
      },
    );
    expect(seen.length).toBe(3);
    for (const order of seen) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(seen[1]).not.toEqual(seen[0]);
    expect(inputs).toEqual(before);
  });

  const schedules: readonly (readonly [Schedule, readonly number[]])[] = [
    [{ type: "constant" }, [1, 1, 1, 1]],
    [{ type: "step", every: 2, factor: 0.1 }, [1, 1, 0.1, 0.1]],
    [{ type: "cosine" }, [1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.5 - Math.SQRT1_2 / 2]],
    [{ type: "cosine", floor: 0.2 }, [1, 0.6 + 0.4 * Math.SQRT1_2, 0.6, 0.6 - 0.4 * Math.SQRT1_2]],
  ];

  it.each(schedules)("follows the schedule %j", (schedule, factors) => {
    const reports: number[] = [];
    const network = new Sequential(SMALL);
    train(network, samples, {
      epochs: 4,
      learningRate: 0.01,
      batchSize: 50,
      schedule,
      onEpoch: ({ learningRate }) => void reports.push(learningRate),
    });
    for (const [i, factor] of factors.entries()) expect(reports[i] / 0.01).toBeCloseTo(factor, 12);
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ["epochs", { epochs: -1 }, /epochs/],
    ["learningRate", { learningRate: Number.NaN }, /learningRate/],
    ["batchSize", { batchSize: 0 }, /batchSize/],
    ["momentum", { momentum: 1.5 }, /momentum/],
    ["weightDecay", { weightDecay: -1 }, /weightDecay/],
    ["seed", { seed: 0.5 }, /seed/],
    ["schedule.type", { schedule: { type: "linear" } }, /schedule\.type/],
    ["schedule.every", { schedule: { type: "step", every: 0, factor: 1 } }, /schedule\.every/],
    ["schedule.floor", { schedule: { type: "cosine", floor: 2 } }, /schedule\.floor/],
  ];

  it.each(refused)("refuses %s out of range", (_, change, message) => {
    expect(() => train(new Sequential(SMALL), samples, { ...options, ...change })).toThrow(message);
  });

  it("names the sample whose label is no class before it changes a weight", () => {
    const network = new Sequential(SMALL);
    const before = network.tensors();
    const labels = Uint8Array.from(samples.labels);
    labels[41] = 5;
    expect(() => train(network, { ...samples, labels }, options)).toThrow(/labels\[41\] must be in \[0, 4\], got 5/);
    expect(network.tensors()).toEqual(before);
  });

  it("names the sample whose loss is not finite by its place in the samples", () => {
    const inputs = samples.inputs.slice();
    inputs[41 * 7] = Number.POSITIVE_INFINITY;
    expect(() => train(new Sequential(SMALL), { ...samples, inputs }, options)).toThrow(/loss of sample 41 is/);
  });

  it("stops where the learning rate is far too high", () => {
    expect(() => train(new Sequential(SMALL), samples, { ...options, epochs: 100, learningRate: 1e20 })).toThrow(/learning rate/);
  });
});
