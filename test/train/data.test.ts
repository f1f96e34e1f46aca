import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/errors.js";
import { hashOfDataset, prepareData } from "../../src/train/data.js";
import { type Dataset, readDataset } from "../../src/train/index.js";
import { testFolder } from "../cli/cli.js";
import { Random } from "../random.js";
import { DATA, idx, quarters, writeIdx } from "./samples.js";

const root = testFolder();

function folderWith(name: string, files: Readonly<Record<string, Uint8Array>>): string {
  const folder = path.join(root, name);
  mkdirSync(folder);
  for (const [file, bytes] of Object.entries(files)) writeFileSync(path.join(folder, file), bytes);
  return folder;
}

const RECORD = 1 + 3072;

/** Records of CIFAR-10 of noise. */
function batch(labels: readonly number[], seed: number): Uint8Array {
  const random = new Random(seed);
  const bytes = Uint8Array.from({ length: labels.length * RECORD }, () => random.below(256));
  for (const [i, label] of labels.entries()) bytes[i * RECORD] = label;
  return bytes;
}

const without = ({ title: _, ...images }: Dataset["train"]) => images;

describe("readDataset", () => {
  it("reads the files of MNIST, in gzip or not", async () => {
    const folder = folderWith("idx", {});
    writeIdx(folder, DATA);
    const { train, test } = await readDataset(folder);
    expect(without(train)).toEqual(without(DATA.train));
    expect(without(test!)).toEqual(without(DATA.test!));
  });

  it("reads the batches of CIFAR-10 in their order, and does without a test set", async () => {
    const [first, second] = [batch([3, 1], 1), batch([9], 2)];
    const folder = folderWith("cifar", { "data_batch_2.bin": second, "data_batch_1.bin.gz": gzipSync(first) });
    const { train, test } = await readDataset(folder);
    expect(train.shape).toEqual([3, 32, 32]);
    expect([...train.labels]).toEqual([3, 1, 9]);
    expect(train.pixels).toEqual(Uint8Array.of(...first.subarray(1, RECORD), ...first.subarray(RECORD + 1), ...second.subarray(1)));
    expect(test).toBeUndefined();
    writeFileSync(path.join(folder, "test_batch.bin"), batch([4], 3));
    expect([...(await readDataset(folder)).test!.labels]).toEqual([4]);
  });

  it("reads a batch of CIFAR-10 once that is there plain and in gzip", async () => {
    const [first, second] = [batch([3, 1], 1), batch([9], 2)];
    const files = { "data_batch_1.bin": first, "data_batch_1.bin.gz": gzipSync(first), "data_batch_2.bin.gz": gzipSync(second) };
    expect([...(await readDataset(folderWith("twice", files))).train.labels]).toEqual([3, 1, 9]);
  });

  it("says what a folder lacks", async () => {
    const empty = folderWith("empty", {});
    await expect(readDataset(empty)).rejects.toThrow(
      `data must be a folder with train-images-idx3-ubyte or data_batch_1.bin in it, each plain or .gz, got ${empty}`,
    );
    const half = folderWith("half", { "train-images-idx3-ubyte": idx([1, 1, 1], Uint8Array.of(0)) });
    await expect(readDataset(half)).rejects.toThrow("data must have train-labels-idx1-ubyte beside train-images-idx3-ubyte");
  });

  const images = "train-images-idx3-ubyte";
  const labels = "train-labels-idx1-ubyte";
  it.each([
    ["cut", { [images]: idx([2, 2, 2], new Uint8Array(7)), [labels]: idx([2], new Uint8Array(2)) }, images, "TRUNCATED"],
    ["flat", { [images]: idx([8], new Uint8Array(8)), [labels]: idx([2], new Uint8Array(2)) }, images, "UNSUPPORTED"],
    ["none", { [images]: idx([0, 2, 2], new Uint8Array(0)), [labels]: idx([0], new Uint8Array(0)) }, images, "UNSUPPORTED"],
    ["few", { [images]: idx([2, 2, 2], new Uint8Array(8)), [labels]: idx([1], new Uint8Array(1)) }, labels, "CORRUPT"],
    ["deep", { [images]: idx([2, 2, 2], new Uint8Array(8)), [labels]: idx([2, 1], new Uint8Array(2)) }, labels, "UNSUPPORTED"],
    ["record", { "data_batch_1.bin": new Uint8Array(5) }, "data_batch_1.bin", "TRUNCATED"],
    ["class", { "data_batch_1.bin": batch([10], 1) }, "data_batch_1.bin", "CORRUPT"],
  ] as const)("names the file that is at fault: %s", async (name, files, file, code) => {
    const folder = folderWith(name, files as Readonly<Record<string, Uint8Array>>);
    const error = await readDataset(folder).catch((failure) => failure);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.code).toBe(code);
    expect(error.message).toContain(`${path.join(folder, file)}: ${code}`);
  });
});

describe("prepareData", () => {
  const network = { inputs: 36, outputs: 4 };

  it("holds the end of the training set out, a tenth unless said otherwise", () => {
    const { train, heldOut, test } = prepareData(DATA, {}, network);
    expect([train.labels.length, heldOut.labels.length, test!().labels.length]).toEqual([135, 15, 80]);
    const own = prepareData(DATA, { heldOut: 40 }, network);
    expect(Array.from(own.heldOut.labels)).toEqual([...DATA.train.labels.subarray(110)]);
    expect(own.heldOut.inputs).toEqual(Float32Array.from(DATA.train.pixels.subarray(110 * 36), (pixel) => pixel / 255));
  });

  it("scales pixels, channel by channel", () => {
    const pixels = Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70);
    const data = { train: { shape: [2, 1, 2], pixels, labels: Uint8Array.of(0, 1), title: "" } } as const;
    const { train, heldOut, paper } = prepareData(data, { heldOut: 1, scale: 0.1, mean: [1, 2], std: [2, 4] }, { inputs: 4, outputs: 2 });
    expect([...train.inputs]).toEqual([-0.5, 0, 0, 0.25]);
    expect([...heldOut.inputs]).toEqual([1.5, 2, 1, 1.25]);
    expect(paper).toEqual([-0.5, -0.5]);
  });

  it.each([{ scale: 1e300 }, { mean: [1e39] }, { std: [1e-45] }, { scale: 0, std: [5e-324], mean: [1e-10] }])(
    "refuses what makes no finite number of a pixel: %j",
    (recipe) => {
      expect(() => prepareData(DATA, recipe, network)).toThrow(
        /^data\.scale, data\.mean and data\.std must make a finite float32 of every pixel, one of \d+ becomes -?Infinity in channel 0$/,
      );
    },
  );

  it("tells images that do not meet the network from those that do", () => {
    expect(() => prepareData(DATA, {}, { ...network, shape: [1, 6, 6] })).not.toThrow();
    expect(() => prepareData(DATA, {}, { ...network, shape: [1, 4, 9] })).toThrow("input of [1,4,9], these are [1,6,6]");
    const test = { ...quarters(3, 1), shape: [1, 4, 9] } as const;
    expect(() => prepareData({ ...DATA, test }, {}, { ...network, shape: [1, 6, 6] })).toThrow("these are [1,4,9]");
  });
});

describe("hashOfDataset", () => {
  it("changes with every part of a data set", () => {
    const { train } = DATA;
    const label = train.labels.slice();
    label[3] ^= 1;
    const all: Dataset[] = [
      DATA,
      { train },
      { ...DATA, test: train },
      { ...DATA, train: { ...train, labels: label } },
      { ...DATA, train: { ...train, shape: [1, 4, 9] } },
    ];
    expect(new Set(all.map(hashOfDataset)).size).toBe(all.length);
  });
});
