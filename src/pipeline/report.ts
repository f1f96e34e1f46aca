import type { TensorError } from "../codec/errors.js";
import type { RecordStats } from "../codec/stats.js";
import type { EncodedTensor } from "../codec/tensor.js";
import type { Coding } from "../kernel-types.js";
import { type Dtype, dtypeBits, type TensorInfo } from "../types.js";

/** One tensor of an archive, in the terms of the paper's tables. */
export interface TensorReport {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly coding: Coding;
  /** The order in which the elements are coded: `row-major`, `column-major`, or three of R, C and K, slowest first. */
  readonly scan: string;
  /** Elements of the tensor. */
  readonly weights: number;
  /** Weights that are not zero. */
  readonly survivors: number;
  /** Padding zeros where a gap is longer than its symbols reach, as in the paper. */
  readonly fillers: number;
  /** Centroids, 0 where the record has no codebook. */
  readonly codebook: number;
  /** Bytes of the codebook as written, its size among them. */
  readonly codebookBytes: number;
  /** Bits of a code of fixed length; 0 without codes. */
  readonly codeBits: number;
  /** Bits that a stored weight takes as written, mean: its Huffman code, or its byte planes, or, coded by context, all of it. */
  readonly codeBitsHuffman: number;
  /** Bits of a gap symbol of fixed length; 0 without gaps. */
  readonly gapBits: number;
  /** Bits that a stored weight's gap takes as written, fillers counted, mean. */
  readonly gapBitsHuffman: number;
  /** Bytes with codes and gaps of fixed length, as the paper's P+Q: stored entries and codebook. Undefined for a record without codes of their own. */
  readonly fixedBytes?: number;
  /** Bytes of the streams. The rest of `bytes` is the codebook, code tables, head and checksums. */
  readonly payloadBytes: number;
  /** Bytes of the record. */
  readonly bytes: number;
  /** Bytes of the dense tensor over those of the record. */
  readonly ratio: number;
  /** The tensor comes back bit for bit. */
  readonly exact: boolean;
  /** Why it was not pruned or shared as asked for. */
  readonly note?: string;
  /** What was lost; undefined where nothing was, or that cannot be known. */
  readonly error?: TensorError;
}

/** An archive as a whole. Every byte of it is counted. */
export interface FileReport {
  /** Bytes of the archive. */
  readonly bytes: number;
  /** Bytes before the first record: header and shell. */
  readonly headerBytes: number;
  /** Bytes of the model's files; of an archive without a shell, of its tensors. */
  readonly sourceBytes: number;
  /** `sourceBytes` over `bytes`. */
  readonly ratio: number;
  /** Elements of all tensors. */
  readonly weights: number;
  /** Those that are not zero. */
  readonly survivors: number;
}

/** What an archive holds, as `compress` and `inspect` tell it. */
export interface Report {
  readonly file: FileReport;
  /** In the order of the archive. */
  readonly tensors: readonly TensorReport[];
  /** What the user should know of the whole: weights of the model that are no tensors, rules of the recipe whose patterns match none. */
  readonly notes?: readonly string[];
}

function fixedBits(alphabet: number): number {
  return alphabet > 1 ? Math.ceil(Math.log2(alphabet)) : alphabet;
}

/** What the record would take without entropy coding. */
function fixedBytes({ coding, weights, stored, fillers, codebook, gapAlphabet }: RecordStats, elementBits: number): number | undefined {
  if (codebook === 0 || coding === "context") return undefined;
  const entries = coding === "sparse" ? stored + fillers : weights;
  return Math.ceil((entries * (fixedBits(codebook) + fixedBits(gapAlphabet)) + codebook * elementBits) / 8);
}

/** A tensor's line, from what its record holds. */
export function tensorReport(
  { name, dtype, shape }: TensorInfo,
  stats: RecordStats,
  byteLength: number,
  bytes: number,
  found: Pick<EncodedTensor, "exact" | "note" | "error">,
): TensorReport {
  const { coding, scan, weights, survivors, fillers, codebook, codebookBytes, gapAlphabet, gapBits, symbolBits } = stats;
  const coded = coding === "sparse" || coding === "context" ? stats.stored : weights;
  return {
    name,
    dtype,
    shape,
    coding,
    scan,
    weights,
    survivors,
    fillers,
    codebook,
    codebookBytes,
    codeBits: fixedBits(codebook),
    codeBitsHuffman: coded === 0 ? 0 : symbolBits / coded,
    gapBits: fixedBits(gapAlphabet),
    gapBitsHuffman: stats.stored === 0 ? 0 : gapBits / stats.stored,
    fixedBytes: fixedBytes(stats, dtypeBits(dtype)),
    payloadBytes: Math.ceil((gapBits + symbolBits) / 8),
    bytes,
    ratio: byteLength / bytes,
    exact: found.exact,
    note: found.note,
    error: found.error,
  };
}

export function fileReport(tensors: readonly TensorReport[], bytes: number, headerBytes: number, sourceBytes: number): FileReport {
  const sum = (of: (tensor: TensorReport) => number): number => tensors.reduce((total, tensor) => total + of(tensor), 0);
  return {
    bytes,
    headerBytes,
    sourceBytes,
    ratio: sourceBytes / bytes,
    weights: sum(({ weights }) => weights),
    survivors: sum(({ survivors }) => survivors),
  };
}
