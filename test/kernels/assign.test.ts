import { describe, it } from "vitest";
import { AWKWARD, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

/** Long enough that a table is made of the midpoints. */
const COUNT = 6000;

/** Midpoints that no rounding to float32 leaves alone, and values that stand on both sides of them. */
const STRANGE: readonly number[] = [
  ...AWKWARD.filter((value) => !Number.isNaN(value)),
  ...[1e-60, -1e-60, 2 ** -150, -(2 ** -150), 2 ** 128, -(2 ** 128), 1e300, -1e300, 1 + 2 ** -30, -1 - 2 ** -30, 1 - 2 ** -30],
];

describe.each(encoders)("assign by a table on $name", ({ kernels: load }) => {
  const kernels = load();

  function expectCodes(values: Float32Array, midpoints: Float64Array, context: string): void {
    const expected = Uint8Array.from(values, (value) => midpoints.filter((midpoint) => midpoint < value).length);
    expectSame(kernels.assign(values, midpoints), expected, context);
  }

  it("decides at every strange midpoint alone", () => {
    const random = new Random(1);
    const values = random.awkward(COUNT);
    // Finite values only, then infinities and NaNs among them.
    const finite = values.map((value) => (Number.isFinite(value) ? value : 0));
    for (const midpoint of STRANGE) {
      expectCodes(values, Float64Array.of(midpoint), `${midpoint}`);
      expectCodes(finite, Float64Array.of(midpoint), `${midpoint}, finite`);
    }
  });

  it("decides at all of them, and at several of each", () => {
    const random = new Random(2);
    for (const times of [1, 2, 7]) {
      const midpoints = Float64Array.from(Array.from({ length: times }, () => STRANGE).flat()).sort();
      for (const values of [random.awkward(COUNT), random.anyFloats(COUNT), random.weights(COUNT)]) {
        expectCodes(values, midpoints, `${times} times`);
        expectCodes(
          values.map((value) => (Number.isFinite(value) ? value : 0)),
          midpoints,
          `${times} times, finite`,
        );
      }
    }
  });

  it("decides where bins begin and end", () => {
    const bits = [0x3f800000, 0x3f80ffff, 0x3f810000, 0x3f7fffff, 0xbf800000, 0xbf80ffff, 0xbf810000, 0xbf7fffff, 0x00010000, 0x80010000];
    const edges = new Float32Array(Uint32Array.from(bits).buffer);
    const values = Float32Array.from({ length: COUNT }, (_, i) => edges[i % edges.length]);
    for (const edge of edges) expectCodes(values, Float64Array.of(edge), `${edge}`);
    expectCodes(values, Float64Array.from(edges).sort(), "all");
  });
});
