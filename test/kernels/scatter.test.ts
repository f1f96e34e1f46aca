import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

describe.each(encoders)("scatter on $name", ({ kernels: load }) => {
  const kernels = load();

  it("puts survivors back where compact found them", () => {
    const random = new Random(41);
    for (const elementBytes of [1, 2, 4, 8]) {
      for (const count of [0, 1, 3, 16, 17, 1000, 4099]) {
        for (const density of [0, 0.01, 0.33, 1]) {
          const elements = Uint8Array.from({ length: count * elementBytes }, () => random.below(256));
          for (let i = 0; i < count; i++) if (!random.chance(density)) elements.fill(0, i * elementBytes, (i + 1) * elementBytes);
          const kept = referenceKernels.compact(elements, elementBytes);
          expectSame(
            kernels.scatter(kept.gaps, undefined, kept.elements, elementBytes, count),
            elements,
            `${count} of ${elementBytes} bytes`,
          );
        }
      }
    }
  });

  it("puts the centroids of codes there, and zeros elsewhere", () => {
    const centroids = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const found = kernels.scatter(Uint32Array.of(1, 0, 2), Uint8Array.of(2, 0, 1), centroids, 2, 7);
    expect([...found]).toEqual([0, 0, 5, 6, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0]);
  });
});
