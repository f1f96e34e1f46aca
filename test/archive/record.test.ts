import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.js";
import { blockCount, elementsOf, gapAlphabet, readRecordHead } from "../../src/archive/record.js";
import type { RecordPlan } from "../../src/kernel-types.js";
import { DTYPES, type Dtype, dtypeBits } from "../../src/types.js";
import { refused } from "./refused.js";

const MOST = 2 ** 20;

/** The plan of a head; `elements` weights of `dtype`, the record as long as it is said to be. */
function head(bytes: readonly number[], dtype: Dtype = "F32", elements = 100, recordByteLength = 1000): RecordPlan {
  const reader = new ByteReader(Uint8Array.from(bytes), 40);
  const plan = readRecordHead(reader, { name: "w", dtype, shape: [elements] }, recordByteLength);
  reader.end("the head");
  return plan;
}

const RAW = 0b00;
const SPARSE = 3;
const DENSE = 2;
const OWN = 3 << 6;
const EXACT = 0x10;
const ESCAPE = 0x20;
/** One centroid, 1.0, listed; float32. */
const BOOK = [0, 0, 0, 0x80, 0x3f];

describe("elements", () => {
  it("are weights of 8 to 64 bits, and bytes otherwise", () => {
    for (const dtype of DTYPES) {
      const bits = dtypeBits(dtype);
      const { elementBytes, elements, axes } = elementsOf({ name: "", dtype, shape: [2, 3, 4, 5] });
      if (bits >= 8 && bits <= 64) {
        expect({ elementBytes, elements, axes }).toEqual({ elementBytes: bits / 8, elements: 120, axes: [2, 3, 20] });
      } else {
        expect({ elementBytes, elements, axes }).toEqual({ elementBytes: 1, elements: 15 * bits, axes: [15 * bits, 1, 1] });
      }
    }
  });

  it("lie along three axes, those that are missing 1", () => {
    const axesOf = (...shape: number[]): readonly number[] => elementsOf({ name: "", dtype: "F32", shape }).axes;
    expect([axesOf(), axesOf(7), axesOf(7, 5), axesOf(7, 5, 3), axesOf(7, 0, 3)]).toEqual([
      [1, 1, 1],
      [7, 1, 1],
      [7, 5, 1],
      [7, 5, 3],
      [0, 1, 1],
    ]);
  });

  it("have alphabets of gaps that one byte holds", () => {
    for (let g = 1; g <= 255; g++) expect(gapAlphabet(false, g)).toBe(g + 1);
    for (let g = 1; g <= 7; g++) expect(gapAlphabet(true, g)).toBe(2 ** g + 2 * (20 - g));
    expect(gapAlphabet(true, 7)).toBeLessThanOrEqual(256);
  });
});

describe("heads of raw and bytes", () => {
  it("are one byte, then for bytes a description for each plane", () => {
    expect(head([0])).toMatchObject({ coding: "raw", exact: false, blockElements: MOST, symbols: [] });
    expect(head([0x80])).toMatchObject({ coding: "raw", exact: true });
    expect(head([0x81, 0]).symbols.map(({ way, alphabet }) => [way, alphabet])).toEqual(new Array(4).fill([0, 256]));
    expect(head([0x01, 0], "I8").symbols.length).toBe(1);
    expect(head([0x01, 0, 0], "F64").symbols.length).toBe(8);
  });

  it("say the size of their blocks", () => {
    expect(head([3 << 3], "U8", 257)).toMatchObject({ blockElements: 256 });
    expect(blockCount(head([3 << 3], "U8", 257))).toBe(2);
    expect(head([15 << 3], "U8", MOST + 1)).toMatchObject({ blockElements: MOST });
    expect(blockCount(head([0], "U8", MOST))).toBe(1);
    expect(blockCount(head([0], "U8", 0))).toBe(1);
  });

  it("are refused with blocks of less than 2^8, larger than the tensor, or one of more than 2^20", () => {
    expect(refused(() => head([1 << 3], "U8", 1000), "CORRUPT").offset).toBe(40);
    refused(() => head([2 << 3], "U8", 1000), "CORRUPT");
    refused(() => head([3 << 3], "U8", 256), "CORRUPT");
    refused(() => head([15 << 3], "U8", MOST), "CORRUPT");
    refused(() => head([0], "U8", MOST + 1), "CORRUPT");
  });

  it("are refused with bits after the descriptions", () => {
    refused(() => head([1, 0x04], "U8"), "CORRUPT");
    refused(() => head([1, 0x80], "U8"), "CORRUPT");
  });
});

describe("records of zeros", () => {
  const zeros = (first: number, elements = 100): RecordPlan => head([first], "F32", elements, 5);

  it("are their head alone", () => {
    expect(zeros(SPARSE)).toMatchObject({ coding: "sparse", zero: true, exact: false });
    expect(zeros(SPARSE | 0x80)).toMatchObject({ zero: true, exact: true });
    expect(zeros(SPARSE, MOST)).toMatchObject({ zero: true });
  });

  it("are refused with more than a block, or with bits that are reserved", () => {
    refused(() => zeros(SPARSE, MOST + 1), "CORRUPT");
    for (const bit of [3, 4, 5, 6]) refused(() => zeros(SPARSE | (1 << bit)), "CORRUPT", `bit ${bit}`);
  });
});

describe("heads of dense and sparse", () => {
  it("say scan, codebook, gaps and codes", () => {
    expect(head([DENSE | (3 << 3), EXACT, ...BOOK, RAW])).toMatchObject({ coding: "dense", scan: 3, exact: true, own: false });
    const sparse = head([SPARSE | (5 << 3), ESCAPE, 2, ...BOOK, RAW]);
    expect(sparse).toMatchObject({ coding: "sparse", scan: 5, escape: true, gapParameter: 2, exact: false });
    expect(sparse.symbols.map(({ alphabet }) => alphabet)).toEqual([40, 1]);
    const own = head([SPARSE | OWN, 0, 255, 0, 0]);
    expect(own).toMatchObject({ own: true, gapParameter: 255, codebook: new Uint8Array(0) });
    expect(own.symbols.map(({ alphabet }) => alphabet)).toEqual([256, 256, 256, 256, 256]);
    expect(head([DENSE | (2 << 6), 0, 0, 0x00, 0x3c, RAW]).codebook).toEqual(Uint8Array.of(0, 0, 0x80, 0x3f));
  });

  it("are refused with a scan that is not known", () => {
    for (const scan of [6, 7]) {
      expect(refused(() => head([DENSE | (scan << 3), 0, ...BOOK, RAW]), "CORRUPT").offset).toBe(40);
      refused(() => head([SPARSE | (scan << 3), 0, 1, ...BOOK, RAW]), "CORRUPT");
    }
  });

  it("are refused with several blocks that are not row-major", () => {
    expect(head([DENSE, 3, ...BOOK, RAW], "F32", 300)).toMatchObject({ blockElements: 256 });
    for (let scan = 1; scan < 6; scan++) refused(() => head([DENSE | (scan << 3), 3, ...BOOK, RAW], "F32", 300), "CORRUPT");
  });

  it("are refused with blocks of a wrong size", () => {
    for (const size of [1, 2, 3]) refused(() => head([SPARSE, size, 1, ...BOOK, RAW], "F32", 256), "CORRUPT", `${size}`);
    refused(() => head([SPARSE, 0, 1, ...BOOK, RAW], "F32", MOST + 1), "CORRUPT");
  });

  it("are refused with reserved bits", () => {
    for (const bit of [5, 6, 7]) refused(() => head([DENSE, 1 << bit, ...BOOK, RAW]), "CORRUPT", `dense, bit ${bit}`);
    for (const bit of [6, 7]) refused(() => head([SPARSE, 1 << bit, 1, ...BOOK, RAW]), "CORRUPT", `sparse, bit ${bit}`);
  });

  it("are refused with a codebook that the record cannot have", () => {
    refused(() => head([DENSE | OWN, 0, RAW]), "CORRUPT", "dense weights of their own");
    for (const dtype of ["F16", "BF16", "F64", "I32", "U8"] as const) {
      refused(() => head([DENSE | (2 << 6), 0, 0, 0, 0, RAW], dtype), "CORRUPT", `float16 for ${dtype}`);
      refused(() => head([SPARSE | (2 << 6), 0, 1, 0, 0, 0, RAW], dtype), "CORRUPT", `float16 for ${dtype}`);
    }
  });

  it("are refused with a gap parameter out of bounds", () => {
    expect(refused(() => head([SPARSE, 0, 0, ...BOOK, RAW]), "CORRUPT").offset).toBe(42);
    refused(() => head([SPARSE, ESCAPE, 0, ...BOOK, RAW]), "CORRUPT");
    for (const g of [8, 20, 255]) refused(() => head([SPARSE, ESCAPE, g, ...BOOK, RAW]), "CORRUPT", `${g}`);
    for (let g = 1; g <= 7; g++) expect(head([SPARSE, ESCAPE, g, ...BOOK, RAW]).gapParameter).toBe(g);
  });

  it("are refused at every truncation", () => {
    const wholes = [
      [DENSE | (1 << 6), 0, 1, ...new Array(4).fill(7), 0b0, RAW, 0],
      [SPARSE | (2 << 6), 0, 9, 1, 0, 0, 0, 0x3c, RAW],
      [SPARSE | OWN, ESCAPE, 3, 0b00000110, 0, 0, 0],
      [0x81, 0],
    ];
    for (const whole of wholes) {
      for (let length = 0; length < whole.length - 1; length++) {
        const reader = new ByteReader(Uint8Array.from(whole.slice(0, length)));
        refused(() => readRecordHead(reader, { name: "w", dtype: "F32", shape: [100] }, 1000), "TRUNCATED", `${whole}: ${length}`);
      }
    }
  });
});

it("codings that are not known are UNSUPPORTED", () => {
  const unknown = [0, 1, 2, 3, 4, 5, 6, 7].filter((coding) => {
    try {
      readRecordHead(
        new ByteReader(new ByteWriter().u8(coding).bytes(new Uint8Array(64)).finish()),
        { name: "", dtype: "U8", shape: [9] },
        99,
      );
      return false;
    } catch (error) {
      return (error as { code?: string }).code === "UNSUPPORTED";
    }
  });
  expect(unknown.length).toBeGreaterThan(0);
  expect(unknown).not.toContain(3);
  for (const coding of unknown) expect(refused(() => head([coding]), "UNSUPPORTED").offset).toBe(40);
});
