import { describe, expect, it } from "vitest";
import type { MatrixProduct, NnKernels } from "../../src/kernel-types.js";
import { loadEngine } from "../../src/kernels/engine.js";
import { nnKernels } from "../../src/kernels/nn.js";
import { VARIANTS } from "../../src/kernels/variant.js";
import { referenceNnKernels as reference } from "../../src/reference/index.js";
import { exp, log } from "../../src/reference/nn.js";
import { expectSame } from "../kernels/all.js";
import { DENSITIES, LENGTHS, Random } from "../random.js";

interface Case {
  readonly name: string;
  readonly variant: NnKernels["variant"];
  readonly kernels: () => NnKernels;
}

const engines: readonly Case[] = VARIANTS.map((variant) => ({
  name: `engine ${variant}`,
  variant,
  kernels: () => nnKernels(loadEngine({ variant })),
}));

const all: readonly Case[] = [{ name: "reference", variant: "reference", kernels: () => reference }, ...engines];

/** Around tiles of 4 x 8, blocks of 128 rows and 256 steps, and vectors of four. */
const PRODUCTS: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [1, 8, 3],
  [4, 1, 4],
  [4, 8, 2],
  [3, 7, 5],
  [5, 9, 255],
  [6, 10, 256],
  [7, 31, 257],
  [12, 16, 513],
  [127, 3, 9],
  [129, 17, 33],
  [131, 24, 300],
];

const SHAPES: readonly (readonly [rows: number, columns: number])[] = [
  [1, 1],
  [1, 4],
  [3, 3],
  [2, 5],
  [5, 10],
  [4, 16],
  [17, 33],
];

const TINY = 2 ** -149;

/** Numbers of many magnitudes, zeros of both signs and subnormals among them, whose sums of products stay finite. */
function numbers(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    if (random.chance(0.1)) return random.chance(0.5) ? 0 : -0;
    if (random.chance(0.05)) return TINY * random.below(1000);
    return random.normal() * 10 ** (random.below(7) - 3);
  });
}

describe.each(all)("nn kernels of $name", ({ variant, kernels }) => {
  const k = kernels();

  it("are the variant that they claim to be", () => expect(k.variant).toBe(variant));

  it("multiply as written on paper", () => {
    const a = Float32Array.of(1, 2, 3, 4, 5, 6);
    const b = Float32Array.of(7, 8, 9, 10, 11, 12);
    const c = new Float32Array(4).fill(100);
    k.multiply({ m: 2, n: 2, k: 3 }, a, b, c);
    expect([...c]).toEqual([58, 64, 139, 154]);
    k.multiply({ m: 2, n: 2, k: 3, accumulate: true }, a, b, c);
    expect([...c]).toEqual([116, 128, 278, 308]);
  });

  it("take the loss and its gradient as written on paper", () => {
    const { gradient, losses } = k.softmaxCrossEntropy(Float32Array.of(0, Math.log(3), 5, 5), Uint32Array.of(1, 0), 2);
    expect(losses[0]).toBeCloseTo(-Math.log(0.75), 6);
    expect(losses[1]).toBeCloseTo(Math.log(2), 6);
    for (const [i, wanted] of [0.125, -0.125, -0.25, 0.25].entries()) expect(gradient[i]).toBeCloseTo(wanted, 6);
  });

  it("give a finite loss for logits far apart", () => {
    const { gradient, losses } = k.softmaxCrossEntropy(Float32Array.of(1e30, -1e30, 300, 0), Uint32Array.of(0, 1), 2);
    expect([...losses]).toEqual([0, 300]);
    expect([...gradient]).toEqual([0, 0, 0.5, -0.5]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("give a NaN loss for a logit of %s, wherever it stands", (bad) => {
    for (let column = 0; column < 3; column++) {
      const logits = Float32Array.of(1, 2, 3, 1, 2, 3);
      logits[3 + column] = bad;
      const { losses } = k.softmaxCrossEntropy(logits, Uint32Array.of(0, 0), 3);
      expect(losses[0]).toBeGreaterThan(0);
      expect(losses[1]).toBeNaN();
    }
  });

  it("find the first of the largest", () => {
    expect([...k.argmax(Float32Array.of(1, 3, 3, 0, -0, 0, -5, -6, -4), 3)]).toEqual([1, 0, 2]);
  });

  it("step as written on paper", () => {
    const weights = Float32Array.of(1, -2);
    const velocity = Float32Array.of(0.5, 0);
    k.sgdStep(weights, Float32Array.of(0.25, 1), velocity, { learningRate: 0.5, momentum: 0.5, weightDecay: 0.25 });
    expect([...velocity]).toEqual([0.75, 0.5]);
    expect([...weights]).toEqual([0.625, -2.25]);
  });

  it("mask whatever is there, NaN too, and leave the rest", () => {
    const values = Float32Array.of(1, Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NaN, -0);
    k.maskValues(values, Uint8Array.of(0, 0, 0, 0, 255, 1));
    expect([...values]).toEqual([0, 0, 0, 0, Number.NaN, -0]);
  });

  it("spread centroids to the weights that share them, and 0 to pruned ones", () => {
    const weights = k.spreadCentroids(Uint8Array.of(2, 0, 1, 1, 2), Uint8Array.of(1, 1, 0, 1, 0), Float32Array.of(-1, 0.5, 3));
    expect([...weights]).toEqual([3, -1, 0, 0.5, 0]);
  });

  it("settle survivors on the nearest centroid, the lower of two, which becomes their mean, but for what is empty or would be 0", () => {
    const weights = Float32Array.of(-3, 9, -1, 1, 4, 9, 2, 60, 4.5, 3.5);
    const survivors = Uint32Array.of(0, 2, 3, 4, 6, 7, 8, 9);
    const centroids = Float32Array.of(-2, 1, 5, 30, 50);
    const [codes, values] = [new Uint8Array(10).fill(9), new Float32Array(10).fill(7)];
    k.settleWeights(weights, survivors, centroids, codes, values);
    expect([...codes]).toEqual([0, 9, 0, 1, 2, 9, 1, 4, 2, 2]);
    expect([...centroids]).toEqual([-2, 1.5, 4, 30, 60]);
    expect([...values]).toEqual([-2, 7, -2, 1.5, 4, 7, 1.5, 60, 4, 4]);
    k.settleWeights(Float32Array.of(-1, 1, 3), Uint32Array.of(0, 1, 2), centroids.fill(0.5, 0, 1).subarray(0, 2), codes, values);
    expect([...codes.subarray(0, 3)]).toEqual([0, 0, 1]);
    expect([...values.subarray(0, 3)]).toEqual([0.5, 0.5, 3]);
  });
});

describe.each(engines)("nn kernels of $name give the bits of the reference:", ({ kernels }) => {
  const k = kernels();

  it.each(PRODUCTS)("multiply, %i x %i over %i, either operand transposed or not", (m, n, depth) => {
    const random = new Random(m * 10000 + n * 100 + depth);
    const a = numbers(random, m * depth);
    const b = numbers(random, depth * n);
    const start = numbers(random, m * n);
    for (const transposedA of [false, true]) {
      for (const transposedB of [false, true]) {
        for (const accumulate of [false, true]) {
          const product: MatrixProduct = { m, n, k: depth, transposedA, transposedB, accumulate };
          const [found, wanted] = [start.slice(), start.slice()];
          k.multiply(product, a, b, found);
          reference.multiply(product, a, b, wanted);
          expectSame(found, wanted, JSON.stringify(product));
        }
      }
    }
  });

  it.each(SHAPES)("addBias and columnSums, %i x %i", (rows, columns) => {
    const random = new Random(rows * 100 + columns);
    const values = numbers(random, rows * columns);
    const bias = numbers(random, columns);
    expectSame(k.columnSums(values, columns), reference.columnSums(values, columns));
    const [found, wanted] = [values.slice(), values.slice()];
    k.addBias(found, bias);
    reference.addBias(wanted, bias);
    expectSame(found, wanted);
  });

  it("relu and reluGradient, of any bits at every length", () => {
    for (const length of LENGTHS) {
      const random = new Random(length);
      const outputs = random.awkward(length);
      const [found, wanted] = [outputs.slice(), outputs.slice()];
      k.relu(found);
      reference.relu(wanted);
      expectSame(found, wanted, `relu of ${length}`);
      const gradient = random.anyFloats(length);
      const [foundGradient, wantedGradient] = [gradient.slice(), gradient.slice()];
      k.reluGradient(outputs, foundGradient);
      reference.reluGradient(outputs, wantedGradient);
      expectSame(foundGradient, wantedGradient, `reluGradient of ${length}`);
    }
  });

  it("sgdStep, at every length and with numbers that are no float32", () => {
    for (const length of LENGTHS) {
      const random = new Random(length + 1);
      const weights = numbers(random, length);
      const gradient = numbers(random, length);
      const velocity = numbers(random, length);
      const step = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.0003 };
      const [w, v, foundW, foundV] = [weights.slice(), velocity.slice(), weights.slice(), velocity.slice()];
      reference.sgdStep(w, gradient, v, step);
      k.sgdStep(foundW, gradient, foundV, step);
      expectSame(foundW, w, `weights ${length}`);
      expectSame(foundV, v, `velocity ${length}`);
    }
  });

  it("maskValues and spreadCentroids, of any bits at every length", () => {
    for (const length of LENGTHS) {
      const random = new Random(length + 2);
      for (const density of DENSITIES) {
        const mask = Uint8Array.from({ length }, () => (random.chance(density) ? 1 + random.below(255) : 0));
        const values = random.anyFloats(length);
        const [found, wanted] = [values.slice(), values.slice()];
        k.maskValues(found, mask);
        reference.maskValues(wanted, mask);
        expectSame(found, wanted, `maskValues of ${length}, density ${density}`);
        for (const centroids of [1, 3, 256]) {
          const codes = Uint8Array.from({ length }, () => random.below(centroids));
          const table = random.awkward(centroids);
          expectSame(
            k.spreadCentroids(codes, mask, table),
            reference.spreadCentroids(codes, mask, table),
            `spreadCentroids of ${length}, density ${density}`,
          );
        }
      }
    }
  });

  it("settleWeights, of every number of centroids at every length", () => {
    for (const length of LENGTHS) {
      const random = new Random(length + 3);
      for (const count of [1, 2, 3, 4, 5, 12, 32, 33, 255, 256]) {
        const weights = numbers(random, length);
        const survivors = Uint32Array.from(weights.keys()).filter(() => random.chance(0.6));
        // Neighbours that are alike are in order too, and a weight may lie on a midpoint.
        const table = numbers(random, count).map((value) => (random.chance(0.1) ? 1 : value));
        if (length > 1 && count > 1) weights[1] = (table[0] + table[1]) / 2;
        table.sort();
        const outs = () => [table.slice(), new Uint8Array(length), new Float32Array(length)] as const;
        const [found, wanted] = [outs(), outs()];
        k.settleWeights(weights, survivors, ...found);
        reference.settleWeights(weights, survivors, ...wanted);
        for (const [i, what] of ["centroids", "codes", "values"].entries())
          expectSame(found[i], wanted[i], `${what} of ${length} by ${count}`);
        expect([...found[0]], `${length} by ${count}`).toEqual([...found[0]].sort((a, b) => a - b));
      }
    }
  });

  it.each([
    [1, 1],
    [3, 2],
    [33, 10],
    [128, 1000],
  ])("softmaxCrossEntropy and argmax, %i rows of %i classes", (rows, classes) => {
    const random = new Random(rows * 1000 + classes);
    for (const scale of [0.01, 1, 20, 1000]) {
      const logits = Float32Array.from({ length: rows * classes }, () => Math.fround(random.normal(scale)));
      if (classes > 1) logits[1] = Number.NEGATIVE_INFINITY;
      const labels = Uint32Array.from({ length: rows }, () => random.below(classes));
      labels[0] = 0;
      const found = k.softmaxCrossEntropy(logits, labels, classes);
      const wanted = reference.softmaxCrossEntropy(logits, labels, classes);
      expectSame(found.losses, wanted.losses, `losses at ${scale}`);
      expectSame(found.gradient, wanted.gradient, `gradient at ${scale}`);
      expectSame(k.argmax(logits, classes), reference.argmax(logits, classes));
    }
  });
});

describe("the reference", () => {
  it("multiplies within the rounding of float32", () => {
    const random = new Random(7);
    const [m, n, depth] = [9, 11, 300];
    const a = random.weights(m * depth, 1);
    const b = random.weights(depth * n, 1);
    const c = new Float32Array(m * n);
    reference.multiply({ m, n, k: depth }, a, b, c);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < depth; p++) sum += a[i * depth + p] * b[p * n + j];
        expect(Math.abs(c[i * n + j] - sum)).toBeLessThan(1e-4);
      }
    }
  });

  it("has an exp and a logarithm that are good to the last digits", () => {
    expect(exp(0)).toBe(1);
    expect(log(1)).toBe(0);
    expect(exp(-80.001)).toBe(0);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(Number.NaN)).toBeNaN();
    expect(log(Number.NaN)).toBeNaN();
    for (let x = 0; x <= 80; x += 0.0137) expect(Math.abs(exp(-x) / Math.exp(-x) - 1)).toBeLessThan(1e-14);
    for (let x = 1; x < 5000; x *= 1.0013) expect(Math.abs(log(x) - Math.log(x))).toBeLessThan(1e-14);
  });
});
