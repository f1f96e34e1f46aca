import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { compress, decode, decompress, inspect, PRESETS, type Preset, type Recipe, type Tensor, verify } from "../../src/index.js";
import { floats, tensorOf } from "../archive/craft.js";
import { dataFile, NO_DATA } from "../data.js";
import { encoders, expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { FILES, MIXED, NETWORK } from "./models.js";

const loaded = encoders.map(({ name, kernels }) => ({ name, kernels: kernels() }));

/** Files of the data folder in a format that Coppice reads. */
const DATA = [
  "lenet/lenet-300-100.dense.safetensors",
  "lenet/lenet-300-100.dns-sparse.safetensors",
  "lenet/lenet-5.dense.safetensors",
  "lenet/lenet-5.dns-sparse.safetensors",
  "mnist-cntk-onnx/reference_logits_t10k_first1000_input0to255.npy",
  "resnet-cifar10/resnet20-12fca82f.th",
  "resnet-cifar10/resnet20-cifar10.safetensors",
  "resnet-cifar10/resnet32-cifar10.safetensors",
  "resnet-cifar10/resnet32-d509ac18.th",
  "silero-vad/reference_probs_silero_vad_16k_op15.npy",
  "silero-vad/silero_vad_16k.safetensors",
  "squeezenet/squeezenet-v1.0-han.safetensors",
  "ultraface/version-RFB-320.pth",
  "ultraface/version-RFB-320.reference_io.npz",
];

async function expectRoundTrip(file: Uint8Array, recipe?: Recipe): Promise<void> {
  const { archive, report } = await compress(file, recipe ? { recipe } : { preset: "exact" });
  const files = await decompress(archive);
  expect(files.map((one) => one.path)).toEqual([""]);
  expectSame(files[0].bytes, file);
  expect(report.file).toMatchObject({ bytes: archive.length, sourceBytes: file.length });
  expect(report.tensors.every(({ exact }) => exact)).toBe(true);
  expect(archive.length, "never much larger").toBeLessThan(file.length + 100 + 24 * report.tensors.length);
}

describe("the exact preset gives back byte for byte", () => {
  it.each(Object.keys(FILES))("%s", (name) => expectRoundTrip(FILES[name]));

  it.for(DATA)("%s", async (name, context) => {
    const file = dataFile(name);
    if (file === undefined) return context.skip(NO_DATA);
    // Context coding of millions of weights has its own tests.
    await expectRoundTrip(new Uint8Array(readFileSync(file)), { rules: [], contexts: "none" });
  });
});

describe("archives of tensors alone", () => {
  it("give the tensors back, every dtype and name", async () => {
    const tensors: Tensor[] = [...MIXED, tensorOf("complex", "C128", [3], new Random(2).bytes(48))];
    const { archive, report } = await compress(tensors, { preset: "exact" });
    const decoded = decode(archive);
    expect(decoded.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(
      tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    );
    for (const [i, { name, data }] of tensors.entries()) expectSame(decoded[i].data, data, name);
    expect(report.file.sourceBytes).toBe(tensors.reduce((sum, { data }) => sum + data.length, 0));
  });

  it("are empty for no tensors", async () => {
    const { archive } = await compress([]);
    expect(archive.length).toBe(13);
    expect(decode(archive)).toEqual([]);
    expect((await decompress(archive))[0].bytes.length).toBeGreaterThan(8);
  });

  it("frame a small network in 250 bytes at the most", async () => {
    const { report } = await compress(NETWORK, { preset: "paper" });
    expect(report.file.headerBytes).toBeLessThan(120);
  });

  it("are refused to the caller where a tensor is not one", async () => {
    const good = floats("a", [2], [1, 2]);
    const bad: [unknown, string][] = [
      [{ ...good, name: 7 }, "tensors[1].name"],
      [{ ...good, name: "a" }, "tensors[1].name"],
      [{ ...good, name: "b", dtype: "F31" }, "tensors[1].dtype"],
      [{ ...good, name: "b", shape: "2" }, "tensors[1].shape"],
      [{ ...good, name: "b", shape: [-2] }, "tensors[1].shape"],
      [{ ...good, name: "b", shape: [1.5] }, "tensors[1].shape"],
      [{ ...good, name: "b", shape: [3] }, "tensors[1].data"],
      [{ ...good, name: "\ud800" }, "tensors[1].name"],
      [{ ...good, name: "b", dtype: "F4", shape: [3] }, "tensors[1].shape"],
      [{ ...good, name: "b", shape: [2 ** 50, 2 ** 50] }, "tensors[1].shape"],
      [{ ...good, name: "b", data: [1, 2] }, "tensors[1].data"],
    ];
    for (const [tensor, title] of bad) {
      const error = await compress([good, tensor as Tensor]).catch((reason) => reason);
      expect(error, title).toSatisfy((reason) => reason instanceof TypeError || reason instanceof RangeError);
      expect(error.message).toContain(title);
    }
    await expect(compress(7 as never)).rejects.toThrow(TypeError);
  });

  it("are refused with names or ranks that an archive does not hold", async () => {
    await expect(compress([floats("n".repeat(65536), [1], [1])])).rejects.toMatchObject({ code: "LIMIT" });
    await expect(compress([floats("n", new Array(65).fill(1), [1])])).rejects.toMatchObject({ code: "LIMIT" });
  });
});

describe("compressing is deterministic", () => {
  const models: [string, Uint8Array | readonly Tensor[]][] = [
    ["a network", NETWORK],
    ["a file of every dtype", FILES["mixed.safetensors"]],
    ["an npz file", FILES["deflated.npz"]],
  ];

  it.each(models)("for %s, whatever kernels work", async (_, model) => {
    for (const preset of PRESETS) {
      const [reference, scalar, simd] = await Promise.all(loaded.map(({ kernels }) => compress(model, { preset, kernels })));
      expectSame(scalar.archive, reference.archive, preset);
      expectSame(simd.archive, reference.archive, preset);
      expect(simd.report).toEqual(reference.report);
    }
  });

  it("for a real network, whatever kernels work", async (context) => {
    const file = dataFile("lenet/lenet-5.dns-sparse.safetensors");
    if (file === undefined) return context.skip(NO_DATA);
    const bytes = new Uint8Array(readFileSync(file));
    const presets: readonly Preset[] = ["default", "paper"];
    for (const preset of presets) {
      const [reference, scalar, simd] = await Promise.all(loaded.map(({ kernels }) => compress(bytes, { preset, kernels })));
      expectSame(scalar.archive, reference.archive, preset);
      expectSame(simd.archive, reference.archive, preset);
    }
  });
});

describe("inspect", () => {
  it.each(PRESETS)("says of an archive what compress said, preset %s", async (preset) => {
    for (const model of [NETWORK, FILES["mixed.safetensors"], FILES["deflated.npz"], FILES["w.npy"]]) {
      const { archive, report } = await compress(model, { preset });
      const found = await inspect(archive);
      // A zip whose tensors changed comes back with members of another length: what the source had is no longer known.
      const known = preset === "exact" || model !== FILES["deflated.npz"];
      expect(found.file).toEqual(known ? report.file : { ...report.file, sourceBytes: found.file.sourceBytes, ratio: found.file.ratio });
      // What was lost, and why something was not, is known to compress alone.
      expect(found.tensors).toEqual(report.tensors.map((tensor) => ({ ...tensor, note: undefined, error: undefined })));
    }
  });

  it("counts weights and survivors, zeros with a sign among the zeros", async () => {
    const { archive } = await compress([floats("w", [6], [0, -0, 1, 2, 0, 3]), floats("z", [5], new Float32Array(5))], { preset: "exact" });
    const { file, tensors } = await inspect(archive);
    expect(tensors.map(({ weights, survivors }) => [weights, survivors])).toEqual([
      [6, 3],
      [5, 0],
    ]);
    expect(file).toMatchObject({ weights: 11, survivors: 3, bytes: archive.length });
  });
});

describe("verify", () => {
  it("finds everything the same after an exact compression", async () => {
    for (const [name, file] of Object.entries(FILES)) {
      const { archive } = await compress(file, { preset: "exact" });
      const { ok, missing, added, tensors } = await verify(file, archive);
      expect({ ok, missing, added }, name).toEqual({ ok: true, missing: [], added: [] });
      expect(tensors.every(({ exact, identical, changedZeros }) => exact && identical && changedZeros === 0)).toBe(true);
    }
  });

  it("tells what a lossy compression changed, as compress did", async () => {
    const file = FILES["network.safetensors"];
    const { archive, report } = await compress(file, { preset: "paper" });
    const { ok, tensors } = await verify(file, archive);
    expect(ok).toBe(true);
    expect(tensors.some(({ exact }) => !exact)).toBe(true);
    for (const [i, { exact, identical, maxAbs, rmse, snr, changedZeros }] of tensors.entries()) {
      expect(exact).toBe(report.tensors[i].exact);
      expect(identical).toBe(exact);
      if (exact) continue;
      expect({ maxAbs, rmse, snr }).toEqual(report.tensors[i].error);
      expect(changedZeros).toBeGreaterThan(0);
    }
  });

  it("is not content where a tensor that was said to be exact is not, is missing or added", async () => {
    const files = (tensors: readonly Tensor[]): Promise<Uint8Array> =>
      compress(tensors).then(async ({ archive }) => (await decompress(archive))[0].bytes);
    const model = await files([floats("a", [2], [1, 2]), floats("b", [2], [3, 4])]);
    const others: [readonly Tensor[], object][] = [
      [[floats("a", [2], [1, 2]), floats("b", [2], [3, 5])], { ok: false, missing: [], added: [] }],
      [[floats("a", [2], [1, 2])], { ok: false, missing: ["b"], added: [] }],
      [[floats("a", [2], [1, 2]), floats("b", [2], [3, 4]), floats("c", [], [5])], { ok: false, missing: [], added: ["c"] }],
      [[floats("b", [2], [3, 4]), floats("a", [2, 1], [1, 2])], { ok: false, missing: ["a"], added: [] }],
      [[floats("b", [2], [3, 4]), floats("a", [2], [1, 2])], { ok: true, missing: [], added: [] }],
    ];
    for (const [tensors, wanted] of others) {
      const { archive } = await compress(tensors, { preset: "exact" });
      expect(await verify(model, archive)).toMatchObject(wanted);
    }
  });
});

describe("progress and stopping", () => {
  it("tells each tensor in order, and the bytes that are done", async () => {
    const told: [string, number, number][] = [];
    await compress(NETWORK, { onProgress: ({ tensor, doneBytes, totalBytes }) => void told.push([tensor, doneBytes, totalBytes]) });
    const total = NETWORK.reduce((sum, { data }) => sum + data.length, 0);
    expect(told.map(([tensor]) => tensor)).toEqual(NETWORK.map(({ name }) => name));
    expect(told.at(-1)).toEqual(["fc2.bias", total, total]);
  });

  it("stops with the signal's reason", async () => {
    const reason = new Error("enough");
    await expect(compress(NETWORK, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const stopped = compress(NETWORK, { signal: stop.signal, onProgress: ({ tensor }) => tensor === "fc1.weight" && stop.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
  });

  it("hands on what reading or the caller's own functions throw", async () => {
    const reason = new Error("a broken callback");
    const failing = (): never => {
      throw reason;
    };
    await expect(compress(NETWORK, { onProgress: failing })).rejects.toBe(reason);
    await expect(compress(path.join("no", "such", "file.npy"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
