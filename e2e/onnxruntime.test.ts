import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { dataFile } from "../test/data.ts";
import * as onnx from "../test/formats/onnxfile.ts";
import { type Case, cases, evaluated } from "./evaluations.ts";
import type { Outputs, Wanted } from "./inside/onnxruntime.ts";
import { E2E, installed, ROOT } from "./paths.ts";
import { inChromium, type Served, script } from "./runtimes/chromium.ts";

const run = promisify(execFile);
const project = inject("project");
const NO_DATA = "no data: COPPICE_DATA names the folder";

type Tensors = ReadonlyMap<string, Float32Array>;

let folder: string;
let there: ReadonlyMap<string, Case>;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "coppice-onnxruntime-"));
  for (const name of ["onnxruntime-node", "onnxruntime-web", "onnxruntime-common"]) {
    await symlink(installed(name, ""), path.join(project, "node_modules", name));
  }
  there = await cases();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The arrays of a .npy, .npz or safetensors file, of float32. */
async function arrays(file: string): Promise<Tensors> {
  const { compress, decode } = (await import(pathToFileURL(path.join(ROOT, "dist/index.js")).href)) as typeof import("../src/index.ts");
  const { archive } = await compress(file, { preset: "exact" });
  return new Map(decode(archive).map(({ name, data }) => [name, new Float32Array(data.slice().buffer)]));
}

async function exactArchive(model: string): Promise<string> {
  const archive = path.join(folder, `${path.basename(model)}.coppice`);
  await run(process.execPath, [path.join(ROOT, "dist/cli.js"), "compress", model, "--preset", "exact", "--force", "-o", archive]);
  return archive;
}

/** A session as a program of the project has it, by the condition `node`. */
async function sessionOf(archive: string): Promise<ort.InferenceSession> {
  const entry = createRequire(path.join(project, "package.json")).resolve("coppice/onnxruntime");
  expect(entry).toMatch(/onnxruntime\.node\.js$/);
  const { createSession } = (await import(pathToFileURL(entry).href)) as typeof import("../src/runtime/node/onnxruntime.ts");
  return (await createSession(archive, { session: { logSeverityLevel: 3 } })) as ort.InferenceSession;
}

const float = (values: Float32Array, shape: readonly number[]): ort.Tensor => new ort.Tensor("float32", values, shape);
const numbers = (tensor: ort.Tensor): Float32Array => tensor.data as Float32Array;

function furthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

describe("a model out of an archive that was compressed bit for bit", () => {
  it.for(["mnist-cntk", "ultraface", "silero-vad"])("answers the same bits: %s", async (name, { skip }) => {
    const found = there.get(name);
    if (!found) return skip(NO_DATA);
    const { evaluation } = await evaluated(found, "--preset", "exact");
    expect(evaluation.outputs.length).toBeGreaterThan(0);
    for (const output of evaluation.outputs) expect(output).toMatchObject({ identical: true, maxAbs: 0, cosine: 1 });
  });

  it("answers what its authors' runtime did: ultraface", async ({ skip }) => {
    const found = there.get("ultraface");
    const file = dataFile("ultraface/version-RFB-320.reference_io.npz");
    if (!found || !file) return skip(NO_DATA);
    const reference = await arrays(file);
    const session = await sessionOf(await exactArchive(found.model));
    const outputs = await session.run({ input: float(reference.get("input")!, [1, 3, 240, 320]) });
    for (const name of ["scores", "boxes"]) expect(furthest(numbers(outputs[name]), reference.get(name)!), name).toBeLessThan(1e-4);
  });

  it("answers what its authors' runtime did: silero-vad, chunk by chunk", async ({ skip }) => {
    const found = there.get("silero-vad");
    const file = dataFile("silero-vad/reference_probs_silero_vad_16k_op15.npy");
    if (!found || !file) return skip(NO_DATA);
    const [reference] = (await arrays(file)).values();
    const frames = (await arrays(found.args[1])).get("input")!;
    const session = await sessionOf(await exactArchive(found.model));
    const sr = new ort.Tensor("int64", BigInt64Array.of(16000n), []);
    let state = float(new Float32Array(2 * 128), [2, 1, 128]);
    const probabilities: number[] = [];
    for (let at = 0; at < frames.length; at += 576) {
      const { output, stateN } = await session.run({ input: float(frames.subarray(at, at + 576), [1, 576]), state, sr });
      probabilities.push(numbers(output)[0]);
      state = stateN as ort.Tensor;
    }
    expect(furthest(Float32Array.from(probabilities), reference)).toBeLessThan(1e-3);
  });

  it("answers what its authors' runtime did: mnist-cntk", async ({ skip }) => {
    const found = there.get("mnist-cntk");
    const file = dataFile("mnist-cntk-onnx/reference_logits_t10k_first1000_input0to255.npy");
    const images = dataFile("mnist/t10k-images-idx3-ubyte.gz");
    if (!found || !file || !images) return skip(NO_DATA);
    const [reference] = (await arrays(file)).values();
    const pixels = gunzipSync(await readFile(images)).subarray(16);
    const session = await sessionOf(await exactArchive(found.model));
    const logits: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const image = Float32Array.from(pixels.subarray(i * 784, (i + 1) * 784));
      logits.push(...numbers((await session.run({ Input3: float(image, [1, 1, 28, 28]) }))["Plus214_Output_0"]));
    }
    // They run to some thousands.
    expect(furthest(Float32Array.from(logits), reference)).toBeLessThan(0.02);
  });
});

describe("a model out of an archive of the default preset", () => {
  it.for(["lenet-300-100.dense", "lenet-5.dense"])("is as often right, within 0.3 points: %s", async (name, { skip }) => {
    const found = there.get(name);
    if (!found) return skip(NO_DATA);
    const { ratio, evaluation } = await evaluated(found);
    const { before, after, samples } = evaluation.accuracy!;
    expect(samples).toBe(10_000);
    expect(before / samples).toBeGreaterThan(0.97);
    expect(before - after).toBeLessThanOrEqual(0.003 * samples);
    expect(ratio).toBeGreaterThan(6.5);
  });
});

describe("a model whose errors feed back, out of an archive of the default preset", () => {
  it("answers within 0.02 on every chunk of a minute of speech: silero-vad", async ({ skip }) => {
    const found = there.get("silero-vad");
    if (!found) return skip(NO_DATA);
    const { ratio, evaluation } = await evaluated(found);
    expect(evaluation.samples).toBe(1875);
    const output = evaluation.outputs.find(({ name }) => name === "output")!;
    expect(output.identical).toBe(false);
    expect(output.maxAbs).toBeLessThan(0.02);
    expect(ratio).toBeGreaterThan(2.5);
  });
});

describe("a model with data in another file", () => {
  /** An input or output [1, 64] of float32. */
  const io = (field: number, name: string): Uint8Array => {
    const shape = onnx.bytes(2, onnx.bytes(1, onnx.int(1, 1)), onnx.bytes(1, onnx.int(1, 64)));
    return onnx.bytes(field, onnx.bytes(1, name), onnx.bytes(2, onnx.bytes(1, onnx.int(1, 1), shape)));
  };

  it.for(["data.bin", "parts/data.bin"])("answers out of its archive as with its files, found as %s", async (location) => {
    const weights = onnx.tensor("w", "FLOAT", [64, 64], onnx.external({ location, offset: 64 }));
    const file = path.join(await mkdtemp(path.join(folder, "external-")), "model.onnx");
    const data = path.join(path.dirname(file), location);
    await mkdir(path.dirname(data), { recursive: true });
    await writeFile(
      data,
      Uint8Array.from({ length: 64 + 4 * 4096 }, (_, i) => (i % 4 === 3 ? 0x3d : (i * 37) % 251)),
    );
    await writeFile(
      file,
      onnx.model([onnx.node("MatMul", ["x", "w"], ["y"]), onnx.bytes(2, "graph"), onnx.initializer(weights), io(11, "x"), io(12, "y")]),
    );
    const { evaluation } = await evaluated({ name: "external", model: file, args: ["--random", "3"] }, "--preset", "exact");
    expect(evaluation.outputs).toMatchObject([{ name: "y", elements: 192, identical: true }]);
    const session = await sessionOf(await exactArchive(file));
    expect(session.outputNames).toEqual(["y"]);
  });
});

describe("coppice eval", () => {
  const cli = (args: readonly string[]) => run(process.execPath, [path.join(ROOT, "dist/cli.js"), "eval", ...args], { cwd: E2E });

  it("names the file that onnxruntime refuses, or that is no ONNX", async () => {
    const broken = path.join(folder, "broken.onnx");
    await writeFile(broken, Uint8Array.of(0x08, 0x08, 0x12, 0x01, 0x61, 0x0a));
    await expect(cli([broken, broken])).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/broken\.onnx: UNSUPPORTED .*onnxruntime does not load/),
    });
    const other = path.join(folder, "net.safetensors");
    await writeFile(other, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d));
    await expect(cli([other, other])).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/net\.safetensors: UNSUPPORTED .*neither an ONNX model/),
    });
  });

  it.for(["20", "22", "24", "26"])("feeds a model of half floats in Node %s", async (major, { skip }) => {
    const found = there.get("squeezenet");
    if (!found) return skip(NO_DATA);
    const node = installed(`node-${major}`, "bin/node");
    const args = ["eval", found.model, found.model, "--random", "1", "--json"];
    const { stdout } = await run(node, [path.join(ROOT, "dist/cli.js"), ...args], { cwd: E2E });
    expect(JSON.parse(stdout).outputs).toMatchObject([{ dtype: "F16", elements: 1000, identical: true }]);
  });

  it("says what the model cannot work on, which is the caller's to change", async ({ skip }) => {
    const found = there.get("silero-vad");
    if (!found) return skip(NO_DATA);
    // No sampling rate of 0 or 1 is one.
    await expect(cli([found.model, found.model])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/must be what the model can work on/),
    });
  });

  it("ends with 1 where more differs than may", async ({ skip }) => {
    const found = there.get("lenet-5.dense");
    const other = there.get("lenet-5.dns-sparse");
    if (!found || !other) return skip(NO_DATA);
    await expect(cli([found.model, other.model, "--tolerance", "1e-6", "--quiet"])).rejects.toMatchObject({ code: 1, stderr: "" });
    await cli([found.model, found.model, "--tolerance", "0", "--quiet"]);
  });
});

describe("onnxruntime-web in Chromium", () => {
  it("answers with ultraface out of its archive as with its file", async ({ skip }) => {
    const found = there.get("ultraface");
    const file = dataFile("ultraface/version-RFB-320.reference_io.npz");
    if (!found || !file) return skip(NO_DATA);
    const input = (await arrays(file)).get("input")!;
    const wasm = "ort-wasm-simd-threaded.jsep";
    const files = {
      "/model.onnx": binary(await readFile(found.model)),
      "/model.coppice": binary(await readFile(await exactArchive(found.model))),
      "/input": binary(new Uint8Array(input.buffer)),
      [`/${wasm}.wasm`]: { body: await readFile(installed("onnxruntime-web", `dist/${wasm}.wasm`)), type: "application/wasm" },
      [`/${wasm}.mjs`]: script(await readFile(installed("onnxruntime-web", `dist/${wasm}.mjs`))),
    };
    const running = await inChromium("page", /./, "global", files).start({ project, entry: "inside/onnxruntime.ts" });
    try {
      const wanted = (model: string): Wanted => ({ model, input: { name: "input", shape: [1, 3, 240, 320], address: "/input" } });
      const original = (await running.call("original", wanted("/model.onnx"))) as Outputs;
      expect(Object.keys(original)).toEqual(["scores", "boxes"]);
      expect(original["scores"]).toHaveLength(8840);
      expect(await running.call("archive", wanted("/model.coppice"))).toEqual(original);
      expect(await running.call("usual", wanted("/model.coppice"))).toEqual(original);
    } finally {
      await running.close();
    }
  });
});

function binary(body: Uint8Array): Served {
  return { body, type: "application/octet-stream" };
}
