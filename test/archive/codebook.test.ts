import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BitWriter } from "../../src/archive/bits.js";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.js";
import { codebookKeys, FLOAT16, halfToNumber, LISTED, readCodebook, SORTED, writeListed, writeSorted } from "../../src/archive/codebook.js";
import { elementsOf } from "../../src/archive/record.js";
import { referenceKernels } from "../../src/reference/index.js";
import { DTYPES, type Dtype } from "../../src/types.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";
import { refused } from "./refused.js";

function widthOf(dtype: Dtype): number {
  return elementsOf({ name: "", dtype, shape: [8] }).elementBytes;
}

function read(bytes: Uint8Array, kind: number, dtype: Dtype): Uint8Array {
  const reader = new ByteReader(bytes);
  const codebook = readCodebook(reader, kind, dtype, widthOf(dtype));
  reader.end("the codebook");
  return codebook;
}

/** Different elements, ascending by their keys. */
function ascending(elements: Uint8Array, dtype: Dtype): { elements: Uint8Array; keys: bigint[] } {
  const width = widthOf(dtype);
  const keys = [...new Set(codebookKeys(elements, dtype, width))].sort((a, b) => (a < b ? -1 : 1));
  const all = codebookKeys(elements, dtype, width);
  const bytes = keys.flatMap((key) => {
    const at = all.indexOf(key) * width;
    return [...elements.subarray(at, at + width)];
  });
  return { elements: Uint8Array.from(bytes), keys };
}

describe.each(DTYPES.map((dtype) => ({ dtype, width: widthOf(dtype) })))("codebooks of $dtype", ({ dtype, width }) => {
  const random = new Random(dtype.length * 31 + width);

  it("listed, come back", () => {
    for (const count of [1, 2, 255, 256]) {
      const elements = random.bytes(count * width);
      expectSame(read(writeListed(elements, width), LISTED, dtype), elements);
    }
  });

  it("sorted, come back", () => {
    for (const count of [1, 2, 17, 256]) {
      const { elements, keys } = ascending(random.bytes(count * width), dtype);
      expectSame(read(writeSorted(keys, width), SORTED, dtype), elements);
    }
    const most = 2n ** BigInt(8 * width) - 1n;
    for (const keys of [[0n, most], [0n, 1n, 2n, most - 1n, most], [most]]) {
      const codebook = read(writeSorted(keys, width), SORTED, dtype);
      expect(codebookKeys(codebook, dtype, width)).toEqual(keys);
    }
  });

  it("that are cut off are refused at every length", () => {
    const { keys } = ascending(random.bytes(12 * width), dtype);
    for (const [kind, bytes] of [
      [LISTED, writeListed(random.bytes(5 * width), width)],
      [SORTED, writeSorted(keys, width)],
    ] as const) {
      for (let length = 0; length < bytes.length; length++) refused(() => read(bytes.subarray(0, length), kind, dtype), "TRUNCATED");
    }
  });

  it("sorted, are refused where a key passes the largest", () => {
    const width8 = 8 * width;
    const bits = new BitWriter().wide(2n ** BigInt(width8) - 1n, width8);
    bits.bits(0b111, 3).bits(1, 7); // a difference of one bit, that is 1
    refused(() => read(new ByteWriter().u8(1).bytes(bits.finish()).finish(), SORTED, dtype), "CORRUPT");
  });

  it("sorted, are refused where a difference has no bits, or more than an element", () => {
    for (const differenceBits of [0, 8 * width + 1, 127]) {
      const bits = new BitWriter()
        .wide(0n, 8 * width)
        .bits(0b111, 3)
        .bits(differenceBits, 7)
        .wide(0n, 128);
      refused(() => read(new ByteWriter().u8(1).bytes(bits.finish()).finish(), SORTED, dtype), "CORRUPT", `${differenceBits} bits`);
    }
  });

  it("sorted, are refused with bits after the last", () => {
    const bytes = writeSorted([1n, 2n], width);
    bytes[bytes.length - 1] |= 0x80;
    refused(() => read(bytes, SORTED, dtype), "CORRUPT");
  });
});

it("keys of floats rise with the values", () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 2, maxLength: 20 }), (list) => {
      const sorted = Float32Array.from(list).sort(); // -0 before 0
      const keys = codebookKeys(new Uint8Array(sorted.buffer), "F32", 4);
      for (let i = 1; i < keys.length; i++) expect(keys[i - 1] <= keys[i]).toBe(true);
    }),
    { seed: 3, numRuns: 200 },
  );
});

describe("float16 codebooks", () => {
  it("hold every half-precision number but NaN", () => {
    for (let first = 0; first < 65536; first += 256) {
      const halfs = Uint16Array.from({ length: 256 }, (_, i) => first + i);
      const isNaN16 = (half: number): boolean => (half & 0x7fff) > 0x7c00;
      const bytes = writeListed(new Uint8Array(halfs.buffer), 2);
      if (halfs.some(isNaN16)) {
        const error = refused(() => read(bytes, FLOAT16, "F32"), "CORRUPT");
        expect(error.offset).toBe(1 + 2 * halfs.findIndex(isNaN16));
        continue;
      }
      const codebook = read(bytes, FLOAT16, "F32");
      expectSame(codebook, new Uint8Array(referenceKernels.toFloat32(new Uint8Array(halfs.buffer), "F16").buffer));
      expectSame(referenceKernels.fromFloat32(new Float32Array(codebook.slice().buffer), "F16"), new Uint8Array(halfs.buffer));
    }
  });

  it("know subnormals, infinities and both zeros", () => {
    expect(halfToNumber(0x0001)).toBe(2 ** -24);
    expect(halfToNumber(0x03ff)).toBe(1023 * 2 ** -24);
    expect(halfToNumber(0x0400)).toBe(2 ** -14);
    expect(halfToNumber(0x3c00)).toBe(1);
    expect(halfToNumber(0x7bff)).toBe(65504);
    expect(halfToNumber(0xfc00)).toBe(Number.NEGATIVE_INFINITY);
    expect(Object.is(halfToNumber(0x8000), -0)).toBe(true);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });

  it("that are cut off are refused", () => {
    const bytes = writeListed(new Uint8Array(6), 2);
    for (let length = 0; length < bytes.length; length++) refused(() => read(bytes.subarray(0, length), FLOAT16, "F32"), "TRUNCATED");
  });
});
