import { expect, it } from "vitest";
import { bytesSource } from "../../src/formats/bytes-source.js";
import { readAhead } from "../../src/formats/read-ahead.js";
import type { Source } from "../../src/types.js";
import { expectSame } from "../kernels/all.js";
import { Random } from "../random.js";

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >>> 3);

/** A source that counts its readings, and lends one buffer. */
function lending(): Source & { readonly readings: number } {
  const lent = new Uint8Array(BYTES.length);
  let readings = 0;
  return {
    ...bytesSource(BYTES),
    get readings() {
      return readings;
    },
    async read(offset, byteLength) {
      readings++;
      lent.fill(0xee);
      lent.set(BYTES.subarray(offset, offset + byteLength));
      return lent.subarray(0, byteLength);
    },
  };
}

it("small readings close behind one another are few of the source", async () => {
  const source = lending();
  const ahead = readAhead(source);
  for (let at = 0; at + 300 <= BYTES.length; at += 300) expectSame(await ahead.read(at, 300), BYTES.subarray(at, at + 300));
  expect(source.readings).toBeLessThanOrEqual(6);
});

it("any readings give the source's bytes, the last ones too, and stay as they are until the next", async () => {
  const ahead = readAhead(lending());
  const random = new Random(3);
  for (let i = 0; i < 500; i++) {
    const byteLength = random.below(i % 3 === 0 ? 100_000 : 1000);
    const offset = random.below(BYTES.length - byteLength + 1);
    expectSame(await ahead.read(offset, byteLength), BYTES.subarray(offset, offset + byteLength));
  }
  expectSame(await ahead.read(BYTES.length - 1, 1), BYTES.subarray(-1));
  expect((await ahead.read(BYTES.length, 0)).length).toBe(0);
});

it("readings side by side do not disturb each other", async () => {
  const ahead = readAhead(bytesSource(BYTES));
  const offsets = [0, 200_000, 100, 120_000, 200_100];
  const all = await Promise.all(offsets.map((offset) => ahead.read(offset, 64)));
  for (const [i, offset] of offsets.entries()) expectSame(all[i], BYTES.subarray(offset, offset + 64));
});

it("a range that is not there is refused", async () => {
  const ahead = readAhead(bytesSource(BYTES));
  await ahead.read(BYTES.length - 10, 10);
  await expect(ahead.read(BYTES.length - 5, 6)).rejects.toThrow(RangeError);
  await expect(ahead.read(-1, 1)).rejects.toThrow(RangeError);
});
