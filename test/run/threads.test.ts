import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { VARIANTS } from "../../src/kernels/variant.js";
import type { Layer, LayerOptions } from "../../src/run/index.js";
import { type Crafted, craftArchive, floats } from "../archive/craft.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { activations, Expected, weightsOf } from "./expected.js";
import { decodedFloats } from "./helpers.js";

/** The bundle, beside which its threads find what they run. */
let run: typeof import("../../src/run/index.js");

beforeAll(async () => {
  run = await import(pathToFileURL(path.join(inject("bundles"), "run.js")).href);
});

const [ROWS, COLUMNS] = [37, 90];
const bias = new Random(2).weights(ROWS);

const archiveOf = (rows: number, columns: number, crafted: Omit<Crafted, "name" | "dtype" | "shape" | "data">, weights: Float32Array) =>
  craftArchive([{ ...floats("w", [rows, columns], weights), ...crafted }]);

const SPARSE = { coding: "sparse", codebook: "listed", gapParameter: 20 } as const;

/** Layers with at most 256 values, of which most stand in few rows; with more; without a survivor; and with one row. */
const LAYERS: Readonly<Record<string, Uint8Array>> = {
  sparse: archiveOf(ROWS, COLUMNS, SPARSE, weightsOf(1, ROWS * COLUMNS, 0.2, 9)),
  uneven: archiveOf(
    ROWS,
    COLUMNS,
    SPARSE,
    weightsOf(2, ROWS * COLUMNS, 0.9, 9).map((weight, i) => (i < 5 * COLUMNS || i % 11 === 0 ? weight : 0)),
  ),
  dense: archiveOf(ROWS, COLUMNS, { coding: "raw" }, new Random(3).weights(ROWS * COLUMNS)),
  zeros: archiveOf(ROWS, COLUMNS, { coding: "zeros" }, new Float32Array(ROWS * COLUMNS)),
  "more than 65,536 columns": archiveOf(3, 65_540, { ...SPARSE, gapParameter: 255 }, weightsOf(4, 3 * 65_540, 0.02, 9)),
};

async function withLayer(archive: Uint8Array, options: LayerOptions, body: (layer: Layer) => void | Promise<void>): Promise<void> {
  const layer = await run.loadLayer(archive, "w", options);
  try {
    await body(layer);
  } finally {
    layer.dispose();
  }
}

describe.each(VARIANTS)("a layer on several threads, %s", (variant) => {
  it.each(Object.entries(LAYERS))("gives the same numbers on any of them, %s", async (_, archive) => {
    const weights = decodedFloats(archive, "w");
    const columns = weights.length > ROWS * COLUMNS ? 65_540 : COLUMNS;
    const rows = weights.length / columns;
    const expected = new Expected(rows, columns, weights);
    const random = new Random(6);
    const [x, X] = [activations(random, columns), activations(random, 19 * columns)];
    const biasHere = rows === ROWS ? bias : undefined;
    const kernels = expected.codebook.length > 256 ? (["dense"] as const) : (["columns", "rows"] as const);
    const [wanted, wantedY] = [
      new Map(kernels.map((kernel) => [kernel as string, expected.matvec(kernel, x, biasHere, true)])),
      expected.matmul(X, 19, biasHere, true),
    ];
    for (const threads of [1, 2, 3])
      for (const layout of ["auto", "columns", "rows", "both"] as const)
        await withLayer(archive, { threads, layout, variant, bias: biasHere ?? null, relu: true }, (layer) => {
          const title = `${threads} threads, ${layout}`;
          expect(layer.threads, title).toBe(Math.min(threads, rows));
          expect([layer.inputs, layer.outputs, layer.survivors], title).toEqual([columns, rows, expected.survivors]);
          const kernel = layer.layout === "dense" ? "dense" : layout === "rows" ? "rows" : "columns";
          for (let turn = 0; turn < 2; turn++) {
            const y = new Float32Array(rows).fill(5);
            layer.matvec(x, y);
            expectSame(y, wanted.get(kernel) ?? new Float32Array(0), title);
            const Y = new Float32Array(19 * rows).fill(5);
            layer.matmul(X, 19, Y);
            if (layout !== "columns" || kernel === "dense") expectSame(Y, wantedY, title);
          }
        });
  });
});

describe("the threads of a layer", () => {
  it("are no more than it has rows", async () => {
    const [x, y] = [activations(new Random(7), 65_540), new Float32Array(3)];
    await withLayer(LAYERS["more than 65,536 columns"], { threads: 50 }, (layer) => {
      expect(layer.threads).toBe(3);
      layer.matvec(x, y);
    });
    const weights = decodedFloats(LAYERS["more than 65,536 columns"], "w");
    expectSame(y, new Expected(3, 65_540, weights).matvec("columns", x));
  });

  const started: Worker[] = [];

  /** Tells of the threads that are started while `body` runs. */
  function watch(): void {
    class Watched extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        started.push(this);
      }
    }
    const real = process.getBuiltinModule;
    vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
      name === "node:worker_threads" ? { ...(real(name) as object), Worker: Watched } : real(name)) as typeof real);
  }

  const ended = (worker: Worker): Promise<unknown> => new Promise((resolve) => worker.once("exit", resolve));

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    started.length = 0;
  });

  it("end with it", async () => {
    watch();
    const layer = await run.loadLayer(LAYERS.sparse, "w", { threads: 3 });
    expect(started).toHaveLength(2);
    const ends = Promise.all(started.map(ended));
    layer.dispose();
    await ends;
    expect(() => layer.threads).toThrow(/disposed/);
  });

  it("leave an error, and no program that hangs, where one of them dies", async () => {
    watch();
    await withLayer(LAYERS.sparse, { threads: 2 }, async (layer) => {
      const end = ended(started[0]);
      await started[0].terminate();
      await end;
      expect(() => layer.matvec(new Float32Array(COLUMNS), new Float32Array(ROWS))).toThrow(/a thread of the layer has ended/);
      expect(() => layer.matmul(new Float32Array(COLUMNS), 1, new Float32Array(ROWS))).toThrow(/a thread of the layer has ended/);
    });
  });

  it("are one where none can be started", async () => {
    vi.spyOn(process, "getBuiltinModule").mockImplementation((() => undefined) as typeof process.getBuiltinModule);
    await withLayer(LAYERS.sparse, { threads: 2 }, ({ threads }) => expect(threads).toBe(1));
  });

  it("are one where memory cannot be shared, and in a page that is not isolated", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    await withLayer(LAYERS.sparse, { threads: 2 }, ({ threads }) => expect(threads).toBe(1));
    vi.unstubAllGlobals();
    vi.stubGlobal("Worker", class {});
    vi.stubGlobal("crossOriginIsolated", false);
    await withLayer(LAYERS.sparse, { threads: 2 }, ({ threads }) => expect(threads).toBe(1));
  });

  it("are counted in its memory", async () => {
    const sizes: number[] = [];
    for (const threads of [1, 2]) await withLayer(LAYERS.sparse, { threads }, ({ byteLength }) => void sizes.push(byteLength));
    expect(sizes[1]).toBeGreaterThan(sizes[0] + 4 * 16 * (ROWS + COLUMNS));
  });

  it("keep no program from its end that forgot to dispose of the layer", () => {
    const folder = inject("bundles");
    const file = path.join(folder, "forgets.coppice");
    writeFileSync(file, LAYERS.sparse);
    const script = `
      import { readFileSync } from "node:fs";
      const { loadLayer } = await import(${JSON.stringify(pathToFileURL(path.join(folder, "run.js")).href)});
      const layer = await loadLayer(new Uint8Array(readFileSync(${JSON.stringify(file)})), "w", { threads: 2 });
      layer.matvec(new Float32Array(layer.inputs), new Float32Array(layer.outputs));
      console.log(layer.threads);`;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", timeout: 30_000 });
    expect(out.trim()).toBe("2");
  });

  it.each([
    ["none", 0, RangeError],
    ["a half", 1.5, TypeError],
    ["a word", "two", TypeError],
    ["too many", 5000, RangeError],
  ])("are refused as %s", async (_, threads, error) => {
    const failure = await run.loadLayer(LAYERS.sparse, "w", { threads: threads as number }).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(error);
    expect((failure as Error).message).toMatch(/threads/);
  });
});
