import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { barOf } from "../../src/cli/progress.js";
import { colorsFor } from "../../src/cli/streams.js";
import { cutMiddle, duration, percent, printable, shortCount, shortName, times } from "../../src/cli/text.js";
import { trainLine } from "../../src/cli/train-line.js";
import { DATA, NET, writeIdx } from "../train/samples.js";
import { CLI, done, modelFile, normalTensor, run, testFolder } from "./cli.js";

const folder = testFolder();
const archive = path.join(folder, "net.coppice");
const BOLD = "\u001b[1m";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/** What follows "ESC [" in each sequence that sets a colour or a weight. */
function colorsIn(shown: string): string[] {
  const sequences = shown.split("\u001b[").slice(1);
  return sequences.filter((sequence) => /^[\d;]*m/.test(sequence));
}

/** `script` of util-linux runs a program on a terminal of its own. */
function hasTerminal(): boolean {
  try {
    return /util-linux/.test(execFileSync("script", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return false;
  }
}

const COPPICE = `${process.execPath} ${CLI}`;

/** What a terminal is sent by a shell's command, where there is one to be had. */
function shellOnTerminal(command: string, env: Readonly<Record<string, string>> = {}, columns = 100) {
  return run("script", ["-qec", `stty cols ${columns}; ${command}`, "/dev/null"], { env: { TERM: "xterm", ...env } });
}

/** What it is sent by `coppice`. */
function onTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}, columns?: number) {
  return shellOnTerminal([COPPICE, ...args].join(" "), env, columns);
}

describe.runIf(hasTerminal())("on a terminal", () => {
  it("inspect has colours, and none where NO_COLOR is set or the terminal has none", async () => {
    await done(["compress", modelFile(folder), "-o", archive]);
    const shown = (await onTerminal(["inspect", archive])).stdout.toString();
    expect(shown).toContain(`${BOLD}Total`);
    const plain = (await onTerminal(["inspect", archive], { NO_COLOR: "1" })).stdout.toString();
    expect(plain).toContain("Total");
    expect(colorsIn(shown)).not.toEqual([]);
    expect(colorsIn(plain)).toEqual([]);
    const dumb = (await onTerminal(["inspect", archive], { TERM: "dumb" })).stdout.toString();
    expect(dumb).toContain("Total");
    expect(dumb).not.toContain("\u001b");
  });

  it("compress shows its progress, takes it away, and gives the cursor back", async () => {
    const model = modelFile(folder, "large.safetensors", [normalTensor("a.weight", [512, 512]), normalTensor("b.weight", [512, 512])]);
    const shown = (await onTerminal(["compress", model])).stdout.toString();
    expect(shown).toMatch(/░.*%.*of.*MB/);
    expect(shown.indexOf(HIDE_CURSOR)).toBeLessThan(shown.indexOf(SHOW_CURSOR));
    expect(shown.indexOf(SHOW_CURSOR)).toBeLessThan(shown.indexOf("layer"));
    expect((await onTerminal(["compress", model, "--force", "--quiet"])).stdout.toString()).toBe("");
  });

  it("decompress, inspect and verify show theirs, and with --quiet nothing", async () => {
    const model = modelFile(folder, "shown.safetensors", [normalTensor("a.weight", [512, 512]), normalTensor("b.weight", [512, 512])]);
    const shown = `${model}.coppice`;
    await done(["compress", model, "--quiet"]);
    for (const [work, after] of [
      [["decompress", shown, "-o", path.join(folder, "back"), "--force"], "wrote"],
      [["inspect", shown], "layer"],
      [["verify", model, shown], "layer"],
    ] as const) {
      const told = (await onTerminal(work)).stdout.toString();
      expect(told).toMatch(/░.*%.*of.*MB/);
      expect(told.indexOf(HIDE_CURSOR)).toBeLessThan(told.indexOf(SHOW_CURSOR));
      expect(told.indexOf(SHOW_CURSOR)).toBeLessThan(told.lastIndexOf(after));
      expect(await onTerminal([...work, "--quiet"])).toMatchObject({ code: 0, stdout: Buffer.of() });
    }
  });

  it("train shows its stage, its epoch and how well it does, and takes that away", async () => {
    const data = path.join(folder, "data");
    mkdirSync(data);
    writeIdx(data, DATA);
    const [net, recipe, output] = ["net.json", "train.json", "trained.coppice"].map((name) => path.join(folder, name));
    writeFileSync(net, JSON.stringify(NET));
    writeFileSync(recipe, JSON.stringify({ stages: [{ type: "train", name: "dense", epochs: 100 }] }));
    const args = ["train", "--net", net, "--data", data, "--recipe", recipe, "-o", output];
    const shown = (await onTerminal(args)).stdout.toString();
    expect(shown).toMatch(/[█░]{30} \d+% {2}dense \(1 of 1\) {2}epoch \d+ of 100 {2}loss \d\.\d+ {2}error [\d.]+ %/);
    const cleared = shown.lastIndexOf("\r\u001b[K");
    expect(shown.slice(cleared)).toContain("survivors");
    expect(shown.slice(cleared)).not.toMatch(/[█░]/);
    expect((await onTerminal([...args, "--force", "--quiet"])).stdout.toString()).toBe("");
  });

  it("what fails before any work shows no progress", async () => {
    const model = modelFile(folder, "there.safetensors");
    await done(["compress", model, "--quiet"]);
    for (const [args, says] of [
      [["compress", path.join(folder, "nothing")], "there is no such file"],
      [["compress", model], "exists already; --force overwrites it"],
      [["compress", model, "--bits", "9"], "--bits must be in"],
      [["inspect", model], "MAGIC at byte 0"],
    ] as const) {
      const { stdout } = await onTerminal(args);
      expect(stdout.toString()).toContain(says);
      expect(stdout.toString()).not.toMatch(/[░█]/);
      expect(stdout.toString()).not.toContain(HIDE_CURSOR);
    }
  });

  it("the last of a pipe alone shows progress", async () => {
    const model = modelFile(folder, "piped.safetensors");
    const back = path.join(folder, "back.safetensors");
    const { stdout } = await shellOnTerminal(`${COPPICE} compress - --preset exact < ${model} | ${COPPICE} decompress - > ${back}`);
    expect(stdout.toString().split(HIDE_CURSOR)).toHaveLength(2);
    expect(stdout.toString().indexOf("Total")).toBeLessThan(stdout.toString().indexOf(HIDE_CURSOR));
    const paged = await shellOnTerminal(`${COPPICE} inspect ${archive} | cat`);
    expect(paged.stdout.toString()).not.toContain("\u001b");
  });

  it.each([
    {
      columns: 80,
      names: ["m.l.0.s.query.weight", "m.l.1.s.query.weight"],
      gone: /^\([1-9] more columns? if wider, or piped\)$/m,
    },
    { columns: 40, names: [".0.s", ".1.s"], gone: /^\(\d+ more columns if wider/m },
  ])("tables keep to $columns columns and tell names apart, by columns that go", async ({ columns, names, gone }) => {
    const tensors = [0, 1].map((i) => normalTensor(`model.layers.${i}.self_attention.query.weight`, [100, 100], i));
    const model = modelFile(folder, "wide.safetensors", tensors);
    await done(["compress", model, "--force", "--preset", "paper"]);
    for (const args of [
      ["inspect", `${model}.coppice`],
      ["verify", model, `${model}.coppice`],
    ]) {
      const shown = (await onTerminal(args, { NO_COLOR: "1" }, columns)).stdout.toString();
      const table = shown.slice(shown.lastIndexOf("layer"), shown.indexOf("\r\n\r\n")).split("\r\n");
      expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(columns);
      for (const name of names) expect(table.filter((line) => line.split(" ")[0].includes(name))).toHaveLength(1);
      if (args[0] === "inspect") expect(shown).toMatch(gone);
      const piped = (await done(args)).stdout.toString();
      expect(piped).not.toMatch(gone);
      for (const head of args[0] === "inspect" ? ["weights", "scan", "rate,", "ratio"] : ["dtype", "changed", "identical"])
        expect(piped).toContain(head);
    }
  });

  it("no model is read and no archive written", async () => {
    const read = await onTerminal(["inspect", "-"]);
    expect(read).toMatchObject({ code: 2 });
    expect(read.stdout.toString()).toMatch(/standard input is a terminal; name a file/);
    const written = await onTerminal(["decompress", "-", "<", archive]);
    expect(written).toMatchObject({ code: 2 });
    expect(written.stdout.toString()).toMatch(/standard output is a terminal; name a file with -o/);
  });
});

describe("elsewhere", () => {
  it("there is no escape sequence, whatever the environment says", async () => {
    await done(["compress", modelFile(folder), "-o", archive, "--force"]);
    const { stdout } = await done(["inspect", archive], { env: { FORCE_COLOR: "1", CI: "1" } });
    expect(stdout.includes(27)).toBe(false);
    expect(colorsFor({ isTTY: false } as NodeJS.WriteStream).isColorSupported).toBe(false);
  });
});

describe("a bar", () => {
  it("is full at 100 %, and not before", () => {
    expect(barOf(0)).toMatch(/^░{30} 0%$/);
    expect(barOf(0.5)).toMatch(/^█{15}░{15} 50%$/);
    expect(barOf(0.9999)).toMatch(/^█{29}░ 99%$/);
    expect(barOf(1)).toMatch(/^█{30} 100%$/);
  });
});

describe("text", () => {
  it("cuts names in the middle, and shortens their parts before that", () => {
    expect(cutMiddle("abcdefghij", 10)).toBe("abcdefghij");
    expect(cutMiddle("abcdefghij", 5)).toBe("ab…ij");
    expect(cutMiddle("abcdefghij", 1)).toBe("…");
    expect(shortName("model.layers.31.self_attn.q_proj.weight", 25)).toBe("m.l.31.s.q_proj.weight");
    expect(shortName("model.layers.31.self_attn.q_proj.weight", 14)).toBe("m.l.31.…weight");
    expect(shortName("a..b", 3)).toBe("a…b");
    expect(shortName("fc1.weight", 12)).toBe("fc1.weight");
  });

  it("shows what a terminal would obey", () => {
    expect(printable("fc1.poids é 重み")).toBe("fc1.poids é 重み");
    expect(printable("\u001b]0;x\u0007\u009b\u202e\n")).toBe("\\u{1b}]0;x\\u{7}\\u{9b}\\u{202e}\\u{a}");
  });

  it("says numbers as the paper does", () => {
    expect([0, 999, 1000, 235_200, 999_499, 999_500, 1_066_000, 61_000_000, 7e9].map(shortCount)).toEqual([
      "0",
      "999",
      "1K",
      "235K",
      "999K",
      "1M",
      "1.07M",
      "61M",
      "7G",
    ]);
    expect([0, 0.00004, 0.0803, 0.0999949, 0.09999, 0.5, 0.99949, 0.9996, 1.2, Number.NaN].map(percent)).toEqual([
      "0.00%",
      "0.00%",
      "8.03%",
      "10.0%",
      "10.0%",
      "50.0%",
      "99.9%",
      "100%",
      "120%",
      "-",
    ]);
    expect([0.889, 3, 9.99, 9.999, 40.13, 99.96, 195.19, Number.POSITIVE_INFINITY].map(times)).toEqual([
      "0.89x",
      "3.00x",
      "9.99x",
      "10.0x",
      "40.1x",
      "100x",
      "195x",
      "-",
    ]);
  });
});

describe("the line of a training", () => {
  const progress = { name: "pruned", stage: 2, stages: 3, epoch: 4, epochs: 20, done: 0.5, loss: 0.0856 };

  it("tells what is known, in the room that there is", () => {
    const bar = `${"█".repeat(15)}${"░".repeat(15)} 50%`;
    expect(trainLine(progress, 200)).toBe(`${bar}  pruned (2 of 3)  epoch 4 of 20  loss 0.0856`);
    expect(trainLine({ ...progress, heldOut: 0.982, secondsLeft: 250 }, 200)).toMatch(/loss 0\.0856 {2}error 1\.80 % {2}4 min left$/);
    expect(trainLine(progress, 40)).toHaveLength(40);
  });

  it("tells times as they are long", () => {
    expect([0.4, 99, 100, 5969, 6000, 86400].map(duration)).toEqual(["0 s", "99 s", "2 min", "99 min", "1.7 h", "24.0 h"]);
  });
});
