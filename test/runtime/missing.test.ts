import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadRuntime, MissingPackageError } from "../../src/runtime/node/runtime.js";
import { fails, testFolder } from "../cli/cli.js";
import { oneOf, w } from "../formats/onnxfile.js";

const folder = testFolder();
const SENTENCE = "onnxruntime-node is not installed; npm install onnxruntime-node does it";
const SYSTEM = 4;

const notFound = (name: string): Error =>
  Object.assign(new Error(`Cannot find package '${name}' imported from here`), { code: "ERR_MODULE_NOT_FOUND" });

describe("onnxruntime-node", () => {
  it("is taken from where this package finds it", async () => {
    const ort = { InferenceSession: {} };
    expect(await loadRuntime(async () => ({ default: ort }), folder)).toBe(ort);
    expect(await loadRuntime(async () => ort, folder)).toBe(ort);
  });

  it("or else from the current folder's project", async () => {
    const project = path.join(folder, "project");
    mkdirSync(path.join(project, "node_modules/onnxruntime-node"), { recursive: true });
    writeFileSync(path.join(project, "node_modules/onnxruntime-node/index.js"), "module.exports = { here: true };");
    const load = () => Promise.reject(notFound("onnxruntime-node"));
    expect(await loadRuntime(load, path.join(project, "deeper"))).toEqual({ here: true });
  });

  it("is missed in one sentence, with the command that installs it", async () => {
    const loading = loadRuntime(() => Promise.reject(notFound("onnxruntime-node")), folder);
    await expect(loading).rejects.toThrow(MissingPackageError);
    await expect(loading).rejects.toThrow(SENTENCE);
  });

  it("that is there and broken is not called missing", async () => {
    await expect(loadRuntime(() => Promise.reject(notFound("onnxruntime-common")), folder)).rejects.toThrow(/onnxruntime-common/);
    await expect(loadRuntime(() => Promise.reject(new Error("no such symbol")), folder)).rejects.toThrow("no such symbol");
  });

  it("is what coppice eval says is missing", async () => {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, oneOf(w("w")));
    expect(await fails(SYSTEM, ["eval", file, file], { cwd: folder })).toBe(SENTENCE);
  });
});
