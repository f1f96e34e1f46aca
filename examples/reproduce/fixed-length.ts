import type { Tensor } from "../../src/nn/index.js";

/** What a tensor takes with codes and gaps of fixed lengths. */
export interface FixedLength {
  readonly bytes: number;
  /** Bits of a gap: those that take the fewest bytes. 0 where every weight is stored. */
  readonly gapBits: number;
  /** Bits of a code; 32 where survivors have more than 256 values, and stand for themselves. */
  readonly codeBits: number;
}

const FLOAT_BITS = 32;
const MOST_CENTROIDS = 256;
const MOST_GAP_BITS = 16;

/**
 * The paper's P, and its P+Q: row by row, for each survivor its gap and its weight or code, for each gap that is too long a filler with both, and a codebook in float32; or all weights in float32
 * where that is less.
 *
 * @param tensor of float32
 */
export function fixedLength({ data }: Tensor): FixedLength {
  const weights = new Float32Array(data.slice().buffer);
  const gaps: number[] = [];
  const values = new Set<number>();
  let last = -1;
  for (const [at, weight] of weights.entries()) {
    if (weight === 0) continue;
    gaps.push(at - last - 1);
    if (values.size <= MOST_CENTROIDS) values.add(weight);
    last = at;
  }
  const shared = values.size <= MOST_CENTROIDS;
  const codeBits = shared ? Math.ceil(Math.log2(Math.max(2, values.size))) : FLOAT_BITS;
  const codebookBits = shared ? FLOAT_BITS * values.size : 0;
  let best: FixedLength = { bytes: data.length, gapBits: 0, codeBits: FLOAT_BITS };
  for (let gapBits = 1; gapBits <= MOST_GAP_BITS; gapBits++) {
    // A filler stands for a pruned weight itself.
    const entries = gaps.reduce((sum, gap) => sum + 1 + Math.floor(gap / 2 ** gapBits), 0);
    const bytes = Math.ceil((entries * (gapBits + codeBits) + codebookBits) / 8);
    if (bytes < best.bytes) best = { bytes, gapBits, codeBits };
  }
  return best;
}
