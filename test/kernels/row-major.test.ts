import { describe, expect, it } from "vitest";
import { SCANS } from "../../src/archive/scans.js";
import { FormatError } from "../../src/errors.js";
import { referenceKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";
import { decoders, expectSame } from "./all.js";
import { type Built, bytesBlock, denseBlock, rawBlock, sparseBlock, WIDTHS, zeroBlock } from "./blocks.js";

const OFFSET = 1000;

/** Gaps of `count` survivors that leave `after` elements of `elements` behind the last. */
function gapsWithin(random: Random, elements: number, count: number): { gaps: Uint32Array; after: number } {
  const gaps = new Uint32Array(count);
  for (let left = elements - count; left > 0; ) {
    const some = Math.min(left, 1 + random.below(12));
    const to = random.below(count + 1);
    if (to < count) gaps[to] += some;
    left -= some;
  }
  const after = elements - count - gaps.reduce((sum, gap) => sum + gap, 0);
  return { gaps, after };
}

/** Blocks of every coding with so many elements, of which a third survive where some do. */
function builtBlocks(seed: number, elements: number): [string, Built][] {
  const random = new Random(seed);
  const built: [string, Built][] = [];
  for (const width of WIDTHS) {
    const bytes = random.symbols(elements * width, 256, 0.9);
    const codebook = random.bytes(33 * width);
    built.push([`raw ${width}`, rawBlock(bytes, width)], [`zero ${width}`, zeroBlock(elements, width)]);
    built.push([`bytes ${width}`, bytesBlock(referenceKernels, bytes, width, new Array(width).fill(3))]);
    built.push([`dense ${width}`, denseBlock(referenceKernels, random.symbols(elements, 33, 0.85), codebook, width, 3)]);
    for (const isEscape of [true, false]) {
      const count = Math.ceil(elements / 3);
      const shape = { ...gapsWithin(random, elements, count), elementBytes: width, escape: isEscape, gapParameter: 2, gapWay: 3 } as const;
      const codes = { codes: random.symbols(count, 33, 0.85), codebook, way: 3 } as const;
      const own = { elements: random.bytes(count * width), ways: new Array(width).fill(3) };
      built.push([`sparse ${width}, escape ${isEscape}`, sparseBlock(referenceKernels, { ...shape, codes })]);
      built.push([`sparse ${width}, own, escape ${isEscape}`, sparseBlock(referenceKernels, { ...shape, own })]);
    }
  }
  return built;
}

const AXES = [
  [1, 1, 1],
  [7, 1, 1],
  [1, 9, 1],
  [3, 4, 5],
  [64, 3, 9],
  [2, 700, 11],
] as const;

describe.each(decoders)("decodeRowMajor on $name", ({ kernels: load }) => {
  const kernels = load();

  it.each(AXES)("is decodeBlock and unscan: %i x %i x %i", (...axes) => {
    const elements = axes[0] * axes[1] * axes[2];
    for (const [name, { plan, block, elements: scanned }] of builtBlocks(elements, elements)) {
      expect(scanned.length, name).toBe(elements * plan.elementBytes);
      for (const scan of SCANS.keys()) {
        if (scan > 0 && ["raw", "bytes"].includes(plan.coding)) continue;
        const expected = new Uint8Array(scanned.length);
        referenceKernels.unscan(scanned, plan.elementBytes, axes, scan, expected);
        for (const misalign of [0, 1]) {
          for (const blank of [true, false]) {
            const buffer = new Uint8Array(scanned.length + 32).fill(0xa5);
            const out = buffer.subarray(8 + misalign, 8 + misalign + scanned.length);
            if (blank) out.fill(0);
            kernels.decodeRowMajor({ ...plan, axes, scan }, block, OFFSET, out, blank);
            expectSame(out, expected, `${name}, scan ${scan}, misaligned by ${misalign}, blank ${blank}`);
            const around = [...buffer.subarray(0, 8 + misalign), ...buffer.subarray(8 + misalign + scanned.length)];
            expect(around.every((byte) => byte === 0xa5)).toBe(true);
          }
        }
      }
    }
  });

  it("takes many survivors, in any order of the scan", () => {
    const random = new Random(8);
    const axes = [1 << 9, 1 << 8, 5] as const;
    const elements = axes[0] * axes[1] * axes[2];
    for (const isEscape of [true, false]) {
      const count = Math.ceil(elements / 8);
      const parts = { ...gapsWithin(random, elements, count), elementBytes: 4, escape: isEscape, gapParameter: 3, gapWay: 3 } as const;
      const codes = { codes: random.symbols(count, 32, 0.9), codebook: random.bytes(128), way: 3 } as const;
      const { plan, block, elements: scanned } = sparseBlock(referenceKernels, { ...parts, codes });
      for (const scan of SCANS.keys()) {
        const expected = new Uint8Array(scanned.length);
        referenceKernels.unscan(scanned, 4, axes, scan, expected);
        const out = new Uint8Array(scanned.length);
        kernels.decodeRowMajor({ ...plan, axes, scan }, block, OFFSET, out, true);
        expectSame(out, expected, `escape ${isEscape}, scan ${scan}`);
      }
    }
  });

  it("refuses survivors beyond the block's end or their number, far into a block", () => {
    const random = new Random(9);
    const elements = 60_000;
    for (const isEscape of [true, false]) {
      const parts = { ...gapsWithin(random, elements, 20_000), elementBytes: 4, escape: isEscape, gapParameter: 2, gapWay: 3 } as const;
      const codes = { codes: random.symbols(20_000, 32, 0.9), codebook: random.bytes(128), way: 3 } as const;
      const { plan, block, elements: scanned } = sparseBlock(referenceKernels, { ...parts, codes });
      const shorter = scanned.length - 4 * (parts.after + 1);
      const buffer = new Uint8Array(scanned.length + 64).fill(0xa5);
      const decode = (byteLength: number) =>
        kernels.decodeRowMajor(plan, block, OFFSET, buffer.subarray(16, 16 + byteLength).fill(0), true);
      expect(() => decode(shorter)).toThrow(FormatError);
      expect(buffer.subarray(16 + shorter).every((byte) => byte === 0xa5)).toBe(true);
      decode(shorter + 4);
    }
  });
});
