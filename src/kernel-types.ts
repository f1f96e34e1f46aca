import type { FloatDtype } from "./types.js";

export type { FloatDtype };

// What the kernels do, in terms of typed arrays: implemented by the WebAssembly modules (src/kernels) and by plain TypeScript (src/reference).
// Both give the same bits. Typed arrays passed in are never changed unless a parameter's name begins with `out` or the text says so; arrays returned
// are the caller's. Elements are little-endian bytes, `elementBytes` (1, 2, 4 or 8) each.

/** Which build of a kernel runs. */
export type Variant = "simd" | "scalar" | "reference";

/** How a sequence of symbols is coded: docs/format.md, section 4.2. */
export interface SymbolCoding {
  /** 0 raw, 1 single, 2 Huffman with one stream, 3 Huffman with four streams. */
  readonly way: 0 | 1 | 2 | 3;
  /** Way 1: the symbol. */
  readonly symbol: number;
  /** Ways 2 and 3: u8[alphabet], code length of each symbol, 0 where it does not occur; complete. */
  readonly lengths: Uint8Array;
  /** Symbols are below it; 1 to 256. */
  readonly alphabet: number;
}

/** How a record holds its elements: docs/format.md, section 4. */
export type Coding = "raw" | "bytes" | "dense" | "sparse" | "context";

/** The head of a record, understood: docs/format.md, section 4. */
export interface RecordPlan {
  readonly coding: Coding;
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** Elements of the tensor. */
  readonly elements: number;
  /** Axes R, C, K of the tensor, in elements. */
  readonly axes: readonly [number, number, number];
  /** 0 to 5: docs/format.md, section 4.1. */
  readonly scan: number;
  /** Elements of each block but the last. */
  readonly blockElements: number;
  /** Dense, sparse and context: the centroids as elements; empty where each survivor has its own. */
  readonly codebook: Uint8Array;
  /** Bytes that the codebook takes in the head. */
  readonly codebookBytes: number;
  /** Sparse: each survivor has its own element, and no code. */
  readonly own: boolean;
  /** Bytes: one a byte plane. Dense: the codes. Sparse: the gap symbols, then the codes or, with `own`, one a byte plane of the survivors. Raw: none. */
  readonly symbols: readonly SymbolCoding[];
  /** Sparse: gaps too long for the alphabet are escaped instead of filled. */
  readonly escape: boolean;
  /** Sparse: the filler symbol (1 to 255) or, with escape, the exponent g (1 to 7). */
  readonly gapParameter: number;
  /** Sparse: the record is its head alone, all elements zero. */
  readonly zero: boolean;
  /** The encoder says that the elements are the source's, bit for bit. */
  readonly exact: boolean;
}

/** What decoding an archive needs. */
export interface DecodeKernels {
  readonly variant: Variant;
  /** CRC-32C of `bytes`; `seed` is the CRC of the bytes before them. */
  crc32c(bytes: Uint8Array, seed?: number): number;
  /**
   * Decodes one block: `bytes` is the block without its checksum, `offset` where it begins in the archive, for errors; `out` takes the block's
   * `out.byteLength / elementBytes` elements, in the scan's order.
   *
   * @throws FormatError `CORRUPT` or `TRUNCATED` or `TRAILING`; what `out` holds then is undefined.
   */
  decodeBlock(plan: RecordPlan, bytes: Uint8Array, offset: number, out: Uint8Array): void;
  /** As `decodeBlock`, but the elements come in row-major order. `blank`: `out` holds zeros, which need not be written again. */
  decodeRowMajor(plan: RecordPlan, bytes: Uint8Array, offset: number, out: Uint8Array, blank: boolean): void;
  /** Puts elements that stand in the order of `scan` back into row-major order: `out` has the length of `elements`. */
  unscan(elements: Uint8Array, elementBytes: number, axes: readonly [number, number, number], scan: number, out: Uint8Array): void;
}

/** Sums over float32 values, NaN and infinities left out of the sums. */
export interface Stats {
  /** Sum of the values as float64. Lane k takes values k, k + 4, k + 8 …, for k = 0..3; the result is (lane 0 + lane 1) + (lane 2 + lane 3). */
  sum: number;
  /** Sum of the squares, each value widened to float64 first, the lanes the same. */
  sumOfSquares: number;
  /** Values that are NaN or infinite. In their place the sums take 0. */
  nonFinite: number;
  /** Values whose bits are not all zero. */
  nonZero: number;
}

/** Survivors of one block, before they are coded. */
export interface Survivors {
  /** u32[count]: pruned elements before each survivor, from the one before it or the block's start. */
  readonly gaps: Uint32Array;
  /** The surviving elements. */
  readonly elements: Uint8Array;
  /** Largest gap, 0 where there is no survivor. */
  readonly maxGap: number;
}

/** Survivors of one block of float32 values, and what its codec needs to know of all of them. Sums are taken as those of `Stats`. */
export interface Sifted extends Survivors {
  /** Values that are NaN or infinite. In their place the sums take 0. */
  readonly nonFinite: number;
  /** Values whose bits are not all zero. */
  readonly nonZero: number;
  /** Sum of the squares of the values. */
  readonly sumOfSquares: number;
  /** Sum of the squares of the pruned values. */
  readonly prunedSquares: number;
  /** Largest magnitude of a pruned value that is finite, 0 where there is none. */
  readonly prunedMax: number;
}

/** Bins of float32 values that hold something, in the order of their values. */
export interface BinnedFloats {
  /** u32[n]: the bits of the value whose lower 13 bits are 0. The values of a bin share the others. */
  readonly firsts: Uint32Array;
  /** f64[n]: how many values. */
  readonly counts: Float64Array;
  /** f64[n]: the sum of their lower 13 bits, as integers. */
  readonly lows: Float64Array;
}

/** Counts float32 values in bins: those that share their upper 19 bits. All is exact, so the order of values does not matter. */
export interface FloatBins {
  /** At most 2^25 - 1 values between one `take` and the next. */
  add(values: Float32Array): void;
  /** What was added since the last time. */
  take(): BinnedFloats;
  /** Gives the memory back, and ends all use. */
  close(): void;
}

/** What sharing costs. */
export interface ShareErrors {
  /** Sum of the squares of the differences, in four lanes as the sums of `Stats`. */
  readonly noise: number;
  /** The largest magnitude of a difference, 0 where there is none. NaN does not count. */
  readonly maxAbs: number;
}

/** What compressing needs. Blocks have at most 2^20 elements; `values` are float32. */
export interface EncodeKernels extends DecodeKernels {
  /** Sums for the standard deviation, and what must not be shared. */
  stats(values: Float32Array): Stats;
  /**
   * Adds to `outCounts` u32[65536] the values whose magnitude bits (bits & 0x7fffffff) fall in each bin. Level 0: the bin is the upper 16 of the
   * 31 bits. Level 1: of the values whose upper 16 bits are `prefix`, the bin is the lower 15 bits. Used to select the k-th smallest magnitude exactly.
   */
  magnitudeHistogram(values: Float32Array, level: 0 | 1, prefix: number, outCounts: Uint32Array): void;
  /** Survivors are the values whose magnitude is above `threshold` (float32, 0 or more; NaN never survives). */
  prune(values: Float32Array, threshold: number): Survivors;
  /** `prune` and `stats` in one pass, and what pruning costs. Where all values survive, `elements` may be a view of them, and `gaps` zeros that others have too. */
  sift(values: Float32Array, threshold: number): Sifted;
  /** Survivors are the elements that have a bit set. */
  compact(elements: Uint8Array, elementBytes: number): Survivors;
  /**
   * The opposite of `prune` and `compact`: `count` elements, zeros but for the survivors.
   *
   * @param codes u8[gaps.length], the index of each survivor's element; where it is left out, survivor i has element i
   * @param elements centroids, or the survivors' own elements; the gaps and survivors must fit in `count`
   */
  scatter(gaps: Uint32Array, codes: Uint8Array | undefined, elements: Uint8Array, elementBytes: number, count: number): Uint8Array;
  /** Elements into the order of `scan`, from row-major. */
  scan(elements: Uint8Array, elementBytes: number, axes: readonly [number, number, number], scan: number): Uint8Array;
  /** u32[largest gap + 1]: how often each gap occurs before an element that has a bit set, walked in the order of `scan`; empty where none has. */
  scanGaps(elements: Uint8Array, elementBytes: number, axes: readonly [number, number, number], scan: number): Uint32Array;
  /**
   * Gives each element the index of its bits in a table: `known` first, then new ones in the order in which they appear.
   *
   * @returns undefined where the table would pass 256 entries.
   */
  index(elements: Uint8Array, elementBytes: number, known: Uint8Array): { codes: Uint8Array; table: Uint8Array } | undefined;
  /**
   * Adds to `outCounts` u32[65536] and `outLows` f64[65536] the values, binned by the upper 16 of their 32 bits: their number, and the sum of their lower 16 bits
   * as integers (exact, so the order of values does not matter). At most 2^25 - 1 values.
   */
  floatHistogram(values: Float32Array, outCounts: Uint32Array, outLows: Float64Array): void;
  /** The same by finer bins, block after block: what was counted stays where the kernels are until it is asked for. Each has to be closed. */
  floatBins(): FloatBins;
  /**
   * Lloyd's iteration in one dimension, on weighted points in ascending order, from ascending centroids `outCentroids` f64[k], which it changes.
   *
   * prefix sums: N[0] = S[0] = 0, N[i+1] = N[i] + weights[i], S[i+1] = S[i] + weights[i] * points[i], in float64, in order.
   * One iteration: a boundary between centroids j and j+1 is b[j] = the number of points p with p <= (c[j] + c[j+1]) / 2 (so ties go to the lower centroid), b[-1] = 0, b[k-1] = n;
   * cluster j has points [b[j-1], b[j]); where its weight is 0, the centroid stays, otherwise c[j] = (S[b[j]] - S[b[j-1]]) / (N[b[j]] - N[b[j-1]]).
   * Then, if some clusters were empty: while there are empty clusters, in ascending order of j, each takes the point with the largest weighted squared distance
   * weights[i] * (points[i] - c(i))^2 to the centroid of its cluster (the lowest i of equals; c as just updated; points already taken this iteration count 0; where the largest distance is 0 the
   * centroid stays), and the centroids are sorted ascending.
   * The iteration ends when all boundaries are as they were in the one before and no cluster was refilled, or after `maxIterations`.
   *
   * @returns the iterations done
   */
  lloyd(points: Float64Array, weights: Float64Array, outCentroids: Float64Array, maxIterations: number): number;
  /**
   * Cuts weighted points, in ascending order, into cells, runs of points that share a centroid, their mean, and a code of ideal length: entropy-constrained scalar quantisation
   * (Chou, Lookabaugh and Gray 1989) at its global optimum, by dynamic programming over the end of the last cell.
   *
   * prefix sums: N, S, Q of f64[n + 1], N[i+1] = N[i] + weights[i], S[i+1] = S[i] + weights[i] * points[i], Q[i+1] = Q[i] + (weights[i] * points[i]) * points[i], in order.
   * The error of a cell of points [a, b) is max(0, (Q[b] - Q[a]) - (S[b] - S[a])^2 / (N[b] - N[a])), its bits are w * (log2 N[n] - log2 w) + cellBits with w = N[b] - N[a], and it costs error + perBit * bits.
   * The least cost of points [0, b) is found from a = b - 1 downwards, the first of equals, until it is known that longer cells cost more: of every eighth cell it is asked whether L[b-1] + (error of [a, b) - error of [a, b-1)) - perBit * log2 e * weights[b-1] is above the least so far, L being the least costs; and a cell is passed over where L[a] + (error + perBit * cellBits) is not below it. log2 as assembly/common/log2.ts.
   *
   * @param points f64[n], ascending, n at least 1; the time grows with n^2
   * @param perBit what a bit may cost in squared error, at least 0
   * @param cellBits what a cell costs beside the codes: its centroid in the codebook
   * @returns u32[cells], where each ends
   */
  rateCells(points: Float64Array, weights: Float64Array, perBit: number, cellBits: number): Uint32Array;
  /**
   * The k cells of least error in all, the optimum of k-means in one dimension: dynamic programming over the number of cells, by halving the ends and the starts that they may have (Grønlund et al. 2017). Errors as for `rateCells`; of equals the
   * lowest start.
   *
   * @param points f64[n], ascending, k <= n < 65536; the time grows with k n log n
   * @returns u32[k], where each ends
   */
  optimalCells(points: Float64Array, weights: Float64Array, k: number): Uint32Array;
  /** The code of each value: the number of `midpoints` f64[k - 1] (ascending) that are below it, the value widened to float64. */
  assign(values: Float32Array, midpoints: Float64Array): Uint8Array;
  /** How far values are from the centroids of their codes, each difference taken in float64. */
  shareErrors(values: Float32Array, codes: Uint8Array, centroids: Float32Array): ShareErrors;
  /** u32[256]: how often each byte occurs. */
  histogram(bytes: Uint8Array): Uint32Array;
  /** u32[maxGap + 1]: how often each gap occurs. */
  gapHistogram(gaps: Uint32Array, maxGap: number): Uint32Array;
  /** bytes[i] = table[bytes[i]]. */
  mapBytes(bytes: Uint8Array, table: Uint8Array): Uint8Array;
  /**
   * Lengths of an optimal prefix code limited to `maxLength` bits (package-merge; Larmore and Hirschberg 1990), canonical choice: symbols sorted by count, then by symbol, the
   * symbol before the package where weights are equal. Symbols of count 0 get length 0. Needs two symbols or more with a count, at most 2^maxLength.
   */
  codeLengths(counts: Uint32Array, maxLength: number): Uint8Array;
  /** The symbols coded as section 4.2 of docs/format.md says a block holds them: raw bytes; nothing; one stream; four lengths and four streams. */
  encodeSymbols(symbols: Uint8Array, coding: SymbolCoding): Uint8Array;
  /** Gap symbols with fillers, filler = the symbol that stands for that many pruned elements. */
  fillGaps(gaps: Uint32Array, filler: number): Uint8Array;
  /** Gap symbols with escapes of exponent g, and the bit string of the extra bits. */
  escapeGaps(gaps: Uint32Array, exponent: number): { symbols: Uint8Array; extra: Uint8Array };
  /**
   * The stream of a context-coded block: docs/format.md, section 4.7.
   *
   * @param symbols u16[rows * columns] in the scan's order: 0 for a zero element, else its code plus 1
   * @param kernel length of the scan's fastest axis
   * @param codes size of the codebook
   */
  encodeContext(symbols: Uint16Array, rows: number, columns: number, kernel: number, codes: number): Uint8Array;
  /** Byte `plane` of each element. */
  splitPlane(elements: Uint8Array, elementBytes: number, plane: number): Uint8Array;
  /** Float16, bfloat16 or float64 elements as float32 (rounded to nearest, ties to even), little-endian bytes in; F32 is copied. */
  toFloat32(elements: Uint8Array, dtype: FloatDtype): Float32Array;
  /** Float32 values as elements of a dtype, rounded to nearest, ties to even; a NaN gives a quiet NaN (0x7e00, 0x7fc0 with the sign kept). */
  fromFloat32(values: Float32Array, dtype: FloatDtype): Uint8Array;
  /**
   * Elements with fewer bits of mantissa: rounded to nearest, ties to even, and towards zero where that would be infinite. Bits that are not kept are zero, also of subnormals; zeros, NaN and infinities stay as they are.
   *
   * @param mantissaBits the explicit ones, 1 or more, below `MANTISSA_BITS` of the dtype
   */
  roundMantissa(elements: Uint8Array, dtype: FloatDtype, mantissaBits: number): Uint8Array;
  /**
   * Sums of `gradients` over the weights that share a centroid: out[codes[i]] += gradients[i], in float64, in order; rounded to float32 at the end.
   * The gradient of a codebook: Deep Compression, equation 3.
   */
  codebookGradient(gradients: Float32Array, codes: Uint8Array, centroids: number): Float32Array;
}

/** C [m][n] = A [m][k] B [k][n], or C += A B; m, n and k are 1 or more. */
export interface MatrixProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A is stored as its transpose, [k][m]. */
  readonly transposedA?: boolean;
  /** B is stored as its transpose, [n][k]. */
  readonly transposedB?: boolean;
  /** The product is added to what C holds. */
  readonly accumulate?: boolean;
}

/** How weights follow their gradient. Each number is rounded to float32. */
export interface SgdStep {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/** The moving parts of Adam. Each number is rounded to float32 where the kernel uses it. */
export interface AdamStep {
  readonly learningRate: number;
  /** What of the mean gradient stays in a step. */
  readonly beta1: number;
  /** What of the mean square stays. */
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The decay shrinks the weight beside the step, as AdamW has it, instead of joining the gradient. */
  readonly decoupled: boolean;
  /** Steps with this one, from 1: the moments start from 0, which is corrected for. */
  readonly step: number;
}

/** What a teacher says. */
export interface SoftTargets {
  /** Of the teacher: f32[count][classes]. */
  readonly logits: Float32Array;
  /** By which both sides' logits are divided, above 0. */
  readonly temperature: number;
  /** Of the loss against the teacher, 0 to 1; the labels' loss has the rest. */
  readonly weight: number;
}

/** Windows over images [channels][height][width], as pooling has them. What of a window lies outside of the image is padding. */
export interface Windows {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [down: number, right: number];
  /** Above and below, left and right. */
  readonly padding: readonly [height: number, width: number];
  readonly outHeight: number;
  readonly outWidth: number;
}

/** A convolution: weights [out][channels / groups][kernel height][kernel width]; group g makes the g-th part of `out` from the g-th part of the channels. */
export interface Convolution extends Windows {
  readonly out: number;
  readonly groups: number;
}

/**
 * What training needs. Matrices are row-major float32; each operation is rounded to float32, and sums are taken in ascending order of their index,
 * so that all implementations give the same bits wherever no NaN comes up.
 */
export interface NnKernels {
  readonly variant: Variant;
  /** Each element of C: from 0, or from what it was, one product after the other, k ascending. */
  multiply(product: MatrixProduct, a: Float32Array, b: Float32Array, outC: Float32Array): void;
  /** Adds bias f32[columns] to each row of [rows][columns]. */
  addBias(outValues: Float32Array, bias: Float32Array): void;
  /** What is below 0 becomes 0; NaN and -0 stay. */
  relu(outValues: Float32Array): void;
  /** The gradient becomes 0 where the output of the forward pass is not above 0. */
  reluGradient(outputs: Float32Array, outGradient: Float32Array): void;
  /** f32[columns]: each column of [rows][columns] summed down the rows. */
  columnSums(values: Float32Array, columns: number): Float32Array;
  /** velocity = momentum * velocity + (gradient + weightDecay * weight), then weight -= learningRate * velocity. */
  sgdStep(outWeights: Float32Array, gradient: Float32Array, outVelocity: Float32Array, step: SgdStep): void;
  /**
   * With slope = gradient + weightDecay * weight (or the gradient, where decoupled): mean = beta1 * mean + (1 - beta1) * slope,
   * square = beta2 * square + ((1 - beta2) * slope) * slope, weight = kept * weight - rate * (mean / (sqrt(square) * root + epsilon)), where, in float64 and rounded at the end,
   * rate = learningRate / (1 - beta1^step), root = sqrt(1 / (1 - beta2^step)), kept = 1 - learningRate * weightDecay where decoupled, else 1. Powers are products of squares, from the lowest bit of the exponent on.
   */
  adamStep(outWeights: Float32Array, gradient: Float32Array, outMeans: Float32Array, outSquares: Float32Array, step: AdamStep): void;
  /**
   * The loss of each row of logits [rows][classes], `-ln` of the probability of its label, and the gradient [rows][classes] of their sum divided by `samples`. In float64
   * with an exp and a logarithm of their own (assembly/nn/math.ts); exp is 0 below e^-80. A row with a NaN or +Infinity gives a NaN loss.
   *
   * @param samples as many as the labels unless given
   */
  softmaxCrossEntropy(
    logits: Float32Array,
    labels: Uint32Array,
    classes: number,
    samples?: number,
  ): { gradient: Float32Array; losses: Float32Array };
  /**
   * Mixes the loss against a teacher into what `softmaxCrossEntropy` gave: (1 - weight) * loss + weight * T^2 * (- sum of q ln p), with p = softmax(logits / T), q = softmax(teacher / T).
   *
   * @param samples as `softmaxCrossEntropy` had them
   */
  mixSoftTargets(
    logits: Float32Array,
    targets: SoftTargets,
    classes: number,
    samples: number,
    outGradient: Float32Array,
    outLosses: Float32Array,
  ): void;
  /** u32[rows]: the column of the largest element of each row of [rows][classes], the first of equals. */
  argmax(logits: Float32Array, classes: number): Uint32Array;
  /** What `mask` u8[] is 0 for becomes 0, whatever it was. */
  maskValues(outValues: Float32Array, mask: Uint8Array): void;
  /** Each weight's centroid, and 0 where `mask` is. Codes are below the number of centroids. */
  spreadCentroids(codes: Uint8Array, mask: Uint8Array, centroids: Float32Array): Float32Array;
  /**
   * The code of each survivor, by its place u32[] in `weights`: the number of midpoints of neighbouring centroids (ascending, at most 256) that are below it, in float64. Then each
   * centroid becomes the mean of its weights, summed in float64, survivor after survivor; but for one that no weight takes, or whose mean is 0. Last the survivors' values, their centroids.
   */
  settleWeights(
    weights: Float32Array,
    survivors: Uint32Array,
    outCentroids: Float32Array,
    outCodes: Uint8Array,
    outValues: Float32Array,
  ): void;
  /** The outputs [rows][out][outHeight][outWidth]: from 0 one product after the other, channels, then rows, then columns of the kernel ascending, padding included; then the bias is added. */
  convolve(shape: Convolution, inputs: Float32Array, weights: Float32Array, bias?: Float32Array): Float32Array;
  /** The gradient of the weights: from 0 one product after the other, rows of the batch ascending, places of the output ascending. */
  convolveWeightGradient(shape: Convolution, inputs: Float32Array, gradient: Float32Array): Float32Array;
  /** The gradient of the inputs: for each place of the output, ascending, the sum of products over the group's outputs, from 0, ascending, is added. */
  convolveInputGradient(shape: Convolution, gradient: Float32Array, weights: Float32Array): Float32Array;
  /** f32[channels]: the sums over [rows][channels][plane], each in four lanes: lane i has elements i, i + 4, … of each plane; (lane 0 + lane 1) + (lane 2 + lane 3). */
  planeSums(values: Float32Array, channels: number, plane: number): Float32Array;
  /** The largest element under each window, the first of equals, and its place in its plane. */
  maxPool(windows: Windows, inputs: Float32Array): { outputs: Float32Array; winners: Uint32Array };
  /** Each output's gradient goes to its winner. */
  maxPoolGradient(windows: Windows, gradient: Float32Array, winners: Uint32Array): Float32Array;
  /** The sum under each window, row by row, divided by the size of the kernel. */
  averagePool(windows: Windows, inputs: Float32Array): Float32Array;
  averagePoolGradient(windows: Windows, gradient: Float32Array): Float32Array;
  /** f64[channels][2]: mean and (biased) variance over [rows][channels][plane], summed in float64, row by row. */
  batchMoments(values: Float32Array, channels: number, plane: number): Float64Array;
  /** f64[channels][2]: sums of the gradient, and of gradient * (value - mean), in float64, row by row. */
  momentGradients(values: Float32Array, gradient: Float32Array, moments: Float64Array, plane: number): Float64Array;
  /** (value - mean) * scale + shift, by f32[channels][3] of these. */
  normalize(values: Float32Array, by: Float32Array, plane: number): Float32Array;
  /** gradient = slope * gradient + (bend * (value - mean) + shift), by f32[channels][4] of mean, slope, bend, shift. */
  normalizeGradient(values: Float32Array, outGradient: Float32Array, by: Float32Array, plane: number): void;
  /** An element becomes 0 where the hash of (key + index) mod 2^32 is below `below`, else times `scale`. The hash: h ^= h >> 16, h *= 0x7feb352d, h ^= h >> 15, h *= 0x846ca68b, h ^= h >> 16. */
  dropout(outValues: Float32Array, key: number, below: number, scale: number): void;
}
