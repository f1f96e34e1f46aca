import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { encoders } from "./all.js";

/** In the words of `ShareErrors`. */
function naive(values: Float32Array, codes: Uint8Array, centroids: Float32Array): { noise: number; maxAbs: number } {
  const away = Array.from(values, (value, i) => value - centroids[codes[i]]);
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => away.filter((_, i) => i % 4 === lane).reduce((sum, by) => sum + by * by, 0));
  return { noise: a + b + (c + d), maxAbs: away.reduce((most, by) => (Math.abs(by) > most ? Math.abs(by) : most), 0) };
}

describe.each(encoders)("shareErrors on $name", ({ kernels: load }) => {
  const kernels = load();

  it("is as worked by hand", () => {
    const found = kernels.shareErrors(Float32Array.of(1, 2, 3, 4, -5), Uint8Array.of(0, 0, 1, 1, 0), Float32Array.of(1.5, 4));
    expect(found).toEqual({ noise: 0.25 + 0.25 + 1 + 6.5 * 6.5, maxAbs: 6.5 });
    expect(kernels.shareErrors(new Float32Array(0), new Uint8Array(0), Float32Array.of(1))).toEqual({ noise: 0, maxAbs: 0 });
  });

  it("takes differences in float64", () => {
    const found = kernels.shareErrors(Float32Array.of(1, 1), Uint8Array.of(0, 0), Float32Array.of(2 ** -40));
    expect(found.maxAbs).toBe(1 - 2 ** -40);
  });

  it("leaves NaN out of the largest, not out of the sum", () => {
    for (let at = 0; at < 11; at++) {
      const values = Float32Array.from({ length: 11 }, (_, i) => (i === at ? Number.NaN : i / 8));
      expect(kernels.shareErrors(values, new Uint8Array(11), Float32Array.of(0))).toEqual({
        noise: Number.NaN,
        maxAbs: at === 10 ? 9 / 8 : 10 / 8,
      });
    }
  });

  it.each(LENGTHS)("sums over %i values in the order that the interface names", (length) => {
    const random = new Random(length + 80);
    for (const k of [1, 2, 32, 256]) {
      const centroids = random.weights(k, 0.5);
      const codes = random.symbols(length, k, 0.9);
      for (const values of [
        random.weights(length),
        random.weights(length, 1e30),
        random.weights(length, 2 ** -130),
        random.awkward(length),
      ]) {
        const found = kernels.shareErrors(values, codes, centroids);
        expect(found, `${k} centroids`).toEqual(naive(values, codes, centroids));
        expect(found, `${k} centroids`).toEqual(referenceKernels.shareErrors(values, codes, centroids));
      }
    }
  });
});
