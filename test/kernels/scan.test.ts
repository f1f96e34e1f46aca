import { describe, expect, it } from "vitest";
import { Random } from "../random.js";
import { decoders, encoders, expectSame } from "./all.js";
import { WIDTHS } from "./blocks.js";

type Axes = readonly [number, number, number];

// docs/format.md, section 4.1: slowest to fastest.
const SCANS = ["RCK", "CRK", "RKC", "CKR", "KRC", "KCR"];

/** Where each element of a scan stands in row-major order. */
function order(axes: Axes, scan: number): number[] {
  const places: number[] = [];
  const axis = { R: 0, C: 1, K: 2 };
  const [slow, middle, fast] = [...SCANS[scan]].map((letter) => axis[letter as keyof typeof axis]);
  const at = [0, 0, 0];
  for (at[slow] = 0; at[slow] < axes[slow]; at[slow]++) {
    for (at[middle] = 0; at[middle] < axes[middle]; at[middle]++) {
      for (at[fast] = 0; at[fast] < axes[fast]; at[fast]++) places.push((at[0] * axes[1] + at[1]) * axes[2] + at[2]);
    }
  }
  return places;
}

function walked(elements: Uint8Array, width: number, places: readonly number[]): Uint8Array {
  const out = new Uint8Array(elements.length);
  for (const [i, place] of places.entries()) out.set(elements.subarray(place * width, (place + 1) * width), i * width);
  return out;
}

const SHAPES: readonly Axes[] = [
  [0, 1, 1],
  [3, 0, 2],
  [1, 1, 1],
  [7, 1, 1],
  [1, 9, 1],
  [1, 1, 5],
  [2, 3, 1],
  [4, 4, 4],
  [5, 3, 9],
  [17, 16, 1],
  [33, 65, 1],
  [16, 3, 25],
  [1, 64, 9],
  [129, 1, 31],
  [300, 100, 1],
];

describe.each(encoders)("scan on $name", ({ kernels: load }) => {
  const kernels = load();

  it("walks a matrix by its columns", () => {
    expect([...kernels.scan(Uint8Array.of(11, 12, 13, 21, 22, 23), 1, [2, 3, 1], 3)]).toEqual([11, 21, 12, 22, 13, 23]);
    expect([...kernels.scan(Uint8Array.of(11, 12, 13, 21, 22, 23), 1, [2, 3, 1], 0)]).toEqual([11, 12, 13, 21, 22, 23]);
  });

  it.each(SHAPES)("walks %i x %i x %i in every order", (...axes) => {
    const random = new Random(8);
    for (const width of WIDTHS) {
      const elements = random.bytes(axes[0] * axes[1] * axes[2] * width);
      const before = elements.slice();
      for (let scan = 0; scan < 6; scan++) {
        const scanned = kernels.scan(elements, width, axes, scan);
        expectSame(scanned, walked(before, width, order(axes, scan)), `${SCANS[scan]}, ${width} bytes`);
        scanned.fill(0); // it is ours
      }
      expectSame(elements, before);
    }
  });
});

describe.each(decoders)("unscan on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(SHAPES)("brings %i x %i x %i back from every order, aligned or not", (...axes) => {
    const random = new Random(9);
    for (const width of WIDTHS) {
      const byteLength = axes[0] * axes[1] * axes[2] * width;
      const elements = random.bytes(byteLength);
      for (let scan = 0; scan < 6; scan++) {
        for (const misalign of [0, 1]) {
          const scanned = new Uint8Array(byteLength + misalign).subarray(misalign);
          scanned.set(walked(elements, width, order(axes, scan)));
          const buffer = new Uint8Array(byteLength + 16).fill(0xa5);
          const out = buffer.subarray(3 * misalign, 3 * misalign + byteLength);
          kernels.unscan(scanned, width, axes, scan, out);
          expectSame(out, elements, `${SCANS[scan]}, ${width} bytes`);
          expect(buffer.subarray(3 * misalign + byteLength).every((byte) => byte === 0xa5)).toBe(true);
        }
      }
    }
  });
});
