import { FormatError } from "../errors.js";
import type { Coding, RecordPlan, SymbolCoding } from "../kernel-types.js";
import { type Dtype, dtypeBits, elementCount, type TensorInfo, tensorByteLength } from "../types.js";
import { BitReader, BitWriter } from "./bits.js";
import { type ByteReader, ByteWriter } from "./bytes.js";
import { OWN, readCodebook } from "./codebook.js";
import { MAX_BLOCK_ELEMENTS, MAX_BLOCK_LOG, MIN_BLOCK_LOG, MIN_RECORD_BYTES } from "./limits.js";
import { readSymbolCoding, writeSymbolCoding } from "./symbols.js";

// Heads of records: docs/format.md, section 4.

/** The codings, by their numbers. */
export const CODINGS: readonly Coding[] = ["raw", "bytes", "dense", "sparse", "context"];

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Of a head of raw, bytes and zeros, and of the second byte of dense and sparse. */
const EXACT_HEAD = 0x80;
const EXACT_SECOND = 0x10;
const ESCAPE_SECOND = 0x20;

/** blockLog - blockSize: four bits hold 2^8 to 2^20. */
const BLOCK_SIZE_BIAS = 5;

/** What a record counts: docs/format.md, section 3.1. */
export interface Elements {
  readonly elementBytes: 1 | 2 | 4 | 8;
  readonly elements: number;
  readonly axes: readonly [number, number, number];
}

/** Elements of a tensor, and its axes R, C, K. */
export function elementsOf(tensor: TensorInfo): Elements {
  const bits = dtypeBits(tensor.dtype);
  if (bits < 8 || bits > 64) {
    const bytes = tensorByteLength(tensor.dtype, tensor.shape);
    return { elementBytes: 1, elements: bytes, axes: [bytes, 1, 1] };
  }
  // Without elements the other axes are not bounded, and nothing shall walk them.
  const [r = 1, c = 1, ...k] = tensor.shape.includes(0) ? [0] : tensor.shape;
  return { elementBytes: (bits / 8) as 1 | 2 | 4 | 8, elements: elementCount(tensor.shape), axes: [r, c, elementCount(k)] };
}

/** The plan of a record whose elements are all zero. */
function zeroPlan(elements: Elements): RecordPlan {
  return {
    ...elements,
    coding: "sparse",
    scan: 0,
    blockElements: MAX_BLOCK_ELEMENTS,
    codebook: NO_BYTES,
    codebookBytes: 0,
    own: true,
    symbols: [],
    escape: false,
    gapParameter: 0,
    zero: true,
    exact: false,
  };
}

/**
 * Reads the head of a tensor's record; `bytes` then stands at the first block.
 *
 * `bytes` may hold no more than the record's beginning, and `recordByteLength` says how long the record is.
 *
 * @throws FormatError `CORRUPT`, `UNSUPPORTED`, or `TRUNCATED` where `bytes` ends within the head
 */
export function readRecordHead(bytes: ByteReader, tensor: TensorInfo, recordByteLength: number): RecordPlan {
  const elements = elementsOf(tensor);
  const at = bytes.offset;
  const head = bytes.u8("record head");
  const coding = CODINGS[head & 7];
  if (coding === undefined) throw new FormatError("UNSUPPORTED", at, `coding ${head & 7} is not known`);
  if (coding === "raw" || coding === "bytes") {
    const blockElements = blockElementsOf((head >> 3) & 15, elements.elements, at);
    const symbols: SymbolCoding[] = [];
    if (coding === "bytes") {
      const bits = new BitReader(bytes);
      for (let plane = 0; plane < elements.elementBytes; plane++) symbols.push(readSymbolCoding(bits, 256, `byte plane ${plane}`));
      bits.end("the byte planes");
    }
    return { ...zeroPlan(elements), coding, blockElements, symbols, own: false, zero: false, exact: head >= EXACT_HEAD };
  }
  if (coding === "sparse" && recordByteLength === MIN_RECORD_BYTES) {
    if (elements.elements > MAX_BLOCK_ELEMENTS || (head & 0x78) !== 0) throw new FormatError("CORRUPT", at, "not a record of zeros");
    return { ...zeroPlan(elements), exact: head >= EXACT_HEAD };
  }
  return readSharedHead(bytes, head, coding, elements, tensor.dtype);
}

function readSharedHead(bytes: ByteReader, head: number, coding: Coding, elements: Elements, dtype: Dtype): RecordPlan {
  const at = bytes.offset;
  const sparse = coding === "sparse";
  const scan = (head >> 3) & 7;
  const kind = head >> 6;
  const second = bytes.u8("record head");
  const blockElements = blockElementsOf(second & 15, elements.elements, at);
  const exact = (second & EXACT_SECOND) !== 0;
  const escaped = (second & ESCAPE_SECOND) !== 0;
  if (scan > 5) throw new FormatError("CORRUPT", at - 1, `scan ${scan} is not known`);
  if ((scan > 0 || coding === "context") && elements.elements > blockElements)
    throw new FormatError("CORRUPT", at - 1, "several blocks, but not row-major, or coded by context");
  if (second >> 6 !== 0 || (escaped && !sparse)) throw new FormatError("CORRUPT", at, "reserved bits are set");
  if ((kind === OWN && !sparse) || (kind === 2 && dtype !== "F32")) {
    throw new FormatError("CORRUPT", at - 1, `codebook kind ${kind} in a ${coding} record of ${dtype}`);
  }
  const gapParameter = sparse ? bytes.u8("gap parameter") : 0;
  if (sparse && (gapParameter < 1 || gapParameter > (escaped ? 7 : 255))) {
    throw new FormatError("CORRUPT", at + 1, `gap parameter ${gapParameter}`);
  }
  const own = kind === OWN;
  const start = bytes.position;
  const codebook = own ? NO_BYTES : readCodebook(bytes, kind, dtype, elements.elementBytes);
  const codebookBytes = bytes.position - start;
  const bits = new BitReader(bytes);
  const symbols: SymbolCoding[] = [];
  if (sparse) symbols.push(readSymbolCoding(bits, gapAlphabet(escaped, gapParameter), "gap symbols"));
  if (!own && coding !== "context") symbols.push(readSymbolCoding(bits, codebook.length / elements.elementBytes, "codes"));
  for (let plane = 0; own && plane < elements.elementBytes; plane++) symbols.push(readSymbolCoding(bits, 256, `byte plane ${plane}`));
  bits.end("the symbols");
  return {
    ...elements,
    coding,
    scan,
    blockElements,
    codebook,
    codebookBytes,
    own,
    symbols,
    escape: escaped,
    gapParameter,
    zero: false,
    exact,
  };
}

/** Size of the alphabet of gap symbols. */
export function gapAlphabet(escaped: boolean, gapParameter: number): number {
  return escaped ? 2 ** gapParameter + 2 * (MAX_BLOCK_LOG - gapParameter) : gapParameter + 1;
}

/** Elements of a block, from the four bits that say it. */
function blockElementsOf(blockSize: number, elements: number, at: number): number {
  if (blockSize === 0) {
    if (elements > MAX_BLOCK_ELEMENTS) throw new FormatError("CORRUPT", at, `${elements} elements in one block`);
    return MAX_BLOCK_ELEMENTS;
  }
  const blockLog = blockSize + BLOCK_SIZE_BIAS;
  if (blockLog < MIN_BLOCK_LOG) throw new FormatError("CORRUPT", at, `blocks of 2^${blockLog} elements`);
  if (elements <= 2 ** blockLog) throw new FormatError("CORRUPT", at, "blocks larger than the tensor");
  return 2 ** blockLog;
}

/** Blocks of a record: at least one. */
export function blockCount(plan: RecordPlan): number {
  return Math.max(1, Math.ceil(plan.elements / plan.blockElements));
}

/** What a record's head says, for writing. `codebook` is written already (section 4.3), empty where there is none. */
export type HeadFields = Pick<
  RecordPlan,
  "coding" | "scan" | "blockElements" | "elements" | "symbols" | "escape" | "gapParameter" | "exact"
> & {
  readonly codebookKind: number;
  readonly codebookBytes: Uint8Array;
};

/** The head of a tensor of at most one block that is all zeros. */
export function zeroHead(exact: boolean): Uint8Array {
  return Uint8Array.of(CODINGS.indexOf("sparse") | (exact ? EXACT_HEAD : 0));
}

export function writeRecordHead(head: HeadFields): Uint8Array {
  const bytes = new ByteWriter();
  const coding = CODINGS.indexOf(head.coding);
  const blockSize = head.elements > head.blockElements ? Math.log2(head.blockElements) - BLOCK_SIZE_BIAS : 0;
  if (head.coding === "raw" || head.coding === "bytes") {
    bytes.u8(coding | (blockSize << 3) | (head.exact ? EXACT_HEAD : 0));
  } else {
    bytes.u8(coding | (head.scan << 3) | (head.codebookKind << 6));
    bytes.u8(blockSize | (head.exact ? EXACT_SECOND : 0) | (head.escape ? ESCAPE_SECOND : 0));
    if (head.coding === "sparse") bytes.u8(head.gapParameter);
    bytes.bytes(head.codebookBytes);
  }
  const bits = new BitWriter();
  for (const symbols of head.symbols) writeSymbolCoding(bits, symbols);
  return bytes.bytes(bits.finish()).finish();
}
