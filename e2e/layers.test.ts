import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { Expected, floatsOf } from "../test/run/expected.ts";
import { TENSORS, writeGoldens } from "./goldens.ts";
import type { LayersFound, RunFound } from "./inside/layers.ts";
import { BATCH, numbers } from "./inside/numbers.ts";
import { ROOT } from "./paths.ts";
import { isolated } from "./runtimes/chromium.ts";
import { RUNTIMES } from "./runtimes/index.ts";

const project = inject("project");
const goldens = path.join(project, "goldens.mjs");

/** Where layers have as many threads as they ask for; elsewhere one. */
const THREADED = /^(Node|Deno|Bun|isolated)/;

const hashOf = (values: Float32Array): string => createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex");

/** What the reference gives where `found` was found. */
async function wanted({ archive, tensor, layout }: RunFound): Promise<RunFound> {
  const { decode } = (await import(path.join(ROOT, "dist/reference.js"))) as typeof import("../src/reference/index.ts");
  const decoded = decode(new Uint8Array(readFileSync(path.join(ROOT, "test/golden", archive)))).find(({ name }) => name === tensor);
  if (decoded === undefined) throw new Error(`${archive} has no ${tensor}`);
  const [rows, ...rest] = decoded.shape;
  const columns = rest.reduce((product, length) => product * length, 1);
  const expected = new Expected(rows, columns, floatsOf(decoded));
  const way = expected.codebook.length > 256 ? "dense" : layout;
  const X = numbers(BATCH * columns);
  const y = expected.matvec(way, numbers(columns));
  return {
    archive,
    tensor,
    layout,
    kernel: way,
    matvec: hashOf(y),
    matmul: hashOf(way === "columns" ? byVectors(expected, X) : expected.matmul(X, BATCH)),
  };
}

/** A batch one vector after the other, by columns. Not by way of numbers: a NaN's bits stay as they are. */
function byVectors(expected: Expected, X: Float32Array): Float32Array {
  const Y = new Float32Array(BATCH * expected.rows);
  for (let i = 0; i < BATCH; i++)
    Y.set(expected.matvec("columns", X.subarray(i * expected.columns, (i + 1) * expected.columns)), i * expected.rows);
  return Y;
}

describe("layers of the golden archives", () => {
  beforeAll(() => writeGoldens(goldens));

  it.for([...RUNTIMES, ...isolated])(
    "give what the reference gives in $name, on one thread and on two",
    async ({ name, start, says }, { annotate }) => {
      const running = await start({ project, entry: "inside/layers.ts", files: { goldens }, modules: 3 });
      try {
        const about = await running.call("about");
        expect(about).toMatch(says);
        for (const threads of [1, 2]) {
          const found = (await running.call("layers", threads)) as LayersFound;
          expect(found.layers.length).toBeGreaterThan(20);
          expect(new Set(found.layers.map(({ kernel }) => kernel))).toEqual(new Set(["columns", "rows", "dense"]));
          expect(new Set(found.layers.map(({ archive }) => archive)).size).toBeLessThan(Object.keys(TENSORS).length);
          for (const each of found.layers) expect(each, `${each.archive}, ${each.tensor}, ${each.layout}`).toEqual(await wanted(each));
          expect(found.threads).toEqual([THREADED.test(name) ? threads : 1]);
          await annotate(`${about}: ${found.layers.length} layers on ${found.threads} threads`);
        }
      } finally {
        await running.close();
      }
    },
  );
});
