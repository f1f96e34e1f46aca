import { describe, expect, it } from "vitest";
import { decodeWith } from "../../src/decode/decode.js";
import { cores } from "../cores.js";
import { archiveOf, sealed } from "./craft.js";
import { refused } from "./refused.js";

const CONTEXT = 4;

describe.each(cores)("a record coded by context, with the $name,", ({ core }) => {
  /** An archive of one U8 tensor with the centroid 9, coded by context in this scan and stream. */
  const archive = (shape: readonly number[], scan: number, ...stream: number[]): Uint8Array =>
    archiveOf([{ name: "w", dtype: "U8", shape, record: sealed(Uint8Array.of(CONTEXT | (scan << 3), 0, 0, 9, ...stream)) }]);

  it("of a tensor without elements is an empty stream, however long its other axes", () => {
    const huge = [[0], [0, 3], [0, 2 ** 24], [0, 2 ** 31, 2 ** 20], [0, 2 ** 52], [2 ** 20, 0, 2 ** 32], [2 ** 26, 2 ** 26, 0]];
    for (const shape of huge) {
      for (let scan = 0; scan < 6; scan++) {
        const started = performance.now();
        expect(decodeWith(core, archive(shape, scan))).toMatchObject([{ shape, data: new Uint8Array(0) }]);
        refused(() => decodeWith(core, archive(shape, scan, 1)), "CORRUPT", `${shape}, scan ${scan}`);
        expect(performance.now() - started).toBeLessThan(500);
      }
    }
  });

  it("of a stream that ends early or goes on is refused", () => {
    for (const stream of [[1], [1, 2, 3, 4], new Array(40).fill(0xff), new Array(40).fill(0)]) {
      refused(() => decodeWith(core, archive([3, 5], 0, ...stream)), "CORRUPT", `${stream}`);
    }
  });

  it("of more elements than a stream of its length can have is refused at once", () => {
    const zeros = (count: number, bytes: number) => archive([count], 0, ...new Array(bytes).fill(0));
    refused(() => decodeWith(core, zeros(4096 + 512 * 10 + 1, 10)), "LIMIT");
    refused(() => decodeWith(core, zeros(2 ** 20, 100)), "LIMIT");
    refused(() => decodeWith(core, zeros(4096 + 512 * 10, 10)), "CORRUPT");
  });
});
