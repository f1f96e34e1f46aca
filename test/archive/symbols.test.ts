import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitReader, BitWriter } from "../../src/archive/bits.js";
import { ByteReader } from "../../src/archive/bytes.js";
import { readGamma, readStep, writeGamma, writeStep } from "../../src/archive/steps.js";
import { readSymbolCoding, writeSymbolCoding } from "../../src/archive/symbols.js";
import type { SymbolCoding } from "../../src/kernel-types.js";
import { referenceKernels } from "../../src/reference/index.js";
import { refused } from "./refused.js";

const SEED = { seed: 2, numRuns: 300 };

/** A reader of bits given as they are written, spaces left out. */
function bitsOf(text: string): BitReader {
  const writer = new BitWriter();
  for (const bit of text.replaceAll(" ", "")) writer.bits(Number(bit), 1);
  return new BitReader(new ByteReader(writer.finish(), 50));
}

function written(write: (bits: BitWriter) => void): string {
  const writer = new BitWriter();
  write(writer);
  const bytes = writer.finish();
  return Array.from({ length: writer.bitLength }, (_, i) => (bytes[i >>> 3] >>> (i & 7)) & 1).join("");
}

describe("steps", () => {
  it("are written as the format's table has them", () => {
    const text = (value: number, last: number): string => written((bits) => void writeStep(bits, value, last, 4));
    expect([text(5, 5), text(6, 5), text(4, 5), text(7, 5), text(3, 5)]).toEqual(["0", "100", "101", "1100", "1101"]);
    expect(text(8, 5)).toBe("111 0001".replace(" ", ""));
    expect(text(12, 1)).toBe("1110011");
  });

  it("come back", () => {
    for (let last = 1; last <= 64; last++) {
      for (let value = 1; value <= 64; value++) {
        const bits = bitsOf(written((to) => void writeStep(to, value, last, 7)));
        expect(readStep(bits, last, 7, "a step")).toBe(value);
      }
    }
  });

  it("do not go below 1", () => {
    refused(() => readStep(bitsOf("101"), 1, 4, "a step"), "CORRUPT");
    refused(() => readStep(bitsOf("1101"), 2, 4, "a step"), "CORRUPT");
    expect(readStep(bitsOf("101"), 2, 4, "a step")).toBe(1);
    expect(readStep(bitsOf("1110000"), 2, 4, "a step"), "0 is for runs").toBe(0);
  });
});

describe("Elias gamma", () => {
  it("comes back for all counts that can occur", () => {
    expect(written((bits) => void writeGamma(bits, 1))).toBe("1");
    expect(written((bits) => void writeGamma(bits, 6))).toBe("00101");
    for (let count = 1; count <= 256; count++) {
      expect(readGamma(bitsOf(written((bits) => void writeGamma(bits, count))), 256, "a run")).toBe(count);
    }
  });

  it("is refused beyond its bound, at once", () => {
    refused(() => readGamma(bitsOf("001 01"), 4, "a run"), "CORRUPT");
    refused(() => readGamma(bitsOf("0".repeat(64)), 256, "a run"), "CORRUPT");
    expect(readGamma(bitsOf("001 00"), 4, "a run")).toBe(4);
  });
});

describe("descriptions of symbols", () => {
  const read = (text: string, alphabet: number): SymbolCoding => readSymbolCoding(bitsOf(text), alphabet, "codes");

  it("say raw, single and Huffman", () => {
    expect(read("00", 7)).toMatchObject({ way: 0, alphabet: 7 });
    expect(read("10 11000000", 7)).toMatchObject({ way: 1, symbol: 3 });
    // Alphabet 4: the last length is at first 2.
    expect(read("01 0000", 4)).toMatchObject({ way: 2, lengths: Uint8Array.of(2, 2, 2, 2) });
    // Lengths 1, 2, 3, 3 of alphabet 8: -2, +1, +1, 0; symbols 4 to 7 do not occur.
    expect(read("11 1101 100 100 0", 8)).toMatchObject({ way: 3, lengths: Uint8Array.of(1, 2, 3, 3, 0, 0, 0, 0) });
    // A run of three zeros leaves the last length, 3: then 1 explicitly, and 1.
    expect(read("01 1110000 011 1101 0", 8)).toMatchObject({ way: 2, lengths: Uint8Array.of(0, 0, 0, 1, 1, 0, 0, 0) });
  });

  it("come back for any code of any alphabet", () => {
    const counts = fc
      .integer({ min: 2, max: 256 })
      .chain((alphabet) =>
        fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1 << 20 })), { minLength: alphabet, maxLength: alphabet }),
      );
    fc.assert(
      fc.property(counts, fc.constantFrom(2 as const, 3 as const), (frequencies, way) => {
        fc.pre(frequencies.filter((count) => count > 0).length >= 2);
        const lengths = referenceKernels.codeLengths(Uint32Array.from(frequencies), 12);
        const coding = { way, symbol: 0, lengths, alphabet: lengths.length };
        expect(
          read(
            written((bits) => writeSymbolCoding(bits, coding)),
            lengths.length,
          ),
        ).toEqual(coding);
      }),
      SEED,
    );
  });

  it("of a symbol beyond the alphabet are refused", () => {
    expect(read("10 01100000", 7).symbol).toBe(6);
    refused(() => read("10 11100000", 7), "CORRUPT");
    refused(() => read("10 10000000", 1), "CORRUPT");
  });

  it("of a code that is over-full are refused", () => {
    // Alphabet 4: lengths 1, 2, 1.
    refused(() => read("01 101 100 101", 4), "CORRUPT");
    // 1, 2, 2 is complete, and what follows is not read.
    expect(read("01 101 100 0", 4).lengths).toEqual(Uint8Array.of(1, 2, 2, 0));
  });

  it("of a code that is incomplete are refused", () => {
    refused(() => read("01 0 0 100", 3), "CORRUPT", "2, 2, 3");
    refused(() => read("01 101", 1), "CORRUPT", "one code alone");
    refused(() => read("01 0", 1), "CORRUPT", "one symbol has no complete code");
    refused(() => read("01 0 0 1110000 01 0", 4), "CORRUPT", "a run to the end");
  });

  it("of a run past the alphabet are refused", () => {
    refused(() => read("01 1110000 00101", 5), "CORRUPT");
    refused(() => read("01 0 1110000 00100", 4), "CORRUPT");
  });

  it("of a length outside 1 to 12 are refused", () => {
    for (const [bits, length] of [
      ["1011", 13],
      ["0111", 14],
      ["1111", 15],
    ] as const) {
      refused(() => read(`01 111 ${bits}`, 4), "CORRUPT", `explicit ${length}`);
    }
    refused(() => read("01 111 0011 100", 4), "CORRUPT", "12 + 1");
    refused(() => read("01 111 1101 1100", 4), "CORRUPT", "11 + 2");
    refused(() => read("01 101 101", 4), "CORRUPT", "1 - 1");
  });

  it("that are cut off are refused", () => {
    const whole = written((bits) => writeSymbolCoding(bits, read("01 1110000 011 1101 0", 8)));
    for (let length = 0; length < whole.length - 7; length++) {
      const bytes = new BitWriter();
      for (const bit of whole.slice(0, length - (length % 8))) bytes.bits(Number(bit), 1);
      refused(() => readSymbolCoding(new BitReader(new ByteReader(bytes.finish())), 8, "codes"), "TRUNCATED", `${length} bits`);
    }
  });
});
