import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

interface Weighted {
  readonly point: number;
  readonly weight: number;
}

/**
 * Lloyd's iteration that looks at every centroid for every point. With integers for points and weights all sums are exact, so no order of summation shows.
 */
function naive(
  weighted: readonly Weighted[],
  start: readonly number[],
  maxIterations: number,
): { centroids: number[]; iterations: number } {
  const centroids = [...start];
  let before = "";
  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    const nearest = weighted.map(({ point }) => {
      let best = 0;
      for (let j = 1; j < centroids.length; j++) {
        // The middle decides, and belongs to the lower one.
        if (point > (centroids[j - 1] + centroids[j]) / 2) best = j;
      }
      return best;
    });
    const members = centroids.map((_, j) => weighted.filter((_, i) => nearest[i] === j));
    for (const [j, cluster] of members.entries()) {
      if (cluster.length === 0) continue;
      const mass = cluster.reduce((sum, { weight }) => sum + weight, 0);
      centroids[j] = cluster.reduce((sum, { point, weight }) => sum + point * weight, 0) / mass;
    }
    const away = weighted.map(({ point, weight }, i) => weight * (point - centroids[nearest[i]]) ** 2);
    let refilled = false;
    for (const [j, cluster] of members.entries()) {
      const most = Math.max(...away);
      if (cluster.length > 0 || !(most > 0)) continue;
      centroids[j] = weighted[away.indexOf(most)].point;
      away[away.indexOf(most)] = 0;
      refilled = true;
    }
    centroids.sort((a, b) => a - b);
    if (nearest.join() === before && !refilled) return { centroids, iterations: iteration };
    before = nearest.join();
  }
  return { centroids, iterations: maxIterations };
}

/** The squared error of the weighted points to their nearest centroids. */
function error(weighted: readonly Weighted[], centroids: ArrayLike<number>): number {
  return weighted.reduce((sum, { point, weight }) => sum + weight * Math.min(...Array.from(centroids, (c) => (c - point) ** 2)), 0);
}

const pointsOf = (weighted: readonly Weighted[]): Float64Array => Float64Array.from(weighted, ({ point }) => point);
const weightsOf = (weighted: readonly Weighted[]): Float64Array => Float64Array.from(weighted, ({ weight }) => weight);

function integers(random: Random, count: number, range: number): Weighted[] {
  const points = new Set<number>();
  while (points.size < count) points.add(random.below(range) - (range >> 1));
  return [...points].sort((a, b) => a - b).map((point) => ({ point, weight: 1 + random.below(20) }));
}

describe.each(encoders)("lloyd on $name", ({ kernels: load }) => {
  const kernels = load();
  const run = (
    points: readonly number[],
    start: readonly number[],
    most = 100,
    weights: readonly number[] = points.map(() => 1),
  ): unknown => {
    const centroids = Float64Array.from(start);
    const iterations = kernels.lloyd(Float64Array.from(points), Float64Array.from(weights), centroids, most);
    return [[...centroids], iterations];
  };

  it("is as worked by hand", () => {
    // Boundary 5.5: means 1 and 11; the same boundary again ends it.
    expect(run([0, 1, 2, 10, 11, 12], [1, 10])).toEqual([[1, 11], 2]);
    expect(run([0, 1, 2, 10, 11, 12], [1, 10], 1)).toEqual([[1, 11], 1]);
    expect(run([0, 1, 2, 10, 11, 12], [1, 10], 0)).toEqual([[1, 10], 0]);
    // Weights pull the mean.
    expect(run([0, 4], [1], 10, [1, 3])).toEqual([[3], 2]);
  });

  it("gives a point in the middle to the lower centroid", () => {
    expect(run([0, 2, 4], [0, 4], 1)).toEqual([[1, 4], 1]);
  });

  it("gives empty clusters the points that are farthest away", () => {
    // All points are in cluster 0 with mean 3.25; cluster 1 takes 10, then cluster 2 takes 0.
    expect(run([0, 1, 2, 10], [0, 100, 200], 1)).toEqual([[0, 3.25, 10], 1]);
    // Of equals the lowest.
    expect(run([-1, 1], [0, 5], 1)).toEqual([[-1, 0], 1]);
    // The weight counts: 3 * 3^2 is more than 1 * 5^2.
    expect(run([-5, -4, 3], [-1, 50], 1, [1, 1, 3])).toEqual([[0, 3], 1]);
  });

  it("leaves an empty cluster alone where every point is a centroid", () => {
    expect(run([1], [1, 2, 3])).toEqual([[1, 2, 3], 2]);
    expect(run([1, 2], [-9, 1, 2, 7])).toEqual([[-9, 1, 2, 7], 2]);
  });

  it("does as the naive iteration on integers", () => {
    const random = new Random(50);
    for (let round = 0; round < 200; round++) {
      const weighted = integers(random, 1 + random.below(60), 1 + 200 * (1 + random.below(5)));
      const k = 1 + random.below(12);
      const start = Array.from({ length: k }, () => random.below(round % 2 === 0 ? 400 : 3000) - 200).sort((a, b) => a - b);
      const most = [1, 2, 3, 50][round % 4];
      const expected = naive(weighted, start, most);
      const centroids = Float64Array.from(start);
      const iterations = kernels.lloyd(pointsOf(weighted), weightsOf(weighted), centroids, most);
      expect({ centroids: [...centroids], iterations }).toEqual(expected);
    }
  });

  it("does as the reference on weights of a layer, and lowers the error", () => {
    const random = new Random(51);
    for (const k of [1, 2, 3, 16, 32, 255, 256]) {
      for (const count of [1, 2, 17, 300, 5000]) {
        const points = [...new Set(random.weights(count))].sort((a, b) => a - b);
        const weighted = points.map((point) => ({ point, weight: 1 + random.below(9) }));
        const [least, most] = [points[0], points[points.length - 1]];
        const start = Float64Array.from({ length: k }, (_, j) => (k === 1 ? least : least + ((most - least) * j) / (k - 1)));
        const [centroids, expected] = [start.slice(), start.slice()];
        const iterations = kernels.lloyd(pointsOf(weighted), weightsOf(weighted), centroids, 30);
        expect(iterations).toBe(referenceKernels.lloyd(pointsOf(weighted), weightsOf(weighted), expected, 30));
        expectSame(centroids, expected, `${k} of ${count}`);
        if (count <= 300) expect(error(weighted, centroids)).toBeLessThanOrEqual(error(weighted, start));
      }
    }
  });

  it("does not change the points", () => {
    const [points, weights] = [Float64Array.of(1, 2, 9), Float64Array.of(1, 1, 1)];
    kernels.lloyd(points, weights, Float64Array.of(1, 5), 9);
    expect([[...points], [...weights]]).toEqual([
      [1, 2, 9],
      [1, 1, 1],
    ]);
  });
});

describe.each(encoders)("assign on $name", ({ kernels: load }) => {
  const kernels = load();
  const naiveCodes = (values: Float32Array, midpoints: Float64Array): Uint8Array =>
    Uint8Array.from(values, (value) => midpoints.filter((midpoint) => midpoint < value).length);

  it("gives a value in the middle to the lower centroid", () => {
    expect([...kernels.assign(Float32Array.of(-1, 0, 0.5, 0.75, 1.5, 9), Float64Array.of(0.5, 1.5))]).toEqual([0, 0, 0, 1, 1, 2]);
    expect([...kernels.assign(Float32Array.of(-1, 3), new Float64Array(0))]).toEqual([0, 0]);
  });

  it("compares in float64", () => {
    const above = 1 + 2 ** -30; // as a float32 it would be 1
    expect([...kernels.assign(Float32Array.of(1, 1 + 2 ** -23), Float64Array.of(above))]).toEqual([0, 1]);
    expect([...kernels.assign(Float32Array.of(1), Float64Array.of(2 - above))]).toEqual([1]);
  });

  it.each([...LENGTHS, 70_001])("gives %i values their codes", (length) => {
    const random = new Random(length + 60);
    for (const boundaries of length > 5000 ? [0, 31] : [0, 1, 2, 3, 4, 7, 8, 15, 31, 100, 254, 255]) {
      const midpoints = Float64Array.from({ length: boundaries }, () => random.normal(0.7)).sort();
      for (const values of [random.weights(length, 1), random.awkward(length), random.anyFloats(length)]) {
        expectSame(kernels.assign(values, midpoints), naiveCodes(values, midpoints), `${boundaries} boundaries`);
      }
    }
  });

  it("decides values at and beside the midpoints, in short arrays and in long ones", () => {
    const random = new Random(70);
    const midpoints = random.weights(200, 0.5).sort();
    const bits = new Uint32Array(midpoints.buffer).slice();
    const beside = new Float32Array(Uint32Array.from([...bits].flatMap((b) => [b - 1, b, b + 1])).buffer);
    const expected = naiveCodes(beside, Float64Array.from(midpoints));
    expectSame(kernels.assign(beside, Float64Array.from(midpoints)), expected);
    const long = new Float32Array(80_000);
    long.set(beside);
    expectSame(kernels.assign(long, Float64Array.from(midpoints)).subarray(0, beside.length), expected);
  });

  it("agrees with lloyd's boundaries", () => {
    const random = new Random(61);
    const values = random.weights(3000).sort();
    const centroids = Float64Array.from({ length: 16 }, (_, j) => (j - 8) / 60);
    kernels.lloyd(Float64Array.from(values), new Float64Array(values.length).fill(1), centroids, 200);
    const midpoints = Float64Array.from({ length: 15 }, (_, j) => (centroids[j] + centroids[j + 1]) / 2);
    const codes = kernels.assign(values, midpoints);
    for (const [i, value] of values.entries()) {
      const distances = [...centroids].map((centroid) => Math.abs(centroid - value));
      expect(distances[codes[i]]).toBeCloseTo(Math.min(...distances), 14);
    }
  });
});

describe.each(encoders)("codebookGradient on $name", ({ kernels: load }) => {
  const kernels = load();

  it("sums over the weights that share a centroid", () => {
    expect([...kernels.codebookGradient(Float32Array.of(1, 2, 4, 8, 16), Uint8Array.of(0, 2, 0, 3, 2), 5)]).toEqual([5, 0, 18, 8, 0]);
  });

  it("sums in float64, in order", () => {
    const gradients = Float32Array.of(1e8, 1, 1, 1, 1, -1e8);
    expect([...kernels.codebookGradient(gradients, new Uint8Array(6), 1)]).toEqual([4]);
  });

  it.each(LENGTHS)("does as the reference with %i weights", (length) => {
    const random = new Random(length + 62);
    for (const k of [1, 2, 16, 256]) {
      const gradients = random.weights(length, 100);
      const codes = random.symbols(length, k, 0.9);
      const sums = new Float64Array(k);
      for (const [i, gradient] of gradients.entries()) sums[codes[i]] += gradient;
      const found = kernels.codebookGradient(gradients, codes, k);
      expectSame(found, Float32Array.from(sums));
      expectSame(found, referenceKernels.codebookGradient(gradients, codes, k));
    }
  });
});
