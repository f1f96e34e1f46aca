import { describe, expect, it } from "vitest";
import { arraySamples, type EvaluateOptions, evaluate, randomSamples } from "../../src/eval/index.js";
import type { Tensor } from "../../src/types.js";
import { f32, linear, modelOf, numbers, value } from "./models.js";

/** Rows of three classes. */
const rows = (...values: readonly number[][]): EvaluateOptions => ({
  samples: arraySamples([f32("x", [values.length, 3], values.flat())]),
});

const ROWS = rows([1, 2, 3], [3, 2, 1], [1, 3, 2], [0, 0, 0]);

describe("evaluate", () => {
  it("finds a model and itself identical", async () => {
    const { ok, samples, outputs, accuracy } = await evaluate(linear(), linear(), ROWS);
    expect({ ok, samples, accuracy }).toEqual({ ok: true, samples: 4, accuracy: undefined });
    expect(outputs).toEqual([
      { name: "y", dtype: "F32", elements: 12, identical: true, maxAbs: 0, meanAbs: 0, cosine: 1, top1: { samples: 4, agreed: 4 } },
    ]);
  });

  it("measures how far two are apart, whatever the size of a run", async () => {
    for (const batch of [1, 3, 100]) {
      const { outputs } = await evaluate(linear(), linear(-1, 0.5), { ...rows([1, 2, 3], [3, 0, -1]), batch });
      const [a, b] = [
        [1, 2, 3, 3, 0, -1],
        [-0.5, -1.5, -2.5, -2.5, 0.5, 1.5],
      ];
      const dot = (x: number[], y: number[]): number => x.reduce((sum, one, i) => sum + one * y[i], 0);
      expect(outputs[0]).toMatchObject({ elements: 6, identical: false, maxAbs: 5.5, top1: { samples: 2, agreed: 0 } });
      expect(outputs[0].meanAbs).toBeCloseTo((1.5 + 3.5 + 5.5 + 5.5 + 0.5 + 2.5) / 6, 12);
      expect(outputs[0].cosine).toBeCloseTo(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 12);
    }
  });

  it("counts what both are right on, by labels", async () => {
    const swapped = modelOf(linear(), (x) => [
      f32(
        "y",
        x.shape,
        numbers(x).map((one, i, all) => (i < 3 ? all[2 - i] : one)),
      ),
    ]);
    const { accuracy, outputs } = await evaluate(linear(), swapped, { ...ROWS, labels: Uint8Array.of(2, 0, 0, 0) });
    expect(accuracy).toEqual({ output: "y", samples: 4, before: 3, after: 2 });
    expect(outputs[0].top1).toEqual({ samples: 4, agreed: 3 });
  });

  it("keeps labels with their samples where these go in a few at a time, or not all", async () => {
    const labels = Uint8Array.of(2, 0, 1, 2);
    expect((await evaluate(linear(), linear(), { ...ROWS, labels, batch: 3 })).accuracy).toMatchObject({ samples: 4, before: 3 });
    expect((await evaluate(linear(), linear(), { ...ROWS, labels, limit: 2 })).accuracy).toMatchObject({ samples: 2, before: 2 });
  });

  it("is not ok where more differs than may", async () => {
    const off = linear(1, 0.25);
    expect((await evaluate(linear(), off, { ...ROWS, tolerance: 0.25 })).ok).toBe(true);
    expect((await evaluate(linear(), off, { ...ROWS, tolerance: 0.24 })).ok).toBe(false);
    const labels = Uint8Array.of(2, 0, 1, 0);
    const wrong = linear(-1);
    expect((await evaluate(linear(), wrong, { ...ROWS, labels, maxAccuracyDrop: 75 })).ok).toBe(true);
    expect((await evaluate(linear(), wrong, { ...ROWS, labels, maxAccuracyDrop: 74.9 })).ok).toBe(false);
    expect((await evaluate(wrong, linear(), { ...ROWS, labels, maxAccuracyDrop: 0 })).ok, "better is no drop").toBe(true);
  });

  it("takes NaN against a number, and another shape, for a difference without bounds", async () => {
    const nan = modelOf(linear(), (x) => [
      f32(
        "y",
        x.shape,
        numbers(x).map((one) => (one === 3 ? Number.NaN : one)),
      ),
    ]);
    const { outputs, ok } = await evaluate(linear(), nan, { ...ROWS, tolerance: 1e30 });
    expect(ok).toBe(false);
    expect(outputs[0].maxAbs).toBe(Infinity);
    expect((await evaluate(nan, nan, ROWS)).outputs[0]).toMatchObject({ identical: true, maxAbs: 0, cosine: 1 });
    const short = modelOf(linear(), () => [f32("y", [1, 3], [0, 0, 0])]);
    const differing = (await evaluate(linear(), short, ROWS)).outputs[0];
    expect(differing).toMatchObject({ identical: false, maxAbs: Infinity });
    expect(differing.top1).toBeUndefined();
  });

  it("tells the same infinity and a changed sign of zero from a difference", async () => {
    const endless = modelOf(linear(), (x) => [
      f32(
        "y",
        x.shape,
        numbers(x).map(() => Infinity),
      ),
    ]);
    expect((await evaluate(endless, endless, ROWS)).outputs[0]).toMatchObject({ identical: true, maxAbs: 0 });
    expect((await evaluate(linear(0), linear(-0, -0), rows([1, 2, 3]))).outputs[0]).toMatchObject({
      identical: false,
      maxAbs: 0,
      cosine: 1,
    });
  });
});

describe("what is measured where numbers are missing", () => {
  const answering = (...answer: number[]) => modelOf(linear(), (x) => [f32("y", x.shape, answer)]);
  const one = async (before: number[], after: number[]) =>
    (await evaluate(answering(...before), answering(...after), rows([1, 2, 3]))).outputs[0];

  it("the cosine leaves out elements that are infinite or NaN", async () => {
    expect(await one([-Infinity, 3, 4], [-Infinity, 4, 3])).toMatchObject({ maxAbs: 1, cosine: 24 / 25 });
    expect(await one([Number.NaN, 3, 4], [Number.NaN, 4, 3])).toMatchObject({ maxAbs: 1, cosine: 24 / 25 });
    expect(await one([1, 3, 4], [Infinity, 4, 3])).toMatchObject({ maxAbs: Infinity, meanAbs: Infinity, cosine: 24 / 25 });
    expect((await one([Infinity, Infinity, Infinity], [Infinity, -Infinity, Infinity])).cosine).toBeNaN();
    expect((await one([0, 0, 0], [1, 0, 0])).cosine).toBeNaN();
  });

  it("nothing is said of the mean and the angle where shapes differ", async () => {
    const short = modelOf(linear(), () => [f32("y", [1, 3], [0, 0, 0])]);
    const [output] = (await evaluate(linear(), short, ROWS)).outputs;
    expect(output).toMatchObject({ maxAbs: Infinity, meanAbs: Number.NaN, cosine: Number.NaN });
  });

  it("answers without an element are no comparison", async () => {
    const empty = modelOf(linear(), () => [f32("y", [0, 3], [])]);
    await expect(evaluate(empty, empty, { ...ROWS, tolerance: 0 })).rejects.toThrow(/no output has an element to compare/);
    expect((await evaluate(empty, linear(), { ...ROWS, tolerance: 0 })).ok).toBe(false);
  });
});

describe("rows of classes", () => {
  const shaped = (...behind: number[]) =>
    modelOf(linear(), (x) => [{ ...f32("y", [...x.shape, ...behind], new Array(4 * 3 * behind.reduce((a, b) => a * b, 1)).fill(1)) }]);

  it("may have axes of 1 behind them", async () => {
    const { outputs, accuracy } = await evaluate(shaped(1, 1), shaped(1, 1), { ...ROWS, labels: [0, 0, 1, 2] });
    expect(outputs[0].top1).toEqual({ samples: 4, agreed: 4 });
    expect(accuracy).toMatchObject({ before: 2, after: 2 });
    expect((await evaluate(shaped(2, 1), shaped(2, 1), ROWS)).outputs[0].top1).toBeUndefined();
  });

  it("may be more than a byte counts", async () => {
    const wide = linear(1, 0, 400);
    const row = Array.from({ length: 400 }, (_, i) => (i === 300 ? 1 : 0));
    const samples = arraySamples([f32("x", [1, 400], row)]);
    for (const labels of [[300], Int32Array.of(300)])
      expect((await evaluate(wide, wide, { samples, labels })).accuracy).toMatchObject({ samples: 1, before: 1, after: 1 });
  });
});

describe("shapes", () => {
  const run = (shapes: Record<string, number[]>, more: Partial<EvaluateOptions> = {}) =>
    evaluate(linear(), linear(), { samples: randomSamples(1), shapes, ...more });

  it("are those of random inputs", async () => {
    expect((await run({ x: [5, 3] })).outputs[0].elements).toBe(15);
  });

  it("must name an input, in integers of 1 or more", async () => {
    await expect(run({ image: [1, 3] })).rejects.toThrow(/shapes must name inputs of the model, "x" F32 \[n, 3\]; got "image"/);
    for (const axis of [0, -1, 1.5, Number.NaN])
      await expect(run({ x: [axis, 3] })).rejects.toThrow(`shapes must have integers of 1 or more, ${axis} is given for "x"`);
  });

  it("are refused of an input that the samples bring, unless they are its own", async () => {
    await expect(run({ x: [1, 3] }, ROWS)).rejects.toThrow(
      /shapes must be those of random inputs or of a state; "x" is given, with \[4, 3\]/,
    );
    expect((await run({ x: [4, 3] }, ROWS)).ok).toBe(true);
  });
});

describe("progress", () => {
  it("counts the samples of each run", async () => {
    const said: [number, number][] = [];
    await evaluate(linear(), linear(), { ...ROWS, batch: 2, limit: 3, onProgress: (...at) => said.push(at) });
    expect(said).toEqual([
      [2, 3],
      [3, 3],
    ]);
  });
});

describe("a state", () => {
  const signature = {
    inputs: [value("x", ["batch"]), value("sum", [2, "batch"])],
    outputs: [value("y", ["batch"]), value("sumN", [2, "batch"])],
  };
  /** Adds to what it was given before, the second row `factor` as much. */
  const summing = (factor: number) =>
    modelOf(signature, (x: Tensor, sum: Tensor) => {
      const [a, b] = numbers(sum);
      const [one] = numbers(x);
      return [f32("y", [1], [a + one]), f32("sumN", [2, 1], [a + one, b + factor * one])];
    });
  const samples = arraySamples([f32("x", [3, 1], [1, 10, 100])]);

  it("begins with zeros, and is each model's own", async () => {
    const [before, after] = [summing(1), summing(2)];
    const { outputs } = await evaluate(before, after, { samples, state: { sumN: "sum" } });
    expect(before.given.map(([, sum]) => numbers(sum))).toEqual([
      [0, 0],
      [1, 1],
      [11, 11],
    ]);
    expect(after.given.map(([, sum]) => numbers(sum))).toEqual([
      [0, 0],
      [1, 2],
      [11, 22],
    ]);
    expect(before.given[0][1]).toMatchObject({ name: "sum", shape: [2, 1] });
    expect(outputs.map(({ maxAbs }) => maxAbs)).toEqual([0, 111]);
  });

  it("begins with its array where there is one", async () => {
    const model = summing(1);
    const withStart = arraySamples([f32("x", [2, 1], [1, 2]), f32("sum", [2, 1], [5, 7])]);
    await evaluate(model, summing(1), { samples: withStart, state: { sumN: "sum" } });
    expect(model.given.map(([, sum]) => numbers(sum))).toEqual([
      [5, 7],
      [6, 8],
    ]);
  });

  it("must name an output and an input", async () => {
    await expect(evaluate(summing(1), summing(1), { samples, state: { sum: "sum" } })).rejects.toThrow(
      /state must name outputs of the model, "y".*got "sum"/,
    );
    await expect(evaluate(summing(1), summing(1), { samples, state: { sumN: "y" } })).rejects.toThrow(
      /state must feed inputs of the model, "x".*got "y"/,
    );
    await expect(evaluate(summing(1), summing(1), { samples, state: { sumN: "sum", y: "sum" } })).rejects.toThrow(/each input once/);
  });
});

describe("what does not go together is refused:", () => {
  it("models with other inputs or outputs", async () => {
    await expect(evaluate(linear(), linear(1, 0, 4), ROWS)).rejects.toThrow(
      'the models must have the same inputs: the first has "x" F32 [n, 3], the second "x" F32 [n, 4]',
    );
  });

  it("labels that are not as many as the samples, no class, or without an output of classes", async () => {
    await expect(evaluate(linear(), linear(), { ...ROWS, labels: new Uint8Array(3) })).rejects.toThrow(
      /labels must be as many as the samples: there are 3 for 4/,
    );
    await expect(evaluate(linear(), linear(), { ...ROWS, labels: Uint8Array.of(0, 1, 3, 0) })).rejects.toThrow(
      /labels must be integers from 0 to 2, the classes of "y", got 3 for sample 2/,
    );
    for (const wrong of [-1, 0.5])
      await expect(evaluate(linear(), linear(), { ...ROWS, labels: [0, 1, wrong, 0] })).rejects.toThrow(`got ${wrong} for sample 2`);
    await expect(evaluate(linear(), linear(), { ...ROWS, labels: 7 as unknown as number[] })).rejects.toThrow(TypeError);
    const flat = modelOf({ inputs: linear().inputs, outputs: [value("y", ["n"])] }, (x) => [
      f32("y", [x.shape[0]], new Array(x.shape[0]).fill(0)),
    ]);
    await expect(evaluate(flat, flat, { ...ROWS, labels: new Uint8Array(4) })).rejects.toThrow(
      /labels must have an output of \[samples, classes\]/,
    );
  });

  it("bounds that are none", async () => {
    await expect(evaluate(linear(), linear(), { ...ROWS, tolerance: -1 })).rejects.toThrow(/tolerance must be in/);
    await expect(evaluate(linear(), linear(), { ...ROWS, maxAccuracyDrop: 1 })).rejects.toThrow(/maxAccuracyDrop must come with labels/);
    await expect(evaluate(linear(), linear(), { ...ROWS, limit: 0 })).rejects.toThrow(/limit must be in/);
    await expect(evaluate(linear(), linear(), { ...ROWS, batch: 0.5 })).rejects.toThrow(/batch must be an integer/);
  });

  it("no samples at all", async () => {
    await expect(evaluate(linear(), linear(), rows())).rejects.toThrow(/samples must be one at least/);
  });

  it("work that was stopped", async () => {
    await expect(evaluate(linear(), linear(), { ...ROWS, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
