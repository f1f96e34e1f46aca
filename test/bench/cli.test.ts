import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { BenchDocument, RunDocument } from "../../bench/entry.js";
import { TASKS } from "../../bench/kernels/index.js";
import { documentText, reported } from "../../bench/report.js";
import { LAYERS } from "../../bench/run/layers.js";
import { done, fails, testFolder } from "../cli/cli.js";

const folder = testFolder();
const file = (name: string): string => path.join(folder, name);
const USAGE = 2;

describe("coppice bench", () => {
  it("gives one JSON document, and writes tables and a chart", async () => {
    const files = ["--markdown", file("bench.md"), "--svg", file("bench.svg")];
    const { stdout, stderr } = await done(["bench", "crc", "gap symbols", "--rounds", "2", "--json", ...files]);
    expect(stderr).toBe("");
    const document = JSON.parse(stdout.toString()) as BenchDocument;
    expect(document.rounds).toBe(2);
    expect(document.machine).toMatchObject({ runtime: expect.stringContaining(process.version), native: expect.any(String) });
    expect(document.tasks.map(({ task }) => task).sort()).toEqual(["CRC-32C", "gap symbols"]);
    const hasNative = !document.machine.native.startsWith("left out");
    for (const { forms, refused, count } of document.tasks) {
      expect(refused).toEqual([]);
      expect(forms.map(({ form }) => form)).toEqual([...(hasNative ? ["C"] : []), "WASM SIMD", "WASM scalar", "JavaScript"]);
      for (const { samples, minimum, median, perSecond, timesC, timesJavaScript } of forms) {
        expect(samples).toHaveLength(2);
        expect(minimum).toBeGreaterThan(0);
        expect(median).toBeGreaterThanOrEqual(minimum);
        expect(perSecond.minimum).toBeCloseTo((1e3 * count) / minimum, -3);
        expect(timesC === undefined).toBe(!hasNative);
        expect(timesJavaScript?.minimum).toBeGreaterThan(0);
      }
    }
    expect(readFileSync(file("bench.md"), "utf8")).toMatch(/\*\*CRC-32C: .*\n\n\| form \|.*\n\| --- \|[^\n]*\n\| (C|WASM SIMD) \|/);
    const svg = readFileSync(file("bench.svg"), "utf8");
    expect(svg).toMatch(/^<svg [^>]*>/);
    expect(svg.match(/<rect /g)).toHaveLength(document.tasks.reduce((sum, { forms }) => sum + forms.length, 0));
  });

  it("shows a table to people, and leaves native C out with a word where there is no compiler", async () => {
    const { stdout } = await done(["bench", "crc", "--rounds", "1"], { env: { PATH: folder } });
    expect(stdout.toString()).toMatch(/native C: left out, there is no compiler \(clang, cc, gcc\)/);
    expect(stdout.toString()).toMatch(/\n {2}WASM SIMD .*\n {2}WASM scalar .*\n {2}JavaScript /);
    expect(stdout.toString()).not.toMatch(/\n {2}C /);
  });

  it("has tables that a terminal of 80 columns need not wrap", () => {
    // The longest name, and times and ratios as long as they come to be.
    const times = { C: 24.6, "WASM SIMD": 26.8, "WASM scalar": 37.6, JavaScript: 987.6, "JavaScript Lloyd": 9_876 };
    const forms = Object.entries(times).map(([form, ms]) => ({ form, samples: [ms], minimum: ms, median: ms }));
    const task = reported({ task: "k-means", input: "one", count: 1e6, unit: "weights", bytes: 4e6, forms, refused: [] });
    const machine = { cpu: "one", cores: 2, system: "any", runtime: "node", native: "cc" };
    const lines = documentText({ machine, rounds: 25, tasks: [task] }).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.slice(-5).map((line) => line.trim().split(/ {2,}/)[0])).toEqual(Object.keys(times));
  });

  it("lists the kernels", async () => {
    const { stdout } = await done(["bench", "--list"]);
    expect(stdout.toString().trim().split("\n")).toEqual(TASKS.map(({ name }) => name));
  });

  it("says what it cannot do before it measures", async () => {
    writeFileSync(file("there.svg"), "");
    expect(await fails(USAGE, ["bench", "teleport"])).toMatch(/no kernel is called teleport; --list/);
    expect(await fails(USAGE, ["bench", "crc", "--rounds", "0"])).toMatch(/--rounds must be an integer of 1 or more/);
    expect(await fails(USAGE, ["bench", "crc", "--rounds", "many"])).toMatch(/--rounds.*must be a number/);
    expect(await fails(USAGE, ["bench", "crc", "--svg", file("there.svg")])).toMatch(/there\.svg exists; --force/);
    expect(existsSync(file("there.svg"))).toBe(true);
  });
});

describe("coppice bench run", () => {
  it("gives one JSON document, and writes tables and a chart", async () => {
    const files = ["--markdown", file("run.md"), "--svg", file("run.svg")];
    const { stdout, stderr } = await done(["bench", "run", "nt-lstm", "--rounds", "1", "--json", ...files]);
    expect(stderr).toBe("");
    const { layers, ratios, rounds } = JSON.parse(stdout.toString()) as RunDocument;
    expect(rounds).toBe(1);
    const [{ layer, loaded, batches, leftOut }, ...others] = layers;
    expect(others).toEqual([]);
    expect(layer).toMatchObject({ name: "NT-LSTM", inputs: 1201, outputs: 2400 });
    expect(loaded.survivors).toBe(288_240);
    expect(loaded.archiveBytes).toBeLessThan(2 * loaded.survivors);
    expect(batches.flatMap(({ refused }) => refused)).toEqual([]);
    for (const { forms } of batches)
      expect(forms.map(({ form }) => form)).toEqual(expect.arrayContaining(["WASM SIMD", "JS CSR", "WASM dense"]));
    for (const { forms } of ratios)
      for (const { form, layers } of forms) {
        expect(leftOut.map((each) => each.form)).not.toContain(form);
        expect(layers["NT-LSTM"]).toBeGreaterThan(0);
      }
    expect(readFileSync(file("run.md"), "utf8")).toMatch(
      /\*\*Batch 1, how many times as fast WASM SIMD is\*\*\n\n\| as \| NT-LSTM \| six \| nine \|/,
    );
    expect(readFileSync(file("run.svg"), "utf8")).toContain("NT-LSTM, batch 64");
  }, 90_000);

  it("lists the layers", async () => {
    const { stdout } = await done(["bench", "run", "--list"]);
    expect(stdout.toString().trim().split("\n")).toEqual(LAYERS.map(({ name }) => name));
    expect(JSON.parse((await done(["bench", "run", "--list", "--json"])).stdout.toString())).toHaveLength(LAYERS.length);
  });

  it("says what it cannot do before it measures", async () => {
    writeFileSync(file("there.svg"), "");
    expect(await fails(USAGE, ["bench", "run", "vgg-9"])).toMatch(/no layer is called vgg-9; --list/);
    expect(await fails(USAGE, ["bench", "run", "--rounds", "1.5"])).toMatch(/--rounds must be an integer of 1 or more/);
    expect(await fails(USAGE, ["bench", "run", "--markdown", file("there.svg")])).toMatch(/there\.svg exists; --force/);
  });
});

describe("coppice bench networks", () => {
  it("lists the networks", async () => {
    const { stdout } = await done(["bench", "networks", "--list"]);
    expect(stdout.toString()).toBe("AlexNet\nVGG-16\n");
  });

  it("says what it cannot do before it measures", async () => {
    expect(await fails(USAGE, ["bench", "networks", "resnet"])).toMatch(/no network is called resnet; --list/);
    expect(await fails(USAGE, ["bench", "networks", "--rounds", "0"])).toMatch(/--rounds must be an integer of 1 or more/);
  });
});
