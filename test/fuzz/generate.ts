import { type Dtype, dtypeBits, isFloatDtype, type Tensor } from "../../src/types.js";
import { type Crafted, craftArchive, tensorOf } from "../archive/craft.js";
import type { Random } from "../random.js";

// Archives that are whole, of tensors and features drawn at random: mutants of small archives never reach what only large gaps, long streams or large codebooks do.

const GENERATED_DTYPES: readonly Dtype[] = ["U8", "BOOL", "F4", "F16", "BF16", "I16", "F32", "I32", "F64", "I64", "C64", "C128"];
const MOST_ELEMENTS = 3000;

/** Sizes of elements' steps, gaps and codebooks: most are small, and those at powers of two are what codings change at. */
function around(random: Random, most: number): number {
  const power = 2 ** random.below(Math.floor(Math.log2(most)) + 1);
  const value = random.chance(0.5) ? random.below(power) : power + random.below(3) - 1;
  return Math.min(most, Math.max(0, value));
}

/** Patterns of `byteLength` bytes, none of them zero; those of F32 stand for numbers that float16 holds. */
function patternsOf(random: Random, count: number, byteLength: number, halfs: boolean): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    if (halfs) return new Uint8Array(Float32Array.of((i + 1) / (random.chance(0.5) ? 8 : -8)).buffer);
    const pattern = random.chance(0.5) ? random.bytes(byteLength) : new Uint8Array(byteLength);
    pattern[random.below(byteLength)] = 1 + random.below(255);
    return pattern;
  });
}

/** Bytes of a tensor: patterns with gaps between them. */
function dataOf(random: Random, elements: number, elementBytes: number, patterns: readonly Uint8Array[], mostGap: number): Uint8Array {
  const data = new Uint8Array(elements * elementBytes);
  for (let i = around(random, mostGap); i < elements; i += 1 + around(random, mostGap))
    data.set(patterns[random.below(patterns.length)], i * elementBytes);
  return data;
}

function shapeOf(random: Random, elements: number): number[] {
  if (elements === 1 && random.chance(0.5)) return [];
  const shape = [elements];
  for (const factor of [2, 3, 5]) if (shape[0] % factor === 0 && random.chance(0.7)) shape.splice(0, 1, shape[0] / factor, factor);
  return random.chance(0.1) ? [1, ...shape] : shape;
}

function featuresOf(random: Random, { data, dtype }: Tensor, elements: number, halfs: boolean): Omit<Crafted, keyof Tensor> {
  const ways = Array.from({ length: 1 + random.below(3) }, () => ([0, 2, 3] as const)[random.below(3)]);
  const several = elements > 256 && random.chance(0.4);
  const blockLog = several ? 8 + random.below(4) : undefined;
  // Packed dtypes and those of 16 bytes count bytes, which have one scan only.
  const scan = blockLog !== undefined || dtypeBits(dtype) < 8 || dtypeBits(dtype) > 64 ? 0 : random.below(6);
  const common = { ways, blockLog, exact: random.chance(0.5) };
  const empty = data.every((byte) => byte === 0);
  const codebook = halfs ? "float16" : random.chance(0.5) ? "listed" : "sorted";
  switch (random.below(empty ? 2 : 7)) {
    case 0:
      return { ...common, coding: "raw" };
    case 1:
      return { ...common, coding: "bytes" };
    case 2:
      return { ...common, coding: "dense", codebook: isFloatDtype(dtype) && halfs ? "listed" : codebook, scan };
    case 3:
      return several ? { ...common, coding: "raw" } : { ...common, coding: "context", codebook, scan };
    default: {
      const escaped = random.chance(0.5);
      const gapParameter = escaped ? 1 + random.below(7) : Math.max(1, around(random, 255));
      return { ...common, coding: "sparse", codebook: random.chance(0.4) ? "own" : codebook, scan, escape: escaped, gapParameter };
    }
  }
}

/** An archive of one to three tensors, and what it must decode to. */
export function generated(random: Random): { archive: Uint8Array; tensors: readonly Tensor[] } {
  const tensors = Array.from({ length: 1 + random.below(3) }, (_, i): Crafted => {
    const dtype = GENERATED_DTYPES[random.below(GENERATED_DTYPES.length)];
    const bits = dtypeBits(dtype);
    const weights = 2 * around(random, MOST_ELEMENTS / 2) + (bits < 8 ? 0 : random.below(2));
    const bytes = (weights * bits) / 8;
    const elementBytes = bits < 8 || bits > 64 ? 1 : bits / 8;
    const halfs = dtype === "F32" && random.chance(0.3);
    const patterns = patternsOf(random, Math.max(1, around(random, 255)), elementBytes, halfs);
    const data = dataOf(random, bytes / elementBytes, elementBytes, patterns, 2 ** random.below(12));
    const tensor = tensorOf(`t${i}`, dtype, shapeOf(random, weights), data);
    return { ...tensor, ...featuresOf(random, tensor, bytes / elementBytes, halfs) };
  });
  return { archive: craftArchive(tensors), tensors };
}
