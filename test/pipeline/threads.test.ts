import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { done, fails, testFolder } from "../cli/cli.js";
import { makeNpy } from "../formats/helpers.js";
import { makeZip } from "../formats/zipfile.js";
import { Random } from "../random.js";

const folder = testFolder();
const at = (name: string): string => path.join(folder, name);

// Larger than what is read at once, so that threads read them in turns.
const random = new Random(8);
const ROWS = 4400;
const arrays = ["a", "b"].map((name, i) => {
  const data = Uint8Array.from({ length: 1024 * ROWS }, () => random.below(200 + i));
  return { name: `${name}.npy`, data: makeNpy("|u1", [ROWS, 1024], data, i === 1) };
});
const stored = makeZip(arrays);
const deflated = makeZip(arrays.map((array) => ({ ...array, level: 1 })));

async function compressed(model: Uint8Array, threads: number): Promise<Buffer> {
  writeFileSync(at("model.npz"), model);
  await done(["compress", at("model.npz"), "-o", at("out.coppice"), "--force", "--preset", "exact", "--threads", `${threads}`]);
  return readFileSync(at("out.coppice"));
}

it.each([
  ["stored", stored],
  ["deflated", deflated],
])("a .npz whose members are %s gives the same bytes with two threads as with one", async (_, model) => {
  const one = await compressed(model, 1);
  expect(Buffer.compare(await compressed(model, 2), one)).toBe(0);
  await done(["decompress", at("out.coppice"), "-o", at("back.npz"), "--force"]);
  expect(Buffer.compare(readFileSync(at("back.npz")), model)).toBe(0);
});

it("a .npz with a byte flipped is refused, with one thread and with two", async () => {
  for (const place of [5000, stored.length / 3, stored.length - 5000]) {
    const flipped = stored.slice();
    flipped[Math.floor(place)] ^= 1;
    writeFileSync(at("flipped.npz"), flipped);
    for (const threads of ["1", "2"]) {
      const args = ["compress", at("flipped.npz"), "-o", at("flipped.coppice"), "--preset", "exact", "--threads", threads];
      expect(await fails(3, args), `byte ${place}, ${threads} threads`).toContain("CHECKSUM");
    }
  }
});
