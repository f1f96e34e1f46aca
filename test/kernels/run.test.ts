import { describe, expect, it } from "vitest";
import { newRunner } from "../../src/kernels/runner.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import * as reference from "../../src/reference/run.js";
import { CodedMatrix, DenseMatrix, type Matrix } from "../../src/run/matrix.js";
import { Random } from "../random.js";
import { activations, Expected, weightsOf } from "../run/expected.js";
import { linesOf } from "../run/helpers.js";
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

describe.each(VARIANTS)("kernels that run layers, %s", (variant) => {
  it("are the variant that they claim to be", () => expect(newRunner({ variant }).variant).toBe(variant));

  describe.each(MATRICES)("on %i x %i at density %d with %i centroids", (rows, columns, density, centroids) => {
    const random = new Random(rows + columns);
    const expected = new Expected(rows, columns, weightsOf(rows * columns, rows * columns, density, centroids));

    it.each([
      ["columns", "rows"],
      ["rows", "columns"],
    ] as const)("lay %s out, and turn them into %s, as written down", (order, other) => {
      for (const wanted of [order, other]) {
        const { pointers, indices, codes } = expected.lines(wanted);
        const laid = new CodedMatrix(newRunner({ variant }), linesOf(expected, order, variant), wanted).lines();
        const { arena } = laid.runner;
        expectSame(arena.u32(laid.pointers, pointers.length), pointers, wanted);
        expectSame(arena.u16(laid.indices, indices.length), indices, wanted);
        expectSame(arena.u8(laid.codes, codes.length), codes, wanted);
      }
    });

    it.each(["columns", "rows", "dense"] as const)("multiply a vector by %s as the reference does", (order) => {
      const runner = newRunner({ variant });
      const { arena } = runner;
      const matrix: Matrix =
        order === "dense" ? new DenseMatrix(runner, expected) : new CodedMatrix(runner, linesOf(expected, order, variant), order);
      const x = activations(random, columns);
      const before = random.weights(rows);
      const [xAt, yAt] = [arena.alloc(4 * columns), arena.alloc(4 * rows)];
      arena.f32(xAt, columns).set(x);
      arena.f32(yAt, rows).set(before);
      matrix.vector(xAt, yAt);
      expectSame(arena.f32(yAt, rows).slice(), expected.matvec(order, x, before));
      expect(matrix.survivors).toBe(expected.survivors);
    });

    it.each(["rows", "dense"] as const)("multiply lanes by %s as the reference does, wherever the lanes are", (order) => {
      for (const lanes of rows * columns > 10_000 ? FEW_LANES : LANES) {
        const runner = newRunner({ variant });
        const { arena } = runner;
        const matrix =
          order === "dense" ? new DenseMatrix(runner, expected) : new CodedMatrix(runner, linesOf(expected, order, variant), order);
        const bias = lanes % 2 === 0 ? random.weights(rows) : undefined;
        const relu = lanes % 3 === 0;
        const X = activations(random, columns * lanes, 0.8);
        const wanted =
          order === "dense"
            ? reference.matmulDense(expected.weights, rows, bias, X, lanes, relu)
            : reference.matmulRows(expected.lines("rows"), expected.codebook, bias, X, lanes, relu);
        const xAt = arena.alloc(4 * columns * lanes);
        const yAt = arena.alloc(4 * rows * lanes);
        const biasAt = arena.alloc(4 * rows);
        const offsets = arena.alloc(4 * columns);
        arena.f32(xAt, X.length).set(X);
        arena.f32(biasAt, rows).set(bias ?? []);
        const call = { x: xAt, count: lanes, y: yAt, yStride: 4 * lanes, bias: bias && biasAt, relu };
        arena.f32(yAt, rows * lanes).fill(5);
        matrix.lanes({ ...call, stride: 4 * lanes });
        expectSame(arena.f32(yAt, rows * lanes).slice(), wanted, `${lanes} lanes`);

        // The columns the other way round: only the offsets say where they are.
        arena.u32(offsets, columns).set(Uint32Array.from({ length: columns }, (_, j) => 4 * lanes * (columns - 1 - j)));
        for (let j = 0; j < columns; j++) arena.f32(xAt, X.length).set(X.subarray(j * lanes, (j + 1) * lanes), lanes * (columns - 1 - j));
        arena.f32(yAt, rows * lanes).fill(5);
        matrix.lanes({ ...call, offsets });
        expectSame(arena.f32(yAt, rows * lanes).slice(), wanted, `${lanes} lanes at offsets`);
      }
    });
  });
});
