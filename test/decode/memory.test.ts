import { describe, expect, it } from "vitest";
import { decode } from "../../src/decode/index.js";
import { type Crafted, craftArchive, tensorOf } from "../archive/craft.js";
import { Random } from "../random.js";
import { wasmBytes } from "../wasm-memories.js";

// No other module is loaded here than the decoder's.

type Features = Omit<Partial<Crafted>, "coding"> & Pick<Crafted, "coding">;

const CODINGS: Readonly<Record<string, Features>> = {
  raw: { coding: "raw" },
  bytes: { coding: "bytes", ways: [3] },
  "bytes, raw planes": { coding: "bytes", ways: [0] },
  dense: { coding: "dense", scan: 1, ways: [3] },
  fillers: { coding: "sparse", scan: 1, gapParameter: 15, ways: [3] },
  "fillers, as many as there may be": { coding: "sparse", scan: 1, gapParameter: 1, ways: [3] },
  escape: { coding: "sparse", scan: 1, escape: true, gapParameter: 2, ways: [3] },
  own: { coding: "sparse", codebook: "own", scan: 1, gapParameter: 15, ways: [3] },
  context: { coding: "context", scan: 1 },
};
const ELEMENT_BYTES = { U8: 1, F16: 2, F32: 4, F64: 8 } as const;
const NOISE = new Random(5).bytes(1 << 16);

/** An archive of one block of 2^20 elements, the most that it may have. */
function largest(dtype: keyof typeof ELEMENT_BYTES, features: Features): Uint8Array {
  const elementBytes = ELEMENT_BYTES[dtype];
  const shared = features.coding !== "raw" && features.coding !== "bytes" && features.codebook !== "own";
  const data = new Uint8Array(2 ** 20 * elementBytes);
  for (let i = 0; i < data.length; i++) {
    const noise = NOISE[i % NOISE.length];
    if (!shared) data[i] = noise | 1;
    else if ((i + 1) % elementBytes === 0) data[i] = noise < 128 ? 0 : noise;
  }
  return craftArchive([{ ...tensorOf("w", dtype, [1024, 1024], data), ...features }]);
}

// The memory never shrinks: the smaller tensors come first.
describe.each([
  { dtypes: ["U8", "F16", "F32"], most: 16e6 },
  { dtypes: ["F64"], most: 24e6 },
] as const)("the decoder's memory stays below $most bytes with blocks of 2^20 elements of $dtypes", ({ dtypes, most }) => {
  it.each(Object.entries(CODINGS))("%s", (name, features) => {
    // Of context coding, which takes its time, the widest elements.
    for (const dtype of name === "context" ? dtypes.slice(-1) : dtypes) {
      expect(decode(largest(dtype, features))[0].data.length).toBe(2 ** 20 * ELEMENT_BYTES[dtype]);
      expect(wasmBytes(), dtype).toBeGreaterThan(0);
      expect(wasmBytes(), dtype).toBeLessThan(most);
    }
  });
});
