import { describe, expect, it } from "vitest";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";
import { sparseBlock } from "./blocks.js";

const LONGEST = 2 ** 20 - 1;

/** The gaps that fillers and rests stand for. */
function unfilled(symbols: Uint8Array, filler: number): number[] {
  const gaps: number[] = [];
  let gap = 0;
  for (const symbol of symbols) {
    gap += symbol;
    if (symbol === filler) continue;
    gaps.push(gap);
    gap = 0;
  }
  expect(gap, "the last symbol is no filler").toBe(0);
  return gaps;
}

/** The gaps that escapes and extra bits stand for, as docs/format.md, section 4.6, puts it. */
function unescaped({ symbols, extra }: { symbols: Uint8Array; extra: Uint8Array }, g: number): number[] {
  const bits = [...extra].flatMap((byte) => [...byte.toString(2).padStart(8, "0")].reverse().map(Number));
  let at = 0;
  const gaps = [...symbols].map((symbol) => {
    if (symbol < 2 ** g) return symbol;
    const e = (symbol - 2 ** g) >> 1;
    const m = (symbol - 2 ** g) & 1;
    let gap = 2 ** (g + e) + m * 2 ** (g + e - 1);
    for (let bit = 0; bit < g + e - 1; bit++) gap += bits[at++] * 2 ** bit;
    return gap;
  });
  expect(Math.ceil(at / 8), "the extra bits end in the last byte").toBe(extra.length);
  expect(bits.slice(at).every((bit) => bit === 0)).toBe(true);
  return gaps;
}

function someGaps(random: Random, length: number, long: number): Uint32Array {
  return Uint32Array.from({ length }, () => (random.chance(long) ? random.below(2 ** (4 + random.below(17))) : random.below(12)));
}

describe.each(encoders)("gaps on $name", ({ kernels: load }) => {
  const kernels = load();

  it("are filled as worked by hand", () => {
    expect([...kernels.fillGaps(Uint32Array.of(0, 3, 4, 9), 4)]).toEqual([0, 3, 4, 0, 4, 4, 1]);
    expect([...kernels.fillGaps(Uint32Array.of(2, 0), 1)]).toEqual([1, 1, 0, 0]);
    expect([...kernels.fillGaps(Uint32Array.of(254, 255, 510), 255)]).toEqual([254, 255, 0, 255, 255, 0]);
    expect([...kernels.fillGaps(Uint32Array.of(), 4)]).toEqual([]);
    expect(kernels.fillGaps(Uint32Array.of(LONGEST), 1).length).toBe(LONGEST + 1);
  });

  it("are escaped as worked by hand", () => {
    const { symbols, extra } = kernels.escapeGaps(Uint32Array.of(3, 5, 14, 6), 2);
    expect([[...symbols], [...extra]]).toEqual([[3, 4, 7, 5], [0b0101]]);
    // g = 1: 2 and 3 are symbols 2 and 3 without extra bits.
    const least = kernels.escapeGaps(Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 1);
    expect([[...least.symbols], [...least.extra]]).toEqual([[0, 1, 2, 3, 4, 4, 5, 5], [0b1010]]);
    const largest = kernels.escapeGaps(Uint32Array.of(LONGEST, LONGEST), 7);
    expect([[...largest.symbols], [...largest.extra]]).toEqual([
      [153, 153],
      [255, 255, 255, 255, 15],
    ]);
    const none = kernels.escapeGaps(Uint32Array.of(), 3);
    expect([none.symbols.length, none.extra.length]).toEqual([0, 0]);
  });

  it.each(LENGTHS)("are written as the reference does, and come back, %i of them", (length) => {
    const random = new Random(length + 1);
    for (const long of [0, 0.02, 0.5]) {
      const gaps = someGaps(random, length, long);
      for (const filler of [1, 2, 7, 15, 31, 100, 255]) {
        if (long === 0.5 && filler < 15 && length > 100) continue; // millions of fillers
        const symbols = kernels.fillGaps(gaps, filler);
        expectSame(symbols, referenceKernels.fillGaps(gaps, filler), `filler ${filler}`);
        expect(unfilled(symbols, filler)).toEqual([...gaps]);
      }
      for (let exponent = 1; exponent <= 7; exponent++) {
        const escaped = kernels.escapeGaps(gaps, exponent);
        const expected = referenceKernels.escapeGaps(gaps, exponent);
        expectSame(escaped.symbols, expected.symbols, `symbols, g ${exponent}`);
        expectSame(escaped.extra, expected.extra, `extra, g ${exponent}`);
        expect(unescaped(escaped, exponent)).toEqual([...gaps]);
      }
    }
  });

  it("come back from a block of any mode and parameter", () => {
    const random = new Random(12);
    const gaps = someGaps(random, 300, 0.01);
    const own = { elements: random.bytes(600), ways: [0, 0] as const };
    for (const isEscape of [false, true]) {
      for (const gapParameter of isEscape ? [1, 2, 3, 4, 5, 6, 7] : [1, 2, 3, 16, 100, 254, 255]) {
        for (const gapWay of [0, 2, 3] as const) {
          const { plan, block, elements } = sparseBlock(kernels, {
            gaps,
            after: 2,
            elementBytes: 2,
            escape: isEscape,
            gapParameter,
            gapWay,
            own,
          });
          const out = new Uint8Array(elements.length);
          if (out.length > 2 ** 21) continue;
          kernels.decodeBlock(plan, block, 0, out);
          expectSame(out, elements, `escape ${isEscape}, g ${gapParameter}`);
        }
      }
    }
  });

  it.each(LENGTHS)("are counted, %i of them", (length) => {
    const gaps = someGaps(new Random(length + 2), length, 0.1);
    const maxGap = gaps.reduce((most, gap) => Math.max(most, gap), 0);
    const counts = new Uint32Array(maxGap + 1);
    for (const gap of gaps) counts[gap]++;
    expectSame(kernels.gapHistogram(gaps, maxGap), counts);
    expectSame(kernels.gapHistogram(gaps, maxGap + 5).subarray(0, maxGap + 1), counts);
  });
});
