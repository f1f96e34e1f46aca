import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataFile } from "../test/data.ts";
import { type Case, cases, type Evaluation, evaluated, ratioOf } from "./evaluations.ts";

const NO_DATA = "no data: COPPICE_DATA names the folder";

let folder: string;
let there: ReadonlyMap<string, Case>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "coppice-accuracy-"));
  there = await cases();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** How often two models are right, in percent. */
function accuracies({ accuracy }: Evaluation): { readonly samples: number; readonly before: number; readonly after: number } {
  const { samples, before, after } = accuracy!;
  return { samples, before: (100 * before) / samples, after: (100 * after) / samples };
}

/** Percentage points that a model may lose without retraining. */
const ALLOWED = 0.3;
/** A difference of percentages is not 0.3 to the last bit where it is 3 of 1000 samples. */
const ROUNDING = 1e-9;

describe("a model out of an archive of the default preset", () => {
  it.for([
    ["lenet-300-100.dense", 10_000, 97],
    ["lenet-5.dense", 10_000, 99],
    ["resnet20", 1000, 91],
    ["resnet32", 1000, 92],
  ] as const)("is at least 6.5 times smaller and as often right, within 0.3 points: %s", async ([name, count, least], { skip }) => {
    const found = there.get(name);
    if (!found) return skip(NO_DATA);
    const { ratio, evaluation } = await evaluated(found);
    const { samples, before, after } = accuracies(evaluation);
    expect(samples).toBe(count);
    expect(before).toBeGreaterThan(least);
    expect(before - after).toBeLessThanOrEqual(ALLOWED + ROUNDING);
    expect(ratio).toBeGreaterThanOrEqual(6.5);
  });
});

describe("a pruned model with 16 centroids", () => {
  // The ONNX file has the same weights, and a graph of which a small archive is a good part.
  it.for([
    ["lenet-300-100.dns-sparse", 200, 97.9],
    ["lenet-5.dns-sparse", 400, 98.9],
  ] as const)("is as small as the paper's, and as often right: %s", async ([name, ratio, accuracy], { skip }) => {
    const found = there.get(name);
    const weights = dataFile(`lenet/${name}.safetensors`);
    if (!found || !weights) return skip(NO_DATA);
    const { evaluation } = await evaluated(found, "--bits", "4");
    expect(accuracies(evaluation).after).toBeGreaterThanOrEqual(accuracy);
    expect(await ratioOf(weights, "--bits", "4")).toBeGreaterThanOrEqual(ratio);
  });
});

describe("sharing for the rate", () => {
  // Of e2e/rate-curve.ts, the smallest archives of either objective that lose no more than is allowed.
  it.for([
    ["resnet20", 28, 0.012],
    ["resnet32", 20, 0.02],
  ] as const)("is a tenth smaller than for the distortion, at the same accuracy: %s", async ([name, centroids, tradeoff], { skip }) => {
    const found = there.get(name);
    if (!found) return skip(NO_DATA);
    const bytesWith = async (share: object): Promise<number> => {
      const recipe = path.join(folder, `${name}.json`);
      await writeFile(recipe, JSON.stringify({ rules: [{ role: "weight", minRank: 2, share }] }));
      const { bytes, evaluation } = await evaluated(found, "--recipe", recipe);
      const { before, after } = accuracies(evaluation);
      expect(before - after).toBeLessThanOrEqual(ALLOWED + ROUNDING);
      return bytes;
    };
    const distortion = await bytesWith({ centroids });
    expect(await bytesWith({ objective: "rate", tradeoff })).toBeLessThanOrEqual(0.9 * distortion);
  });
});
