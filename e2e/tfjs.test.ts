import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { dataFile } from "../test/data.ts";
import { writeGraphModel } from "./graph-model.ts";
import type { Served } from "./inside/tfjs.ts";
import { ROOT } from "./paths.ts";
import { RUNTIMES } from "./runtimes/index.ts";
import type { Running } from "./runtimes/runtime.ts";
import { serveFolder } from "./serve.ts";

const run = promisify(execFile);
const project = inject("project");
const doodlenet = dataFile("doodlenet-tfjs/model.json");
const mtcnn = dataFile("faceapi-mtcnn-tfjs/mtcnn_model-weights_manifest.json");

let folder: string;
let server: Awaited<ReturnType<typeof serveFolder>>;

async function compressed(model: string, ...args: readonly string[]): Promise<void> {
  await run("node", [path.join(ROOT, "dist/cli.js"), "compress", model, ...args, "-o", `${model}.coppice`]);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "coppice-tfjs-"));
  await mkdir(path.join(folder, "graph"));
  await compressed(await writeGraphModel(path.join(folder, "graph")), "--preset", "exact");
  for (const [name, file] of Object.entries({ doodlenet, mtcnn })) {
    if (!file) continue;
    await cp(path.dirname(file), path.join(folder, name), { recursive: true, mode: 0 });
    await run("chmod", ["-R", "u+w", path.join(folder, name)]);
    await compressed(path.join(folder, name, path.basename(file)), "--preset", "exact");
  }
  server = await serveFolder(folder);
});

afterAll(async () => {
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A model of the folder, by its first file. */
const served = (first: string): Served => ({ original: `${server.address}/${first}`, archive: `${server.address}/${first}.coppice` });

const SOURCES = ["original", "address", "URL", "response", "stream", "bytes", "archive"];

/** What comes of the original must come of its archive, whatever it is loaded from. */
function expectSameAnswers(answers: unknown): void {
  expect(Object.keys(answers as object)).toEqual(SOURCES);
  expect(new Set(Object.values(answers as Record<string, string>)).size, JSON.stringify(answers)).toBe(1);
}

describe.each(RUNTIMES.filter(({ name }) => ["Node 20", "Node 24", "Chromium page"].includes(name)))("TF.js in $name", ({ start }) => {
  let running: Running;

  beforeAll(async () => {
    running = await start({ project, entry: "inside/tfjs.ts" });
  });

  afterAll(() => running?.close());

  it("answers with doodlenet out of its archive as with its files", async ({ skip }) => {
    if (!doodlenet) return skip("no data");
    expectSameAnswers(await running.call("layers", served("doodlenet/model.json")));
  });

  it("answers with a graph model of two shards, one weight quantised, as with its files; also where the weights are streamed", async () => {
    const whole = await running.call("graph", served("graph/model.json"));
    expectSameAnswers(whole);
    expect(await running.call("streamed", served("graph/model.json"))).toEqual(whole);
  });

  it("has the weights of a manifest alone", async ({ skip }) => {
    if (!mtcnn) return skip("no data");
    const [files, archive] = (await running.call("weights", served(`mtcnn/${path.basename(mtcnn)}`))) as Record<string, string>[];
    expect(Object.keys(files).length).toBeGreaterThan(30);
    expect(archive).toEqual(files);
  });
});
