import { describe, expect, it } from "vitest";
import type { FormatErrorCode } from "../../src/index.js";
import { archiveOf, craftRecord, tensorOf } from "../archive/craft.js";
import { refused } from "../archive/refused.js";
import { LIBRARIES } from "./libraries.js";

// A record of two blocks, raw: a head of one byte, then each block's length, elements and checksum.
const DATA = Uint8Array.from({ length: 300 }, (_, i) => i % 7);
const RECORD = craftRecord({ ...tensorOf("t", "U8", [300], DATA), coding: "raw", blockLog: 8 });
/** Where the second block's length stands, which takes one byte: 44 elements and 4 of checksum. */
const AT = 1 + 2 + 256 + 4;

/** The archive with this in place of the second block's length, and as much of the block as is said. */
function withLength(length: readonly number[], kept = 48): Uint8Array {
  const record = Uint8Array.of(...RECORD.subarray(0, AT), ...length, ...RECORD.subarray(AT + 1, AT + 1 + kept));
  return archiveOf([{ name: "t", dtype: "U8", shape: [300], record }]);
}

describe.each(LIBRARIES)("the length of a block, read by $name,", ({ library: { decode, readHeader } }) => {
  const start = readHeader(withLength([48])).recordsOffset;

  it("is what it should be", () => {
    expect(RECORD[AT]).toBe(48);
    expect(RECORD.length).toBe(AT + 1 + 48);
    expect(decode(withLength([48]))[0].data).toEqual(DATA);
  });

  const long = new Array(7).fill(0x80);
  const faults: readonly (readonly [title: string, length: readonly number[], kept: number, code: FormatErrorCode])[] = [
    ["not in its shortest form", [0xb0, 0], 48, "CORRUPT"],
    ["2^53 or more", [...long, 16], 48, "CORRUPT"],
    ["of more than eight bytes", [...long, 0x80, 1], 48, "CORRUPT"],
    ["not there", [], 0, "TRUNCATED"],
    ["cut off", [0x80], 0, "TRUNCATED"],
    ["cut off after seven bytes", long, 0, "TRUNCATED"],
  ];

  it.each(faults)("is refused where it is %s", (_, length, kept, code) => {
    expect(refused(() => decode(withLength(length, kept)), code).offset).toBe(start + AT);
  });

  it("is refused where the block would be shorter than its checksum, or longer than what is left", () => {
    for (const length of [[0], [3], [49], [0xb0, 1], [...long.slice(1), 0xff, 7]])
      expect(refused(() => decode(withLength(length)), "TRUNCATED", `${length}`).offset).toBe(start + AT + length.length);
  });
});
