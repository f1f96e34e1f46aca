import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitReader, BitWriter } from "../../src/archive/bits.js";
import { ByteReader, ByteWriter, varintByteLength } from "../../src/archive/bytes.js";
import { refused } from "./refused.js";

const SEED = { seed: 1, numRuns: 500 };

describe("varints", () => {
  const read = (...bytes: number[]): number => new ByteReader(Uint8Array.from(bytes), 100).varint("n");

  it("are seven bits a byte, low bits first", () => {
    expect(new ByteWriter().varint(0).varint(127).varint(128).varint(300).finish()).toEqual(Uint8Array.of(0, 127, 0x80, 1, 0xac, 2));
    expect(read(0xac, 2)).toBe(300);
  });

  it("come back for every integer below 2^53, in the length that is said", () => {
    const powers = Array.from({ length: 53 }, (_, i) => 2 ** i).flatMap((power) => [power - 1, power]);
    const check = (value: number): void => {
      const bytes = new ByteWriter().varint(value).finish();
      expect(bytes.length).toBe(varintByteLength(value));
      const reader = new ByteReader(bytes);
      expect(reader.varint("n")).toBe(value);
      reader.end("the varint");
    };
    for (const value of [...powers, Number.MAX_SAFE_INTEGER]) check(value);
    fc.assert(fc.property(fc.maxSafeNat(), check), SEED);
  });

  it("of 2^53 and more are refused", () => {
    expect(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)).toBe(2 ** 53 - 1);
    expect(refused(() => read(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10), "CORRUPT").offset).toBe(100);
    refused(() => read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "CORRUPT");
    refused(() => read(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), "CORRUPT");
    refused(() => read(...new Array(20).fill(0xff)), "CORRUPT");
  });

  it("in a longer form than needed are refused", () => {
    for (let padding = 1; padding < 8; padding++) {
      const error = refused(() => read(...new Array(padding).fill(0x80), 0), "CORRUPT");
      expect(error.offset).toBe(100);
    }
    refused(() => read(0xff, 0), "CORRUPT");
  });

  it("that are cut off are refused where they end", () => {
    expect(refused(() => read(), "TRUNCATED").offset).toBe(100);
    expect(refused(() => read(0x80, 0x80), "TRUNCATED").offset).toBe(102);
  });
});

describe("fields", () => {
  it("of 32 bits are little-endian and unsigned", () => {
    const bytes = new ByteWriter().u32(0xfedcba98).finish();
    expect(bytes).toEqual(Uint8Array.of(0x98, 0xba, 0xdc, 0xfe));
    expect(new ByteReader(bytes).u32("n")).toBe(0xfedcba98);
    refused(() => new ByteReader(bytes.subarray(1)).u32("n"), "TRUNCATED");
  });

  it("are not taken beyond the end, and taking nothing is allowed there", () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3), 10);
    expect(reader.take(3, "all")).toEqual(Uint8Array.of(1, 2, 3));
    expect(reader.take(0, "nothing")).toEqual(new Uint8Array(0));
    expect(refused(() => reader.take(1, "more"), "TRUNCATED").offset).toBe(13);
    refused(() => reader.take(Number.MAX_SAFE_INTEGER, "much more"), "TRUNCATED");
    reader.end("the bytes");
    expect(refused(() => new ByteReader(Uint8Array.of(1), 5).end("nothing"), "TRAILING").offset).toBe(5);
  });

  it("of text are UTF-8 and nothing else, a byte order mark kept", () => {
    for (const text of ["", "a\0b", "\ufeffx", "Gewicht_ä/😀"]) {
      const reader = new ByteReader(new ByteWriter().text(text).finish());
      expect(reader.text(reader.varint("length"), "text")).toBe(text);
    }
    for (const bad of [[0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff]]) {
      refused(() => new ByteReader(Uint8Array.from(bad)).text(bad.length, "text"), "CORRUPT", bad.join());
    }
  });
});

describe("bit strings", () => {
  it("fill bytes from the lowest bit", () => {
    const bytes = new BitWriter().bits(1, 1).bits(0b10, 2).bits(0b11111, 5).bits(1, 1).finish();
    expect(bytes).toEqual(Uint8Array.of(0b11111101, 1));
  });

  it("come back field by field", () => {
    const field = fc
      .integer({ min: 0, max: 31 })
      .chain((width) => fc.tuple(fc.integer({ min: 0, max: 2 ** width - 1 }), fc.constant(width)));
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const writer = new BitWriter();
        for (const [value, width] of fields) writer.bits(value, width);
        const total = fields.reduce((sum, [, width]) => sum + width, 0);
        expect(writer.bitLength).toBe(total);
        const bytes = new ByteReader(writer.finish());
        const reader = new BitReader(bytes);
        for (const [value, width] of fields) expect(reader.bits(width, "field")).toBe(value);
        reader.end("the fields");
        bytes.end("the bit string");
      }),
      SEED,
    );
  });

  it("hold fields wider than 32 bits", () => {
    for (const [value, width] of [
      [2n ** 64n - 1n, 64],
      [1n << 63n, 64],
      [0n, 0],
      [0x123456789abcdefn, 57],
    ] as const) {
      const bytes = new BitWriter().bits(1, 1).wide(value, width).finish();
      const reader = new BitReader(new ByteReader(bytes));
      reader.bit("before");
      expect(reader.wide(width, "field")).toBe(value);
    }
  });

  it("end with zero bits", () => {
    for (let bit = 3; bit < 8; bit++) {
      const reader = new BitReader(new ByteReader(Uint8Array.of(0b101 | (1 << bit)), 7));
      reader.bits(3, "field");
      expect(refused(() => reader.end("the field"), "CORRUPT").offset).toBe(7);
    }
    const reader = new BitReader(new ByteReader(Uint8Array.of(0b101)));
    reader.bits(3, "field");
    reader.end("the field");
    refused(() => reader.bit("more"), "TRUNCATED");
  });
});
