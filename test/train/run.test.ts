import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.js";
import { decode } from "../../src/index.js";
import { Sequential } from "../../src/nn/index.js";
import { clearCheckpoints } from "../../src/train/checkpoint.js";
import {
  removeCheckpoints,
  type TrainArchiveOptions,
  type TrainedArchive,
  type TrainingRecipe,
  trainArchive,
} from "../../src/train/index.js";
import { withTrained } from "../../src/train/train.js";
import { testFolder } from "../cli/cli.js";
import { DATA, NET, RECIPE } from "./samples.js";

const folder = testFolder();
const options: TrainArchiveOptions = { net: NET, data: DATA, recipe: RECIPE };
const plain: Promise<TrainedArchive> = trainArchive(options);

/** The different values of a tensor of the archive, but 0. */
function different(archive: Uint8Array, name: string): number {
  const { data } = decode(archive).find((tensor) => tensor.name === name)!;
  return new Set(new Float32Array(data.slice().buffer).filter((value) => value !== 0)).size;
}

/** Trains until it was told of progress so often, and is stopped. */
async function stopped(checkpoint: string, after: number, recipe: TrainingRecipe = RECIPE): Promise<void> {
  const controller = new AbortController();
  let told = 0;
  const onProgress = (): void => {
    if (++told === after) controller.abort(new Error("stopped"));
  };
  await expect(trainArchive({ ...options, recipe, checkpoint, signal: controller.signal, onProgress })).rejects.toThrow("stopped");
}

describe("trainArchive", () => {
  it("gives an archive of what was trained: pruned, shared, and with the same answers", async () => {
    const { archive, network, report } = await plain;
    const tensors = decode(archive);
    expect(tensors).toEqual(network.tensors());
    for (const name of ["conv.weight", "conv.bias", "fc.weight", "fc.bias"]) expect(different(archive, name)).toBeLessThanOrEqual(3);
    expect(different(archive, "norm.bias")).toBeGreaterThan(3);
    const fc = report.tensors.find(({ name }) => name === "fc.weight")!;
    expect(fc.survivors / fc.weights).toBeCloseTo(0.4, 1);
    expect(fc.density).toBe(fc.survivors / fc.weights);
    const fresh = new Sequential(NET);
    fresh.load(tensors);
    const inputs = Float32Array.from({ length: 36 * 20 }, (_, i) => Math.sin(i));
    expect(fresh.predict(inputs)).toEqual(network.predict(inputs));
  });

  it("rounds what is shared to float16, as an archive holds codebooks", async () => {
    for (const { name, data } of decode((await plain).archive)) {
      if (!/^(conv|fc)\./.test(name)) continue;
      for (const bits of new Uint32Array(data.slice().buffer)) expect(bits & 0x1fff, name).toBe(0);
    }
  });

  it("prunes gradually from what is pruned already", async () => {
    const stages = [
      { type: "prune", epochs: 0, rules: [{ match: "fc.weight", sparsity: 0.5 }] },
      { type: "prune", epochs: 2, batchSize: 12, rules: [{ match: "fc.weight", sparsity: 0.75, begin: 0.05, end: 1, every: 1 }] },
    ] as const;
    const { report } = await trainArchive({ ...options, recipe: { ...RECIPE, stages } });
    const others = 4 * 9 + 4 + 8 + 4;
    const [half, end] = report.stages[1].epochs.map(({ survivors }) => survivors - others);
    // Half of the steps are 7/8 of the way, which begins at 32; from 64 it would leave 23.
    expect(half).toBeGreaterThan(16);
    expect(half).toBeLessThan(20);
    expect(end).toBe(16);
  });

  it("learns, and has not forgotten it when it comes out of the archive: half are told right where chance would tell a quarter", async () => {
    const { report } = await plain;
    expect(report.test!.before).toBeGreaterThan(0.5);
    expect(report.test!.after).toBeGreaterThan(0.5);
  });

  it("reports every stage and epoch", async () => {
    const { archive, report, stages } = await plain;
    expect(report.stages.map(({ name, type, epochs }) => [name, type, epochs.length])).toEqual([
      ["dense", "train", 3],
      ["scan", "scan", 0],
      ["prune", "prune", 4],
      ["share", "share", 3],
    ]);
    const [dense, scan, prune, share] = report.stages;
    expect(scan.scan!.map(({ name, points }) => [name, points.map(({ sparsity }) => sparsity)])).toEqual([
      ["conv.weight", [0, 0.5]],
      ["fc.weight", [0, 0.5]],
    ]);
    expect(stages[1]).toEqual(stages[0]);
    const survivors = prune.epochs.map((epoch) => epoch.survivors);
    expect(survivors).toEqual([...survivors].sort((a, b) => b - a));
    expect(survivors[0]).toBeGreaterThan(survivors[3]);
    expect(prune.epochs[0].learningRate).toBeGreaterThan(prune.epochs[3].learningRate);
    expect(dense.after.bytes).toBeGreaterThan(prune.after.bytes);
    expect(share.after.bytes).toBe(archive.length);
    expect(share.after.test).toBe(report.test!.after);
    expect(dense.after.test).toBe(report.test!.before);
    expect(report.archive).toMatchObject({ bytes: archive.length, ratio: report.archive.parameterBytes / archive.length });
    expect(report.data).toEqual({ train: 120, heldOut: 30, test: 80 });
  });

  it("makes other weights from another seed, and the same from the same", async () => {
    const short = { ...options, recipe: { ...RECIPE, stages: RECIPE.stages.slice(0, 1) } };
    const [first, again, other] = [await trainArchive(short), await trainArchive(short), await trainArchive({ ...short, seed: 4 })];
    expect(again.archive).toEqual(first.archive);
    expect(other.archive).not.toEqual(first.archive);
  });

  it("begins with the weights that it is given", async () => {
    const { stages, archive } = await plain;
    const none = await trainArchive({
      ...options,
      weights: stages[3],
      recipe: { ...RECIPE, stages: [{ type: "train", epochs: 0 }] },
    });
    expect(none.archive).toEqual(archive);
  });

  it("prunes at once, also with no epoch after it", async () => {
    const recipe = { ...RECIPE, stages: [{ type: "prune", epochs: 0, rules: [{ match: "fc.weight", sparsity: 0.5 }] }] } as const;
    const { report } = await trainArchive({ ...options, recipe });
    expect(report.stages[0].after.survivors).toBe(4 * 9 + 4 + 8 + 32 + 4);
  });

  it.each([1, 9, 17, 33, 36, 64, 81])("stopped at its step %i and begun anew, goes on to the same bytes and report", async (after) => {
    const checkpoint = path.join(folder, `stopped-${after}`);
    await stopped(checkpoint, after);
    const told: string[] = [];
    const { archive, report, stages } = await trainArchive({
      ...options,
      checkpoint,
      onProgress: ({ name, epoch }) => void told.push(`${name} ${epoch}`),
    });
    const uninterrupted = await plain;
    expect(archive).toEqual(uninterrupted.archive);
    expect(stages).toEqual(uninterrupted.stages);
    const timeless = (value: unknown): string => JSON.stringify(value, (key, field) => (key === "seconds" ? undefined : field));
    expect(timeless(report)).toBe(timeless(uninterrupted.report));
    // Nothing is done twice but the epoch in which it was stopped.
    const before = Math.floor(after / 9);
    const epochs = ["dense 1", "dense 2", "dense 3", "prune 1", "prune 2", "prune 3", "prune 4", "share 1", "share 2", "share 3"];
    expect([...new Set(told)]).toEqual(epochs.slice(before));
  });

  it("stopped while tensors are pruned together and weights move behind their centroids, goes on to the same bytes", async () => {
    const adam = { batchSize: 16, optimizer: { type: "adam" }, learningRate: 0.01 } as const;
    const recipe: TrainingRecipe = {
      ...RECIPE,
      stages: [
        { type: "prune", epochs: 3, ...adam, rules: [{ match: "*", sparsity: 0.6, end: 0.8, every: 2, saliency: { rate: 1 } }] },
        { type: "share", epochs: 0, rules: [{ match: "*.weight", share: { centroids: 5 }, reassign: true }] },
        { type: "train", epochs: 3, ...adam },
      ],
    };
    const uninterrupted = await trainArchive({ ...options, recipe });
    const parameters = 4 * 9 + 4 + 8 + 64 + 4;
    expect(uninterrupted.report.stages.map(({ after }) => after.survivors)).toEqual(Array(3).fill(Math.round(0.4 * parameters)));
    expect(different(uninterrupted.archive, "fc.weight")).toBe(5);
    const [, shared, trained] = uninterrupted.stages.map((tensors) => tensors.find(({ name }) => name === "fc.weight")!.data);
    expect(trained).not.toEqual(shared);
    for (const after of [4, 17, 40]) {
      const checkpoint = path.join(folder, `moving-${after}`);
      await stopped(checkpoint, after, recipe);
      const { archive, stages } = await trainArchive({ ...options, recipe, checkpoint });
      expect(archive).toEqual(uninterrupted.archive);
      expect(stages).toEqual(uninterrupted.stages);
    }
  });

  it("stopped when its stages are done, still ends, and begun anew only tests", async () => {
    const checkpoint = path.join(folder, "tested");
    const controller = new AbortController();
    const onStage = (_: unknown, stage: number, stages: number): void => {
      if (stage === stages) controller.abort(new Error("stopped"));
    };
    await expect(trainArchive({ ...options, checkpoint, signal: controller.signal, onStage })).rejects.toThrow("stopped");
    const onProgress = (): never => {
      throw new Error("it trains");
    };
    expect((await trainArchive({ ...options, checkpoint, onProgress })).archive).toEqual((await plain).archive);
  });

  it("stopped in the middle of a scan, ends there, and begun anew scans to the same report", async () => {
    const checkpoint = path.join(folder, "scan");
    const recipe = { ...RECIPE, stages: [{ type: "scan", sparsities: Array(1000).fill(0.5) }] } as const;
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("stopped")), 0);
    await expect(trainArchive({ ...options, recipe, checkpoint, signal: controller.signal })).rejects.toThrow("stopped");
    const short = { ...RECIPE, stages: [{ type: "scan", sparsities: [0.5] }] } as const;
    const scanOf = async (change: Partial<TrainArchiveOptions>) => (await trainArchive({ ...options, ...change })).report.stages[0].scan;
    const [long, one] = [await scanOf({ recipe, checkpoint }), await scanOf({ recipe: short })];
    expect(long!.map(({ points }) => [points.length, points[0], points[999]])).toEqual(
      one!.map(({ points: [point] }) => [1000, point, point]),
    );
  });

  it("stopped again and again, gets to the same bytes", async () => {
    const checkpoint = path.join(folder, "again");
    for (let i = 0; i < 5; i++) await stopped(checkpoint, 12);
    expect((await trainArchive({ ...options, checkpoint })).archive).toEqual((await plain).archive);
  });

  it("done, and begun anew with its checkpoints, trains no more", async () => {
    const checkpoint = path.join(folder, "done");
    const { archive } = await trainArchive({ ...options, checkpoint });
    const none = (): never => {
      throw new Error("it trains");
    };
    expect((await trainArchive({ ...options, checkpoint, onProgress: none })).archive).toEqual(archive);
    expect(readdirSync(checkpoint)).toContain("checkpoint.safetensors");
    writeFileSync(path.join(checkpoint, "mine"), "");
    await removeCheckpoints(checkpoint);
    expect(readdirSync(checkpoint)).toEqual(["mine"]);
  });

  it("refuses the checkpoints of another training", async () => {
    const checkpoint = path.join(folder, "other");
    await stopped(checkpoint, 12);
    const other = DATA.train.pixels.slice();
    other[7]++;
    for (const change of [
      { seed: 4 },
      { recipe: { ...RECIPE, archive: { contexts: "none" } } },
      { net: { ...NET, layers: NET.layers.filter(({ type }) => type !== "dropout") } },
      { data: { ...DATA, train: { ...DATA.train, pixels: other } } },
      { weights: new Sequential(NET).tensors() },
    ] as Partial<TrainArchiveOptions>[]) {
      await expect(trainArchive({ ...options, ...change, checkpoint })).rejects.toThrow(/^checkpoint must be of this training/);
    }
  });

  it("lets one training at a time write to a folder", async () => {
    const checkpoint = path.join(folder, "claimed");
    const first = trainArchive({ ...options, checkpoint });
    const refused = /^checkpoint must be a folder of no other training.*this program/;
    await expect(trainArchive({ ...options, checkpoint })).rejects.toThrow(refused);
    await first;
    expect(existsSync(path.join(checkpoint, "training.lock"))).toBe(false);
  });

  it("keeps a folder until what was trained is written and the checkpoints are gone", async () => {
    const checkpoint = path.join(folder, "held");
    await withTrained({ ...options, checkpoint }, async ({ archive }) => {
      expect(archive).toEqual((await plain).archive);
      await expect(trainArchive({ ...options, checkpoint })).rejects.toThrow(/no other training/);
      await expect(removeCheckpoints(checkpoint)).rejects.toThrow(/no other training/);
      await clearCheckpoints(checkpoint);
      expect(readdirSync(checkpoint)).toEqual(["training.lock"]);
    });
    expect(existsSync(checkpoint)).toBe(false);
  });

  it("refuses a checkpoint that is broken, and names it", async () => {
    const checkpoint = path.join(folder, "broken");
    await stopped(checkpoint, 40);
    const [file, stage] = ["checkpoint.safetensors", "stage-1.safetensors"].map((name) => path.join(checkpoint, name));
    writeFileSync(stage, "");
    const failure = await trainArchive({ ...options, checkpoint }).catch((error) => error);
    expect(failure).toBeInstanceOf(FormatError);
    expect(failure.message).toContain(stage);
    writeFileSync(file, "no more");
    await expect(trainArchive({ ...options, checkpoint })).rejects.toThrow(file);
  });

  it("names what does not meet, before it trains", async () => {
    const checkpoint = path.join(folder, "none");
    const train = (change: object) => trainArchive({ ...options, checkpoint, ...change } as TrainArchiveOptions);
    const rules = (match: string) => ({
      ...RECIPE,
      stages: [
        {
          type: "prune",
          epochs: 1,
          rules: [
            { match: "*", quality: 1 },
            { match, quality: 1 },
          ],
        },
      ],
    });
    await expect(train({ recipe: rules("fc9.*") })).rejects.toThrow(
      "stages[0].rules[1].match must match a tensor of the network, fc9.* matches none of conv.weight, conv.bias, norm.weight,",
    );
    await expect(train({ recipe: { ...RECIPE, data: { heldOut: 150 } } })).rejects.toThrow(
      "data.heldOut must be below the 150 samples of the training set, got 150",
    );
    await expect(train({ recipe: { ...RECIPE, data: { mean: [1, 2] } } })).rejects.toThrow(
      /^data\.mean must have a number for each of 1 channels/,
    );
    await expect(train({ net: { ...NET, input: [1, 9, 9] } })).rejects.toThrow("layers[6] (fc) takes 16 inputs");
    const short = { stages: [{ type: "train", epochs: 1 }] };
    const wide = { layers: [{ type: "linear", name: "fc", in: 35, out: 4 }] };
    await expect(train({ net: wide, recipe: short })).rejects.toThrow(
      "data must have images that meet the network's input of [35], these are [1,6,6]",
    );
    const narrow = { ...NET, layers: NET.layers.map((layer) => (layer.type === "linear" ? { ...layer, out: 3 } : layer)) };
    const first = DATA.train.labels.indexOf(3);
    await expect(train({ net: narrow })).rejects.toThrow(
      `train-labels-idx1-ubyte: the label of sample ${first} must be in [0, 2], as the network has 3 outputs, got 3`,
    );
    expect(existsSync(checkpoint)).toBe(false);
  });

  it("names the stage and the sample whose loss is not finite", async () => {
    const recipe = { ...RECIPE, stages: [{ type: "train", name: "hot", epochs: 2, batchSize: 8, learningRate: 1e30 }] } as const;
    const net = { ...NET, layers: NET.layers.filter(({ type }) => type !== "batchnorm") };
    await expect(trainArchive({ ...options, net, recipe })).rejects.toThrow(
      /^stages\[0\], "hot", must keep the loss finite: the loss of training sample \d+ is /,
    );
  });

  it("names the stage and the held-out sample whose loss is not finite", async () => {
    // One step, whose own loss is finite.
    const stages = [{ type: "scan" }, { type: "train", epochs: 1, batchSize: 200, learningRate: 1e38 }] as const;
    await expect(trainArchive({ ...options, recipe: { ...RECIPE, stages } })).rejects.toThrow(
      /^stages\[1\], "train", must keep the loss finite: the loss of held-out sample \d+ is /,
    );
    const weights = new Sequential(NET).tensors().map((tensor) => ({ ...tensor, data: tensor.data.slice().fill(0x7f) }));
    await expect(trainArchive({ ...options, weights, recipe: { ...RECIPE, stages } })).rejects.toThrow(
      /^stages\[0\], "scan", must keep the loss finite: the loss of held-out sample 0 is /,
    );
  });

  it("names the stage and the test sample whose loss is not finite", async () => {
    // Held out are black images, of which a layer without a bias makes zeros.
    const net = { input: [1, 6, 6], layers: [{ type: "flatten" }, { type: "linear", name: "fc", in: 36, out: 4, bias: false }] } as const;
    const pixels = DATA.train.pixels.slice().fill(0, 120 * 36);
    const data = { ...DATA, train: { ...DATA.train, pixels } };
    const recipe = {
      data: { heldOut: 30, scale: 1 },
      stages: [{ type: "train", name: "hot", epochs: 1, batchSize: 200, learningRate: 1e36 }],
    } as const;
    await expect(trainArchive({ net, data, recipe })).rejects.toThrow(
      /^stages\[0\], "hot", must keep the loss finite: the loss of test sample \d+ is /,
    );
  });
});
