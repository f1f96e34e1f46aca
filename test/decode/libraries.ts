import * as edge from "../../src/decode/index.js";
import * as node from "../../src/index.js";
import * as reference from "../../src/reference/index.js";
import { type Crafted, craftArchive, floats, tensorOf } from "../archive/craft.js";
import { Random } from "../random.js";

// The decoder's public API, by each name that it has.

type Library = Pick<typeof edge, "decode" | "decodeStream" | "open" | "readHeader">;

export const LIBRARIES: readonly { readonly name: string; readonly library: Library }[] = [
  { name: "coppice/decode", library: edge },
  { name: "coppice/reference", library: reference },
  { name: "coppice", library: node },
];

const random = new Random(41);

/** A dense tensor of six blocks, an empty one, a sparse one of five blocks with some of them empty, and a scalar. */
export const TENSORS: readonly Crafted[] = [
  { ...tensorOf("dense", "U8", [3000], random.symbols(3000, 4, 0.7)), coding: "dense", blockLog: 9 },
  { ...floats("empty", [0, 4], []), coding: "raw" },
  {
    ...floats(
      "sparse",
      [5, 256],
      Float32Array.from({ length: 1280 }, (_, i) => (i < 700 && random.chance(0.1) ? 1 + random.below(5) : 0)),
    ),
    coding: "sparse",
    blockLog: 8,
  },
  { ...floats("scalar", [], [0.5]), coding: "raw" },
];

export const ARCHIVE: Uint8Array = craftArchive(TENSORS);

/** Blocks of each tensor. */
export const BLOCKS: readonly number[] = [6, 1, 5, 1];
export const DENSE_BYTES: number = TENSORS.reduce((sum, { data }) => sum + data.length, 0);
