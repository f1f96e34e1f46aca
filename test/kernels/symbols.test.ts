import { describe, expect, it } from "vitest";
import type { SymbolCoding } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import { LENGTHS, Random } from "../random.js";
import { encoders, expectSame } from "./all.js";
import { codingFor, denseBlock, WAYS } from "./blocks.js";

/** The codes as texts of bits, by the algorithm of RFC 1951, section 3.2.2, in its own words. */
function codesAsText(lengths: Uint8Array): string[] {
  const codes: string[] = new Array(lengths.length).fill("");
  let code = 0;
  for (let length = 1; length <= 12; length++) {
    for (const [symbol, ofSymbol] of lengths.entries()) {
      if (ofSymbol === length) codes[symbol] = (code++).toString(2).padStart(length, "0");
    }
    code *= 2;
  }
  return codes;
}

function packed(bits: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < bits.length; at += 8) {
    bytes.push(Number.parseInt([...bits.slice(at, at + 8)].reverse().join(""), 2));
  }
  return bytes;
}

function naive(symbols: Uint8Array, coding: SymbolCoding): number[] {
  if (coding.way === 0) return [...symbols];
  if (coding.way === 1) return [];
  const codes = codesAsText(coding.lengths);
  const streams = (coding.way === 2 ? [0] : [0, 1, 2, 3]).map((stream, _, { length }) =>
    packed([...symbols].flatMap((symbol, i) => (i % length === stream ? codes[symbol] : "")).join("")),
  );
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  return [...(coding.way === 3 ? streams.flatMap(({ length }) => varint(length)) : []), ...streams.flat()];
}

describe("the codes", () => {
  it("are those of the example in RFC 1951, section 3.2.2", () => {
    const lengths = Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4);
    expect(codesAsText(lengths)).toEqual(["010", "011", "100", "101", "110", "00", "1110", "1111"]);
  });
});

describe.each(encoders)("encodeSymbols on $name", ({ kernels: load }) => {
  const kernels = load();

  it("writes the example in RFC 1951 with first bits lowest", () => {
    const coding = { way: 2, symbol: 0, lengths: Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4), alphabet: 8 } as const;
    // 010 00 1111 011: bits 0 1 0 0 0 1 1 1 | 1 0 1 1.
    expect([...kernels.encodeSymbols(Uint8Array.of(0, 5, 7, 1), coding)]).toEqual([0b11100010, 0b1101]);
  });

  it.each(LENGTHS)("writes what the format says, %i symbols", (length) => {
    const random = new Random(length + 1);
    for (const alphabet of [2, 3, 17, 34, 64, 256]) {
      for (const ratio of [0, 0.3, 0.9, 0.99]) {
        for (const way of WAYS) {
          const symbols = way === 1 ? new Uint8Array(length).fill(alphabet - 1) : random.symbols(length, alphabet, ratio);
          const coding = codingFor(symbols, alphabet, way);
          expectSame(kernels.encodeSymbols(symbols, coding), Uint8Array.from(naive(symbols, coding)), `way ${way} of ${alphabet}`);
        }
      }
    }
  });

  it("leaves its argument alone, and returns bytes that are the caller's", () => {
    const symbols = Uint8Array.of(1, 2, 3, 1, 1);
    for (const way of [0, 2, 3] as const) {
      const coding = codingFor(symbols, 4, way);
      const first = kernels.encodeSymbols(symbols, coding);
      const before = first.slice();
      kernels.encodeSymbols(symbols.slice().reverse(), coding);
      expectSame(first, before);
      first.fill(0);
      expect([...symbols]).toEqual([1, 2, 3, 1, 1]);
    }
  });

  it("writes long streams that decode again", () => {
    const random = new Random(7);
    for (const alphabet of [2, 33, 256]) {
      for (const way of [2, 3] as const) {
        const symbols = random.symbols(200_003, alphabet, 0.93);
        const codebook = Uint8Array.from({ length: alphabet }, (_, i) => i);
        const { plan, block } = denseBlock(kernels, symbols, codebook, 1, way);
        const out = new Uint8Array(symbols.length);
        kernels.decodeBlock(plan, block, 0, out);
        expectSame(out, symbols, `way ${way} of ${alphabet}`);
        expectSame(block, referenceKernels.encodeSymbols(symbols, plan.symbols[0]), `way ${way} of ${alphabet}`);
      }
    }
  });

  it("writes codes of 12 bits throughout", () => {
    const lengths = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12);
    for (const way of [2, 3] as const) {
      const coding = { way, symbol: 0, lengths, alphabet: 13 };
      for (let length = 0; length < 40; length++) {
        const symbols = new Uint8Array(length).fill(12);
        expectSame(kernels.encodeSymbols(symbols, coding), Uint8Array.from(naive(symbols, coding)), `${length} symbols, way ${way}`);
      }
    }
  });
});
