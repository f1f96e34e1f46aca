import { afterAll, describe, expect, it } from "vitest";
import { Asking } from "../../bench/asking.js";
import { csrMultiply, csrMultiplyVector, csrRoom } from "../../bench/js/spmv.js";
import { compileNative } from "../../bench/node/native.js";
import { runChart } from "../../bench/run/chart.js";
import { agreed, documentOf, geometricMean, type LayerResult, withoutTimes } from "../../bench/run/document.js";
import { formHere, Loop, type Offer, type Step } from "../../bench/run/form.js";
import { BATCHES, csrOf, feedOf, LAYERS, layersFor, type RunLayer, subjectOf } from "../../bench/run/layers.js";
import { offers } from "../../bench/run/offers.js";
import { findPackage } from "../../bench/run/packages.js";
import { PAPER } from "../../bench/run/paper.js";
import { runMarkdown, runText } from "../../bench/run/report.js";
import { disagreement, exactOutputs, runLayer } from "../../bench/run/suite.js";
import { answeringRuns } from "../../bench/run/thread.js";
import type { RunThread } from "../../bench/run/threaded.js";
import { decode } from "../../src/index.js";
import { Random } from "../random.js";

// Neither side a multiple of a vector or a panel.
const SMALL: RunLayer = { name: "Alex-6", inputs: 203, outputs: 77, density: 0.2, activations: 0.3 };

const native = await compileNative();
afterAll(async () => {
  if (typeof native !== "string") await native.close();
});

/** A thread for those who take no times: this one. */
function threadHere(title: string): RunThread {
  const thread: RunThread = new Asking({ post: (question) => void answer(question), stop: () => undefined }, title);
  const answer = answeringRuns((message) => thread.hear(message));
  return thread;
}

describe("the layers", () => {
  it("are the nine of EIE, each with its times in every row of the paper", () => {
    expect(LAYERS.map(({ name, inputs, outputs }) => `${name} ${inputs} ${outputs}`)).toEqual([
      "Alex-6 9216 4096",
      "Alex-7 4096 4096",
      "Alex-8 4096 1000",
      "VGG-6 25088 4096",
      "VGG-7 4096 4096",
      "VGG-8 4096 1000",
      "NT-We 4096 600",
      "NT-Wd 600 8791",
      "NT-LSTM 1201 2400",
    ]);
    expect(PAPER).toHaveLength(4 * BATCHES.length);
    for (const { times } of PAPER) for (const { name } of LAYERS) expect(times[name]).toBeGreaterThan(0);
  });

  it("are found by parts of their names, in any case", () => {
    const found = (...filters: string[]): string[] => layersFor(filters).map(({ name }) => name);
    expect(found("alex-6", "LSTM")).toEqual(["Alex-6", "NT-LSTM"]);
    expect(found("vgg")).toEqual(["VGG-6", "VGG-7", "VGG-8"]);
    expect(found()).toHaveLength(9);
    expect(found("vgg-9")).toEqual([]);
  });

  it("have their density, 16 shared weights, and the same in all three ways", async () => {
    const { dense, csr, archive } = await subjectOf(SMALL);
    const kept = dense.filter((weight: number) => weight !== 0);
    expect(kept.length).toBe(Math.round(SMALL.density * dense.length));
    expect(new Set(kept).size).toBe(16);
    expect(csr.values).toEqual(kept);
    const back = new Float32Array(dense.length);
    for (let row = 0; row < SMALL.outputs; row++)
      for (let i = csr.starts[row]; i < csr.starts[row + 1]; i++) back[row * SMALL.inputs + csr.columns[i]] = csr.values[i];
    expect(back).toEqual(dense);
    const [tensor] = decode(archive);
    expect(tensor.shape).toEqual([SMALL.outputs, SMALL.inputs]);
    expect(new Float32Array(tensor.data.buffer, tensor.data.byteOffset, dense.length)).toEqual(dense);
  });

  it.each([1, 64])("get activations of their density in each of a batch of %i, none below zero", (batch) => {
    for (const activations of [0.3, 1]) {
      const { x, count } = feedOf({ ...SMALL, activations }, batch);
      expect(x).toHaveLength(count * batch * SMALL.inputs);
      for (let from = 0; from < x.length; from += SMALL.inputs) {
        const sample = x.subarray(from, from + SMALL.inputs);
        expect(sample.filter((value: number) => value > 0)).toHaveLength(Math.round(activations * SMALL.inputs));
        expect(sample.every((value: number) => value >= 0)).toBe(true);
      }
      expect(new Set(x).size).toBeGreaterThan(count * batch);
    }
  });
});

describe("plain JavaScript CSR", () => {
  it.each([1, 2, 7, 8, 9, 64])("multiplies %i samples, empty rows and short ones too", (n) => {
    const random = new Random(n);
    const [rows, inputs] = [29, 31];
    // Row 0 has no survivor, row 1 one, and so on.
    const dense = Float32Array.from({ length: rows * inputs }, (_, i) => (i % inputs < Math.floor(i / inputs) ? random.normal(1) : 0));
    const { starts, columns, values } = csrOf(dense, rows);
    const x = Float32Array.from({ length: n * inputs }, () => random.normal(1));
    const exact = exactOutputs({ starts, columns, values }, inputs, { x });
    const y = new Float32Array(n * rows).fill(7);
    csrMultiply(starts, columns, values, x, n, y, csrRoom(inputs));
    expect(disagreement(y, exact)).toBeUndefined();
    const vector = new Float32Array(rows);
    csrMultiplyVector(starts, columns, values, x.subarray(0, inputs), vector);
    expect(disagreement(vector, exact.subarray(0, rows))).toBeUndefined();
  });
});

describe("outputs", () => {
  const exact = Float64Array.of(100, -0.5, 0);

  it("agree within a ten-thousandth of the largest", () => {
    expect(disagreement(Float32Array.of(100.009, -0.509, 0.009), exact)).toBeUndefined();
    expect(disagreement(Float32Array.of(100, -0.5, 0.011), exact)).toMatch(/^its output 2 is 0\.01099\d*, not 0$/);
  });

  it("do not agree where one is no number, or missing", () => {
    expect(disagreement(Float32Array.of(100, Number.NaN, 0), exact)).toMatch(/its output 1 is NaN, not -0\.5/);
    expect(disagreement(Float32Array.of(100, -0.5), exact)).toBe("it gives 2 outputs, not 3");
  });
});

describe("a loop of runs", () => {
  it("takes the inputs in turn, one before it takes the time, and keeps what each gave", async () => {
    const seen: number[] = [];
    const loop = new Loop(1, (x, _, y) => {
      seen.push(x[0]);
      y[0] = 10 * x[0];
      return y;
    });
    loop.feed({ batch: 1, count: 3, x: Float32Array.of(1, 2, 3) });
    await loop.time(2);
    await loop.time(3);
    expect(seen).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect([...loop.outputs()]).toEqual([10, 20, 30]);
  });
});

/** Forms for a layer whose right answer is known to the first one. */
function formOffer(name: string, change: (y: Float32Array) => Float32Array): Offer {
  return {
    name,
    async open({ csr, layer: { inputs, outputs } }) {
      const step: Step = (x) => change(Float32Array.from(exactOutputs(csr, inputs, { x })));
      return formHere(name, outputs, step);
    },
  };
}

describe("the suite", () => {
  it("has every form that is there agree, on one sample and on 64", async () => {
    const { batches, leftOut } = await runLayer(await subjectOf(SMALL), offers(native, threadHere), { rounds: 1 });
    const onnx = (name: string, ...forms: string[]): string[] => (findPackage(name) ? forms : []);
    const wanted = [
      ...["WASM SIMD", "WASM scalar", "JS CSR"],
      ...(typeof native === "string" ? [] : ["C CSR"]),
      ...(leftOut.some(({ form }) => form === "SciPy CSR") ? [] : ["SciPy CSR"]),
      "WASM dense",
      ...onnx("onnxruntime-node", "ORT node", "ORT node x2"),
      ...onnx("onnxruntime-web", "ORT web"),
    ];
    // Its threads stand beside the bundle, which this is not.
    expect(leftOut).toContainEqual({ form: "WASM x2", reason: "its threads cannot be started here" });
    expect(batches.map(({ batch }) => batch)).toEqual([1, 64]);
    for (const { forms, refused } of batches) {
      expect(refused).toEqual([]);
      expect(forms.map(({ form }) => form)).toEqual(wanted);
      for (const { samples, minimum, median } of forms) {
        expect(samples).toHaveLength(1);
        expect(minimum).toBeGreaterThan(0);
        expect(median).toBe(minimum);
      }
    }
    for (const { reason } of leftOut) expect(reason).toMatch(/not installed|no scipy|compiler|threads/);
  }, 90_000);

  const forms = [
    formOffer("WASM SIMD", (y) => y),
    formOffer("wrong", (y) => y.fill(1, 3, 4)),
    { name: "away", open: async () => "it is on holiday" },
  ];

  it("refuses a form whose outputs differ, and times it no further", async () => {
    const result = await runLayer(await subjectOf(SMALL), forms, { rounds: 2 });
    for (const { forms, refused } of result.batches) {
      expect(forms.map(({ form }) => form)).toEqual(["WASM SIMD"]);
      expect(refused).toMatchObject([{ form: "wrong", reason: expect.stringMatching(/^its output 3 is 1, not /) }]);
    }
    expect(result.leftOut).toEqual([{ form: "away", reason: "it is on holiday" }]);
    const layer: LayerResult = { layer: SMALL, loaded, ...result };
    const document = documentOf(machine, {}, 2, [layer, layer]);
    expect(agreed(document)).toBe(false);
    expect(withoutTimes(document.layers).map(({ form }) => form)).toEqual(["away", "wrong", "wrong"]);
    expect(runText(document)).toMatch(/away is left out: it is on holiday\nwrong is left out: on Alex-6, batch 1, its output 3 is/);
  });

  it("stops when it is told to, and closes what it has opened", async () => {
    const stop = new AbortController();
    let closed = 0;
    const form: Offer = {
      name: "WASM SIMD",
      open: async (subject) => ({
        ...formHere("WASM SIMD", subject.layer.outputs, (_, __, y) => y),
        close: async () => void closed++,
      }),
    };
    const onProgress = (text: string): void => (text.includes("warms up") ? stop.abort(new Error("enough")) : undefined);
    await expect(runLayer(await subjectOf(SMALL), [form, form], { rounds: 1, signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(closed).toBe(2);
  });
});

const machine = { cpu: "one", cores: 2, system: "any", runtime: "node", native: "cc" };
const loaded = {
  archiveBytes: 4_700_000,
  byteLength: 13_000_000,
  batchByteLength: 14_000_000,
  survivors: 4_110_418,
  minimum: 41.2,
  median: 45.7,
};

/** All layers, forms as slow as they come to be. */
function everyLayer(times: Readonly<Record<string, number>>): LayerResult[] {
  return LAYERS.map((layer) => ({
    layer,
    loaded,
    leftOut: [],
    batches: BATCHES.map((batch) => ({
      batch,
      refused: [],
      forms: Object.entries(times).map(([form, time]) => ({ form, samples: [time], minimum: time, median: time })),
    })),
  }));
}

describe("the document", () => {
  it("has geometric means", () => {
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4, 12);
    expect(geometricMean([3])).toBeCloseTo(3, 12);
  });

  it("says how many times as fast ours is, and means of all layers or none", () => {
    const layers = everyLayer({ "WASM SIMD": 100, "C CSR": 200 });
    const slower = (layer: LayerResult, median: number): LayerResult => ({
      ...layer,
      batches: layer.batches.map((each) => ({
        ...each,
        forms: each.forms.map((form) => (form.form === "C CSR" ? { ...form, median } : form)),
      })),
    });
    // Eight times as slow on three of the six, and on one of the other three.
    const mixed = layers.map((layer, i) => (i < 3 || i === 8 ? slower(layer, 800) : layer));
    const { ratios } = documentOf(machine, {}, 1, mixed);
    for (const { forms } of ratios) {
      expect(forms).toHaveLength(1);
      expect(forms[0]).toMatchObject({ form: "C CSR", layers: { "Alex-6": 8, "VGG-6": 2, "NT-LSTM": 8 } });
      expect(forms[0].six).toBeCloseTo(4, 12);
      expect(forms[0].nine).toBeCloseTo((8 ** 4 * 2 ** 5) ** (1 / 9), 12);
    }
    const [eight] = documentOf(machine, {}, 1, mixed.slice(0, 8)).ratios;
    expect(eight.forms[0].nine).toBeUndefined();
    expect(eight.forms[0].six).toBeCloseTo(4, 12);
    expect(documentOf(machine, {}, 1, mixed.slice(1)).ratios[0].forms[0].six).toBeUndefined();
  });

  const names = ["WASM SIMD", "WASM x2", "WASM scalar", "JS CSR", "C CSR", "SciPy CSR", "WASM dense", "ORT node", "ORT node x2", "ORT web"];
  const slow = documentOf(machine, {}, 15, everyLayer(Object.fromEntries(names.map((name, i) => [name, i === 0 ? 823 : 31_456 + i]))));

  it("has tables that a terminal of 80 columns need not wrap", () => {
    const lines = runText(slow).split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => line.startsWith("ORT node x2 "))).toHaveLength(3 * BATCHES.length);
    expect(lines.filter((line) => line.startsWith("Titan X sparse "))).toHaveLength(BATCHES.length);
  });

  it("has the same tables in Markdown", () => {
    const markdown = runMarkdown(slow);
    expect(markdown).toMatch(
      /\*\*Batch 64, medians, us a sample\*\*\n\n\| form \| Alex-6 \|.*\n\| --- \| ---: \|.*\n\| WASM SIMD \| 823 \|/,
    );
    expect(markdown).toMatch(/\| C CSR \| 38\.2 \|.* 38\.2 \|\n/);
  });

  it("has a chart with a bar for every form and every row of the paper", () => {
    const svg = runChart(slow);
    expect(svg.match(/<rect /g)).toHaveLength(BATCHES.length * LAYERS.length * (names.length + 4));
    expect(svg).toMatch(/^<svg [^>]*width="1800"/);
    // Against 823 microseconds of our own.
    expect(svg).toContain(">135 us, a longer bar than fits<");
    expect(svg).toContain(">7,516 us<");
    expect(svg).toContain(">VGG-6, batch 64: 25088 to 4096, 4 % of weights<");
  });
});
