import { ByteWriter } from "../../src/archive/bytes.js";
import { codebookKeys, FLOAT16, LISTED, OWN, SORTED, writeListed, writeSorted } from "../../src/archive/codebook.js";
import { writeHeader } from "../../src/archive/header.js";
import { MAX_BLOCK_ELEMENTS } from "../../src/archive/limits.js";
import { elementsOf, gapAlphabet, writeRecordHead, zeroHead } from "../../src/archive/record.js";
import { scanRows } from "../../src/archive/scans.js";
import { writeShell } from "../../src/archive/shell.js";
import type { Coding, SymbolCoding } from "../../src/kernel-types.js";
import { referenceKernels as kernels } from "../../src/reference/index.js";
import type { Dtype, FileTemplate, Tensor } from "../../src/types.js";

// Archives made to order: every feature of docs/format.md on small tensors, also those that the encoder chooses for large ones only.

export type Way = SymbolCoding["way"];

/** A tensor, and how its record is to look. The data must fit: at most 256 different elements for a codebook, say. */
export interface Crafted extends Tensor {
  readonly coding: Coding | "zeros";
  /** What the record says of itself; true unless given. */
  readonly exact?: boolean;
  /** Several blocks of 2^blockLog elements. */
  readonly blockLog?: number;
  readonly scan?: number;
  readonly codebook?: "listed" | "sorted" | "float16" | "own";
  /** The filler, or the exponent of escapes. */
  readonly gapParameter?: number;
  readonly escape?: boolean;
  /** Ways of the sequences in their order, the last for all that follow; Huffman with one stream unless given. */
  readonly ways?: readonly Way[];
}

const CODEBOOK_KINDS = { listed: LISTED, sorted: SORTED, float16: FLOAT16, own: OWN } as const;
const NO_BYTES = new Uint8Array(0);

/** A code of the way that can hold these symbols; with way 1 they are all the same. An alphabet of one symbol has no Huffman code. */
export function codingFor(symbols: Uint8Array, alphabet: number, wanted: Way): SymbolCoding {
  const way = alphabet === 1 && wanted > 1 ? 1 : wanted;
  if (way <= 1) return { way, symbol: way === 1 ? (symbols[0] ?? 0) : 0, lengths: NO_BYTES, alphabet };
  const counts = kernels.histogram(symbols).slice(0, alphabet);
  for (let symbol = 0; counts.filter((count) => count > 0).length < 2; symbol++) counts[symbol] = Math.max(counts[symbol], 1);
  return { way, symbol: 0, lengths: kernels.codeLengths(counts, 12), alphabet };
}

/** A block before its sequences are coded. */
interface Parts {
  readonly start: Uint8Array;
  readonly sequences: readonly { readonly symbols: Uint8Array; readonly alphabet: number; readonly after?: Uint8Array }[];
}

function planesOf(elements: Uint8Array, elementBytes: number): Parts["sequences"] {
  return Array.from({ length: elementBytes }, (_, plane) => ({
    symbols: kernels.splitPlane(elements, elementBytes, plane),
    alphabet: 256,
  }));
}

interface Book {
  readonly kind: number;
  readonly elements: Uint8Array;
  readonly bytes: Uint8Array;
}

function bookOf(elements: Uint8Array, elementBytes: number, { dtype, codebook = "listed" }: Crafted): Book {
  const kind = CODEBOOK_KINDS[codebook];
  if (kind === OWN) return { kind, elements: NO_BYTES, bytes: NO_BYTES };
  const table = kernels.index(elements, elementBytes, NO_BYTES)?.table;
  if (table === undefined || table.length === 0) throw new RangeError("a codebook needs 1 to 256 different elements");
  if (kind === LISTED) return { kind, elements: table, bytes: writeListed(table, elementBytes) };
  if (kind === FLOAT16) {
    const halfs = kernels.fromFloat32(kernels.toFloat32(table, "F32"), "F16");
    return { kind, elements: table, bytes: writeListed(halfs, 2) };
  }
  const keys = codebookKeys(table, dtype, elementBytes);
  const order = [...keys.keys()].sort((a, b) => (keys[a] < keys[b] ? -1 : 1));
  const sorted = Uint8Array.from(order.flatMap((i) => [...table.subarray(i * elementBytes, (i + 1) * elementBytes)]));
  const ascending = order.map((i) => keys[i]);
  return { kind, elements: sorted, bytes: writeSorted(ascending, elementBytes) };
}

function sparseParts(
  elements: Uint8Array,
  elementBytes: number,
  book: Book,
  { escape: isEscape = false, gapParameter = 15 }: Crafted,
): Parts {
  const kept = kernels.compact(elements, elementBytes);
  const start = new ByteWriter().varint(kept.gaps.length);
  const escaped = isEscape ? kernels.escapeGaps(kept.gaps, gapParameter) : undefined;
  const gaps = escaped?.symbols ?? kernels.fillGaps(kept.gaps, gapParameter);
  if (!isEscape) start.varint(gaps.length - kept.gaps.length);
  if (kept.gaps.length === 0) return { start: start.finish(), sequences: [] };
  const coded = { symbols: gaps, alphabet: gapAlphabet(isEscape, gapParameter), after: escaped?.extra };
  const values = book.kind === OWN ? planesOf(kept.elements, elementBytes) : [codesOf(kept.elements, elementBytes, book)];
  return { start: start.finish(), sequences: [coded, ...values] };
}

function codesOf(elements: Uint8Array, elementBytes: number, book: Book): Parts["sequences"][number] {
  const codes = kernels.index(elements, elementBytes, book.elements)?.codes;
  if (codes === undefined) throw new RangeError("an element is not in the codebook");
  return { symbols: codes, alphabet: book.elements.length / elementBytes };
}

function contextParts(
  elements: Uint8Array,
  elementBytes: number,
  book: Book,
  { rows, columns, kernel }: ReturnType<typeof scanRows>,
): Parts {
  const kept = kernels.compact(elements, elementBytes);
  const { symbols: codes, alphabet } = codesOf(kept.elements, elementBytes, book);
  const symbols = new Uint16Array(elements.length / elementBytes);
  for (let i = 0, at = 0; i < codes.length; i++) {
    at += kept.gaps[i];
    symbols[at++] = codes[i] + 1;
  }
  return { start: kernels.encodeContext(symbols, rows, columns, kernel, alphabet), sequences: [] };
}

/** The record of a tensor. */
export function craftRecord(tensor: Crafted): Uint8Array {
  const { coding, exact = true, blockLog, scan = 0, escape: isEscape = false, gapParameter = 15, ways = [2] } = tensor;
  const { elementBytes, elements, axes } = elementsOf(tensor);
  if (coding === "zeros") return sealed(zeroHead(exact));
  const walked = kernels.scan(tensor.data, elementBytes, axes, scan);
  const blockElements = blockLog === undefined ? MAX_BLOCK_ELEMENTS : 2 ** blockLog;
  const blocks = Array.from({ length: Math.max(1, Math.ceil(elements / blockElements)) }, (_, i) =>
    walked.subarray(i * blockElements * elementBytes, (i + 1) * blockElements * elementBytes),
  );
  const stored = coding === "sparse" || coding === "context" ? kernels.compact(walked, elementBytes).elements : walked;
  const shared = coding === "sparse" || coding === "context" || coding === "dense";
  const book = shared ? bookOf(stored, elementBytes, tensor) : { kind: LISTED, elements: NO_BYTES, bytes: NO_BYTES };
  const parts = blocks.map((block): Parts => {
    if (coding === "raw") return { start: block, sequences: [] };
    if (coding === "bytes") return { start: NO_BYTES, sequences: planesOf(block, elementBytes) };
    if (coding === "context") return contextParts(block, elementBytes, book, scanRows(axes, scan));
    if (coding === "dense") return { start: NO_BYTES, sequences: [codesOf(block, elementBytes, book)] };
    return sparseParts(block, elementBytes, book, tensor);
  });
  // One description for all blocks.
  const most = parts.reduce((a, b) => (b.sequences.length > a.sequences.length ? b : a));
  const symbols = most.sequences.map(({ alphabet }, i) => {
    const all = Buffer.concat(parts.map(({ sequences }) => sequences[i]?.symbols ?? NO_BYTES));
    return codingFor(all, alphabet, ways[Math.min(i, ways.length - 1)]);
  });
  const head = writeRecordHead({
    coding,
    scan,
    blockElements,
    elements,
    symbols,
    escape: isEscape,
    gapParameter,
    exact,
    codebookKind: book.kind,
    codebookBytes: book.bytes,
  });
  const record = new ByteWriter().bytes(head);
  let since = 0;
  for (const { start, sequences } of parts) {
    const block = new ByteWriter().bytes(start);
    for (const [i, sequence] of sequences.entries()) {
      block.bytes(kernels.encodeSymbols(sequence.symbols, symbols[i])).bytes(sequence.after ?? NO_BYTES);
    }
    if (blocks.length > 1) record.varint(block.length + 4);
    record.bytes(block.finish());
    const so = record.finish();
    record.bytes(so).u32(kernels.crc32c(so.subarray(since)));
    since = record.length;
  }
  return record.finish();
}

/** Bytes and their checksum. */
export function sealed(bytes: Uint8Array): Uint8Array {
  return new ByteWriter().bytes(bytes).u32(kernels.crc32c(bytes)).finish();
}

/** An archive of records that are there already. */
export function archiveOf(tensors: readonly (Omit<Tensor, "data"> & { readonly record: Uint8Array })[], shell?: Uint8Array): Uint8Array {
  const entries = tensors.map(({ name, dtype, shape, record }) => ({ name, dtype, shape, recordByteLength: record.length }));
  const header = writeHeader(entries, shell ?? Uint8Array.of(0), kernels.crc32c);
  const out = new ByteWriter().bytes(header);
  for (const { record } of tensors) out.bytes(record);
  return out.finish();
}

/** An archive of tensors made to order, with the files given for its shell, which stay as they are. */
export function craftArchive(tensors: readonly Crafted[], files: readonly FileTemplate[] = []): Uint8Array {
  const shell = writeShell(files, tensors, (bytes) => Uint8Array.of(...bytes, 0));
  return archiveOf(
    tensors.map((tensor) => ({ ...tensor, record: craftRecord(tensor) })),
    shell,
  );
}

/** A tensor of float32 values. */
export function floats(name: string, shape: readonly number[], values: ArrayLike<number>): Tensor {
  const data = new Uint8Array(4 * values.length);
  const view = new DataView(data.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i], true);
  return { name, dtype: "F32", shape, data };
}

/** A tensor of any bytes. */
export function tensorOf(name: string, dtype: Dtype, shape: readonly number[], data: Uint8Array): Tensor {
  return { name, dtype, shape, data };
}
