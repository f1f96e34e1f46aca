import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { Random } from "../random.js";
import { encoders, expectSame } from "./all.js";

function cost(counts: Uint32Array, lengths: Uint8Array): number {
  return counts.reduce((sum, count, symbol) => sum + count * lengths[symbol], 0);
}

function kraft(lengths: Uint8Array): number {
  return lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);
}

/** The least cost of any code of at most `maxLength` bits: all lengths are tried. */
function leastCost(counts: readonly number[], maxLength: number): number {
  const search = (at: number, room: number, so: number): number => {
    if (at === counts.length) return so;
    let least = Number.POSITIVE_INFINITY;
    for (let length = 1; length <= maxLength; length++) {
      if (2 ** -length <= room) least = Math.min(least, search(at + 1, room - 2 ** -length, so + counts[at] * length));
    }
    return least;
  };
  return search(0, 1, 0);
}

/** The cost of Huffman's code: the sum of all merged weights. */
function huffmanCost(counts: Uint32Array): number {
  const heap = [...counts].filter((count) => count > 0);
  let sum = 0;
  while (heap.length > 1) {
    heap.sort((a, b) => b - a);
    const merged = heap.pop()! + heap.pop()!;
    sum += merged;
    heap.push(merged);
  }
  return sum;
}

/** Package-merge with the symbols of each package written out; packages stand before symbols and the sort keeps their order. */
function packageMerge(counts: Uint32Array, maxLength: number): Uint8Array {
  const leaves = [...counts.keys()]
    .filter((symbol) => counts[symbol] > 0)
    .map((symbol) => ({ weight: counts[symbol], symbols: [symbol] }))
    .sort((a, b) => a.weight - b.weight);
  let level = leaves;
  for (let i = 1; i < maxLength; i++) {
    const packages: typeof leaves = [];
    for (let at = 0; at + 1 < level.length; at += 2) {
      const [a, b] = [level[at], level[at + 1]];
      packages.push({ weight: a.weight + b.weight, symbols: [...a.symbols, ...b.symbols] });
    }
    level = [...leaves, ...packages].sort((a, b) => a.weight - b.weight);
  }
  const lengths = new Uint8Array(counts.length);
  for (const item of level.slice(0, 2 * (leaves.length - 1))) for (const symbol of item.symbols) lengths[symbol]++;
  return lengths;
}

function someCounts(random: Random): Uint32Array {
  const alphabet = 2 + random.below(255);
  const shape = random.below(5);
  const counts = Uint32Array.from({ length: alphabet }, (_, symbol) => {
    if (shape === 0) return random.below(4); // many ties, many zeros
    if (shape === 1) return random.below(1000);
    if (shape === 2) return Math.floor(1.4 ** Math.min(symbol, 60) * random.unit());
    if (shape === 3) return random.chance(0.1) ? random.u32() : 1;
    return 1 << random.below(20);
  });
  counts[0] ||= 1;
  counts[alphabet - 1] ||= 1;
  return counts;
}

describe("codeLengths in the reference", () => {
  it("costs what the best of all codes does", () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round++) {
      const counts = Uint32Array.from({ length: 2 + random.below(4) }, () => 1 + random.below([3, 10, 1000][round % 3]));
      for (let maxLength = Math.ceil(Math.log2(counts.length)); maxLength <= 5; maxLength++) {
        expect(cost(counts, referenceKernels.codeLengths(counts, maxLength)), `${counts} in ${maxLength} bits`).toBe(
          leastCost([...counts], maxLength),
        );
      }
    }
  });

  it("costs what Huffman's code does, where the limit is far", () => {
    const random = new Random(4);
    for (let round = 0; round < 100; round++) {
      const counts = Uint32Array.from({ length: 2 + random.below(255) }, () => 1 + random.below(200));
      expect(cost(counts, referenceKernels.codeLengths(counts, 20))).toBe(huffmanCost(counts));
    }
  });

  it("refuses counts that no code fits", () => {
    expect(() => referenceKernels.codeLengths(Uint32Array.of(0, 7, 0), 12)).toThrow(RangeError);
    expect(() => referenceKernels.codeLengths(new Uint32Array(5).fill(1), 2)).toThrow(RangeError);
  });
});

describe.each(encoders)("codeLengths on $name", ({ kernels: load }) => {
  const kernels = load();
  const lengths = (counts: readonly number[], maxLength = 12): number[] => [...kernels.codeLengths(Uint32Array.from(counts), maxLength)];

  it("is as worked by hand", () => {
    expect(lengths([1, 1])).toEqual([1, 1]);
    expect(lengths([0, 5, 0, 900])).toEqual([0, 1, 0, 1]);
    // Of equal counts the lower symbols come first, and get the longer codes.
    expect(lengths([1, 1, 1])).toEqual([2, 2, 1]);
    expect(lengths([1, 1, 2])).toEqual([2, 2, 1]);
    expect(lengths([5, 5, 5, 5])).toEqual([2, 2, 2, 2]);
    expect(lengths([1, 2, 4, 8, 16])).toEqual([4, 4, 3, 2, 1]);
    expect(lengths([1, 2, 4, 8, 16], 3)).toEqual([3, 3, 3, 3, 1]);
    expect(lengths([1, 2, 4, 8, 16, 32, 64, 128], 3)).toEqual(new Array(8).fill(3));
    // The package of the first two weighs 2, as symbols 2 and 3 do, and goes after them: [3, 3, 2, 1] would cost the same.
    expect(lengths([1, 1, 2, 2])).toEqual([2, 2, 2, 2]);
  });

  it("is the choice of the specification, and complete", () => {
    const random = new Random(6);
    for (let round = 0; round < 400; round++) {
      const counts = someCounts(random);
      const occurring = counts.filter((count) => count > 0).length;
      for (const maxLength of [Math.max(1, Math.ceil(Math.log2(occurring))), 9, 12]) {
        if (occurring > 2 ** maxLength) continue;
        const found = kernels.codeLengths(counts, maxLength);
        expectSame(found, packageMerge(counts, maxLength), `${counts} in ${maxLength} bits`);
        expect(kraft(found)).toBe(1);
        expect(Math.max(...found)).toBeLessThanOrEqual(maxLength);
      }
    }
  });

  it("sums counts beyond 2^32", () => {
    const counts = new Uint32Array(256).fill(2 ** 32 - 1);
    expectSame(kernels.codeLengths(counts, 12), new Uint8Array(256).fill(8));
    counts[0] = 1;
    expectSame(kernels.codeLengths(counts, 12), packageMerge(counts, 12));
  });
});
