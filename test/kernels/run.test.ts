import { describe, expect, it } from "vitest";
import { newRunner, type Runner } from "../../src/kernels/runner.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import * as reference from "../../src/reference/run.js";
import { layOut } from "../../src/run/lay-out.js";
import { type Lines, type Order, viewsOf } from "../../src/run/lines.js";
import { DenseMatrix, type Matrix, SparseMatrix } from "../../src/run/matrix.js";
import { Random } from "../random.js";
import { activations, Expected, weightsOf } from "../run/expected.js";
import { rowLinesOf } from "../run/helpers.js";
import { expectSame } from "./all.js";

/** Rows, columns, density and centroids: around vectors of four, lines of 65,536, and columns too short for a table of products. */
const MATRICES: readonly (readonly [rows: number, columns: number, density: number, centroids: number])[] = [
  [1, 1, 1, 1],
  [3, 5, 0, 1],
  [4, 4, 1, 16],
  [7, 9, 0.5, 3],
  [33, 17, 0.3, 16],
  [130, 61, 0.2, 256],
  [9, 300, 0.1, 32],
  [2, 65536, 0.01, 16],
  [3, 65537, 0.01, 16],
  [3, 131080, 0.005, 16],
  [65539, 2, 0.01, 4],
];

const LANES = [1, 2, 3, 4, 5, 8, 12, 15, 16, 31, 32, 33, 63, 64, 100];
const FEW_LANES = [1, 6, 33];

const FORMS = ["columns", "rows", "columns in float32", "rows in float32", "dense"] as const;
type Form = (typeof FORMS)[number];

describe.each(VARIANTS)("kernels that run layers, %s", (variant) => {
  it("are the variant that they claim to be", () => expect(newRunner({ variant }).variant).toBe(variant));

  describe.each(MATRICES)("on %i x %i at density %d with %i centroids", (rows, columns, density, centroids) => {
    const random = new Random(rows + columns);
    const expected = new Expected(rows, columns, weightsOf(rows * columns, rows * columns, density, centroids));

    const weighted = (order: Order, floats: boolean): Lines => layOut(newRunner({ variant }), rowLinesOf(expected, variant, floats), order);

    function matrixOf(runner: Runner, form: Form): Matrix {
      if (form === "dense") return new DenseMatrix(runner, { rows, columns, dense: expected.weights });
      const [order, floats] = form.split(" ") as [Order, string?];
      return new SparseMatrix(runner, rowLinesOf(expected, variant, floats !== undefined), order);
    }

    it.each([false, true])("turn rows into columns as written down, and back again, weights in float32: %s", (floats) => {
      const laid = weighted("columns", floats);
      const lines = expected.lines("columns");
      const weights = Float32Array.from(lines.codes, (code) => expected.codebook[code]);
      const wanted = reference.columnBytes(lines, undefined, floats ? weights : undefined);
      const { pointers, parts } = viewsOf(laid);
      expectSame(pointers, wanted.pointers, "pointers of columns");
      expectSame(parts[0], wanted.entries, "entries");

      const rowLines = expected.lines("rows");
      const back = viewsOf(layOut(newRunner({ variant }), laid, "rows"));
      expectSame(back.pointers, rowLines.pointers, "pointers of rows");
      expectSame(new Uint16Array(back.parts[0].slice().buffer), rowLines.indices, "indices");
      if (floats)
        expectSame(
          new Float32Array(back.parts[1].slice().buffer),
          Float32Array.from(rowLines.codes, (code) => expected.codebook[code]),
        );
      else expectSame(back.parts[1], Uint8Array.from(rowLines.codes), "codes");
    });

    it("group the entries of columns as written down, and turn groups into rows", () => {
      const laid = weighted("columns", false);
      if (laid.order !== "columns") throw new Error("columns were asked for");
      const { arena, exports } = laid.runner;
      const centroids = Math.max(1, expected.codebook.length);
      const lines = expected.lines("columns");
      const wanted = reference.columnBytes(lines, centroids);
      const byteLength = arena.scope(() =>
        exports.groupLines(laid.pointers, laid.entries, lines.pointers.length - 1, centroids, arena.alloc(3 * 65536 + 16)),
      );
      const { pointers, parts } = viewsOf({ ...laid, byteLength });
      expectSame(pointers, wanted.pointers, "pointers");
      expectSame(parts[0], wanted.entries, "entries");
      expectSame(viewsOf(layOut(newRunner({ variant }), laid, "rows")).parts[1], Uint8Array.from(expected.lines("rows").codes), "codes");
    });

    it.each(FORMS)("multiply a vector by %s as the reference does", (form) => {
      const runner = newRunner({ variant });
      const { arena } = runner;
      const matrix = matrixOf(runner, form);
      // Columns are grouped on the way.
      for (const density of [...new Array<number>(20).fill(0.4), 1]) {
        const x = activations(random, columns, density);
        const before = random.weights(rows);
        arena.scope(() => {
          const [xAt, yAt] = [arena.alloc(4 * columns), arena.alloc(4 * rows)];
          arena.f32(xAt, columns).set(x);
          arena.f32(yAt, rows).set(before);
          matrix.vector(xAt, yAt);
          expectSame(arena.f32(yAt, rows).slice(), expected.matvec(form.split(" ")[0] as Order | "dense", x, before));
        });
      }
      expect(matrix.survivors).toBe(expected.survivors);
    });

    it.each(["rows", "rows in float32", "dense"] as const)("multiply lanes by %s as the reference does", (form) => {
      for (const lanes of rows * columns > 10_000 ? FEW_LANES : LANES) {
        const runner = newRunner({ variant });
        const { arena } = runner;
        const matrix = matrixOf(runner, form);
        const bias = lanes % 2 === 0 ? random.weights(rows) : undefined;
        const relu = lanes % 3 === 0;
        const X = activations(random, columns * lanes, 0.8);
        const wanted =
          form === "dense"
            ? reference.matmulDense(expected.weights, rows, bias, X, lanes, relu)
            : reference.matmulRows(expected.lines("rows"), expected.codebook, bias, X, lanes, relu);
        const xAt = arena.alloc(4 * columns * lanes);
        const yAt = arena.alloc(4 * rows * lanes);
        const biasAt = arena.alloc(4 * rows);
        arena.f32(xAt, X.length).set(X);
        arena.f32(biasAt, rows).set(bias ?? []);
        const call = { x: xAt, count: lanes, y: yAt, yStride: 4 * lanes, bias: bias && biasAt, relu };
        arena.f32(yAt, rows * lanes).fill(5);
        matrix.lanes({ ...call, stride: 4 * lanes });
        expectSame(arena.f32(yAt, rows * lanes).slice(), wanted, `${lanes} lanes`);
      }
    });
  });
});
