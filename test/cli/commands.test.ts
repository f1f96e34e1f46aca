import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import metadata from "../../package.json" with { type: "json" };
import { decode } from "../../src/index.js";
import { dataFile, NO_DATA } from "../data.js";
import { makeNpy } from "../formats/helpers.js";
import { CLI, coppice, done, modelFile, NET, normalTensor, run, safetensors, testFolder } from "./cli.js";

const folder = testFolder();
const model = modelFile(folder);
const modelBytes = readFileSync(model);

const at = (name: string): string => path.join(folder, name);

async function archiveOf(name: string, args: readonly string[] = []): Promise<string> {
  await done(["compress", model, "-o", at(name), ...args]);
  return at(name);
}

describe("coppice", () => {
  it("tells its version", async () => expect((await done(["--version"])).stdout.toString()).toBe(`${metadata.version}\n`));

  it("shows help with examples, of each command too", async () => {
    expect((await done(["--help"])).stdout.toString()).toMatch(/Commands:[\s\S]*Examples:[\s\S]*Exit codes:/);
    for (const command of ["compress", "decompress", "inspect", "verify"])
      expect((await done([command, "--help"])).stdout.toString()).toContain(`Usage: coppice ${command}`);
  });

  it("shows in its help a pipe that gives the same file back", async () => {
    const [pipe] = /cat net\.npy .* > same\.npy/.exec((await done(["--help"])).stdout.toString())!;
    // More distinct weights than a codebook has room for: anything but --preset exact would share them.
    const npy = makeNpy("<f4", [30, 40], normalTensor("net", [30, 40]).data);
    writeFileSync(at("net.npy"), npy);
    const define = `coppice() { "${process.execPath}" "${CLI}" "$@"; }`;
    expect(await run("sh", ["-c", `${define}; ${pipe}`], { cwd: folder })).toMatchObject({ code: 0 });
    expect(readFileSync(at("same.npy")).equals(npy)).toBe(true);
  });
});

describe("compress", () => {
  it("writes MODEL.coppice and a table of its layers", async () => {
    const { stdout, stderr } = await done(["compress", model]);
    expect(existsSync(`${model}.coppice`)).toBe(true);
    const lines = stdout.toString().split("\n");
    for (const { name } of NET) expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true);
    expect(lines.some((line) => line.startsWith("Total"))).toBe(true);
    expect(stdout.toString()).toMatch(/\n[\d,]+ -> [\d,]+ bytes \(header \d+\): .*x smaller, every byte counted\n$/);
    expect(stderr).toMatch(/^wrote .*net\.safetensors\.coppice, [\d,]+ bytes\n$/);
  });

  it("takes the default preset unless told, and every preset gives an archive that decodes", async () => {
    const [usual, named] = [await archiveOf("usual"), await archiveOf("named", ["--preset", "default"])];
    expect(readFileSync(usual)).toEqual(readFileSync(named));
    for (const preset of ["exact", "paper"]) {
      const tensors = decode(readFileSync(await archiveOf(preset, ["--preset", preset])));
      expect(tensors.map(({ name }) => name)).toEqual(NET.map(({ name }) => name));
    }
  });

  it("prunes and shares as its options say", async () => {
    const [conv, , fc] = decode(readFileSync(await archiveOf("pruned", ["--sparsity", "0.75", "--bits", "2", "--init", "density"])));
    for (const { data } of [conv, fc]) {
      const weights = new Float32Array(data.slice().buffer);
      expect(new Set(weights.filter((weight) => weight !== 0)).size).toBeLessThanOrEqual(4);
      expect(weights.filter((weight) => weight === 0).length / weights.length).toBeCloseTo(0.75, 2);
    }
    for (const prune of [
      ["--threshold", "0.1"],
      ["--quality", "1"],
    ]) {
      const weights = new Float32Array(decode(readFileSync(await archiveOf(`pruned${prune[0]}`, prune)))[2].data.slice().buffer);
      expect(weights.filter((weight) => weight === 0).length / weights.length).toBeCloseTo(0.68, 1);
    }
  });

  it("follows a recipe", async () => {
    writeFileSync(at("recipe.json"), JSON.stringify({ rules: [{ match: "fc.*", exact: true }, { share: { bits: 1 } }] }));
    const report = JSON.parse(
      (await done(["compress", model, "-o", at("rules"), "--recipe", at("recipe.json"), "--json"])).stdout.toString(),
    );
    const exact = report.tensors.map(({ name, exact }: { name: string; exact: boolean }) => [name, exact]);
    expect(exact).toEqual([
      ["conv.weight", false],
      ["conv.bias", false],
      ["fc.weight", true],
      ["fc.bias", true],
      ["steps", true],
    ]);
  });

  it("gives the same bytes for any number of threads", async () => {
    const [one, two] = [await archiveOf("one", ["--threads", "1"]), await archiveOf("two", ["--threads", "2"])];
    expect(readFileSync(one)).toEqual(readFileSync(two));
  });

  it("is silent with --quiet", async () => {
    const { stdout, stderr } = await done(["compress", model, "-o", at("quiet"), "--quiet"]);
    expect(stdout.toString() + stderr).toBe("");
  });

  it("writes to standard output with its table on standard error, and takes a device as it is", async () => {
    const { stdout, stderr } = await done(["compress", model, "-o", "-"]);
    expect(stdout).toEqual(readFileSync(await archiveOf("file")));
    expect(stderr).toMatch(/^layer[\s\S]*every byte counted/);
    if (process.platform !== "win32") await done(["compress", model, "-o", "/dev/null"]);
  });
});

describe("decompress", () => {
  it("gives an exact model back byte for byte, under the archive's name without .coppice", async () => {
    const archive = await archiveOf("whole.safetensors.coppice", ["--preset", "exact"]);
    const { stderr } = await done(["decompress", archive]);
    expect(stderr).toMatch(/^wrote .*whole\.safetensors, [\d,]+ bytes\n$/);
    expect(readFileSync(at("whole.safetensors"))).toEqual(modelBytes);
  });

  it("undoes compress from pipe to pipe, bytes and all", async () => {
    const { stdout: archive, stderr } = await done(["compress", "-", "--preset", "exact"], { stdin: modelBytes });
    expect(stderr).toMatch(/every byte counted\n$/);
    expect((await done(["decompress", "-"], { stdin: archive })).stdout).toEqual(modelBytes);
    await done(["decompress", "-", "-o", at("piped")], { stdin: archive });
    expect(readFileSync(at("piped"))).toEqual(modelBytes);
  });

  it("spools a stream that is larger than what it holds in memory", async () => {
    const large = safetensors([{ ...normalTensor("w", [1]), shape: [2 ** 24 + 2 ** 21], data: new Uint8Array(2 ** 26 + 2 ** 23) }]);
    await done(["compress", "-", "-o", at("spooled"), "--preset", "exact"], { stdin: large });
    const { stdout } = await done(["decompress", at("spooled"), "-o", "-"]);
    expect(stdout.equals(large)).toBe(true);
  });

  it("lists its files with --json", async () => {
    const archive = await archiveOf("listed.coppice", ["--preset", "exact"]);
    const { stdout, stderr } = await done(["decompress", archive, "--json"]);
    expect(JSON.parse(stdout.toString())).toEqual({ files: [{ path: at("listed"), bytes: modelBytes.length }] });
    expect(stderr).toBe("");
  });
});

describe("--quiet", () => {
  it("leaves the exit code alone, and what --json says", async () => {
    const archive = await archiveOf("silent.coppice", ["--quiet"]);
    const other = modelFile(folder, "other.safetensors", NET.slice(1));
    const works = [
      { args: ["decompress", archive, "-o", at("silent")], code: 0 },
      { args: ["inspect", archive], code: 0 },
      { args: ["verify", model, archive], code: 0 },
      { args: ["verify", other, archive], code: 1 },
    ];
    for (const { args, code } of works) {
      const { stdout, ...outcome } = await coppice([...args, "--quiet"]);
      expect(outcome, args[0]).toEqual({ code, stderr: "" });
      expect(stdout.toString()).toBe("");
    }
    const { stdout } = await done(["inspect", archive, "--quiet", "--json"]);
    expect(JSON.parse(stdout.toString()).tensors).toHaveLength(NET.length);
  });
});

describe("--json", () => {
  const FILE_KEYS = ["bytes", "sourceBytes", "ratio", "weights", "survivors"];
  const TENSOR_KEYS = ["name", "shape", "dtype", "coding", "scan", "weights", "survivors", "fillers", "codebook", "codeBits"].concat([
    "codeBitsHuffman",
    "gapBits",
    "gapBitsHuffman",
    "bytes",
    "ratio",
    "exact",
  ]);

  it("prints one document and nothing else, the same from compress and inspect", async () => {
    const compressed = await done(["compress", model, "-o", at("json"), "--json"]);
    const inspected = await done(["inspect", at("json"), "--json"]);
    expect(compressed.stderr + inspected.stderr).toBe("");
    const [{ output, ...told }, found] = [compressed, inspected].map(({ stdout }) => JSON.parse(stdout.toString()));
    expect(output).toBe(at("json"));
    expect(found.file).toEqual(told.file);
    expect(found.file.bytes).toBe(readFileSync(at("json")).length);
    for (const key of FILE_KEYS) expect(found.file).toHaveProperty(key);
    for (const [i, tensor] of found.tensors.entries()) {
      for (const key of TENSOR_KEYS) expect(tensor).toHaveProperty(key);
      expect(told.tensors[i]).toMatchObject(tensor);
    }
    const records = found.tensors.reduce((sum: number, { bytes }: { bytes: number }) => sum + bytes, 0);
    expect(records + found.file.headerBytes).toBe(found.file.bytes);
  });

  it("leaves the SNR of an exact tensor out, and has no null", async () => {
    const { stdout } = await done(["verify", model, await archiveOf("verified"), "--json"]);
    const { ok, tensors } = JSON.parse(stdout.toString());
    expect(ok).toBe(true);
    expect(tensors.map(({ snr }: { snr?: number }) => typeof snr)).toEqual(["number", "undefined", "number", "undefined", "undefined"]);
    expect(stdout.toString()).not.toContain("null");
  });
});

describe("inspect", () => {
  it("keeps to 100 columns, and to what a terminal can show", async () => {
    const named = (name: string) => ({ ...normalTensor(name, [30, 30]), name });
    const names = [...Array.from({ length: 3 }, (_, i) => `model.decoder.layers.${i}.self_attention.projection.weight`), "x".repeat(200)];
    const wide = modelFile(folder, "wide.safetensors", [...names.map(named), named("red\u001b[31m\u202eder")]);
    const { stdout } = await done(["compress", wide, "--sparsity", "0.9"]);
    const lines = stdout.toString().split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(new Set(lines.map((line) => line.split(" ")[0])).size).toBeGreaterThanOrEqual(names.length + 1);
    expect(lines.some((line) => line.includes("layers.1.") || line.includes(".1."))).toBe(true);
    expect(stdout.toString()).toContain("red\\u{1b}[31m\\u{202e}der");
  });
});

describe("verify", () => {
  it("tells each tensor's loss, and ends with 0 where it is what the archive says", async () => {
    const { stdout } = await done(["verify", model, await archiveOf("loss")]);
    expect(stdout.toString()).toMatch(/^layer.*max abs.*RMSE.*SNR.*changed.*\n +error.*zeros/);
    expect(stdout.toString()).toMatch(/fc\.weight +F32 .* lossy +no\n/);
    expect(stdout.toString()).toMatch(/fc\.bias +F32 .* exact +yes\n/);
    expect(stdout.toString()).toMatch(/\nok: 3 of 5 tensors identical/);
  });

  it("ends with 1 where an exact tensor is another, one is missing, or one is added", async () => {
    const archive = await archiveOf("differs", ["--preset", "exact"]);
    const [conv, ...others] = NET;
    const changed = { ...conv, data: conv.data.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) };
    const cases = [
      { name: "changed", tensors: [changed, ...others], says: "conv.weight: said to be exact, and is not" },
      { name: "missing", tensors: [...NET, normalTensor("extra", [2])], says: "extra: not in the archive" },
      { name: "added", tensors: others, says: "conv.weight: in the archive alone" },
    ];
    for (const { name, tensors, says } of cases) {
      const outcome = await coppice(["verify", modelFile(folder, `${name}.safetensors`, tensors), archive]);
      expect(outcome.code, name).toBe(1);
      expect(outcome.stdout.toString()).toContain(says);
      expect(outcome.stdout.toString()).toMatch(/\nnot ok: 1 tensor not as the archive says\n$/);
      expect(outcome.stdout.toString().includes("An archive is exact to the weights that it was made of"), name).toBe(name === "changed");
    }
  });

  it("has no table where nothing is in both", async () => {
    const other = modelFile(folder, "strange.safetensors", [normalTensor("strange", [3])]);
    const { code, stdout } = await coppice(["verify", other, await archiveOf("alone", ["--preset", "exact"])]);
    expect(code).toBe(1);
    expect(stdout.toString()).toMatch(/^strange: not in the archive/);
    expect(stdout.toString()).toMatch(/\nnot ok: 6 tensors not as the archive says\n$/);
  });
});

describe("a real network", () => {
  it.for(["lenet-300-100.dns-sparse", "lenet-5.dense"])("%s goes there and back, exact and as in the paper", async (name, context) => {
    const file = dataFile(`lenet/${name}.safetensors`);
    if (!file) return context.skip(NO_DATA);
    await done(["compress", file, "-o", at("real"), "--preset", "exact", "--quiet", "--force"]);
    await done(["decompress", at("real"), "-o", at("real.safetensors"), "--force"]);
    expect(readFileSync(at("real.safetensors")).equals(readFileSync(file))).toBe(true);
    await done(["compress", file, "-o", at("real"), "--preset", "paper", "--quiet", "--force"]);
    await done(["verify", file, at("real")]);
  });
});
