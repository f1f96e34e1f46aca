import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Run, type RunOptions, readImages, readLabels, type Samples, type ValueInfo } from "../../src/eval/index.js";
import { concat, makeNpy, refused } from "../formats/helpers.js";
import { numbers, value } from "./models.js";

function idx(shape: readonly number[], data: ArrayLike<number>, kind = 8): Uint8Array {
  const head = new Uint8Array(4 + 4 * shape.length);
  const view = new DataView(head.buffer);
  head[2] = kind;
  head[3] = shape.length;
  for (const [i, axis] of shape.entries()) view.setUint32(4 + 4 * i, axis);
  return concat(head, Uint8Array.from(data));
}

/** Two images of 2 rows and 3 columns. */
const IMAGES = idx([2, 2, 3], [0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 255]);

/** Records of CIFAR-10: pixel i of channel c of image n is n + c * 100 + i % 7. */
const cifar = (labels: readonly number[]): Uint8Array =>
  concat(
    ...labels.map((label, n) =>
      Uint8Array.of(label, ...Array.from({ length: 3072 }, (_, i) => n + Math.floor(i / 1024) * 100 + ((i % 1024) % 7))),
    ),
  );

const usual: RunOptions = { limit: Infinity, fed: new Set(), shapes: {} };

async function runs(samples: Samples, input: ValueInfo, options: Partial<RunOptions> = {}): Promise<Run[]> {
  return [...(await samples.plan({ inputs: [input], outputs: [] }, { ...usual, ...options })).runs];
}

const values = (run: Run): number[] => numbers([...run.inputs.values()][0]);

describe("IDX images", () => {
  it("go into a model of channels, rows and columns as they are", async () => {
    const [run, ...more] = await runs(await readImages(IMAGES), value("image", ["n", 1, 2, 3]));
    expect(more).toEqual([]);
    expect(run.samples).toBe(2);
    expect(run.inputs.get("image")?.shape).toEqual([2, 1, 2, 3]);
    expect(values(run)).toEqual([0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 255]);
  });

  it.each([[[2, 1, 2, 3]], [["n", 2, 3, 1]], [["n", 6]], [["n", 2, 3]], [["", "", "h", "w"]]])("meet an input of %j", async (shape) => {
    const [run] = await runs(await readImages(IMAGES), value("image", shape));
    expect(values(run)).toEqual([0, 1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 255]);
  });

  it("go in as many as the model fixes, the caller asks for, and the limit leaves", async () => {
    const samples = await readImages(IMAGES);
    expect((await runs(samples, value("image", [1, 1, 2, 3]))).map(values)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [10, 20, 30, 40, 50, 255],
    ]);
    expect((await runs(samples, value("image", ["n", 1, 2, 3]), { batch: 1 })).length).toBe(2);
    expect((await runs(samples, value("image", ["n", 1, 2, 3]), { limit: 1 })).map(values)).toEqual([[0, 1, 2, 3, 4, 5]]);
  });

  it("are scaled, and taken for 0 to 1 where a mean is given", async () => {
    const input = value("image", ["n", 6]);
    const [scaled] = await runs(await readImages(IMAGES, { scale: 1 / 256 }), input);
    expect(values(scaled)[11]).toBe(255 / 256);
    const [normalised] = await runs(await readImages(IMAGES, { mean: [0.5], std: [0.25] }), input);
    expect(values(normalised)[0]).toBe(-2);
    expect(values(normalised)[11]).toBe(2);
    const [both] = await runs(await readImages(IMAGES, { scale: 1, mean: [100] }), input);
    expect(values(both)[11]).toBe(155);
  });

  it("become what the input is made of", async () => {
    const [halves] = await runs(await readImages(IMAGES), value("image", ["n", 6], "F16"));
    expect(halves.inputs.get("image")).toMatchObject({ dtype: "F16", shape: [2, 6] });
    expect([...new Uint16Array(halves.inputs.get("image")!.data.slice().buffer)].slice(0, 3)).toEqual([0, 0x3c00, 0x4000]);
    const [bytes] = await runs(await readImages(IMAGES), value("image", ["n", 6], "U8"));
    expect([...bytes.inputs.get("image")!.data].slice(-1)).toEqual([255]);
    const [wide] = await runs(await readImages(IMAGES), value("image", ["n", 6], "I64"));
    expect(new BigInt64Array(wide.inputs.get("image")!.data.slice().buffer)[11]).toBe(255n);
    const fractions = await readImages(IMAGES, { scale: 0.5 });
    await expect(runs(fractions, value("image", ["n", 6], "U8"))).rejects.toThrow(/elements that U8 holds/);
  });

  it("that do not meet the model are the caller's mistake, which names both", async () => {
    const samples = await readImages(IMAGES);
    await expect(runs(samples, value("image", ["n", 1, 28, 28]))).rejects.toThrow(
      new RangeError('images of [1, 2, 3] must meet the model\'s input "image" F32 [n, 1, 28, 28]'),
    );
    await expect(runs(samples, value("image", [4, 6]))).rejects.toThrow(/must fill the model's input "image" F32 \[4, 6\], 2 do not/);
    const two = { inputs: [value("a", ["n", 6]), value("b", [1])], outputs: [] };
    expect(() => samples.plan(two, usual)).toThrow(/input must name one of the model's inputs: "a" F32 \[n, 6\], "b" F32 \[1\]/);
    const named = await readImages(IMAGES, { input: "a" });
    expect(() => named.plan(two, usual)).toThrow(/must be all that the model takes, it wants "b" F32 \[1\] too/);
    const wrong = await readImages(IMAGES, { input: "c" });
    expect(() => wrong.plan(two, usual)).toThrow(/input must be one of the model's.*got "c"/);
    await expect(readImages(IMAGES, { mean: [1, 2] })).rejects.toThrow(/mean must have a number for each of 1 channels/);
    await expect(readImages(IMAGES, { std: [0] })).rejects.toThrow(/std must be in/);
    await expect(readImages(IMAGES, { scale: Number.NaN })).rejects.toThrow(/scale must be in/);
  });
});

describe("CIFAR-10 images", () => {
  it("come with their labels, planes of red, green and blue", async () => {
    const samples = await readImages(cifar([3, 9]));
    expect(samples.labels).toEqual(Uint8Array.of(3, 9));
    const [run] = await runs(samples, value("image", ["n", 3, 32, 32]));
    const all = values(run);
    expect([0, 1, 1024, 2048, 3072].map((at) => all[at])).toEqual([0, 1, 100, 200, 1]);
  });

  it("go into a model of rows, columns and channels", async () => {
    const [run] = await runs(await readImages(cifar([0])), value("image", ["n", 32, 32, 3]));
    expect(run.inputs.get("image")?.shape).toEqual([1, 32, 32, 3]);
    expect(values(run).slice(0, 6)).toEqual([0, 100, 200, 1, 101, 201]);
  });

  it("are normalised channel by channel", async () => {
    const [run] = await runs(await readImages(cifar([0]), { scale: 1, mean: [0, 100, 200], std: [1, 2, 4] }), value("image", ["n", 3072]));
    const all = values(run);
    expect([1, 1024 + 1, 2048 + 1].map((at) => all[at])).toEqual([1, 0.5, 0.25]);
  });
});

describe("CIFAR-100 images", () => {
  it("have the fine label of two, and are told by the length of their records", async () => {
    const record = (coarse: number, fine: number, pixel: number) => concat(Uint8Array.of(coarse, fine), new Uint8Array(3072).fill(pixel));
    const samples = await readImages(concat(record(19, 99, 5), record(0, 40, 6)));
    expect(Array.from(samples.labels!)).toEqual([99, 40]);
    const [run] = await runs(samples, value("image", ["n", 3072]));
    expect([...new Set(values(run).slice(0, 3072)), ...new Set(values(run).slice(3072))]).toEqual([5, 6]);
    expect(await refused(readImages(record(20, 1, 0)), "CORRUPT")).toMatchObject({ offset: 0 });
    expect(await refused(readImages(record(1, 100, 0)), "CORRUPT")).toMatchObject({ offset: 1 });
  });
});

describe("labels", () => {
  it("may be integers of more bytes, big-endian, and of a .npy file", async () => {
    expect(Array.from(await readLabels(idx([2], [0, 0, 3, 231, 255, 255, 255, 255], 12)))).toEqual([999, -1]);
    expect(Array.from(await readLabels(idx([1], [1, 44], 11)))).toEqual([300]);
    expect(Array.from(await readLabels(idx([1], [254], 9)))).toEqual([-2]);
    const longs = new Uint8Array(BigInt64Array.of(7n, 999n).buffer);
    for (const file of [makeNpy("<i8", [2], longs), new Uint8Array(gzipSync(makeNpy("<i8", [2], longs)))])
      expect(Array.from(await readLabels(file))).toEqual([7, 999]);
    await refused(readLabels(makeNpy("<f8", [2], longs)), "UNSUPPORTED");
    await refused(readLabels(makeNpy("<i8", [1, 2], longs)), "UNSUPPORTED");
  });

  it("are the bytes of an IDX file", async () => {
    expect(await readLabels(idx([3], [7, 2, 1]))).toEqual(Uint8Array.of(7, 2, 1));
  });

  it("have one axis, and images three", async () => {
    await refused(readLabels(IMAGES), "UNSUPPORTED");
    await refused(readImages(idx([3], [7, 2, 1])), "UNSUPPORTED");
  });
});

describe("a broken file of images is refused", () => {
  it("wherever an IDX file is cut off, and one byte longer", async () => {
    for (let n = 0; n < IMAGES.length; n++)
      await expect(readLabels(IMAGES.slice(0, n)), `${n} bytes`).rejects.toMatchObject({ code: "TRUNCATED" });
    await refused(readImages(concat(IMAGES, Uint8Array.of(0))), "TRAILING");
  });

  it("with other elements, too many axes, or more than any file has", async () => {
    await refused(readLabels(idx([1], [0, 0, 0, 0], 13)), "UNSUPPORTED");
    await refused(readImages(idx([1, 1, 1], [0, 0, 0, 0], 12)), "UNSUPPORTED");
    await refused(readImages(idx([1, 1, 1, 1, 1], [0])), "UNSUPPORTED");
    await refused(readImages(idx([0xffffffff, 0xffffffff, 0xffffffff], [0])), "TRUNCATED");
    await refused(readLabels(Uint8Array.of(9, 9, 9, 9)), "MAGIC");
  });

  it("wherever CIFAR-10's records are cut off, and with a label that is no class", async () => {
    const file = cifar([1, 2]);
    for (const n of [1, 3072, 3075, file.length - 1]) await refused(readImages(file.slice(0, n)), "TRUNCATED");
    await refused(readImages(new Uint8Array(0)), "TRUNCATED");
    expect(await refused(readImages(cifar([1, 10])), "CORRUPT")).toMatchObject({ offset: 3073 });
  });

  it("in a gzip file that is, too; one that is whole is as good as what is in it", async () => {
    const zipped = new Uint8Array(gzipSync(IMAGES));
    expect((await runs(await readImages(zipped), value("image", ["n", 6]))).length).toBe(1);
    await refused(readImages(zipped.slice(0, -9)), "TRUNCATED");
    const broken = zipped.slice();
    broken[12] ^= 0xff;
    await expect(readImages(broken)).rejects.toMatchObject({ name: "FormatError" });
  });
});

describe("a gzip file that inflates to far more than itself is refused", () => {
  const zeros = (bytes: number): Uint8Array => new Uint8Array(gzipSync(new Uint8Array(bytes)));

  it("where its head names less than there is, or more than it can have", async () => {
    const behind = new Uint8Array(gzipSync(concat(IMAGES, new Uint8Array(2 ** 24))));
    expect(await refused(readImages(behind), "TRAILING")).toMatchObject({ offset: IMAGES.length });
    await refused(readImages(new Uint8Array(gzipSync(idx([1000, 1000, 1000], [0])))), "TRUNCATED");
    await refused(readImages(new Uint8Array(gzipSync(idx([2, 2, 3], [1, 2, 3])))), "TRUNCATED");
  });

  it("where it is more than the caller allows, by its head or by what comes", async () => {
    const images = new Uint8Array(gzipSync(concat(idx([100, 100, 100], []), new Uint8Array(1e6))));
    expect(await readImages(images, { maxBytes: 1e6 + 16 })).toBeDefined();
    expect(await refused(readImages(images, { maxBytes: 1e6 + 15 }), "LIMIT")).toMatchObject({
      message: expect.stringMatching(/set maxBytes to allow them/),
    });
    const records = zeros(3073 * 100);
    expect((await readImages(records)).labels).toHaveLength(100);
    await refused(readImages(records, { maxBytes: 3073 * 100 - 1 }), "LIMIT");
    await refused(readLabels(idx([3], [7, 2, 1]), { maxBytes: 10 }), "LIMIT");
  });
});
