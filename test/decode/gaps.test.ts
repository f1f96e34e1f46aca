import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/archive/bytes.js";
import { decodeWith } from "../../src/decode/decode.js";
import type { Dtype } from "../../src/types.js";
import { archiveOf, craftArchive, sealed, tensorOf } from "../archive/craft.js";
import { cores } from "../cores.js";
import { expectSame } from "../kernels/all.js";

/** Every gap up to 1100, and those around larger powers of two: one survivor after each. */
const GAPS = [...Array.from({ length: 1101 }, (_, gap) => gap), ...[12, 14, 16].flatMap((log) => [2 ** log - 1, 2 ** log, 2 ** log + 1])];

const ALPHABETS = [
  ...[1, 2, 3, 4, 5, 6, 7].map((gapParameter) => ({ escape: true, gapParameter })),
  ...[1, 2, 15, 16, 17, 127, 128, 254, 255].map((gapParameter) => ({ escape: false, gapParameter })),
];

/** A survivor after each gap, told apart by its lowest byte. */
function survivorsAfter(gaps: readonly number[], dtype: Dtype, elementBytes: number) {
  const elements = gaps.reduce((sum, gap) => sum + gap + 1, 0) + 9;
  const data = new Uint8Array(elements * elementBytes);
  let place = 0;
  for (const [i, gap] of gaps.entries()) {
    place += gap;
    data[elementBytes * place++] = 1 + (i % 200);
  }
  return tensorOf("w", dtype, [elements], data);
}

describe.each(cores)("$name", ({ core }) => {
  it.each(ALPHABETS)("puts a survivor after every gap that an alphabet can say: escape $escape, $gapParameter", (alphabet) => {
    for (const [dtype, elementBytes] of [
      ["U8", 1],
      ["I64", 8],
    ] as const) {
      // A filler of 1 takes a symbol for each pruned weight: fewer of them, then.
      const gaps = alphabet.gapParameter < 3 && !alphabet.escape ? GAPS.slice(0, 600) : GAPS;
      const tensor = survivorsAfter(gaps, dtype, elementBytes);
      for (const codebook of ["listed", "own"] as const) {
        const archive = craftArchive([{ ...tensor, coding: "sparse", codebook, ...alphabet, ways: [3] }]);
        const [decoded] = decodeWith(core, archive, { maxBytes: 2 ** 24 });
        expect(decoded.shape).toEqual(tensor.shape);
        expectSame(decoded.data, tensor.data, `${dtype}, ${codebook}`);
      }
    }
  });

  it.each([1, 2, 255])("goes on after as many fillers of %s as it likes", (gapParameter) => {
    for (const fillers of [4095, 4096, 4097, 8192, 12_288].filter((count) => count * gapParameter < 2 ** 20)) {
      for (const before of [0, 1, 2]) {
        // So many survivors, the fillers, and two more.
        const gaps = [...Array.from({ length: before }, () => 0), fillers * gapParameter, 0];
        const tensor = survivorsAfter(gaps, "F32", 4);
        const archive = craftArchive([{ ...tensor, coding: "sparse", gapParameter, ways: [2] }]);
        expectSame(decodeWith(core, archive, { maxBytes: 2 ** 24 })[0].data, tensor.data, `${before}, ${fillers}`);
      }
    }
  });

  it("refuses a block that ends in fillers, however many", () => {
    for (const fillers of [1, 4095, 4096, 4097, 8191, 8192]) {
      const symbols = Uint8Array.of(0, ...new Uint8Array(fillers).fill(1));
      const block = new ByteWriter().varint(1).varint(fillers).bytes(symbols).u8(0);
      // Sparse, a listed codebook of the one centroid 9, the filler 1, all symbols raw.
      const record = sealed(Uint8Array.of(3, 0, 1, 0, 9, 0, ...block.finish()));
      const archive = archiveOf([{ name: "w", dtype: "U8", shape: [20_000], record }]);
      expect(() => decodeWith(core, archive), `${fillers}`).toThrow(expect.objectContaining({ code: "CORRUPT" }));
    }
  });
});
