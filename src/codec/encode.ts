import { ByteWriter } from "../archive/bytes.js";
import { OWN } from "../archive/codebook.js";
import { CHECKSUM_BYTES } from "../archive/limits.js";
import { writeRecordHead, zeroHead } from "../archive/record.js";
import { scanName } from "../archive/scans.js";
import type { EncodeKernels, SymbolCoding } from "../kernel-types.js";
import type { Dtype } from "../types.js";
import type { Blocks } from "./blocks.js";
import { type Choice, type Contexts, choose, codesOf } from "./choose.js";
import type { RecordStats } from "./stats.js";
import { type Survey, survey } from "./survey.js";

export interface EncodeOptions {
  /** What the record says of itself: `blocks` are the source's, bit for bit. */
  readonly exact: boolean;
  readonly contexts: Contexts;
}

/** What the record of a tensor came to. */
export interface EncodedRecord {
  /** The record in pieces, in order. */
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
  readonly stats: RecordStats;
}

/**
 * The record of a tensor, lossless: `blocks` come back bit for bit. It walks over them twice, once to choose the coding, once to write it.
 *
 */
export async function encodeRecord(kernels: EncodeKernels, dtype: Dtype, blocks: Blocks, options: EncodeOptions): Promise<EncodedRecord> {
  const found = await survey(kernels, dtype, blocks);
  if (found.stored === 0 && blocks.count === 1 && blocks.elements > 0) {
    const head = zeroHead(options.exact);
    const record = new ByteWriter().bytes(head).u32(kernels.crc32c(head)).finish();
    return { pieces: [record], byteLength: record.length, stats: zeroStats(blocks.elements) };
  }
  const choice = await choose(kernels, dtype, blocks, found, options.contexts);
  const head = writeRecordHead({ ...choice.head, exact: options.exact });
  const pieces: Uint8Array[] = [];
  let byteLength = 0;
  for (let i = 0; i < blocks.count; i++) {
    const block = await encodeBlock(kernels, choice, blocks, i);
    const out = new ByteWriter();
    if (i === 0) out.bytes(head);
    if (blocks.count > 1) out.varint(block.length + CHECKSUM_BYTES);
    const covered = out.bytes(block).finish();
    pieces.push(out.bytes(covered).u32(kernels.crc32c(covered)).finish());
    byteLength += covered.length + CHECKSUM_BYTES;
  }
  return { pieces, byteLength, stats: statsOf(choice, blocks, found) };
}

function statsOf({ head, codebook, gaps, symbols, stream }: Choice, blocks: Blocks, found: Survey): RecordStats {
  const raw = head.coding === "raw" ? 8 * blocks.elements * blocks.elementBytes : 8 * (stream?.length ?? 0);
  return {
    coding: head.coding,
    scan: scanName(blocks.axes, head.scan),
    weights: blocks.elements,
    survivors: found.stored - found.signedZeros,
    stored: found.stored,
    fillers: gaps?.fillers ?? 0,
    codebook: codebook.length / blocks.elementBytes,
    codebookBytes: head.codebookBytes.length,
    gapAlphabet: gaps?.coding.alphabet ?? 0,
    gapBits: gaps?.bits ?? 0,
    symbolBits: symbols.reduce((sum, { bits }) => sum + bits, raw),
  };
}

/** Of a record that is its head alone. */
function zeroStats(weights: number): RecordStats {
  const none = { survivors: 0, stored: 0, fillers: 0, codebook: 0, codebookBytes: 0, gapAlphabet: 0, gapBits: 0, symbolBits: 0 };
  return { coding: "sparse", scan: "row-major", weights, ...none };
}

async function encodeBlock(kernels: EncodeKernels, choice: Choice, blocks: Blocks, index: number): Promise<Uint8Array> {
  const { head, codebook } = choice;
  const { elementBytes } = blocks;
  if (choice.stream) return choice.stream;
  const rowMajor = await blocks.read(index);
  if (head.coding === "raw") return rowMajor;
  if (head.coding === "bytes") return encodePlanes(kernels, head.symbols, rowMajor);
  if (head.coding === "dense") return kernels.encodeSymbols(codesOf(kernels, rowMajor, elementBytes, codebook), head.symbols[0]);

  const elements = head.scan === 0 ? rowMajor : kernels.scan(rowMajor, elementBytes, blocks.axes, head.scan);
  const kept = kernels.compact(elements, elementBytes);
  const survivors = kept.gaps.length;
  const out = new ByteWriter().varint(survivors);
  if (survivors === 0) return (head.escape ? out : out.varint(0)).finish();
  if (head.escape) {
    const { symbols, extra } = kernels.escapeGaps(kept.gaps, head.gapParameter);
    out.bytes(kernels.encodeSymbols(symbols, head.symbols[0])).bytes(extra);
  } else {
    const symbols = kernels.fillGaps(kept.gaps, head.gapParameter);
    out.varint(symbols.length - survivors).bytes(kernels.encodeSymbols(symbols, head.symbols[0]));
  }
  if (head.codebookKind === OWN) out.bytes(encodePlanes(kernels, head.symbols.slice(1), kept.elements));
  else out.bytes(kernels.encodeSymbols(codesOf(kernels, kept.elements, elementBytes, codebook), head.symbols[1]));
  return out.finish();
}

function encodePlanes(kernels: EncodeKernels, codings: readonly SymbolCoding[], elements: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  for (const [plane, coding] of codings.entries()) {
    out.bytes(kernels.encodeSymbols(kernels.splitPlane(elements, codings.length, plane), coding));
  }
  return out.finish();
}
