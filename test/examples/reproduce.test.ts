import path from "node:path";
import { describe, expect, it } from "vitest";
import { ablate } from "../../examples/reproduce/figures.js";
import { fixedLength } from "../../examples/reproduce/fixed-length.js";
import { parseOptions } from "../../examples/reproduce/options.js";
import { exitCodeOf } from "../../examples/reproduce/refusal.js";
import { readRecipe } from "../../examples/reproduce/runs.js";
import { tunedTable } from "../../examples/reproduce/tables.js";
import { seededRandom } from "../../src/codec/random.js";
import { FormatError } from "../../src/errors.js";
import { compress } from "../../src/index.js";
import type { Tensor } from "../../src/nn/index.js";
import { claimFolder } from "../../src/train/claim.js";
import type { TrainingReport } from "../../src/train/index.js";
import { testFolder } from "../cli/cli.js";

function tensor(name: string, values: Float32Array): Tensor {
  return { name, dtype: "F32", shape: [values.length], data: new Uint8Array(values.buffer) };
}

const floats = ({ data }: Tensor): Float32Array => new Float32Array(data.slice().buffer);
const survivors = (of: Tensor): number => floats(of).filter((value) => value !== 0).length;

describe("the network that was pruned and shared without retraining", () => {
  it("has as many survivors and centroids in each tensor as the training left, those without a codebook in the archive among them", async () => {
    const random = seededRandom(7);
    const values = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
    const dense = ["conv1.weight", "conv1.bias", "fc1.weight"].map((name, i) => tensor(name, values([600, 20, 4000][i])));
    const kept = [400, 20, 300];
    const levels = [300, 20, 32];
    const trained = dense.map(({ name }, i) => {
      const values = new Float32Array(floats(dense[i]).length);
      for (let j = 0; j < kept[i]; j++) values[j] = 1 + (j % levels[i]) / 8;
      return tensor(name, values);
    });
    const { report } = await compress(trained, { recipe: { rules: [], contexts: "none" } });
    const tensors = report.tensors.map((of) => ({ ...of, density: of.survivors / of.weights }));
    expect(tensors.some(({ name, codebook }) => name === "conv1.weight" && codebook === 0)).toBe(true);
    const { tensors: untrained } = await ablate(
      dense,
      { report: { tensors } as unknown as TrainingReport },
      await readRecipe("lenet-5.paper"),
    );
    expect(untrained.map(survivors)).toEqual(kept);
    const centroids = (of: Tensor): number => new Set(floats(of)).size - 1; // not 0
    expect(centroids(untrained[2])).toBeLessThanOrEqual(levels[2]);
    expect(centroids(untrained[2])).toBeGreaterThan(levels[2] / 2);
    expect(centroids(untrained[0])).toBeLessThanOrEqual(256);
  });
});

describe("what a training refuses", () => {
  it("is the command line's fault or a file's, and a defect neither's", async () => {
    const folder = path.join(testFolder(), "taken");
    const release = await claimFolder(folder);
    expect(exitCodeOf(await claimFolder(folder).catch((error) => error))).toBe(2);
    await release();
    expect(exitCodeOf(new FormatError("CORRUPT", 0, "broken"))).toBe(3);
    expect(exitCodeOf(new Error("a defect"))).toBeUndefined();
  });
});

describe("bytes with codes and gaps of fixed lengths", () => {
  it("count fillers and the codebook", () => {
    const weights = new Float32Array(1000);
    for (let i = 0; i < 40; i++) weights[i] = 1 + (i % 2);
    weights[600] = 3;
    // A gap of 560 takes 17 fillers of five bits, 8 of six and 4 of seven.
    expect(fixedLength(tensor("w", weights))).toEqual({ bytes: ((41 + 8) * (6 + 2) + 3 * 32) / 8, gapBits: 6, codeBits: 2 });
  });

  it("are those of float32 where that is less, and survivors of more than 256 values stand for themselves", () => {
    expect(
      fixedLength(
        tensor(
          "w",
          Float32Array.from({ length: 300 }, (_, i) => i + 1),
        ),
      ),
    ).toEqual({ bytes: 1200, gapBits: 0, codeBits: 32 });
    const weights = new Float32Array(3000);
    for (let i = 0; i < 300; i++) weights[10 * i + 9] = i + 1;
    expect(fixedLength(tensor("w", weights))).toEqual({ bytes: Math.ceil((300 * 36) / 8), gapBits: 4, codeBits: 32 });
  });
});

describe("what fine-tuning recovered", () => {
  const row = (...errors: number[]): string => {
    const measured = errors.map((error) => ({ error, loss: error }));
    return tunedTable([[{ bits: 2, heldOut: measured, bytes: 1 }]], ({ heldOut }) => heldOut).split("\n")[2];
  };

  it("is told of what sharing lost, and not where that is chance", () => {
    expect(row(0.01, 0.03, 0.02)).toBe("| 2 | 1.00 % | 3.00 % | 2.00 % | 50 % | 0.0100 | 0.0300 | 0.0200 | 50 % |");
    expect(row(0.01, 0.03, 0.005)).toContain("| all |");
    expect(row(0.01, 0.0105, 0.02)).toMatch(/\| 2.00 % \| - \|.*\| -1900 % \|$/);
  });
});

describe("the command's options", () => {
  it("refuse what they cannot mean, by name, before anything is trained", () => {
    const refused = (...args: string[]): unknown => {
      try {
        return parseOptions(args);
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused("lenet-5", "--seed", "1.5")).toMatch(/^--seed must be an integer from 0 /);
    expect(refused("lenet-5", "--seeds", "0")).toMatch(/^--seeds must be an integer from 1 /);
    expect(refused("lenet-5", "--setting", "theirs")).toMatch(/^--setting must be /);
    expect(refused("lenet-5", "--setting", "paper", "--keep", "net.coppice")).toMatch(/^--keep writes the archive of our setting/);
    expect(refused("lenet-4")).toMatch(/^name one network/);
    expect(refused("lenet-5", "--foo")).toMatch(/--foo/);
    expect(refused("--help")).toBeUndefined();
    expect(refused("lenet-5", "--seed", "2")).toMatchObject({ network: "lenet-5", seeds: [2], settings: ["paper", "ours"] });
  });
});
