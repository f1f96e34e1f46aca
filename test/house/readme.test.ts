import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { COMPARISON_COLUMNS } from "../../src/cli/comparison-table.js";
import { REPORT_COLUMNS } from "../../src/cli/report-rows.js";
import { decodeWith } from "../../src/decode/decode.js";
import { decompress } from "../../src/index.js";
import { cores } from "../cores.js";
import { difference } from "../decode/ways.js";

const run = promisify(execFile);
const README = readFileSync(path.join(ROOT, "README.md"), "utf8");
const MODEL = path.join(ROOT, "examples/models/lenet-300-100.safetensors");

function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code]) => code);
}

const COMMANDS = blocks("sh").flatMap((code) => code.split("\n").filter((line) => line.startsWith("coppice ")));

/** The archives that the commands make. */
const ARCHIVES = COMMANDS.filter((line) => line.startsWith("coppice compress ")).map(
  (line) => / -o (\S+\.coppice)/.exec(line)?.[1] ?? `${line.split(/ +/)[2]}.coppice`,
);

/** A folder as a user's project is: coppice in node_modules, as this working tree has it, and a model. */
const folder = mkdtempSync(path.join(tmpdir(), "coppice-readme-"));

beforeAll(() => {
  const installed = path.join(folder, "node_modules/coppice");
  mkdirSync(installed, { recursive: true });
  cpSync(inject("bundles"), path.join(installed, "dist"), { recursive: true });
  cpSync(path.join(ROOT, "package.json"), path.join(installed, "package.json"));
  for (const name of Object.keys(JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).dependencies)) {
    const link = path.join(folder, "node_modules", name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(ROOT, "node_modules", name), link);
  }
  mkdirSync(path.join(folder, "bin"));
  writeFileSync(path.join(folder, "bin/coppice"), `#!/bin/sh\nexec "${process.execPath}" "${installed}/dist/cli.js" "$@"\n`, {
    mode: 0o755,
  });
  cpSync(MODEL, path.join(folder, "net.safetensors"));
  writeFileSync(path.join(folder, "recipe.json"), blocks("json")[0]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

let examples = 0;

/** Runs a module of that folder; returns what it prints. */
async function runJs(code: string): Promise<string> {
  const file = path.join(folder, `example-${++examples}.mjs`);
  writeFileSync(file, code);
  return (await run(process.execPath, [file], { cwd: folder })).stdout;
}

async function runTs(code: string): Promise<string> {
  return runJs((await transform(code, { loader: "ts", format: "esm" })).code);
}

describe("the README", () => {
  it("works in a folder that git ignores, with the model and the schema where it says they are", () => {
    const place = /^mkdir -p (\S+) && cd \1$/m.exec(README)![1];
    expect(readFileSync(path.join(ROOT, ".gitignore"), "utf8").split("\n")).toContain(`${place.split("/")[0]}/`);
    const [, model] = /^cp (\S+) net\.safetensors$/m.exec(README)!;
    expect(path.join(ROOT, place, model)).toBe(MODEL);
    const schemas = [...README.matchAll(/"(\S+\/docs\/recipe\.schema\.json)"/g)].map(([, schema]) => schema);
    const installed = "./node_modules/coppice/";
    expect(schemas.map((schema) => schema.startsWith(installed))).toEqual([false, true]);
    expect(existsSync(path.join(ROOT, place, schemas[0]))).toBe(true);
    expect(JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).files).toContain(schemas[1].slice(installed.length));
  });

  it("names the file that npm pack makes", () => {
    const { name, version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
    const named = README.match(/[\w-]+-\d+\.\d+\.\d+\.tgz/g)!;
    expect(new Set(named)).toEqual(new Set([`${name}-${version}.tgz`]));
  });

  describe("has commands", () => {
    beforeAll(async () => {
      const env = { ...process.env, PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
      for (const line of COMMANDS) await run("sh", ["-c", line], { cwd: folder, env });
    }, 60_000);

    it("that make archives of all presets, of options and of a recipe", () => {
      expect(ARCHIVES.sort()).toEqual(["exact.coppice", "net.safetensors.coppice", "paper.coppice", "recipe.coppice", "small.coppice"]);
      expect(readdirSync(folder)).toEqual(expect.arrayContaining([...ARCHIVES, "back.safetensors"]));
    });

    it.each(ARCHIVES)("whose %s the edge decoder, the engine and the reference read to the same bits", async (name) => {
      const archive = new Uint8Array(readFileSync(path.join(folder, name)));
      const [first, ...others] = cores.map(({ name, core }) => ({ name, tensors: decodeWith(core, archive) }));
      expect(first.tensors.map((tensor) => tensor.name)).toHaveLength(6);
      for (const { name, tensors } of others) expect(difference(tensors, first.tensors), name).toBeUndefined();
    });

    it("of which --preset exact keeps every bit", async () => {
      const [{ bytes }] = await decompress(path.join(folder, "exact.coppice"));
      expect(readFileSync(MODEL).equals(bytes)).toBe(true);
    });

    it("with a recipe that compresses", () => {
      expect(statSync(MODEL).size / statSync(path.join(folder, "recipe.coppice")).size).toBeGreaterThan(20);
    });
  });

  it("has tables whose every column is explained, and named in --help", async () => {
    const explained = [...readFileSync(path.join(ROOT, "docs/tables.md"), "utf8").matchAll(/^\| ([^|]+) \|/gm)].map(([, head]) => head);
    const heads = [...REPORT_COLUMNS, ...COMPARISON_COLUMNS].map(({ title }) => title.replace("\n", " "));
    expect(heads.filter((head) => !explained.includes(head))).toEqual([]);
    expect(explained.filter((head) => !heads.includes(head) && !/^(column|---)$/.test(head))).toEqual([]);
    for (const command of ["inspect", "verify"])
      expect((await run(path.join(folder, "bin/coppice"), [command, "--help"])).stdout).toContain("docs/tables.md");
  });

  it("has a Node example that prints every tensor", async () => {
    const [node] = blocks("js");
    const printed = await runJs(node);
    for (const name of ["fc1.weight", "fc2.weight", "fc3.bias"]) expect(printed).toContain(name);
  });

  it("has an example for the edge that streams, and reads one tensor by range", async () => {
    const [edge] = blocks("ts");
    const stubs = `
      import { readFileSync } from "node:fs";
      const bytes = new Uint8Array(readFileSync("net.coppice"));
      const byteLength = bytes.length;
      const fetch = async () => new Response(bytes);
      const use = (name, shape, data) => console.log(name, shape, data.length);
      let written = 0;
      const write = (chunk) => void (written += chunk.length);
      const rangeRequest = async (offset, length) => bytes.subarray(offset, offset + length);
    `;
    const printed = await runTs(`${stubs}${edge}\nconsole.log("by range", fc1.name, fc1.data.length, "of", written);`);
    expect(printed).toContain("fc1.weight [ 300, 784 ] 940800");
    expect(printed).toMatch(/by range fc1\.\w+ \d+ of/);
    expect(printed).toContain(`of ${statSync(MODEL).size}`);
  });

  it("has an example for the edge that decodes by blocks into one buffer, and tells how far it is", async () => {
    const byBlocks = blocks("ts").find((code) => code.includes("blocks: true"));
    const stubs = `
      import { readFileSync } from "node:fs";
      const fetch = async () => new Response(readFileSync("net.coppice"));
      const upload = (name, offset, data) => console.log("upload", name, offset, data.length);
    `;
    const printed = await runTs(`${stubs}${byBlocks}`);
    expect(printed).toContain("upload fc1.weight 0 940800");
    expect(printed).toMatch(/^fc3\.\w+ 1$/m);
  });

  it("has an example that runs a layer, on two threads, as the decoded one would", async () => {
    const layer = blocks("ts").find((code) => code.includes("loadLayer("));
    const stubs = `
      import { readFileSync } from "node:fs";
      import { decode } from "coppice/decode";
      const archiveBytes = new Uint8Array(readFileSync("net.coppice"));
      const [x, y] = [new Float32Array(784).fill(0.5), new Float32Array(300)];
      const [X, Y] = [new Float32Array(64 * 784).fill(0.5), new Float32Array(64 * 300)];
    `;
    const check = `
      const floats = (name) => new Float32Array(decode(archiveBytes).find((tensor) => tensor.name === name).data.buffer);
      const [weights, bias] = [floats("fc1.weight"), floats("fc1.bias")];
      const wanted = y.map((_, r) => Math.max(0, weights.subarray(784 * r, 784 * r + 784).reduce((sum, weight) => sum + 0.5 * weight, bias[r])));
      const near = (values) => values.every((value, i) => Math.abs(value - wanted[i % 300]) < 1e-4);
      console.log(near(y), near(Y), y.some((value) => value > 0));
    `;
    expect(await runTs(`${stubs}${layer?.replace("layer.dispose", "console.log(layer.threads);\nlayer.dispose")}${check}`)).toBe(
      "2\ntrue true true\n",
    );
  });

  it("has examples for runtimes that load models out of archives", async () => {
    const stub = (name: string, code: string): void => {
      const home = path.join(folder, "node_modules", name);
      mkdirSync(home, { recursive: true });
      writeFileSync(path.join(home, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
      writeFileSync(path.join(home, "index.js"), code);
    };
    stub("@tensorflow/tfjs", "export const loadLayersModel = (handler) => handler.load();");
    stub(
      "@huggingface/transformers",
      `export const env = {};
      export const pipeline = async (task, name) => (await env.fetch("http://hub/" + name + "/onnx/model.onnx")).arrayBuffer();`,
    );
    const model = { modelTopology: {}, weightsManifest: [{ paths: ["w.bin"], weights: [{ name: "w", shape: [8], dtype: "float32" }] }] };
    writeFileSync(path.join(folder, "model.json"), JSON.stringify(model));
    writeFileSync(path.join(folder, "w.bin"), new Uint8Array(32));
    await run(path.join(folder, "bin/coppice"), ["compress", "model.json", "--force"], { cwd: folder });
    const stubs = `
      import { readFileSync } from "node:fs";
      const archives = { "/model.json.coppice": "model.json.coppice", "http://hub/me/model/onnx/model.onnx.coppice": "net.coppice" };
      globalThis.fetch = async (url) => new Response(readFileSync(archives[url]));
    `;
    const [tfjs, transformers] = ["coppice/tfjs", "coppice/transformers"].map((name) => blocks("ts").find((code) => code.includes(name)));
    expect(await runTs(`${stubs}${tfjs}\nconsole.log(model.weightSpecs[0].name, model.weightData[0].byteLength);`)).toBe("w 32\n");
    expect(await runTs(`${stubs}${transformers}\nconsole.log(embed.byteLength);`)).toBe(`${statSync(MODEL).size}\n`);
  });

  it("has an example that runs a network from an archive", async () => {
    const running = blocks("ts").find((code) => code.includes("loadNetwork("));
    const stubs = `
      import { readFileSync } from "node:fs";
      const linear = (name, inputs, out) => ({ type: "linear", name, in: inputs, out });
      const layers = [linear("fc1", 784, 300), { type: "relu" }, linear("fc2", 300, 100), { type: "relu" }, linear("fc3", 100, 10)];
      const files = { "/net.coppice": readFileSync("net.coppice"), "/net.json": JSON.stringify({ layers }) };
      globalThis.fetch = async (url) => new Response(files[url]);
    `;
    const printed = await runTs(
      `${stubs}${running}\nconsole.log(probabilities.length, probabilities.reduce((sum, value) => sum + value));`,
    );
    expect(Number(/^10 (\S+)$/m.exec(printed)?.[1])).toBeCloseTo(1, 5);
  });

  it("has an example that retrains what was pruned and shared, and whose archive gives the same weights", async () => {
    const training = blocks("ts").find((code) => code.includes("coppice/nn"));
    const stubs = `
      import { decode } from "coppice";
      const spec = { layers: [{ type: "linear", name: "fc1", in: 20, out: 30 }, { type: "relu" }, { type: "linear", name: "fc2", in: 30, out: 3 }] };
      const inputs = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i * i));
      const samples = { inputs, labels: Uint8Array.from({ length: 100 }, (_, i) => i % 3) };
    `;
    const check = `
      const weights = (tensors) => new Float32Array(tensors[0].data.slice().buffer);
      const [before, after] = [weights(network.tensors()), weights(decode(archive))];
      console.log(after.filter((weight) => weight !== 0).length, new Set(after).size, after.every((weight, i) => weight === before[i]));
    `;
    expect(await runTs(`${stubs}${training}${check}`)).toBe("60 17 true\n");
  });

  it("links to files that are there", () => {
    const links = [...README.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target).filter((target) => !target.startsWith("https:"));
    expect(links.filter((target) => readdirSync(path.join(ROOT, path.dirname(target))).includes(path.basename(target)) === false)).toEqual(
      [],
    );
  });
});
