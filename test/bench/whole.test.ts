import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Asking } from "../../bench/asking.js";
import { formHere } from "../../bench/run/form.js";
import { findPackage } from "../../bench/run/packages.js";
import { answeringRuns } from "../../bench/run/thread.js";
import type { RunThread } from "../../bench/run/threaded.js";
import { networksAgreed, type WholeDocument } from "../../bench/whole/bench.js";
import { type WholeOffer, wholeOffers } from "../../bench/whole/forms.js";
import { networksFor, WHOLE_NETWORKS, type WholeNetwork } from "../../bench/whole/networks.js";
import { networksChart, networksMarkdown, networksText } from "../../bench/whole/report.js";
import { IMAGES, type WholeSubject, wholeSubjectOf } from "../../bench/whole/subject.js";
import { runNetwork, type WholeResult } from "../../bench/whole/suite.js";
import { shapesOf } from "../../src/network/shapes.js";
import { loadNetwork } from "../../src/run/index.js";

/** Every kind of layer that the two have. */
const SMALL: WholeNetwork = {
  name: "Small",
  spec: {
    input: [3, 23, 23],
    layers: [
      { type: "conv2d", name: "conv1", in: 3, out: 8, kernel: 5, stride: 2 },
      { type: "relu" },
      { type: "localresponsenorm", size: 5 },
      { type: "maxpool2d", kernel: 3, stride: 2 },
      { type: "conv2d", name: "conv2", in: 8, out: 6, kernel: 3, padding: 1, groups: 2 },
      { type: "relu" },
      { type: "flatten" },
      { type: "dropout", rate: 0.5 },
      { type: "linear", name: "fc", in: 96, out: 10 },
    ],
  },
  layers: [
    { name: "conv1", shape: [8, 3, 5, 5], density: 0.8, bits: 4 },
    { name: "conv2", shape: [6, 4, 3, 3], density: 0.4, bits: 4 },
    { name: "fc", shape: [10, 96], density: 0.2, bits: 4 },
  ],
};

const folder = mkdtempSync(path.join(tmpdir(), "coppice-whole-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let subject: WholeSubject;
beforeAll(async () => {
  subject = await wholeSubjectOf(SMALL, folder);
});

/** A thread for those who take no times: this one. */
function threadHere(title: string): RunThread {
  const thread: RunThread = new Asking({ post: (question) => void answer(question), stop: () => undefined }, title);
  const answer = answeringRuns((message) => thread.hear(message));
  return thread;
}

describe("the networks", () => {
  it("meet from layer to layer, and have the weights that Deep Compression names", () => {
    for (const { spec, layers } of WHOLE_NETWORKS) {
      const shapes = shapesOf(spec);
      expect(shapes[shapes.length - 1]).toEqual([1000]);
      const named = spec.layers.flatMap((layer) => {
        if (layer.type === "linear") return [[layer.name, layer.out, layer.in]];
        return layer.type === "conv2d" ? [[layer.name, layer.out, layer.in / (layer.groups ?? 1), layer.kernel, layer.kernel]] : [];
      });
      expect(named).toEqual(layers.map(({ name, shape }) => [name, ...shape]));
    }
  });

  it("are found by parts of their names, in any case", () => {
    expect(networksFor(["vgg"]).map(({ name }) => name)).toEqual(["VGG-16"]);
    expect(networksFor([])).toHaveLength(2);
    expect(networksFor(["resnet"])).toEqual([]);
  });

  it("have their densities and shared weights in the archive", async () => {
    const { layers } = await loadNetwork(subject.archive, SMALL.spec);
    for (const { name, shape, density } of SMALL.layers) {
      const weights = shape.reduce((product, axis) => product * axis, 1);
      const found = layers.find((layer) => layer.name === name);
      expect(found).toMatchObject({ weights, survivors: Math.round(density * weights) });
      expect(found?.layout).not.toBe("dense");
    }
  });
});

/** A form that gives what the first of ours gives, changed. */
function formOffer(name: string, change: (y: Float32Array) => Float32Array): WholeOffer {
  return {
    name,
    async open({ archive, network }) {
      const loaded = await loadNetwork(archive, network.spec);
      return { ...formHere(name, loaded.outputs, (x, _, y) => change(loaded.run(x, y))), bytes: async () => 1 };
    },
  };
}

describe("the suite", () => {
  it("has every form that is there agree, and says what each takes", async () => {
    const { forms, leftOut, refused } = await runNetwork(subject, wholeOffers(threadHere), { rounds: 2 });
    expect(refused).toEqual([]);
    const onnx = ["node", "web"].filter((name) => findPackage(`onnxruntime-${name}`)).map((name) => `ORT ${name}`);
    expect(forms.map(({ form }) => form)).toEqual(["WASM SIMD", "WASM scalar", ...onnx]);
    expect(leftOut).toHaveLength(2 - onnx.length);
    for (const { form, samples, minimum, bytes } of forms) {
      expect(samples).toHaveLength(2);
      expect(minimum).toBeGreaterThan(0);
      if (form !== "ORT node") expect(bytes).toBeGreaterThanOrEqual(65536);
    }
  }, 60_000);

  it("refuses a form whose outputs differ, and names what is not there", async () => {
    const forms = [
      formOffer("WASM SIMD", (y) => y),
      formOffer("wrong", (y) => y.fill(1, 3, 4)),
      { name: "away", open: async () => "it is on holiday" },
    ];
    const result = await runNetwork(subject, forms, { rounds: 1 });
    expect(result.forms.map(({ form }) => form)).toEqual(["WASM SIMD"]);
    expect(result.refused).toMatchObject([{ form: "wrong", reason: expect.stringMatching(/^its output 3 is 1, not /) }]);
    expect(result.leftOut).toEqual([{ form: "away", reason: "it is on holiday" }]);
    const document = documentOf(result);
    expect(networksAgreed(document)).toBe(false);
    expect(networksText(document)).toMatch(/away is left out: it is on holiday\nwrong is left out: on Small, its output 3 is/);
  });

  it("stops when it is told to, and closes what it has opened", async () => {
    const stop = new AbortController();
    let closed = 0;
    const form: WholeOffer = {
      name: "WASM SIMD",
      open: async () => ({ ...formHere("WASM SIMD", 10, (_, __, y) => y), bytes: async () => 0, close: async () => void closed++ }),
    };
    const onProgress = (text: string): void => (text.includes("warms up") ? stop.abort(new Error("enough")) : undefined);
    await expect(runNetwork(subject, [form, form], { rounds: 1, signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(closed).toBe(2);
    expect(subject.images).toHaveLength(IMAGES * 3 * 23 * 23);
  });
});

function documentOf(...networks: readonly WholeResult[]): WholeDocument {
  const machine = { cpu: "one", cores: 2, system: "any", runtime: "node", native: "cc" };
  return { machine, peers: { "onnxruntime-web": "1.30.0" }, rounds: 3, networks };
}

describe("the document", () => {
  const times = (form: string, median: number) => ({ form, median, minimum: median - 1, samples: [median], bytes: 1.2e9, load: 12_345 });
  const network = (name: string): WholeResult => ({
    ...{ name, archiveBytes: 7_843_122, denseBytes: 243_860_896, leftOut: [], refused: [] },
    forms: [times("WASM SIMD", 600), times("WASM scalar", 2400), times("ORT web", 1500)],
  });
  const document = documentOf(network("AlexNet"), network("VGG-16"));

  it("has tables that a terminal of 80 columns need not wrap", () => {
    const lines = networksText(document).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => /^ORT web +1,499 +1,500 +2\.50 +1,200 +12,345$/.test(line))).toHaveLength(2);
  });

  it("has the same tables in Markdown, and a chart with a bar for every form", () => {
    expect(networksMarkdown(document)).toMatch(
      /\*\*AlexNet: 244 MB dense, 7\.84 MB as an archive\*\*\n\n\| form \| ms \| median \| of WASM SIMD \|/,
    );
    const svg = networksChart(document);
    expect(svg.match(/<rect /g)).toHaveLength(6);
    expect(svg).toContain(">1,500 ms, 1,200 MB<");
  });
});
