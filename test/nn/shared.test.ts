import { beforeEach, describe, expect, it } from "vitest";
import { compress, decode, inspect } from "../../src/index.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { type Codebook, type NetworkSpec, type Prune, Sequential, type Share, train } from "../../src/nn/index.js";
import { referenceNnKernels as reference, referenceKernels } from "../../src/reference/index.js";
import { expectSame } from "../kernels/all.js";
import { floats, loss64, noise, SMALL } from "./networks.js";

const NAME = "fc2.weight";
const INDEX = 2;
const WEIGHTS = 13 * 9;
const samples = noise(50, 7, 5);
const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };

const LARGER: NetworkSpec = {
  layers: [
    { type: "linear", name: "fc1", in: 40, out: 100 },
    { type: "relu" },
    { type: "linear", name: "fc2", in: 100, out: 60 },
    { type: "relu" },
    { type: "linear", name: "fc3", in: 60, out: 5 },
  ],
};
const LARGE = ["fc1.weight", "fc2.weight"] as const;

function weightsOf(network: Sequential, name = NAME): Float32Array {
  return floats(network.tensors().find((tensor) => tensor.name === name)!);
}

function spread({ codes, centroids, mask }: Required<Codebook>): Float32Array {
  return Float32Array.from(codes, (code, i) => (mask[i] === 0 ? 0 : centroids[code]));
}

describe("sharing", () => {
  const rules: readonly (readonly [Share, Prune | undefined])[] = [
    [{ bits: 3 }, undefined],
    [{ bits: 4, init: "density" }, { sparsity: 0.6 }],
    [{ centroids: 5, codebook: "float32" }, { threshold: 0.05 }],
    [{ objective: "rate", tradeoff: 0.01 }, { sparsity: 0.5 }],
  ];

  it.each(rules)("by %j of what %j leaves comes to what a recipe makes of it", async (share, prune) => {
    const network = new Sequential(LARGER);
    const { archive } = await compress(network.tensors(), { recipe: { rules: [{ match: LARGE[1], prune, share }] } });
    if (prune) network.mask(LARGE[1], prune);
    network.share(LARGE[1], share);
    const shared = decode(archive).map(floats)[2];
    expectSame(weightsOf(network, LARGE[1]), shared);
    const codebook = network.codebook(LARGE[1])!;
    expectSame(spread(codebook), shared);
    expect(network.density(LARGE[1])).toBe(shared.filter((value) => value !== 0).length / 6000);
    expect(new Set(shared.filter((value) => value !== 0)).size).toBe(codebook.centroids.length);
  });

  it("may be given as a codebook, which is copied; what shares a centroid of 0 is pruned and stays 0", () => {
    const network = new Sequential(SMALL);
    const codes = Uint8Array.from({ length: WEIGHTS }, (_, i) => i % 4);
    const mask = Uint8Array.from({ length: WEIGHTS }, (_, i) => (i % 5 === 0 ? 0 : 9));
    const centroids = Float32Array.of(-0.25, 0, 0.125, 0.5);
    network.share(NAME, { codes, centroids, mask });
    const wanted = Float32Array.from({ length: WEIGHTS }, (_, i) => (i % 5 === 0 ? 0 : centroids[i % 4]));
    expectSame(weightsOf(network), wanted);
    codes.fill(0);
    for (let step = 0; step < 5; step++) network.step(samples, how);
    for (const [i, weight] of weightsOf(network).entries()) expect(weight === 0, `${i}`).toBe(wanted[i] === 0);
    const found = network.codebook(NAME)!;
    expect(found.centroids[1]).toBe(0);
    for (const i of [0, 2, 3]) expect(found.centroids[i]).not.toBe(centroids[i]);
  });

  it("ends with another mask, from which all weights go their own way", () => {
    const network = new Sequential(SMALL);
    network.share(NAME, { bits: 2 });
    network.mask(NAME, { sparsity: 0 });
    expect(network.codebook(NAME)).toBeUndefined();
    expect(new Set(weightsOf(network)).size).toBe(4);
    network.step(samples, how);
    expect(new Set(weightsOf(network)).size).toBeGreaterThan(50);
  });

  it("of weights that are all pruned leaves them so", () => {
    const network = new Sequential(SMALL);
    network.mask(NAME, { sparsity: 1 });
    network.share(NAME, { bits: 2 });
    network.step(samples, how);
    network.finish();
    expect(network.codebook(NAME)?.centroids.length).toBe(0);
    expect(weightsOf(network).every((weight) => weight === 0)).toBe(true);
  });

  const codes = new Uint8Array(WEIGHTS);
  const refused: readonly (readonly [string, unknown, object | undefined, RegExp])[] = [
    ["by no rule", {}, undefined, /share must have exactly one of bits, centroids/],
    ["by a rule out of range", { bits: 9 }, undefined, /share\.bits/],
    ["with codes of another length", { codes: new Uint8Array(3), centroids: Float32Array.of(1) }, undefined, /codes must have 117/],
    [
      "with a code beyond the centroids",
      { codes: codes.with(5, 2), centroids: Float32Array.of(1, 2) },
      undefined,
      /codes\[5\].*2 centroids, got 2/,
    ],
    ["with too many centroids", { codes, centroids: new Float32Array(257) }, undefined, /centroids must be at most 117/],
    ["with a centroid that is NaN", { codes, centroids: Float32Array.of(1, Number.NaN) }, undefined, /centroids must be finite/],
    ["with centroids of another kind", { codes, centroids: [1, 2] }, undefined, /centroids must be a Float32Array/],
    ["with a mask of another length", { codes, centroids: Float32Array.of(1), mask: codes.slice(1) }, undefined, /mask must have 117/],
    ["at a negative rate", { bits: 2 }, { rate: -1 }, /rate/],
  ];

  it.each(refused)("is refused %s, and no weight changes", (_, share, options, message) => {
    const network = new Sequential(SMALL);
    const before = network.tensors();
    expect(() => network.share(NAME, share as Share, options)).toThrow(message);
    expect(network.tensors()).toEqual(before);
    expect(network.codebook(NAME)).toBeUndefined();
  });

  it("is refused where weights are not finite, and finishing what is not shared too", () => {
    const network = new Sequential(SMALL);
    expect(() => network.finish(NAME)).toThrow(/"fc2\.weight" must be shared/);
    const tensors = network.tensors();
    tensors[INDEX].data.set([0, 0, 0x80, 0x7f]);
    network.load(tensors);
    expect(() => network.share(NAME, { bits: 2 })).toThrow(/finite/);
  });
});

describe.each(VARIANTS)("training of a codebook on engine %s", (variant) => {
  let network: Sequential;

  beforeEach(() => {
    network = new Sequential(SMALL, { variant });
    network.mask(NAME, { sparsity: 0.4 });
  });

  it("moves centroids as the reference does by the sums of the gradients of their weights, at their own rate", () => {
    // Velocities from before must not move what is shared.
    network.step(samples, how);
    network.share(NAME, { bits: 3 }, { rate: 0.25 });
    const { codes, centroids, mask } = network.codebook(NAME)!;
    const velocity = new Float32Array(8);
    for (let step = 0; step < 5; step++) {
      const gradient = floats(network.gradients(samples).tensors[INDEX]);
      reference.maskValues(gradient, mask);
      const sums = referenceKernels.codebookGradient(gradient, codes, 8);
      reference.sgdStep(centroids, sums, velocity, { learningRate: 0.25 * how.learningRate, momentum: how.momentum, weightDecay: 0 });
      network.step(samples, how);
      expectSame(network.codebook(NAME)!.centroids, centroids, `step ${step}`);
      expectSame(weightsOf(network), reference.spreadCentroids(codes, mask, centroids), `step ${step}`);
    }
  });

  it("takes the gradient of a centroid that finite differences of the loss in float64 give", () => {
    network.share(NAME, { bits: 3 });
    const { codes, centroids, mask } = network.codebook(NAME)!;
    const elements = new Map(network.tensors().map((tensor) => [tensor.name, Float64Array.from(floats(tensor))]));
    const lossAt = (centroid: number, offset: number): number => {
      const moved = elements.get(NAME)!.map((weight, i) => (mask[i] === 1 && codes[i] === centroid ? weight + offset : weight));
      return loss64(SMALL, new Map(elements).set(NAME, moved), samples, 1);
    };
    network.step(samples, { learningRate: 1, momentum: 0, weightDecay: 0 });
    const found = network.codebook(NAME)!.centroids.map((centroid, j) => centroids[j] - centroid);
    let largest = 0;
    for (const [j, slope] of found.entries()) {
      const wanted = (lossAt(j, 1e-6) - lossAt(j, -1e-6)) / 2e-6;
      // What is left of a slope once it was subtracted from a centroid of about 0.5.
      expect(Math.abs(slope - wanted), `centroid ${j}`).toBeLessThanOrEqual(1e-3 * Math.abs(wanted) + 1e-7);
      largest = Math.max(largest, Math.abs(wanted));
    }
    expect(largest).toBeGreaterThan(1e-2);
  });

  it("gives the same bits on every variant", () => {
    const trained = VARIANTS.map((variant) => {
      const other = new Sequential(SMALL, { variant });
      other.mask(NAME, { quality: 0.5 });
      other.share(NAME, { bits: 3 });
      train(other, samples, { epochs: 2, learningRate: 0.05, batchSize: 16 });
      return other.tensors();
    });
    expect(trained[1]).toEqual(trained[0]);
  });
});

describe("what was trained", () => {
  const larger = noise(300, 40, 5);

  it("comes out of an archive with the same codes, bits and predictions once it is finished", async () => {
    const network = new Sequential(LARGER);
    for (const name of LARGE) network.mask(name, { sparsity: 0.8 });
    train(network, larger, { epochs: 3, learningRate: 0.05 });
    for (const [i, name] of LARGE.entries()) network.share(name, { bits: 5 - i }, { rate: 0.1 });
    const before = LARGE.map((name) => network.codebook(name)!.centroids);
    train(network, larger, { epochs: 3, learningRate: 0.05 });
    const trained = LARGE.map((name) => network.codebook(name)!);
    expect(trained.map(({ centroids }) => centroids)).not.toEqual(before);
    network.finish();

    const recipe = { rules: [{ match: "*.weight", keepShared: true, prune: { quality: 1 }, share: { bits: 2 } }] };
    const { archive } = await compress(network.tensors().slice(0, 4), { recipe });
    const decoded = [...decode(archive), ...network.tensors().slice(4)];
    expect(decoded).toEqual(network.tensors());
    const report = await inspect(archive);
    for (const [i, name] of LARGE.entries()) {
      const { codes, centroids, mask } = network.codebook(name)!;
      expectSame(codes, trained[i].codes);
      expectSame(mask, trained[i].mask);
      expectSame(floats(decoded[2 * i]), spread({ codes, centroids, mask }));
      for (const [j, centroid] of centroids.entries()) {
        expect(Math.abs(centroid / trained[i].centroids[j] - 1), "rounded to eleven bits").toBeLessThanOrEqual(2 ** -11);
      }
      expect(report.tensors[2 * i]).toMatchObject({
        name,
        codebook: centroids.length,
        survivors: mask.filter((kept) => kept === 1).length,
      });
      expect(report.tensors[2 * i].codebookBytes, "not four bytes each").toBeLessThan(3 * centroids.length);
    }
    const again = new Sequential(LARGER);
    again.load(decoded);
    expectSame(again.predict(larger.inputs), network.predict(larger.inputs));
    expectSame(again.forward(larger.inputs), network.forward(larger.inputs));
  });

  it("goes on from a checkpoint with the same bits", () => {
    const plain = { learningRate: 0.1, momentum: 0, weightDecay: 0.01 };
    const network = new Sequential(SMALL);
    network.mask("fc1.weight", { sparsity: 0.5 });
    network.mask(NAME, { sparsity: 0.4 });
    network.share(NAME, { bits: 3 }, { rate: 0.3 });
    network.step(samples, plain);
    const saved = [network.tensors(), network.constraints()];
    expect(saved[1].map(({ name, dtype, shape }) => [name, dtype, ...shape])).toEqual([
      ["fc1.weight.mask", "U8", 13, 7],
      ["fc2.weight.mask", "U8", 9, 13],
      ["fc2.weight.codes", "U8", 9, 13],
      ["fc2.weight.centroids", "F32", 8],
      ["fc2.weight.rate", "F64"],
    ]);
    const again = new Sequential(SMALL, { seed: 9 });
    again.mask("fc3.weight", { sparsity: 0.5 });
    again.load(saved[0]);
    again.loadConstraints([...saved[1]].reverse());
    expect(again.tensors()).toEqual(saved[0]);
    expect(again.constraints()).toEqual(saved[1]);
    for (const trained of [network, again]) for (let step = 0; step < 3; step++) trained.step(samples, plain);
    expect(again.tensors()).toEqual(network.tensors());
    expect(again.constraints()).toEqual(network.constraints());
    again.loadConstraints([]);
    expect(again.constraints()).toEqual([]);
  });

  const source = new Sequential(SMALL);
  source.share(NAME, { bits: 2 });
  const good = source.constraints();
  const refused: readonly (readonly [string, readonly object[], RegExp])[] = [
    ["one stands twice", [...good, good[0]], /once/],
    ["one is of no layer", [{ ...good[0], name: "fc9.weight.mask" }], /"fc9\.weight\.mask" is no mask or codebook/],
    ["one is of no kind", [{ ...good[0], name: "fc2.weight.masks" }], /"fc2\.weight\.masks" is no mask or codebook/],
    ["a mask is missing beside codes", good.slice(1), /must hold "fc2\.weight\.mask"/],
    ["codes are missing", good.toSpliced(1, 1), /must hold "fc2\.weight\.codes"/],
    ["centroids are missing", good.toSpliced(2, 1), /must hold "fc2\.weight\.centroids"/],
    ["a rate is missing", good.toSpliced(3, 1), /must hold "fc2\.weight\.rate"/],
    ["a mask is transposed", [{ ...good[0], shape: [13, 9] }], /fc2\.weight\.mask must be U8 \[9,13\].*U8 \[13,9\]/],
    ["centroids are of another dtype", good.with(2, { ...good[2], dtype: "I32" }), /fc2\.weight\.centroids must be F32/],
    ["bytes of centroids are missing", good.with(2, { ...good[2], data: good[2].data.slice(1) }), /fc2\.weight\.centroids must be F32/],
    ["a code is beyond the centroids", good.with(1, { ...good[1], data: good[1].data.with(3, 4) }), /of fc2\.weight: codes\[3\]/],
    ["a rate is NaN", good.with(3, { ...good[3], data: new Uint8Array(8).fill(255) }), /of fc2\.weight: rate/],
  ];

  it.each(refused)("does not go on from a checkpoint where %s, and nothing changes", (_, tensors, message) => {
    const network = new Sequential(SMALL);
    network.mask("fc1.weight", { sparsity: 0.5 });
    const before = [network.tensors(), network.constraints()];
    expect(() => network.loadConstraints(tensors as never)).toThrow(RangeError);
    expect(() => network.loadConstraints(tensors as never)).toThrow(message);
    expect([network.tensors(), network.constraints()]).toEqual(before);
  });
});
