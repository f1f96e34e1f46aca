import { describe, expect, it } from "vitest";
import { scanRows } from "../../src/archive/scans.js";
import { FormatError } from "../../src/errors.js";
import type { RecordPlan } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";
import { decoders, encoders, expectSame } from "./all.js";

type Axes = readonly [number, number, number];

/** Symbols that have something for each context to learn: dead rows and columns, runs, codes that follow each other. */
function someSymbols(random: Random, count: number, codes: number, density: number): Uint16Array {
  let last = 0;
  return Uint16Array.from({ length: count }, (_, i) => {
    if (!random.chance(i % 7 === 0 ? density / 4 : density)) return 0;
    if (random.chance(0.7)) last = random.below(codes);
    return last + 1;
  });
}

function planOf(axes: Axes, scan: number, codes: number, elementBytes: 1 | 2 | 4 | 8): RecordPlan {
  const random = new Random(codes);
  return {
    coding: "context",
    elementBytes,
    elements: axes[0] * axes[1] * axes[2],
    axes,
    scan,
    blockElements: 2 ** 20,
    codebook: Uint8Array.from({ length: codes * elementBytes }, () => 1 + random.below(255)),
    codebookBytes: 0,
    own: false,
    symbols: [],
    escape: false,
    gapParameter: 0,
    zero: false,
    exact: true,
  };
}

function elementsOf(symbols: Uint16Array, { codebook, elementBytes }: RecordPlan): Uint8Array {
  const out = new Uint8Array(symbols.length * elementBytes);
  for (const [i, symbol] of symbols.entries()) {
    if (symbol > 0) out.set(codebook.subarray((symbol - 1) * elementBytes, symbol * elementBytes), i * elementBytes);
  }
  return out;
}

const SHAPES: readonly Axes[] = [
  [1, 1, 1],
  [1, 40, 1],
  [40, 1, 1],
  [13, 17, 1],
  [8, 5, 9],
  [3, 2, 100],
  [60, 90, 1],
];

const cases = SHAPES.flatMap((axes) => [1, 2, 3, 16, 255, 256].map((codes) => ({ axes, codes })));

describe.each(encoders)("encodeContext on $name", ({ kernels: load }) => {
  const kernels = load();

  it("gives the stream that the reference gives", () => {
    const random = new Random(31);
    for (const { axes, codes } of cases) {
      for (const density of [0, 0.01, 0.3, 1]) {
        const scan = random.below(6);
        const { rows, columns, kernel } = scanRows(axes, scan);
        const symbols = someSymbols(random, rows * columns, codes, density);
        const title = `${axes} scan ${scan}, ${codes} codes, density ${density}`;
        const found = kernels.encodeContext(symbols, rows, columns, kernel, codes);
        expectSame(found, referenceKernels.encodeContext(symbols, rows, columns, kernel, codes), title);
      }
    }
  });

  it("is smaller than independent codes where rows and columns are dead", () => {
    const random = new Random(5);
    const symbols = Uint16Array.from({ length: 100 * 100 }, (_, i) =>
      i % 100 < 20 && Math.floor(i / 100) % 4 === 0 && random.chance(0.5) ? 1 : 0,
    );
    // 500 places that are open, a bit each.
    expect(kernels.encodeContext(symbols, 100, 100, 1, 1).length).toBeLessThan(150);
  });
});

describe.each(decoders)("decodeBlock of context on $name", ({ kernels: load }) => {
  const kernels = load();
  const decode = (plan: RecordPlan, block: Uint8Array): Uint8Array => {
    const out = new Uint8Array(plan.elements * plan.elementBytes).fill(0xaa);
    kernels.decodeBlock(plan, block, 1000, out);
    return out;
  };

  it("gives every element back", () => {
    const random = new Random(32);
    for (const { axes, codes } of cases) {
      for (const elementBytes of [1, 2, 4, 8] as const) {
        const scan = random.below(6);
        const plan = planOf(axes, scan, codes, elementBytes);
        const { rows, columns, kernel } = scanRows(axes, scan);
        const symbols = someSymbols(random, plan.elements, codes, random.unit());
        const block = referenceKernels.encodeContext(symbols, rows, columns, kernel, codes);
        expectSame(decode(plan, block), elementsOf(symbols, plan), `${axes} scan ${scan}, ${codes} codes of ${elementBytes}`);
      }
    }
  });

  it("takes no truncation for the whole, and refuses one byte more and a stream of zeros", () => {
    const plan = planOf([20, 30, 1], 0, 5, 4);
    const symbols = someSymbols(new Random(33), 600, 5, 0.3);
    const block = referenceKernels.encodeContext(symbols, 20, 30, 1, 5);
    // The rules of the stream's end leave a few that are the stream of something else: in an archive the checksum refuses those.
    let refused = 0;
    for (let length = 0; length < block.length; length++) {
      try {
        expect(decode(plan, block.subarray(0, length)), `${length} bytes`).not.toEqual(elementsOf(symbols, plan));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0.95 * block.length);
    expect(() => decode(plan, Uint8Array.of(...block, 0))).toThrow(FormatError);
    expect(() => decode(plan, Uint8Array.of(...block, 1))).toThrow(FormatError);
    expect(() => decode(plan, new Uint8Array(block.length))).toThrow(FormatError);
    expectSame(decode(plan, block), elementsOf(symbols, plan));
  });

  it("refuses a code beyond the codebook", () => {
    // Written for eight codes, read with five: both take three bits.
    const symbols = Uint16Array.of(8, 8, 8, 8);
    const block = referenceKernels.encodeContext(symbols, 2, 2, 1, 8);
    expect(() => decode(planOf([2, 2, 1], 0, 5, 1), block)).toThrow(FormatError);
  });

  it("does with a flipped bit what the reference does", () => {
    const plan = planOf([9, 11, 1], 0, 6, 4);
    const block = referenceKernels.encodeContext(someSymbols(new Random(34), 99, 6, 0.4), 9, 11, 1, 6);
    const outcome = (run: () => Uint8Array): string => {
      try {
        return run().join();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        return (error as FormatError).code;
      }
    };
    for (let bit = 0; bit < 8 * block.length; bit++) {
      const flipped = block.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      const expected = new Uint8Array(plan.elements * plan.elementBytes);
      expect(outcome(() => decode(plan, flipped))).toBe(
        outcome(() => {
          referenceKernels.decodeBlock(plan, flipped, 1000, expected);
          return expected;
        }),
      );
    }
  });
});
