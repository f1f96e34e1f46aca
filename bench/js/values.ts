// Plain JavaScript over weights. Signed views, since V8 keeps what they hold as integers, and four values a step: a loop's own cost is as large as that of a short body.

const BINS = 65536;

/** Magnitudes by their upper 16 of 31 bits (level 0) or, of those whose upper bits are `prefix`, by the lower 15. */
export function histogramOfMagnitudes(
  bits: Int32Array,
  level: 0 | 1,
  prefix: number,
  counts: Int32Array = new Int32Array(BINS),
): Int32Array {
  counts.fill(0);
  const { length } = bits;
  if (level === 1) {
    for (let i = 0; i < length; i++) if ((bits[i] & 0x7fffffff) >>> 15 === prefix) counts[bits[i] & 0x7fff]++;
    return counts;
  }
  const body = length & ~3;
  for (let i = 0; i < body; i += 4) {
    counts[(bits[i] & 0x7fffffff) >>> 15]++;
    counts[(bits[i + 1] & 0x7fffffff) >>> 15]++;
    counts[(bits[i + 2] & 0x7fffffff) >>> 15]++;
    counts[(bits[i + 3] & 0x7fffffff) >>> 15]++;
  }
  for (let i = body; i < length; i++) counts[(bits[i] & 0x7fffffff) >>> 15]++;
  return counts;
}

const LOW_BITS = 13;
const LOW_MASK = (1 << LOW_BITS) - 1;
export const FLOAT_BINS: number = 2 ** (32 - LOW_BITS);

/** What `histogramOfFloats` counts in, and the bins that hold something, in the order of their values. */
export class FloatBinWork {
  readonly binCounts: Int32Array = new Int32Array(FLOAT_BINS);
  readonly binLows: Float64Array = new Float64Array(FLOAT_BINS);
  readonly firsts: Uint32Array = new Uint32Array(FLOAT_BINS);
  readonly counts: Float64Array = new Float64Array(FLOAT_BINS);
  readonly lows: Float64Array = new Float64Array(FLOAT_BINS);
}

/** Values by the upper 19 bits: how many, and the sums of their lower 13. Returns the number of bins that hold something. */
export function histogramOfFloats(bits: Int32Array, work: FloatBinWork): number {
  const { binCounts, binLows } = work;
  const { length } = bits;
  const body = length & ~3;
  for (let i = 0; i < body; i += 4) {
    let word = bits[i];
    let bin = word >>> LOW_BITS;
    binCounts[bin]++;
    binLows[bin] += word & LOW_MASK;
    word = bits[i + 1];
    bin = word >>> LOW_BITS;
    binCounts[bin]++;
    binLows[bin] += word & LOW_MASK;
    word = bits[i + 2];
    bin = word >>> LOW_BITS;
    binCounts[bin]++;
    binLows[bin] += word & LOW_MASK;
    word = bits[i + 3];
    bin = word >>> LOW_BITS;
    binCounts[bin]++;
    binLows[bin] += word & LOW_MASK;
  }
  for (let i = body; i < length; i++) {
    binCounts[bits[i] >>> LOW_BITS]++;
    binLows[bits[i] >>> LOW_BITS] += bits[i] & LOW_MASK;
  }
  let n = 0;
  for (let bin = FLOAT_BINS - 1; bin >= FLOAT_BINS / 2; bin--) if (binCounts[bin] !== 0) n = takeBin(work, bin, n);
  for (let bin = 0; bin < FLOAT_BINS / 2; bin++) if (binCounts[bin] !== 0) n = takeBin(work, bin, n);
  return n;
}

function takeBin({ binCounts, binLows, firsts, counts, lows }: FloatBinWork, bin: number, n: number): number {
  firsts[n] = bin << LOW_BITS;
  counts[n] = binCounts[bin];
  lows[n] = binLows[bin];
  binCounts[bin] = 0;
  binLows[bin] = 0;
  return n + 1;
}

/** Sum, sum of squares, values that are not finite, values that have a bit set: four lanes in turn, as the kernel adds. */
export function statistics(values: Float32Array, bits: Int32Array, out: Float64Array): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  let nonFinite = 0;
  let nonZero = 0;
  const { length } = values;
  const body = length & ~3;
  let i = 0;
  for (; i < body; i += 4) {
    let a = values[i];
    let b = values[i + 1];
    let c = values[i + 2];
    let d = values[i + 3];
    if (a - a + (b - b) + (c - c) + (d - d) !== 0) {
      if (a - a !== 0) a = nonFinite++ * 0;
      if (b - b !== 0) b = nonFinite++ * 0;
      if (c - c !== 0) c = nonFinite++ * 0;
      if (d - d !== 0) d = nonFinite++ * 0;
    }
    s0 += a;
    s1 += b;
    s2 += c;
    s3 += d;
    q0 += a * a;
    q1 += b * b;
    q2 += c * c;
    q3 += d * d;
    nonZero += (bits[i] !== 0 ? 1 : 0) + (bits[i + 1] !== 0 ? 1 : 0) + (bits[i + 2] !== 0 ? 1 : 0) + (bits[i + 3] !== 0 ? 1 : 0);
  }
  for (; i < length; i++) {
    if (bits[i] !== 0) nonZero++;
    let value = values[i];
    if (value - value !== 0) value = nonFinite++ * 0;
    const square = value * value;
    if ((i & 3) === 0) {
      s0 += value;
      q0 += square;
    } else if ((i & 3) === 1) {
      s1 += value;
      q1 += square;
    } else {
      s2 += value;
      q2 += square;
    }
  }
  out[0] = s0 + s1 + (s2 + s3);
  out[1] = q0 + q1 + (q2 + q3);
  out[2] = nonFinite;
  out[3] = nonZero;
}
