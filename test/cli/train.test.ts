import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/index.js";
import { DATA, idx, NET, RECIPE, writeIdx } from "../train/samples.js";
import { CLI, coppice, done, fails, leftovers, start, testFolder } from "./cli.js";

const folder = testFolder();
const inFolder = (name: string): string => path.join(folder, name);

function json(name: string, value: unknown): string {
  writeFileSync(inFolder(name), JSON.stringify(value));
  return inFolder(name);
}

const net = json("net.json", NET);
const recipe = json("recipe.json", RECIPE);
const data = inFolder("data");
mkdirSync(data);
writeIdx(data, DATA);

interface Change {
  readonly net?: string;
  readonly data?: string;
  readonly recipe?: string;
}

/** What `coppice train` is given. */
function argumentsFor(output: string, change: Change = {}, ...more: readonly string[]): string[] {
  return ["train", "--net", change.net ?? net, "--data", change.data ?? data, "--recipe", change.recipe ?? recipe, "-o", output, ...more];
}

describe("coppice train", () => {
  it("writes the archive and a page, shows the stages and layers, and removes its checkpoint", async () => {
    const output = inFolder("net.coppice");
    const page = inFolder("net.html");
    const { stdout, stderr } = await done(argumentsFor(output, {}, "--report", page));
    expect(decode(readFileSync(output)).map(({ name }) => name)).toContain("fc.weight");
    expect(readFileSync(page, "utf8")).toContain("<svg");
    const shown = stdout.toString();
    for (const word of ["dense", "prune", "share", "fc.weight"]) expect(shown).toContain(word);
    const { stages, test } = JSON.parse((await done(argumentsFor(inFolder("again.coppice"), {}, "--json"))).stdout.toString());
    const error = (accuracy: number): string => `${(100 * (1 - accuracy)).toFixed(2)} %`;
    expect(shown).toContain(`error ${error(test.before)} -> ${error(test.after)} on 80 test samples`);
    const [, shared] = shown.split(/^share /m);
    expect(shared.split("\n")[0]).toMatch(new RegExp(` ${error(stages[3].after.heldOut)} +${error(stages[3].after.test)} `));
    const written = stderr.split("\n");
    expect(written.splice(-3).join("\n")).toMatch(/^wrote .*net\.coppice, [\d,]+ bytes\nwrote .*net\.html, [\d,]+ bytes\n$/);
    expect(written.map((line) => line.replace(/\d+\.\d{4}|\d+ s$/g, "#"))).toEqual(
      [
        ["dense (1 of 4) done: epochs 3, loss #, ", 0],
        ["scan (2 of 4) done: ", 1],
        ["prune (3 of 4) done: epochs 4, loss #, ", 2],
        ["share (4 of 4) done: epochs 3, loss #, ", 3],
      ].map(([start, i]) => {
        const { heldOut, survivors, bytes } = stages[i].after;
        return `${start}error held out ${error(heldOut)}, ${survivors} survivors, ${bytes.toLocaleString("en")} bytes, in #`;
      }),
    );
    expect(existsSync(`${output}.checkpoint`)).toBe(false);
    expect(leftovers(folder)).toEqual([]);
  });

  it("prints one JSON document with --json, and nothing with --quiet", async () => {
    const { stdout, stderr } = await done(argumentsFor(inFolder("json.coppice"), {}, "--json", "--seed", "9"));
    const report = JSON.parse(stdout.toString());
    expect(report).toMatchObject({
      seed: 9,
      threads: 1,
      stages: [{ name: "dense" }, { scan: [{}, {}] }, {}, {}],
      files: [{ path: inFolder("json.coppice") }],
    });
    expect(report.archive.bytes).toBe(readFileSync(inFolder("json.coppice")).length);
    expect(stderr).toBe("");
    const quiet = await done(argumentsFor(inFolder("quiet.coppice"), {}, "--quiet"));
    expect([quiet.stdout.toString(), quiet.stderr]).toEqual(["", ""]);
  });

  it("makes the same bytes in every run, of threads too, and leaves the checkpoint where it is told to", async () => {
    const runs = [inFolder("t1.coppice"), inFolder("t2.coppice")];
    for (const output of runs) await done(argumentsFor(output, {}, "--threads", "2", "--keep", "--checkpoint", `${output}.kept`));
    expect(readFileSync(runs[1])).toEqual(readFileSync(runs[0]));
    expect(readdirSync(`${runs[0]}.kept`)).toContain("checkpoint.safetensors");
  });

  it("killed in the middle, again and again, goes on to the same bytes", async () => {
    const long = {
      ...RECIPE,
      stages: RECIPE.stages.map((stage) => (stage.type === "scan" ? stage : { ...stage, epochs: 12 * stage.epochs })),
    };
    const file = json("long.json", long);
    const whole = inFolder("whole.coppice");
    const output = inFolder("killed.coppice");
    await done(argumentsFor(whole, { recipe: file }));
    const checkpoint = path.join(`${output}.checkpoint`, "checkpoint.safetensors");
    const state = (): string => (existsSync(checkpoint) ? readFileSync(checkpoint).toString("latin1") : "");
    let kills = 0;
    for (let i = 0; i < 4; i++) {
      const before = state();
      const child = start(process.execPath, [CLI, ...argumentsFor(output, { recipe: file })]);
      const ended = once(child, "exit");
      // Until it got on, and then some: anywhere in an epoch, or in the middle of writing.
      while (child.exitCode === null && state() === before) await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, 7 * i));
      child.kill("SIGKILL");
      const [, signal] = await ended;
      if (signal === "SIGKILL") kills++;
    }
    expect(kills).toBeGreaterThan(1);
    expect(existsSync(output)).toBe(false);
    await done(argumentsFor(output, { recipe: file }));
    expect(readFileSync(output)).toEqual(readFileSync(whole));
    expect(existsSync(`${output}.checkpoint`)).toBe(false);
  });

  it("interrupted, ends as a shell expects, and goes on", async () => {
    const file = json("endless.json", { ...RECIPE, stages: [{ type: "train", epochs: 1_000_000 }] });
    const output = inFolder("endless.coppice");
    const child = start(process.execPath, [CLI, ...argumentsFor(output, { recipe: file })]);
    const ended = once(child, "exit");
    while (!existsSync(path.join(`${output}.checkpoint`, "checkpoint.safetensors"))) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    const said = text(child.stderr!);
    expect(await ended).toEqual([130, null]);
    expect(await said).toBe("coppice: interrupted; the same command goes on from the last epoch that was done\n");
    expect(leftovers(`${output}.checkpoint`)).toEqual([]);
    expect(await fails(2, argumentsFor(output))).toMatch(
      /^--checkpoint must be of this training, .*endless\.coppice\.checkpoint holds one with another/,
    );
  });

  it("says from where it goes on, and nothing of it with --quiet", async () => {
    const file = json("two.json", { ...RECIPE, stages: [RECIPE.stages[0], { type: "train", name: "endless", epochs: 1_000_000 }] });
    const output = inFolder("two.coppice");
    const heard: string[] = [];
    for (const flags of [[], [], ["--quiet"]]) {
      const child = start(process.execPath, [CLI, ...argumentsFor(output, { recipe: file }, ...flags)]);
      const said = text(child.stderr!);
      const checkpoint = path.join(`${output}.checkpoint`, "checkpoint.safetensors");
      const state = (): string => (existsSync(checkpoint) ? readFileSync(checkpoint).toString("latin1") : "");
      const before = state();
      while (state() === before || !state().includes('"name":"dense"')) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill("SIGINT");
      heard.push(await said);
    }
    const [first, again, quiet] = heard;
    expect(first).toMatch(/^dense \(1 of 2\) done: .*\ncoppice: interrupted; .*\n$/);
    expect(again).toMatch(/^going on from the checkpoint, with epoch \d+ of 1000000 of endless \(2 of 2\)\ncoppice: interrupted; .*\n$/);
    expect(quiet).toBe("");

    const kept = inFolder("kept.coppice");
    await done(argumentsFor(kept, {}, "--keep"));
    const { stderr } = await done(argumentsFor(kept, {}, "--force"));
    expect(stderr).toMatch(/^going on from the checkpoint, with all 4 stages done\nwrote .*\n$/);
  });

  it("overwrites nothing unless told to, and finds that out before it trains", async () => {
    const output = inFolder("there.coppice");
    writeFileSync(output, "mine");
    expect(await fails(2, argumentsFor(output))).toBe(`${output} exists already; --force overwrites it`);
    expect(await fails(2, argumentsFor(inFolder("new.coppice"), {}, "--report", output))).toBe(
      `${output} exists already; --force overwrites it`,
    );
    expect(existsSync(inFolder("new.coppice"))).toBe(false);
    expect(readFileSync(output, "utf8")).toBe("mine");
    await done(argumentsFor(output, {}, "--force"));
    expect(decode(readFileSync(output)).length).toBeGreaterThan(0);
  });

  const layers = (change: object) => ({
    ...NET,
    layers: NET.layers.map((layer) => (layer.type === "linear" ? { ...layer, ...change } : layer)),
  });
  const first = (change: object) => ({ ...RECIPE, stages: [{ type: "train", epochs: 1, ...change }] });
  const folderOf = (files: Readonly<Record<string, Uint8Array>>) => files;
  const images = { "train-images-idx3-ubyte": idx([2, 6, 6], new Uint8Array(72)) };

  it.each([
    [
      "an unknown layer",
      { net: layers({ type: "attention" }) },
      2,
      /bad-net\.json: layers\[6\] is of type "attention", which is none of linear, conv2d/,
    ],
    ["shapes that do not meet", { net: layers({ in: 15 }) }, 2, /bad-net\.json: layers\[6\] \(fc\) takes 15 inputs, but .* gives 16/],
    [
      "a layer that only runs",
      { net: { ...NET, layers: [{ type: "localresponsenorm", size: 5 }, ...NET.layers] } },
      2,
      /bad-net\.json: layers\[0\] \(localresponsenorm\) must be one that can be trained; coppice\/run runs it$/,
    ],
    [
      "a network that no memory holds",
      {
        net: {
          layers: [
            { type: "linear", name: "fc", in: 36, out: 2 ** 28 },
            { type: "linear", name: "out", in: 2 ** 28, out: 4 },
          ],
        },
      },
      2,
      /bad-net\.json: layers\[0\] \(fc\) must leave the network at most 357913941 weights, all that 4 GiB hold to train, with it there are 9932111872$/,
    ],
    ["a network that is none", { net: { layers: 3 } }, 2, /bad-net\.json: spec must be an object with a list of layers/],
    [
      "images that do not meet the network",
      { net: { layers: [{ type: "linear", name: "fc", in: 784, out: 4 }] }, recipe: first({}) },
      2,
      /^--data must have images that meet the network's input of \[784\], these are \[1,6,6\]/,
    ],
    [
      "a label out of range",
      { net: layers({ out: 3 }) },
      2,
      /^train-labels-idx1-ubyte: the label of sample \d+ must be in \[0, 2\], as the network has 3 outputs, got 3/,
    ],
    [
      "a loss that is not finite",
      { recipe: first({ name: "hot", batchSize: 8, epochs: 9, learningRate: 1e38 }) },
      2,
      /bad-recipe\.json: stages\[0\], "hot", must keep the loss finite: the loss of training sample \d+ is/,
    ],
    [
      "a loss that is not finite on what is held out",
      { recipe: first({ batchSize: 200, learningRate: 1e38 }) },
      2,
      /bad-recipe\.json: stages\[0\], "train", must keep the loss finite: the loss of held-out sample \d+ is/,
    ],
    [
      "pixels that are not finite",
      { recipe: { ...RECIPE, data: { scale: 1e300 } } },
      2,
      /bad-recipe\.json: data\.scale, data\.mean and data\.std must make a finite float32 of every pixel/,
    ],
    [
      "a rule that matches nothing",
      { recipe: first({ type: "prune", rules: [{ match: "fc7.*", quality: 1 }] }) },
      2,
      /bad-recipe\.json: stages\[0\]\.rules\[0\]\.match must match a tensor of the network, fc7\.\* matches none/,
    ],
    ["a key that is amiss", { recipe: first({ epoch: 1 }) }, 2, /bad-recipe\.json: stages\[0\] has the unknown key "epoch"/],
    [
      "too many held out",
      { recipe: { ...RECIPE, data: { heldOut: 150 } } },
      2,
      /bad-recipe\.json: data\.heldOut must be below the 150 samples/,
    ],
    ["an empty folder", { data: folderOf({}) }, 2, /^--data must be a folder with train-images-idx3-ubyte or data_batch_1\.bin in it/],
    ["labels that are missing", { data: folderOf(images) }, 2, /^--data must have train-labels-idx1-ubyte beside train-images-idx3-ubyte/],
    [
      "a file that is cut",
      { data: folderOf({ ...images, "train-labels-idx1-ubyte": idx([2], new Uint8Array(1)) }) },
      3,
      /train-labels-idx1-ubyte: TRUNCATED at byte \d+: .*; get the file again/,
    ],
  ] as const)("says what is amiss: %s", async (title, bad, code, sentence) => {
    const change: { net?: string; data?: string; recipe?: string } = {};
    if ("net" in bad) change.net = json("bad-net.json", bad.net);
    if ("recipe" in bad) change.recipe = json("bad-recipe.json", bad.recipe);
    if ("data" in bad) {
      change.data = inFolder(title);
      mkdirSync(change.data);
      for (const [name, bytes] of Object.entries(bad.data)) writeFileSync(path.join(change.data, name), bytes as Uint8Array);
    }
    const output = inFolder("bad.coppice");
    expect(await fails(code, argumentsFor(output, change))).toMatch(sentence);
    expect(existsSync(output)).toBe(false);
    expect(existsSync(`${output}.checkpoint`)).toBe(false);
  });

  it("says what is not there", async () => {
    const output = inFolder("bad.coppice");
    expect(await fails(2, argumentsFor(output, { net: inFolder("no.json") }))).toBe(`${inFolder("no.json")}: there is no such network`);
    expect(await fails(2, argumentsFor(output, { recipe: inFolder("no.json") }))).toBe(`${inFolder("no.json")}: there is no such recipe`);
    expect(await fails(2, argumentsFor(output, { data: inFolder("no") }))).toBe(`${inFolder("no")}: there is no such folder`);
    expect(await fails(2, argumentsFor(output, { data: net }))).toBe(`${net} is a file; name the folder that it is in`);
    expect(await fails(2, argumentsFor("-"))).toContain("name them with -o and --report");
    expect(await fails(2, argumentsFor(output, {}, "--threads", "0"))).toBe("--threads must be in [1, 64], got 0");
    expect(await fails(2, argumentsFor(output, {}, "--checkpoint", net))).toBe(
      `--checkpoint must be a folder, ${net} is a file; name another`,
    );
    expect((await coppice(["train", "--net", net])).code).toBe(2);
  });
});
