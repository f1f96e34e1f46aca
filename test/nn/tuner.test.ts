import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import { aggregateGradient, type Codebook, CodebookTuner, maskGradient, Sequential } from "../../src/nn/index.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { floats, noise, SMALL } from "./networks.js";

describe("maskGradient", () => {
  it("sets the gradients of pruned weights to 0 in place", () => {
    const gradient = Float32Array.of(1, Number.NaN, 3, 4, 5);
    maskGradient(gradient, Uint8Array.of(1, 0, 0, 1, 2));
    expect([...gradient]).toEqual([1, 0, 0, 4, 5]);
  });

  it("names the argument that is amiss", () => {
    expect(() => maskGradient([1] as unknown as Float32Array, Uint8Array.of(1))).toThrow(/outGradient must be a Float32Array/);
    expect(() => maskGradient(Float32Array.of(1), [1] as unknown as Uint8Array)).toThrow(/mask must be a Uint8Array/);
    expect(() => maskGradient(Float32Array.of(1), Uint8Array.of(1, 1))).toThrow(/mask must have 1 elements, got 2/);
  });
});

describe("aggregateGradient", () => {
  it("sums the gradients of the weights that share a centroid, as the paper's Figure 3 does (in hundredths)", () => {
    const gradient = Float32Array.of(-3, -1, 3, 2, -1, 1, -2, 12, -1, 2, 4, 1, -7, -2, 1, -2);
    const codes = Uint8Array.of(3, 0, 2, 1, 1, 1, 0, 3, 0, 3, 1, 0, 3, 1, 2, 2);
    expect([...aggregateGradient(gradient, codes, 4)]).toEqual([-3, 4, 2, 4]);
  });

  it("gives 0 for a centroid that none shares", () => {
    expect([...aggregateGradient(Float32Array.of(1, 2), Uint8Array.of(2, 2), 4)]).toEqual([0, 0, 3, 0]);
  });

  it("names the argument that is amiss", () => {
    expect(() => aggregateGradient([1] as unknown as Float32Array, Uint8Array.of(0), 1)).toThrow(/gradient must be a Float32Array/);
    expect(() => aggregateGradient(Float32Array.of(1), [0] as unknown as Uint8Array, 1)).toThrow(/codes must be a Uint8Array/);
    expect(() => aggregateGradient(Float32Array.of(1), Uint8Array.of(0, 0), 1)).toThrow(/codes must have 1 elements, got 2/);
    expect(() => aggregateGradient(Float32Array.of(1, 1), Uint8Array.of(0, 7), 7)).toThrow(/codes\[1\].*7 centroids, got 7/);
    for (const centroids of [0, 257]) expect(() => aggregateGradient(Float32Array.of(1), Uint8Array.of(0), centroids)).toThrow(/centroids/);
  });
});

describe.each(VARIANTS)("CodebookTuner on engine %s", (variant) => {
  it("moves a network's weights by its gradients as the network does itself", () => {
    const samples = noise(50, 7, 5);
    const network = new Sequential(SMALL, { variant });
    network.mask("fc2.weight", { sparsity: 0.4 });
    const tuner = new CodebookTuner(floats(network.tensors()[2]), { share: { bits: 3 }, variant });
    network.share("fc2.weight", { bits: 3 });
    for (let step = 0; step < 4; step++) {
      tuner.step(floats(network.gradients(samples).tensors[2]), { learningRate: 0.1, momentum: 0.9 });
      network.step(samples, { learningRate: 0.1, momentum: 0.9, weightDecay: 0 });
      const { codes, centroids, mask } = network.codebook("fc2.weight")!;
      expectSame(tuner.weights(), floats(network.tensors()[2]));
      expectSame(tuner.codes, codes);
      expectSame(tuner.centroids, centroids);
      expectSame(tuner.mask, mask);
    }
    tuner.finish();
    network.finish();
    expectSame(tuner.weights(), floats(network.tensors()[2]));
  });

  it("takes the values of weights that are shared already as they are", () => {
    const random = new Random(1);
    const values = random.weights(256, 1);
    const weights = Float32Array.from({ length: 5000 }, (_, i) => (i % 7 === 0 ? 0 : values[random.below(256)]));
    const tuner = new CodebookTuner(weights, { variant });
    expectSame(tuner.weights(), weights);
    expectSame(tuner.centroids, values.slice().sort());
    expectSame(
      tuner.mask,
      Uint8Array.from(weights, (weight) => (weight === 0 ? 0 : 1)),
    );
  });

  it("steps codes and centroids as written on paper, and leaves a centroid of 0 and what is pruned at 0", () => {
    const centroids = Float32Array.of(-1, 0, 2);
    const tuner = new CodebookTuner({ codes: Uint8Array.of(0, 2, 1, 0, 2), centroids, mask: Uint8Array.of(1, 1, 1, 1, 0) }, { variant });
    expect([...tuner.weights()]).toEqual([-1, 2, 0, -1, 0]);
    const gradient = Float32Array.of(1, 2, 100, 0.5, 100);
    tuner.step(gradient, { learningRate: 0.5, momentum: 0.5 });
    expect([...tuner.centroids]).toEqual([-1.75, 0, 1]);
    tuner.step(gradient, { learningRate: 0.5, momentum: 0.5 });
    expect([...tuner.centroids]).toEqual([-2.875, 0, -0.5]);
    tuner.step(gradient, { learningRate: 0.5 });
    expect([...tuner.weights()]).toEqual([-3.625, -1.5, 0, -3.625, 0]);
    expect([...gradient], "what is the caller's stays").toEqual([1, 2, 100, 0.5, 100]);
    expect([...centroids]).toEqual([-1, 0, 2]);
  });

  it("rounds to float16 at the end, but not what float16 cannot hold", () => {
    const codes = Uint8Array.of(0, 1);
    const tuner = new CodebookTuner({ codes, centroids: Float32Array.of(0.1, -0.3) }, { variant });
    tuner.finish();
    expect([...tuner.weights()]).toEqual([0.0999755859375, -0.300048828125]);
    const small = new CodebookTuner({ codes, centroids: Float32Array.of(0.1, 1e-9) }, { variant });
    small.finish();
    expect([...small.weights()]).toEqual([0.1, 1e-9].map(Math.fround));
  });
});

describe("CodebookTuner", () => {
  it("names the argument that is amiss, and does not move then", () => {
    expect(() => new CodebookTuner(undefined as unknown as Codebook)).toThrow(/codes must be a Uint8Array/);
    expect(() => new CodebookTuner({ codes: Uint8Array.of(3), centroids: Float32Array.of(1) })).toThrow(/codes\[0\]/);
    expect(() => new CodebookTuner(Float32Array.of(1), { share: { bits: 0 } })).toThrow(/share\.bits/);
    expect(() => new CodebookTuner(Float32Array.of(1, Number.NaN))).toThrow(/finite/);
    const tuner = new CodebookTuner(Float32Array.of(1, 2));
    expect(() => tuner.step(new Float32Array(3), { learningRate: 1 })).toThrow(/gradient must have 2 elements, got 3/);
    expect(() => tuner.step([1, 2] as unknown as Float32Array, { learningRate: 1 })).toThrow(/gradient must be a Float32Array/);
    expect(() => tuner.step(new Float32Array(2), { learningRate: -1 })).toThrow(/learningRate/);
    expect(() => tuner.step(new Float32Array(2), { learningRate: 1, momentum: 2 })).toThrow(/momentum/);
    expect([...tuner.weights()]).toEqual([1, 2]);
  });
});
