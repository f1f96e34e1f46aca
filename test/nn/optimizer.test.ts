import { describe, expect, it } from "vitest";
import {
  type NetworkSpec,
  type OptimizerOptions,
  Sequential,
  type StepOptions,
  type Tensor,
  type TrainOptions,
  train,
} from "../../src/nn/index.js";
import { Random } from "../random.js";
import { floats, noise, SMALL } from "./networks.js";

const samples = noise(50, 7, 5);

const SGD: StepOptions = { learningRate: 0.05, momentum: 0.9, weightDecay: 0.001 };
const ADAM: StepOptions = { type: "adam", learningRate: 0.01, weightDecay: 0.01, decoupled: true };

/** With layers that leave something to chance, or keep statistics. */
const NETWORK: NetworkSpec = {
  layers: [
    { type: "linear", name: "a", in: 7, out: 12 },
    { type: "batchnorm", name: "bn", features: 12 },
    { type: "relu" },
    { type: "dropout", rate: 0.3 },
    { type: "linear", name: "b", in: 12, out: 5 },
  ],
};

const parsed = (tensors: readonly Tensor[]): Tensor[] => tensors.map((tensor) => ({ ...tensor, data: tensor.data.slice() }));

describe("Adam", () => {
  it("steps as its authors write it, its decay joined or decoupled, and spares the biases the decay", () => {
    for (const decoupled of [false, true]) {
      const network = new Sequential(SMALL, { seed: 8 });
      const values = network.tensors().map((tensor) => Float64Array.from(floats(tensor)));
      const moments = values.map(({ length }) => [new Float64Array(length), new Float64Array(length)]);
      for (let step = 1; step <= 4; step++) {
        const { loss, tensors } = network.gradients(samples);
        for (const [i, tensor] of tensors.entries()) {
          const decay = tensor.name.endsWith("weight") ? 0.125 : 0;
          const [mean, square] = moments[i];
          for (const [j, gradient] of floats(tensor).entries()) {
            const slope = gradient + (decoupled ? 0 : decay * values[i][j]);
            mean[j] = 0.8 * mean[j] + 0.2 * slope;
            square[j] = 0.95 * square[j] + 0.05 * slope ** 2;
            if (decoupled) values[i][j] *= 1 - 0.01 * decay;
            values[i][j] -= (0.01 * mean[j]) / (1 - 0.8 ** step) / (Math.sqrt(square[j] / (1 - 0.95 ** step)) + 1e-3);
          }
        }
        const how = { type: "adam", learningRate: 0.01, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.125, decoupled } as const;
        expect(network.step(samples, how)).toBe(loss);
      }
      for (const [i, tensor] of network.tensors().entries()) {
        for (const [j, found] of floats(tensor).entries()) expect(Math.abs(found - values[i][j])).toBeLessThan(1e-5);
      }
    }
  });

  it("starts anew after steps of SGD, and SGD after its", () => {
    const [used, fresh] = [new Sequential(SMALL), new Sequential(SMALL)];
    for (const [before, after] of [
      [SGD, ADAM],
      [ADAM, SGD],
    ]) {
      used.step(samples, before);
      used.step(samples, before);
      fresh.load(used.tensors());
      used.step(samples, after);
      fresh.step(samples, after);
      expect(used.tensors()).toEqual(fresh.tensors());
    }
  });

  it("trains, from the options of a training", () => {
    const network = new Sequential(SMALL);
    const before = network.evaluate(samples).loss;
    const reports = train(network, samples, { epochs: 40, learningRate: 0.01, batchSize: 10, optimizer: { type: "adam" } });
    expect(reports[39].loss).toBeLessThan(0.5 * before);
  });
});

describe("the optimizer of a training", () => {
  const options: TrainOptions = { epochs: 2, learningRate: 0.05, batchSize: 16 };
  const trained = (how: object): Tensor[] => {
    const network = new Sequential(SMALL);
    train(network, samples, { ...options, ...how });
    return network.tensors();
  };

  it("is SGD, however it is written", () => {
    const wanted = trained({});
    expect(trained({ optimizer: { type: "sgd" } })).toEqual(wanted);
    expect(trained({ momentum: 0.5, weightDecay: 0.01 })).toEqual(
      trained({ optimizer: { type: "sgd", momentum: 0.5, weightDecay: 0.01 } }),
    );
    expect(trained({ optimizer: { type: "sgd", momentum: 0.5 } })).not.toEqual(wanted);
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ["an unknown type", { optimizer: { type: "lion" } }, /type/],
    ["a momentum beside it", { optimizer: { type: "adam" }, momentum: 0.9 }, /momentum/],
    ["beta1", { optimizer: { type: "adam", beta1: 1 } }, /beta1/],
    ["beta2", { optimizer: { type: "adam", beta2: -0.1 } }, /beta2/],
    ["epsilon", { optimizer: { type: "adam", epsilon: 0 } }, /epsilon/],
    ["epsilon, which float32 would make 0,", { optimizer: { type: "adam", epsilon: 1e-50 } }, /epsilon/],
    ["learningRate, which float32 would make infinite,", { learningRate: 1e39 }, /learningRate/],
    ["weightDecay", { optimizer: { type: "adam", weightDecay: -1 } }, /weightDecay/],
    ["decoupled", { optimizer: { type: "adam", decoupled: 1 } }, /decoupled/],
    ["epochsDone", { epochsDone: 3 }, /epochsDone/],
    ["augmentDraws", { augmentDraws: -1 }, /augmentDraws/],
  ];

  it.each(refused)("is refused with %s amiss", (_, bad, message) => {
    expect(() => trained(bad)).toThrow(message);
  });
});

describe("soft targets", () => {
  const logits = new Random(3).weights(50 * 5, 4);
  const soft = { ...samples, softTargets: { logits, temperature: 2, weight: 1 } };

  it("draw a network towards its teacher, whatever the labels", () => {
    const network = new Sequential(SMALL);
    train(network, soft, { epochs: 400, learningRate: 0.02, batchSize: 10 });
    const classes = network.predict(samples.inputs);
    const taught = Array.from({ length: 50 }, (_, i) => logits.subarray(5 * i, 5 * i + 5)).map((row) => row.indexOf(Math.max(...row)));
    expect(taught.filter((wanted, i) => classes[i] === wanted).length).toBeGreaterThan(40);
  });

  it.each([
    [{ logits: logits.subarray(1) }, /softTargets\.logits must be 50 times 5, got 249/],
    [{ logits: [1] }, /softTargets\.logits/],
    [{ temperature: 0 }, /softTargets\.temperature/],
    [{ weight: 1.5 }, /softTargets\.weight/],
  ])("are refused as %j", (bad, message) => {
    const batch = { ...soft, softTargets: { ...soft.softTargets, ...bad } } as typeof soft;
    expect(() => new Sequential(SMALL).step(batch, SGD)).toThrow(message);
    expect(() => train(new Sequential(SMALL), batch, { epochs: 1, learningRate: 0.1 })).toThrow(message);
  });

  it("that are not finite are named with the sample", () => {
    const bad = logits.slice();
    bad[5 * 31 + 2] = Number.NaN;
    const batch = { ...soft, softTargets: { ...soft.softTargets, logits: bad } };
    expect(() => train(new Sequential(SMALL), batch, { epochs: 1, learningRate: 0.1 })).toThrow(/loss of sample 31 is NaN/);
  });
});

describe("training that goes on in another network", () => {
  const optimizers: readonly OptimizerOptions[] = [
    { type: "sgd", weightDecay: 0.001 },
    { type: "adam", weightDecay: 0.01 },
  ];

  it.each([SGD, ADAM])("gives the same bits, step by step, with %j", (how) => {
    const whole = new Sequential(NETWORK, { seed: 5 });
    for (let i = 0; i < 7; i++) whole.step(samples, how);
    const first = new Sequential(NETWORK, { seed: 5 });
    for (let i = 0; i < 4; i++) first.step(samples, how);
    const second = new Sequential(NETWORK, { seed: 5 });
    second.load(parsed(first.tensors()));
    second.loadOptimizer(parsed(first.optimizerTensors()));
    for (let i = 0; i < 3; i++) second.step(samples, how);
    expect(second.tensors()).toEqual(whole.tensors());
    expect(second.optimizerTensors()).toEqual(whole.optimizerTensors());
    const forgetful = new Sequential(NETWORK, { seed: 5 });
    forgetful.load(first.tensors());
    for (let i = 0; i < 3; i++) forgetful.step(samples, how);
    expect(forgetful.tensors()).not.toEqual(whole.tensors());
  });

  it.each(optimizers)("gives the same bits and reports, epoch by epoch, with %j", (optimizer) => {
    const options: TrainOptions = {
      epochs: 5,
      learningRate: 0.02,
      batchSize: 16,
      optimizer,
      schedule: { type: "cosine" },
      augment: (input, random) => void (input[0] += random()),
    };
    for (const given of [options, { ...options, augment: undefined }]) {
      const whole = new Sequential(NETWORK);
      const reports = train(whole, samples, given);
      const first = new Sequential(NETWORK);
      const stop = new Error("enough");
      expect(() =>
        train(first, samples, {
          ...given,
          onEpoch: ({ epoch }) => {
            if (epoch === 2) throw stop;
          },
        }),
      ).toThrow(stop);
      const second = new Sequential(NETWORK);
      second.load(first.tensors());
      second.loadOptimizer(first.optimizerTensors());
      expect(train(second, samples, { ...given, epochsDone: 2 })).toEqual(reports.slice(2));
      expect(second.tensors()).toEqual(whole.tensors());
    }
  });

  it("names its tensors after the parameters", () => {
    const network = new Sequential(SMALL);
    const names = (): string[] => network.optimizerTensors().map(({ name, dtype, shape }) => `${name} ${dtype} ${shape}`);
    expect(names().slice(0, 2)).toEqual(["steps F64 1", "fc1.weight.velocity F32 13,7"]);
    network.step(samples, ADAM);
    expect(names().slice(0, 3)).toEqual(["steps F64 1", "fc1.weight.mean F32 13,7", "fc1.weight.square F32 13,7"]);
    expect([...new Float64Array(network.optimizerTensors()[0].data.slice().buffer)]).toEqual([1]);
    expect(names().length).toBe(13);
  });

  const network = new Sequential(SMALL);
  network.step(samples, SGD);
  const good = network.optimizerTensors();
  const refused: readonly (readonly [string, readonly Tensor[], RegExp])[] = [
    ["one is missing", good.slice(0, -1), /"fc3\.bias\.velocity"/],
    ["the count is missing", good.slice(1), /"steps"/],
    [
      "the count is none",
      [{ ...good[0], data: new Uint8Array(Float64Array.of(0.5).buffer) }, ...good.slice(1)],
      /steps must hold a count, got 0\.5/,
    ],
    ["one belongs to no parameter", [...good, { ...good[1], name: "fc9.weight.velocity" }], /"fc9\.weight\.velocity" belongs to no/],
    ["one is of another optimizer", [...good, { ...good[1], name: "fc1.weight.mean" }], /belongs to no/],
    ["a shape is another", [good[0], { ...good[1], shape: [7, 13] }, ...good.slice(2)], /fc1\.weight\.velocity must be F32 \[13,7\]/],
  ];

  it.each(refused)("refuses tensors where %s, and takes none", (_, tensors, message) => {
    expect(() => network.loadOptimizer(tensors.map((tensor) => ({ ...tensor })))).toThrow(RangeError);
    expect(() => network.loadOptimizer(tensors)).toThrow(message);
    expect(network.optimizerTensors()).toEqual(good);
  });
});
