import type { FloatBins, Stats } from "../kernel-types.js";
import { bitsOf } from "./words.js";

/** As `EncodeKernels.stats` says. */
export function stats(values: Float32Array): Stats {
  const bits = bitsOf(values);
  const sums = [0, 0, 0, 0];
  const squares = [0, 0, 0, 0];
  let nonFinite = 0;
  let nonZero = 0;
  for (let lane = 0; lane < 4; lane++) {
    let sum = 0;
    let sumOfSquares = 0;
    for (let i = lane; i < values.length; i += 4) {
      const value = values[i];
      if (bits[i] !== 0) nonZero++;
      // NaN where the value is not finite.
      if (value - value === 0) {
        sum += value;
        sumOfSquares += value * value;
      } else nonFinite++;
    }
    sums[lane] = sum;
    squares[lane] = sumOfSquares;
  }
  return {
    sum: sums[0] + sums[1] + (sums[2] + sums[3]),
    sumOfSquares: squares[0] + squares[1] + (squares[2] + squares[3]),
    nonFinite,
    nonZero,
  };
}

/** As `EncodeKernels.magnitudeHistogram` says. */
export function magnitudeHistogram(values: Float32Array, level: 0 | 1, prefix: number, outCounts: Uint32Array): void {
  const bits = bitsOf(values);
  if (level === 0) {
    for (let i = 0; i < bits.length; i++) outCounts[(bits[i] & 0x7fffffff) >>> 15]++;
    return;
  }
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] & 0x7fffffff) >>> 15 === prefix) outCounts[bits[i] & 0x7fff]++;
  }
}

/** As `EncodeKernels.floatHistogram` says. */
export function floatHistogram(values: Float32Array, outCounts: Uint32Array, outLows: Float64Array): void {
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const bin = bits[i] >>> 16;
    outCounts[bin]++;
    outLows[bin] += bits[i] & 0xffff;
  }
}

const LOW_BITS = 13;

/** As `EncodeKernels.floatBins` says. */
export function floatBins(): FloatBins {
  const held = new Map<number, { count: number; low: number }>();
  return {
    add(values) {
      for (const bits of bitsOf(values)) {
        const first = ((bits >>> LOW_BITS) << LOW_BITS) >>> 0;
        const bin = held.get(first) ?? { count: 0, low: 0 };
        bin.count++;
        bin.low += bits - first;
        held.set(first, bin);
      }
    },
    take() {
      const bins = [...held].sort(([a], [b]) => rank(a) - rank(b));
      held.clear();
      return {
        firsts: Uint32Array.from(bins, ([first]) => first),
        counts: Float64Array.from(bins, ([, { count }]) => count),
        lows: Float64Array.from(bins, ([, { low }]) => low),
      };
    },
    close: () => held.clear(),
  };
}

/** Bits in the order of the values: of negative ones they descend. */
function rank(bits: number): number {
  return bits >= 2 ** 31 ? -bits : bits;
}

/** As `EncodeKernels.histogram` says. */
export function histogram(bytes: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]]++;
  return counts;
}

/** As `EncodeKernels.gapHistogram` says. */
export function gapHistogram(gaps: Uint32Array, maxGap: number): Uint32Array {
  const counts = new Uint32Array(maxGap + 1);
  for (let i = 0; i < gaps.length; i++) counts[gaps[i]]++;
  return counts;
}
