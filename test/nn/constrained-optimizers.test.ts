import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { CodebookTuner, type NetworkSpec, Sequential, type StepOptions } from "../../src/nn/index.js";
import { referenceNnKernels as reference, referenceKernels } from "../../src/reference/index.js";
import { expectSame } from "../kernels/all.js";
import { floats, noise } from "./networks.js";

const SPEC: NetworkSpec = {
  input: [2, 6, 6],
  layers: [
    { type: "conv2d", name: "conv", in: 2, out: 8, kernel: 3 },
    { type: "relu" },
    { type: "maxpool2d", kernel: 2 },
    { type: "flatten" },
    { type: "linear", name: "fc1", in: 32, out: 20 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 20, out: 4 },
  ],
};
const samples = noise(40, 72, 4);

const SGD = { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 } as const;
const ADAM = { type: "adam", learningRate: 0.01, weightDecay: 0.01 } as const;

const OPTIMIZERS: readonly (readonly [string, StepOptions])[] = [
  ["SGD with momentum", SGD],
  ["Adam", ADAM],
  ["AdamW", { ...ADAM, decoupled: true }],
];

const CASES = OPTIMIZERS.flatMap(([name, how]) => VARIANTS.map((variant) => [name, variant, how] as const));

function pick(tensors: ReturnType<Sequential["tensors"]>, name: string): Float32Array {
  return floats(tensors.find((tensor) => tensor.name === name)!);
}

describe.each(CASES)("%s on engine %s", (_, variant, how) => {
  const KEPT = how.type === "adam" ? ["mean", "square"] : ["velocity"];

  function network(): Sequential {
    const made = new Sequential(SPEC, { variant });
    // What is kept of weights from before they are pruned or shared must not move them.
    for (let step = 0; step < 3; step++) made.step(samples, how);
    return made;
  }

  it("leaves pruned weights at 0, and keeps nothing of them", () => {
    const made = network();
    const names = ["conv.weight", "fc1.weight", "fc2.bias"];
    for (const name of names) made.mask(name, { sparsity: 0.5 });
    const masks = names.map((name) => pick(made.tensors(), name).map((weight) => (weight === 0 ? 0 : 1)));
    for (let step = 0; step < 10; step++) made.step(samples, how);
    for (const [i, name] of names.entries()) {
      const weights = pick(made.tensors(), name);
      expectSame(
        weights.map((weight) => (weight === 0 ? 0 : 1)),
        masks[i],
        name,
      );
      for (const kept of KEPT) {
        const of = pick(made.optimizerTensors(), `${name}.${kept}`);
        expect(
          of.filter((_, j) => masks[i][j] === 0).every((value) => value === 0),
          `${name}.${kept}`,
        ).toBe(true);
        expect(of.some((value) => value !== 0)).toBe(true);
      }
    }
  });

  it("moves centroids as the reference does, with what is kept of one for each", () => {
    const made = network();
    made.mask("conv.weight", { sparsity: 0.25 });
    made.share("conv.weight", { bits: 2 }, { rate: 0.5 });
    const { codes, centroids, mask } = made.codebook("conv.weight")!;
    const kept = KEPT.map(() => new Float32Array(4));
    const learningRate = 0.5 * how.learningRate;
    for (let step = 4; step < 9; step++) {
      const gradient = pick(made.gradients(samples).tensors, "conv.weight");
      reference.maskValues(gradient, mask);
      const sums = referenceKernels.codebookGradient(gradient, codes, 4);
      if (how.type === "adam") {
        const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decoupled: false, weightDecay: 0, learningRate, step };
        reference.adamStep(centroids, sums, kept[0], kept[1], adam);
      } else reference.sgdStep(centroids, sums, kept[0], { ...how, learningRate, weightDecay: 0 });
      made.step(samples, how);
      expectSame(made.codebook("conv.weight")!.centroids, centroids, `step ${step}`);
      expectSame(pick(made.tensors(), "conv.weight"), reference.spreadCentroids(codes, mask, centroids), `step ${step}`);
    }
  });

  it("keeps nothing of centroids once the weights are on their own again", () => {
    const made = network();
    made.share("fc1.weight", { bits: 3 });
    for (let step = 0; step < 3; step++) made.step(samples, how);
    made.mask("fc1.weight", { sparsity: 0 });
    for (const kept of KEPT) expect(new Set(pick(made.optimizerTensors(), `fc1.weight.${kept}`))).toEqual(new Set([0]));
  });

  it("goes on from a checkpoint to the same bits", () => {
    const made = network();
    made.mask("conv.weight", { sparsity: 0.5 });
    made.mask("fc1.weight", { quality: 0.5 });
    made.share("fc1.weight", { bits: 3 }, { rate: 0.1 });
    for (let step = 0; step < 3; step++) made.step(samples, how);
    const again = new Sequential(SPEC, { seed: 7, variant });
    again.load(made.tensors());
    again.loadConstraints(made.constraints());
    again.loadOptimizer(made.optimizerTensors());
    for (const trained of [made, again]) for (let step = 0; step < 5; step++) trained.step(samples, how);
    expect(again.tensors()).toEqual(made.tensors());
    expect(again.constraints()).toEqual(made.constraints());
    expect(again.optimizerTensors()).toEqual(made.optimizerTensors());
  });

  it("steps a CodebookTuner as it steps a network", () => {
    const made = new Sequential(SPEC, { variant });
    const tuner = new CodebookTuner(pick(made.tensors(), "fc1.weight"), { share: { bits: 3 }, variant });
    made.share("fc1.weight", { bits: 3 });
    for (let step = 0; step < 4; step++) {
      tuner.step(pick(made.gradients(samples).tensors, "fc1.weight"), how);
      made.step(samples, how);
      expectSame(tuner.weights(), pick(made.tensors(), "fc1.weight"), `step ${step}`);
    }
  });
});

describe("resetOptimizer", () => {
  it("lets Adam begin anew: a first step as long as the learning rate for every centroid", () => {
    const made = new Sequential(SPEC);
    for (let step = 0; step < 20; step++) made.step(samples, ADAM);
    made.share("fc1.weight", { bits: 3 });
    made.resetOptimizer();
    const { centroids } = made.codebook("fc1.weight")!;
    made.step(samples, ADAM);
    const moved = made.codebook("fc1.weight")!.centroids.map((centroid, j) => Math.abs(centroid - centroids[j]));
    for (const length of moved) expect(length).toBeCloseTo(ADAM.learningRate, 5);
  });
});
