import { execFileSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import type { NetworkSpec, Sequential, Tensor } from "../../src/nn/index.js";
import { Random } from "../random.js";
import { floats, noise } from "./networks.js";

/** The bundle, beside which its threads find what they run. */
let nn: typeof import("../../src/nn/index.js");

beforeAll(async () => {
  nn = await import(pathToFileURL(path.join(inject("bundles"), "nn.js")).href);
});

const SPEC: NetworkSpec = {
  input: [1, 6, 6],
  layers: [
    { type: "conv2d", name: "conv", in: 1, out: 4, kernel: 3 },
    { type: "maxpool2d", kernel: 2 },
    { type: "dropout", rate: 0.3 },
    { type: "flatten" },
    { type: "linear", name: "a", in: 16, out: 12 },
    { type: "relu" },
    { type: "linear", name: "b", in: 12, out: 5 },
  ],
};

const CERTAIN: NetworkSpec = { ...SPEC, layers: SPEC.layers.filter(({ type }) => type !== "dropout") };

const samples = { ...noise(32, 36, 5), softTargets: { logits: new Random(4).weights(160, 2), temperature: 2, weight: 0.5 } };

/** Runs `body` with a network of the bundle that has as many threads. */
function withThreads<T>(threads: number, spec: NetworkSpec, body: (network: Sequential) => T): T {
  const network = new nn.Sequential(spec);
  network.useThreads(threads);
  try {
    return body(network);
  } finally {
    network.useThreads(1);
  }
}

/** Samples from `start` to before `end`. */
function part(start: number, end: number): typeof samples {
  const { inputs, labels, softTargets } = samples;
  return {
    inputs: inputs.slice(36 * start, 36 * end),
    labels: Array.from(labels).slice(start, end),
    softTargets: { ...softTargets, logits: softTargets.logits.slice(5 * start, 5 * end) },
  };
}

describe("a network on several threads", () => {
  it("keeps masks and codebooks, which move by the gradient of all threads", () => {
    withThreads(2, CERTAIN, (network) => {
      network.mask("conv.weight", { sparsity: 0.5 });
      network.share("a.weight", { bits: 2 });
      const weightsOf = (i: number): Float32Array => floats(network.tensors()[i]);
      const zeros = weightsOf(0).map((weight) => (weight === 0 ? 0 : 1));
      const tuner = new nn.CodebookTuner(weightsOf(2));
      for (let step = 0; step < 3; step++) {
        tuner.step(floats(network.gradients(samples).tensors[2]), { learningRate: 0.1, momentum: 0.5 });
        network.step(samples, { learningRate: 0.1, momentum: 0.5, weightDecay: 0.1 });
        expect(weightsOf(2)).toEqual(tuner.weights());
        expect(weightsOf(0).map((weight) => (weight === 0 ? 0 : 1))).toEqual(zeros);
      }
    });
  });

  it.each(VARIANTS)("has the gradient that is the sum of its threads' parts, in their order: %s", (variant) => {
    const network = new nn.Sequential(CERTAIN, { variant });
    network.useThreads(2);
    const { loss, tensors } = network.gradients(samples);
    network.useThreads(1);
    // The mean over 16 samples is twice their part of the mean over 32, to the bit.
    const [first, second] = [part(0, 16), part(16, 32)].map((batch) => network.gradients(batch));
    expect(loss).toBeCloseTo((first.loss + second.loss) / 2, 12);
    for (const [i, tensor] of tensors.entries()) {
      const [a, b] = [first, second].map((half) => floats(half.tensors[i]));
      expect(floats(tensor)).toEqual(a.map((value, j) => value / 2 + b[j] / 2));
    }
  });

  it("drops the elements that one thread would drop", () => {
    const one = new nn.Sequential(SPEC).gradients(samples);
    const three = withThreads(3, SPEC, (network) => network.gradients(samples));
    expect(three.loss).toBeCloseTo(one.loss, 6);
    for (const [i, tensor] of three.tensors.entries()) {
      const wanted = floats(one.tensors[i]);
      for (const [j, found] of floats(tensor).entries()) expect(Math.abs(found - wanted[j])).toBeLessThan(1e-6);
    }
  });

  it("trains to the same bits in every run, and with one thread to those of no threads", () => {
    const trained = (threads?: number): { tensors: Tensor[]; losses: number[] } => {
      const network = new nn.Sequential(SPEC);
      const reports = nn.train(network, samples, { epochs: 4, learningRate: 0.05, batchSize: 10, threads });
      return { tensors: network.tensors(), losses: reports.map(({ loss }) => loss) };
    };
    expect(trained(2)).toEqual(trained(2));
    expect(trained(3)).toEqual(trained(3));
    expect(trained(1)).toEqual(trained());
    expect(trained(2).tensors).not.toEqual(trained().tensors);
  });

  it("takes batches smaller than its threads are many, and of changing size", () => {
    withThreads(4, CERTAIN, (network) => {
      const plain = new nn.Sequential(CERTAIN);
      for (const end of [2, 1, 7, 32]) {
        const { loss, tensors } = network.gradients(part(0, end));
        const wanted = plain.gradients(part(0, end));
        expect(loss).toBeCloseTo(wanted.loss, 6);
        for (const [i, tensor] of tensors.entries()) {
          const values = floats(wanted.tensors[i]);
          for (const [j, found] of floats(tensor).entries()) expect(Math.abs(found - values[j])).toBeLessThan(1e-6);
        }
      }
    });
  });

  it("names the sample whose loss is not finite, whichever thread has it, and goes on after it", () => {
    withThreads(2, SPEC, (network) => {
      const before = network.tensors();
      for (const bad of [3, 29]) {
        const inputs = samples.inputs.slice();
        inputs[36 * bad] = Number.NaN;
        const indices = Array.from({ length: 32 }, (_, i) => 100 + i);
        const how = { learningRate: 0.1, momentum: 0.9, weightDecay: 0 };
        expect(() => network.step({ ...samples, inputs }, how, indices)).toThrow(RangeError);
        expect(() => network.step({ ...samples, inputs }, how, indices)).toThrow(`the loss of sample ${100 + bad} is NaN`);
      }
      expect(network.tensors()).toEqual(before);
      expect(network.gradients(samples).loss).toBeGreaterThan(0);
    });
  });

  it("does not keep a program from ending", () => {
    const code = `import { Sequential } from "./nn.js";
const network = new Sequential({ layers: [{ type: "linear", name: "fc", in: 2, out: 2 }] });
network.useThreads(3);
console.log(network.step({ inputs: Float32Array.of(1, 2, 3, 4), labels: [0, 1] }, { learningRate: 1, momentum: 0, weightDecay: 0 }) > 0);`;
    const options = { encoding: "utf8", cwd: inject("bundles"), timeout: 20_000 } as const;
    expect(execFileSync(process.execPath, ["--input-type=module", "--eval", code], options)).toBe("true\n");
  });

  it.each([0, 65, 1.5])("is refused with %s threads", (threads) => {
    expect(() => new nn.Sequential(SPEC).useThreads(threads)).toThrow(/threads/);
    expect(() => nn.train(new nn.Sequential(SPEC), samples, { epochs: 1, learningRate: 0.1, threads })).toThrow(/threads/);
  });
});
