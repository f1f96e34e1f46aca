import { safetensorsHeader } from "../../src/archive/safetensors-header.js";
import type { FileTemplate, Piece } from "../../src/types.js";
import { Random } from "../random.js";
import { type Crafted, craftArchive, floats, tensorOf } from "./craft.js";

// Small archives, one for each coding and feature.

/** Values that float16 holds, of which about `density` are not 0. */
function shared(seed: number, count: number, density: number, different = 5): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => (random.chance(density) ? (1 + random.below(different)) / 8 - 0.25 || 2 : 0));
}

/** Integers of `bits` bits below `different`, of which about `density` are not 0. */
function integers(seed: number, count: number, bits: number, density: number, different = 6): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array((count * bits) / 8);
  for (let i = 0; i < count; i++) {
    if (!random.chance(density)) continue;
    const at = (i * bits) / 8;
    bytes[at] = 1 + random.below(different);
    if (bits > 8) bytes[at + bits / 8 - 1] = random.below(2) * 0x80;
  }
  return bytes;
}

const random = new Random(1);

const CRAFTED: Readonly<Record<string, readonly Crafted[]>> = {
  raw: [{ ...floats("raw", [3], [1.5, -0, Number.NaN]), coding: "raw" }],
  "raw, empty": [{ ...floats("empty", [0, 4], []), coding: "raw" }],
  bytes: [{ ...floats("bytes", [2, 6], random.weights(12)), coding: "bytes", ways: [0, 0, 2, 2] }],
  "bytes, four streams": [{ ...tensorOf("bytes", "U16", [23], integers(2, 23, 16, 1, 9)), coding: "bytes", ways: [3] }],
  "bytes, single": [{ ...tensorOf("bytes", "I16", [5], Uint8Array.of(7, 1, 7, 2, 7, 3, 7, 4, 7, 5)), coding: "bytes", ways: [1, 0] }],
  "bytes, packed dtype": [{ ...tensorOf("four bits", "F4", [3, 4], random.bytes(6)), coding: "bytes", ways: [0] }],
  dense: [{ ...tensorOf("dense", "U8", [20], integers(3, 20, 8, 0.8)), coding: "dense", codebook: "listed" }],
  "dense, float16": [{ ...floats("dense", [4, 5], shared(4, 20, 0.9)), coding: "dense", codebook: "float16", ways: [3], exact: false }],
  "dense, sorted": [{ ...tensorOf("dense", "I32", [15], integers(5, 15, 32, 0.9)), coding: "dense", codebook: "sorted", ways: [0] }],
  "dense, one centroid": [{ ...tensorOf("dense", "BOOL", [], Uint8Array.of(1)), coding: "dense", codebook: "listed", ways: [1] }],
  fillers: [{ ...floats("fillers", [8, 9], shared(6, 72, 0.2)), coding: "sparse", codebook: "listed", gapParameter: 3 }],
  "fillers, column-major": [
    { ...floats("fillers", [9, 8], shared(7, 72, 0.15)), coding: "sparse", codebook: "float16", gapParameter: 7, scan: 3, exact: false },
  ],
  "fillers, four streams": [
    { ...tensorOf("fillers", "U16", [60], integers(8, 60, 16, 0.3)), coding: "sparse", codebook: "sorted", gapParameter: 2, ways: [3, 3] },
  ],
  "fillers, raw and single": [
    {
      ...tensorOf("fillers", "I8", [40], integers(9, 40, 8, 0.2, 1)),
      coding: "sparse",
      codebook: "listed",
      gapParameter: 255,
      ways: [0, 1],
    },
  ],
  escape: [
    { ...floats("escape", [4, 5, 6], shared(10, 120, 0.08)), coding: "sparse", codebook: "sorted", escape: true, gapParameter: 2, scan: 4 },
  ],
  "escape, raw symbols": [
    { ...tensorOf("escape", "F64", [64], integers(11, 64, 64, 0.1)), coding: "sparse", escape: true, gapParameter: 1, ways: [0, 0] },
  ],
  own: [{ ...floats("own", [40], random.sparse(40, 0.2)), coding: "sparse", codebook: "own", gapParameter: 6, ways: [2, 0, 0, 2, 2] }],
  "own, four streams": [
    {
      ...tensorOf("own", "I64", [6, 5, 2], integers(12, 60, 64, 0.25)),
      ...{ coding: "sparse", codebook: "own", escape: true, gapParameter: 3, scan: 5, ways: [3, 3, 1, 1, 1, 1, 1, 1, 3] },
    },
  ],
  context: [{ ...floats("context", [6, 10], shared(30, 60, 0.3)), coding: "context", codebook: "float16" }],
  "context, by columns": [
    {
      ...tensorOf("context", "I16", [4, 3, 2, 2], integers(31, 48, 16, 0.4)),
      coding: "context",
      codebook: "sorted",
      scan: 1,
      exact: false,
    },
  ],
  "context, one centroid": [{ ...tensorOf("context", "U8", [40], integers(32, 40, 8, 0.3, 1)), coding: "context" }],
  zeros: [{ ...floats("zeros", [7, 100], new Float32Array(700)), coding: "zeros" }],
  "blocks, fillers": [
    { ...tensorOf("blocks", "U8", [700], hollow(integers(13, 700, 8, 0.02), 256, 512)), coding: "sparse", gapParameter: 31, blockLog: 8 },
  ],
  "blocks, own": [
    {
      ...tensorOf("blocks", "U16", [600], integers(14, 600, 16, 0.02)),
      ...{ coding: "sparse", codebook: "own", escape: true, gapParameter: 4, blockLog: 9 },
    },
  ],
  "blocks, dense": [{ ...tensorOf("blocks", "I8", [3, 100], integers(15, 300, 8, 0.05, 1)), coding: "dense", blockLog: 8, exact: false }],
  "blocks, bytes": [{ ...tensorOf("blocks", "U8", [260], integers(16, 260, 8, 0.05)), coding: "bytes", blockLog: 8, ways: [3] }],
  "blocks, raw": [{ ...tensorOf("blocks", "U8", [257], integers(17, 257, 8, 1)), coding: "raw", blockLog: 8 }],
};

function hollow(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.fill(0, start, end);
}

const LAYERS: readonly Crafted[] = [
  { ...floats("layers.0.weight", [3, 4], shared(20, 12, 0.5)), coding: "sparse", gapParameter: 4 },
  { ...floats("layers.0.bias", [3], [0.5, -1, 2]), coding: "raw" },
  { ...floats("layers.1.weight", [2, 3], shared(21, 6, 1)), coding: "dense", codebook: "float16" },
  { ...tensorOf("layers.1.bias", "F16", [], Uint8Array.of(0, 0x3c)), coding: "raw" },
];

function literal(text: string): Piece {
  return { kind: "bytes", bytes: new TextEncoder().encode(text) };
}

const FILES: readonly FileTemplate[] = [
  {
    path: "a.bin",
    pieces: [
      literal("head"),
      { kind: "tensor", tensor: 0, bigEndian: true },
      { kind: "tensor", tensor: 2, columnMajor: true },
      literal("!"),
    ],
  },
  { path: "sub/b.bin", pieces: [{ kind: "deflate", level: 6, byteLength: 13, pieces: [literal("x"), { kind: "tensor", tensor: 1 }] }] },
];

const SAFETENSORS: FileTemplate = {
  path: "",
  pieces: [
    { kind: "bytes", bytes: safetensorsHeader(LAYERS, new Map([["format", "pt"]])) },
    ...LAYERS.map((_, tensor): Piece => ({ kind: "tensor", tensor })),
  ],
};

const DIVIDED: readonly Crafted[] = [
  { ...tensorOf("divided", "U16", [20, 30], integers(18, 600, 16, 0.05)), coding: "sparse", gapParameter: 31, blockLog: 8 },
  { ...floats("after", [3], [1, 2, 3]), coding: "raw" },
];

/** Parts that end in an element, at a block's end, and have several blocks. */
const PARTS: readonly FileTemplate[] = [
  { path: "index.json", pieces: [literal("shards")] },
  { path: "shard1", pieces: [literal("<"), { kind: "part", tensor: 0, offset: 0, byteLength: 101 }] },
  { path: "shard2", pieces: [{ kind: "part", tensor: 0, offset: 101, byteLength: 923 }] },
  {
    path: "shard3",
    pieces: [{ kind: "part", tensor: 0, offset: 1024, byteLength: 176 }, literal("|"), { kind: "tensor", tensor: 1 }],
  },
];

/** Archives of 50 to 500 bytes, by what they show. */
export const SAMPLES: ReadonlyMap<string, { readonly archive: Uint8Array; readonly tensors: readonly Crafted[] }> = new Map([
  ["nothing", { archive: craftArchive([]), tensors: [] }],
  ...Object.entries(CRAFTED).map(([name, tensors]) => [name, { archive: craftArchive(tensors), tensors }] as const),
  ["names", { archive: craftArchive(LAYERS), tensors: LAYERS }],
  ["safetensors shell", { archive: craftArchive(LAYERS, [SAFETENSORS]), tensors: LAYERS }],
  ["files", { archive: craftArchive(LAYERS, FILES), tensors: LAYERS }],
  ["parts", { archive: craftArchive(DIVIDED, PARTS), tensors: DIVIDED }],
]);
