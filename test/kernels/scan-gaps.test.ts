import { describe, expect, it } from "vitest";
import { Random } from "../random.js";
import { encoders, expectSame } from "./all.js";
import { WIDTHS } from "./blocks.js";

const AXES = [
  [1, 1, 1],
  [2, 3, 1],
  [17, 16, 1],
  [16, 3, 25],
  [129, 1, 31],
  [1, 64, 9],
] as const;

describe.each(encoders)("gaps of a scan on $name", ({ kernels: load }) => {
  const kernels = load();

  it("are those before each element that has a bit set, in the order of the scan", () => {
    // By columns: 5, 0, 0, 6, 0, 7.
    const matrix = Uint8Array.of(5, 0, 0, 0, 6, 7);
    expect([...kernels.scanGaps(matrix, 1, [2, 3, 1], 0)]).toEqual([2, 0, 0, 1]);
    expect([...kernels.scanGaps(matrix, 1, [2, 3, 1], 3)]).toEqual([1, 1, 1]);
  });

  it("are none where no element has a bit set", () => {
    for (const axes of [[0, 1, 1], AXES[3]] as const) {
      expectSame(kernels.scanGaps(new Uint8Array(2 * axes[0] * axes[1] * axes[2]), 2, axes, 1), new Uint32Array(0));
    }
  });

  it.each(AXES)("are counted for %i x %i x %i as those of the scanned elements", (...axes) => {
    const random = new Random(12);
    for (const width of WIDTHS) {
      const elements = random.bytes(axes[0] * axes[1] * axes[2] * width).map((byte) => (byte < 200 ? 0 : byte));
      for (let scan = 0; scan < 6; scan++) {
        const { gaps, maxGap } = kernels.compact(kernels.scan(elements, width, axes, scan), width);
        const expected = gaps.length === 0 ? new Uint32Array(0) : kernels.gapHistogram(gaps, maxGap);
        expectSame(kernels.scanGaps(elements, width, axes, scan), expected, `scan ${scan}, ${width} bytes`);
      }
    }
  });
});
