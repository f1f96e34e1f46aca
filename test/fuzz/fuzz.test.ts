import path from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../scripts/wasm.mjs";
import { corpus } from "./corpus.js";
import { fuzz, MOST_MILLISECONDS } from "./fuzz.js";

const GOLDEN = path.join(ROOT, "test/golden");

it("only FormatErrors come out of mutants, in bounded time, and all ways into an archive agree (npm run fuzz tries many more)", async () => {
  const lines: string[] = [];
  const inputs = 8_000;
  const result = await fuzz(await corpus(GOLDEN), { inputs, seed: 20, progress: (line) => void lines.push(line) });
  expect(result.failures, lines.join("\n")).toBe(0);
  expect(result.slowestMilliseconds).toBeLessThan(MOST_MILLISECONDS);
  // Mutants get somewhere: many are accepted, and every code is met.
  expect(result.accepted).toBeGreaterThan(inputs / 50);
  expect(result.archives).toBeGreaterThan(inputs / 2);
  expect(result.restored).toBeGreaterThan(inputs / 50);
  const codes = ["CHECKSUM", "CORRUPT", "DUPLICATE", "LIMIT", "MAGIC", "TRAILING", "TRUNCATED", "UNSUPPORTED", "VERSION"];
  expect(Object.keys(result.refused).sort()).toEqual(codes);
}, 120_000);

it("the same seed gives the same inputs", async () => {
  const seeds = await corpus(GOLDEN);
  const [first, again, other] = [
    await fuzz(seeds, { inputs: 500, seed: 3 }),
    await fuzz(seeds, { inputs: 500, seed: 3 }),
    await fuzz(seeds, { inputs: 500, seed: 4 }),
  ];
  expect(again.refused).toEqual(first.refused);
  expect(again.accepted).toBe(first.accepted);
  expect(other.refused).not.toEqual(first.refused);
});
