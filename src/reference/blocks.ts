import { ByteReader } from "../archive/bytes.js";
import { checkContext } from "../archive/context.js";
import { scanRows } from "../archive/scans.js";
import { FormatError } from "../errors.js";
import type { RecordPlan, SymbolCoding } from "../kernel-types.js";
import { decodeContext } from "./context.js";
import { type GapSymbols, placesOfEscapes, placesOfFillers } from "./gaps.js";
import { decodeSymbols } from "./huffman.js";
import { unscan } from "./scan.js";
import { alignedLike, type Words, wordsOf, wordsPerElement } from "./words.js";

// Blocks: docs/format.md, sections 4.4 to 4.7.

/** As `DecodeKernels.decodeBlock` says. */
export function decodeBlock(plan: RecordPlan, bytes: Uint8Array, offset: number, out: Uint8Array): void {
  const reader = new ByteReader(bytes, offset);
  const { coding, elementBytes } = plan;
  if (plan.zero) out.fill(0);
  else if (coding === "raw") out.set(reader.take(out.length, "elements"));
  else if (coding === "bytes") decodePlanes(reader, plan.symbols, out);
  else {
    const aligned = alignedLike(out, elementBytes);
    if (coding === "dense") decodeDense(reader, plan, aligned);
    else if (coding === "context") decodeByContext(reader, plan, aligned);
    else decodeSparse(reader, plan, aligned);
    if (aligned !== out) out.set(aligned);
  }
  reader.end("the block");
}

/** As `DecodeKernels.decodeRowMajor` says; zeros are written wherever they belong. */
export function decodeRowMajor(plan: RecordPlan, bytes: Uint8Array, offset: number, out: Uint8Array): void {
  if (plan.scan === 0) {
    decodeBlock(plan, bytes, offset, out);
    return;
  }
  const scanned = new Uint8Array(out.length);
  decodeBlock(plan, bytes, offset, scanned);
  unscan(scanned, plan.elementBytes, plan.axes, plan.scan, out);
}

/** Elements out of their byte planes, the lowest first. */
function decodePlanes(reader: ByteReader, codings: readonly SymbolCoding[], out: Uint8Array): void {
  const elementBytes = codings.length;
  const count = out.length / elementBytes;
  for (let plane = 0; plane < elementBytes; plane++) {
    const bytes = decodeSymbols(reader, codings[plane], count, `byte plane ${plane}`);
    for (let i = 0, at = plane; i < count; i++, at += elementBytes) out[at] = bytes[i];
  }
}

function decodeDense(reader: ByteReader, plan: RecordPlan, out: Uint8Array): void {
  const { elementBytes } = plan;
  const codes = decodeSymbols(reader, plan.symbols[0], out.length / elementBytes, "codes");
  const to = wordsOf(out, elementBytes);
  const centroids = wordsOf(plan.codebook, elementBytes);
  if (wordsPerElement(elementBytes) === 1) {
    for (let i = 0; i < codes.length; i++) to[i] = centroids[codes[i]];
    return;
  }
  for (let i = 0; i < codes.length; i++) {
    to[2 * i] = centroids[2 * codes[i]];
    to[2 * i + 1] = centroids[2 * codes[i] + 1];
  }
}

function decodeByContext(reader: ByteReader, plan: RecordPlan, out: Uint8Array): void {
  const { elementBytes } = plan;
  const { rows, columns, kernel } = scanRows(plan.axes, plan.scan);
  const at = reader.offset;
  checkContext(plan.elements, reader);
  const symbols = decodeContext(reader.take(reader.left, "context"), rows, columns, kernel, plan.codebook.length / elementBytes);
  if (symbols === undefined)
    throw new FormatError("CORRUPT", at, "context: the stream does not end where it should, or has a code beyond the codebook");
  for (let i = 0; i < symbols.length; i++) {
    const from = (symbols[i] - 1) * elementBytes;
    for (let b = 0; b < elementBytes; b++) out[i * elementBytes + b] = symbols[i] === 0 ? 0 : plan.codebook[from + b];
  }
}

function decodeSparse(reader: ByteReader, plan: RecordPlan, out: Uint8Array): void {
  const { elementBytes, own } = plan;
  const elements = out.length / elementBytes;
  const start = reader.offset;
  const survivors = reader.varint("survivors");
  const fillers = plan.escape ? 0 : reader.varint("fillers");
  if (survivors + fillers > elements || (survivors === 0 && fillers > 0)) {
    throw new FormatError("CORRUPT", start, `${survivors} survivors and ${fillers} fillers in ${elements} elements`);
  }
  out.fill(0);
  if (survivors === 0) return;
  const offset = reader.offset;
  const symbols = decodeSymbols(reader, plan.symbols[0], survivors + fillers, "gap symbols");
  const gaps: GapSymbols = { symbols, offset, survivors, elements };
  const places = plan.escape ? placesOfEscapes(reader, gaps, plan.gapParameter) : placesOfFillers(gaps, plan.gapParameter);
  const to = wordsOf(out, elementBytes);
  if (own) {
    const elements = new Uint8Array(survivors * elementBytes);
    decodePlanes(reader, plan.symbols.slice(1), elements);
    placeOwn(places, wordsOf(elements, elementBytes), wordsPerElement(elementBytes), to);
  } else {
    const codes = decodeSymbols(reader, plan.symbols[1], survivors, "codes");
    placeCentroids(places, codes, wordsOf(plan.codebook, elementBytes), wordsPerElement(elementBytes), to);
  }
}

function placeOwn(places: Uint32Array, elements: Words, words: 1 | 2, out: Words): void {
  if (words === 1) {
    for (let i = 0; i < places.length; i++) out[places[i]] = elements[i];
    return;
  }
  for (let i = 0; i < places.length; i++) {
    out[2 * places[i]] = elements[2 * i];
    out[2 * places[i] + 1] = elements[2 * i + 1];
  }
}

function placeCentroids(places: Uint32Array, codes: Uint8Array, centroids: Words, words: 1 | 2, out: Words): void {
  if (words === 1) {
    for (let i = 0; i < places.length; i++) out[places[i]] = centroids[codes[i]];
    return;
  }
  for (let i = 0; i < places.length; i++) {
    out[2 * places[i]] = centroids[2 * codes[i]];
    out[2 * places[i] + 1] = centroids[2 * codes[i] + 1];
  }
}
