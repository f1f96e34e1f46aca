import { writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Dataset, Images, NetworkSpec, TrainingRecipe } from "../../src/train/index.js";
import { Random } from "../random.js";

const SIDE = 6;
const CLASSES = 4;

/** Images of noise with one bright quarter, which is their class. */
export function quarters(count: number, seed: number): Images {
  const random = new Random(seed);
  const pixels = new Uint8Array(count * SIDE * SIDE);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = random.below(CLASSES);
    for (let at = 0; at < SIDE * SIDE; at++) {
      const quarter = (Math.floor(at / SIDE) < SIDE / 2 ? 0 : 2) + (at % SIDE < SIDE / 2 ? 0 : 1);
      pixels[i * SIDE * SIDE + at] = random.below(160) + (quarter === labels[i] ? 90 : 0);
    }
  }
  return { shape: [1, SIDE, SIDE], pixels, labels, title: "train-labels-idx1-ubyte" };
}

export const DATA: Dataset = { train: quarters(150, 1), test: quarters(80, 2) };

/** All kinds of layers that keep something from step to step. */
export const NET: NetworkSpec = {
  input: [1, SIDE, SIDE],
  layers: [
    { type: "conv2d", name: "conv", in: 1, out: 4, kernel: 3 },
    { type: "batchnorm", name: "norm", features: 4 },
    { type: "relu" },
    { type: "maxpool2d", kernel: 2 },
    { type: "flatten" },
    { type: "dropout", rate: 0.2 },
    { type: "linear", name: "fc", in: 16, out: CLASSES },
  ],
};

/** All kinds of stages, with all that they keep from epoch to epoch. */
export const RECIPE: TrainingRecipe = {
  seed: 3,
  data: { heldOut: 30, mean: [0.4], std: [0.2], augment: { shift: 1, rotate: 5 } },
  stages: [
    { type: "train", name: "dense", epochs: 3, batchSize: 16, optimizer: { type: "adam" }, learningRate: 0.03 },
    { type: "scan", sparsities: [0, 0.5] },
    {
      type: "prune",
      epochs: 4,
      batchSize: 16,
      learningRate: 0.05,
      schedule: { type: "cosine" },
      rules: [
        { match: "conv.weight", quality: 0.5 },
        { match: "*.weight", sparsity: 0.6, begin: 0.1, end: 0.7, every: 3 },
      ],
      distill: { from: "dense", temperature: 2, weight: 0.3 },
    },
    {
      type: "share",
      epochs: 3,
      batchSize: 16,
      augment: false,
      learningRate: 0.01,
      rules: [{ match: ["conv.*", "fc.*"], share: { centroids: 3 }, rate: 0.5 }],
      distill: { from: "dense" },
    },
  ],
};

export function idx(shape: readonly number[], data: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  for (const [i, axis] of shape.entries()) head.writeUInt32BE(axis, 4 + 4 * i);
  return Buffer.concat([head, data]);
}

/** Writes a data set as MNIST's files are, the images in gzip. */
export function writeIdx(folder: string, { train, test }: Dataset): void {
  for (const [name, images] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    if (!images) continue;
    const { shape, pixels, labels } = images;
    writeFileSync(path.join(folder, `${name}-images-idx3-ubyte.gz`), gzipSync(idx([labels.length, shape[1], shape[2]], pixels)));
    writeFileSync(path.join(folder, `${name}-labels-idx1-ubyte`), idx([labels.length], labels));
  }
}
