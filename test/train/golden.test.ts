import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { type TrainingRecipe, trainArchive } from "../../src/train/index.js";
import { CHECKPOINT_VERSION } from "../../src/train/train.js";
import { DATA, NET, RECIPE } from "./samples.js";

const CHANGED =
  "a training has other bits than before. Where that is meant, add 1 to CHECKPOINT_VERSION (src/train/train.ts), so that nothing goes on from checkpoints that lead elsewhere, and put the new hashes here";

/** Augmented, pruned at once, gradually and by saliency, taught, shared both ways and tuned, with both optimizers. */
const ALL: TrainingRecipe = {
  ...RECIPE,
  data: { ...RECIPE.data, augment: { shift: 1, rotate: 5, flip: true } },
  stages: [
    ...RECIPE.stages.slice(0, 3),
    {
      type: "prune",
      epochs: 2,
      batchSize: 16,
      optimizer: { type: "adam" },
      rules: [{ match: "*", sparsity: 0.6, end: 0.8, every: 2, saliency: { rate: 1 } }],
    },
    { type: "share", epochs: 2, batchSize: 16, rules: [{ match: ["conv.*", "fc.*"], share: { centroids: 3 }, rate: 0.5 }] },
    {
      type: "share",
      epochs: 2,
      batchSize: 16,
      weightDecay: 1e-4,
      rules: [{ match: "fc.weight", share: { centroids: 5, init: "linear" }, reassign: true }],
      distill: { from: "dense" },
    },
  ],
};

const sha256 = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
};

it("gives the weights and the archive that belong to CHECKPOINT_VERSION, bit for bit", async () => {
  const { archive, network, report } = await trainArchive({ net: NET, data: DATA, recipe: ALL });
  expect(report.stages.map(({ type }) => type)).toEqual(["train", "scan", "prune", "prune", "share", "share"]);
  const found = { version: CHECKPOINT_VERSION, weights: sha256(...network.tensors().map(({ data }) => data)), archive: sha256(archive) };
  expect(found, CHANGED).toEqual({ version: 1, weights: "331cd70efc3ec0f2", archive: "23a66d7a42bc14d2" });
});
