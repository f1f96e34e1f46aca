import { ByteReader } from "../archive/bytes.js";
import { checkContext } from "../archive/context.js";
import { MAX_CODE_BITS } from "../archive/limits.js";
import { scanRows } from "../archive/scans.js";
import { FormatError } from "../errors.js";
import type { RecordPlan, SymbolCoding } from "../kernel-types.js";
import { at, type Ptr, toPtr } from "./arena.js";
import type { KernelModule, ModuleExports } from "./module.js";
import { permute } from "./scan.js";

// One block of a record, decoded in the module's memory: docs/format.md, sections 4.2 to 4.7.

/** assembly/huffman/decode.ts, assembly/csr/expand.ts, assembly/csr/scan.ts */
export interface DecodeExports extends ModuleExports {
  decodeTable(lengths: Ptr, alphabet: number, tableLog: number, table: Ptr, next: Ptr): void;
  decodeStream(table: Ptr, tableLog: number, input: Ptr, inputEnd: Ptr, count: number, out: Ptr): number;
  decodeStreams4(table: Ptr, tableLog: number, in0: Ptr, in1: Ptr, in2: Ptr, in3: Ptr, inEnd: Ptr, count: number, out: Ptr): number;
  fillerGaps(symbols: Ptr, count: number, filler: number, gaps: Ptr, survivors: number): number;
  escapeGaps(symbols: Ptr, survivors: number, exponent: number, extra: Ptr, extraEnd: Ptr, gaps: Ptr, out: Ptr): number;
  scatterElements(gaps: Ptr, survivors: number, codes: Ptr, elements: Ptr, elementBytes: number, out: Ptr): void;
  gatherElements(codes: Ptr, count: number, elements: Ptr, elementBytes: number, out: Ptr): void;
  contextBytes(columns: number): number;
  contextDecode(bytes: Ptr, end: Ptr, rows: number, columns: number, kernel: number, codes: number, symbols: Ptr, work: Ptr): number;
  spreadElements(symbols: Ptr, count: number, elements: Ptr, elementBytes: number, out: Ptr): void;
  joinPlane(bytes: Ptr, count: number, elementBytes: number, out: Ptr): void;
  permute(
    from: Ptr,
    to: Ptr,
    elementBytes: number,
    outer: number,
    middle: number,
    inner: number,
    a: number,
    b: number,
    c: number,
    put: number,
  ): void;
}

/** For `scatterElements`: each survivor has an element of its own. */
export const NO_CODES: Ptr = 0 as Ptr;

/** What `escapeGaps` returns where its bit string goes on after the block. */
const CUT_OFF = 2;

/** A block in the module's memory, and how far it was read. */
class Block {
  readonly module: KernelModule<DecodeExports>;
  readonly reader: ByteReader;
  readonly #start: Ptr;

  constructor(module: KernelModule<DecodeExports>, bytes: Uint8Array, offset: number, count: number) {
    this.module = module;
    this.reader = new ByteReader(bytes, offset);
    // A stream is read without looking at its end: up to 12 bits for each symbol that is expected, at most two an element, and a word.
    this.#start = module.arena.alloc(bytes.length + 3 * count + 64);
    module.arena.u8(this.#start, bytes.length).set(bytes);
  }

  get #here(): Ptr {
    return at(this.#start, this.reader.position);
  }

  get #end(): Ptr {
    return at(this.#start, this.reader.bytes.length);
  }

  /** `count` symbols into memory that lives as long as the block. */
  symbols(coding: SymbolCoding, count: number, what: string): Ptr {
    const { arena } = this.module;
    if (coding.way === 0) {
      const here = this.#here;
      const raw = this.reader.take(count, what);
      if (coding.alphabet < 256 && raw.some((symbol) => symbol >= coding.alphabet)) this.#corrupt(what, "has a symbol beyond its alphabet");
      return here;
    }
    const out = arena.alloc(count);
    if (coding.way === 1) arena.u8(out, count).fill(coding.symbol);
    else if (count > 0) arena.scope(() => this.#huffman(coding, count, out, what));
    else if (coding.way === 3) this.#emptyStreams(what);
    return out;
  }

  #huffman(coding: SymbolCoding, count: number, out: Ptr, what: string): void {
    const { arena, exports } = this.module;
    const tableLog = coding.lengths.reduce((most, length) => Math.max(most, length), 0);
    const lengths = arena.alloc(coding.alphabet);
    const next = arena.alloc(64);
    const table = arena.alloc(4 << MAX_CODE_BITS);
    arena.u8(lengths, coding.alphabet).set(coding.lengths);
    exports.decodeTable(lengths, coding.alphabet, tableLog, table, next);
    if (coding.way === 2) {
      const end = toPtr(exports.decodeStream(table, tableLog, this.#here, this.#end, count, out));
      if (end === 0) this.#corrupt(what, "does not end with zero bits");
      this.reader.take(end - this.#here, what);
      return;
    }
    const [a, b, c, d] = this.#streams(what);
    const in0 = this.#here;
    const [in1, in2, in3] = [at(in0, a), at(in0, a + b), at(in0, a + b + c)];
    const all = this.reader.take(a + b + c + d, what);
    const exact = exports.decodeStreams4(table, tableLog, in0, in1, in2, in3, at(in3, d), count, out);
    if (exact === 0) throw new FormatError("CORRUPT", this.reader.offset - all.length, `${what}: a stream does not end where it should`);
  }

  #streams(what: string): number[] {
    return [0, 1, 2, 3].map(() => this.reader.varint(what));
  }

  #emptyStreams(what: string): void {
    const all = this.reader.take(
      this.#streams(what).reduce((sum, byteLength) => sum + byteLength, 0),
      what,
    );
    if (all.length > 0) this.#corrupt(what, "streams without symbols");
  }

  /** The gaps of `survivors`, u32 each, out of `fillers` more symbols. */
  gaps(plan: RecordPlan, count: number, survivors: number, fillers: number): Ptr {
    const { arena, exports } = this.module;
    const symbols = this.symbols(plan.symbols[0], survivors + fillers, "gap symbols");
    const gaps = arena.alloc(4 * survivors);
    if (!plan.escape) {
      const total = exports.fillerGaps(symbols, survivors + fillers, plan.gapParameter, gaps, survivors) >>> 0;
      if (total > count) this.#corrupt("gap symbols", "pass the block's end, or its survivors");
      return gaps;
    }
    const out = arena.alloc(8);
    const status = exports.escapeGaps(symbols, survivors, plan.gapParameter, this.#here, this.#end, gaps, out);
    if (status === CUT_OFF) throw new FormatError("TRUNCATED", this.reader.base + this.reader.bytes.length, "the extra bits are cut off");
    const [total, end] = arena.u32(out, 2);
    if (status !== 0 || total > count) this.#corrupt("gap symbols", "pass the block's end, or have extra bits that are not zero");
    this.reader.take(end - this.#here, "extra bits");
    return gaps;
  }

  /** `count` elements out of their byte planes, into `out`. */
  planes(codings: readonly SymbolCoding[], count: number, out: Ptr): void {
    const { arena, exports } = this.module;
    for (const [plane, coding] of codings.entries()) {
      arena.scope(() => exports.joinPlane(this.symbols(coding, count, `byte plane ${plane}`), count, codings.length, at(out, plane)));
    }
  }

  /** The symbols of a context-coded block, u16 each: all of its bytes. */
  context(plan: RecordPlan, count: number): Ptr {
    const { arena, exports } = this.module;
    checkContext(count, this.reader);
    const { rows, columns, kernel } = scanRows(plan.axes, plan.scan);
    const symbols = arena.alloc(2 * count);
    const work = arena.alloc(exports.contextBytes(columns) >>> 0);
    const codes = plan.codebook.length / plan.elementBytes;
    const end = toPtr(exports.contextDecode(this.#here, this.#end, rows, columns, kernel, codes, symbols, work));
    if (end !== this.#end) this.#corrupt("context", "the stream does not end where it should, or has a code beyond the codebook");
    this.reader.take(this.reader.left, "context");
    return symbols;
  }

  #corrupt(what: string, detail: string): never {
    throw new FormatError("CORRUPT", this.reader.offset, `${what}: ${detail}`);
  }
}

export function decodeBlock(
  module: KernelModule<DecodeExports>,
  plan: RecordPlan,
  bytes: Uint8Array,
  offset: number,
  out: Uint8Array,
): void {
  const { elementBytes } = plan;
  if (plan.zero) {
    out.fill(0);
    new ByteReader(bytes, offset).end("the block");
    return;
  }
  if (plan.coding === "raw") {
    const reader = new ByteReader(bytes, offset);
    out.set(reader.take(out.length, "elements"));
    reader.end("the block");
    return;
  }
  const { arena } = module;
  arena.scope(() => {
    const count = out.length / elementBytes;
    const block = new Block(module, bytes, offset, count);
    const to = decodeInto(block, plan, count);
    block.reader.end("the block");
    out.set(arena.u8(to, out.length));
  });
}

/** Decodes a block in memory; returns where its elements are. */
function decodeInto(block: Block, plan: RecordPlan, count: number): Ptr {
  const { arena, exports } = block.module;
  const { elementBytes } = plan;
  const out = arena.alloc(count * elementBytes);
  const codebook = arena.alloc(plan.codebook.length);
  arena.u8(codebook, plan.codebook.length).set(plan.codebook);

  if (plan.coding === "bytes") {
    block.planes(plan.symbols, count, out);
    return out;
  }
  if (plan.coding === "context") {
    exports.spreadElements(block.context(plan, count), count, codebook, elementBytes, out);
    return out;
  }
  if (plan.coding === "dense") {
    exports.gatherElements(block.symbols(plan.symbols[0], count, "codes"), count, codebook, elementBytes, out);
    return out;
  }
  arena.u8(out, count * elementBytes).fill(0);
  const { reader } = block;
  const start = reader.offset;
  const survivors = reader.varint("survivors");
  const fillers = plan.escape ? 0 : reader.varint("fillers");
  if (survivors + fillers > count || (survivors === 0 && fillers > 0)) {
    throw new FormatError("CORRUPT", start, `${survivors} survivors and ${fillers} fillers in ${count} elements`);
  }
  if (survivors === 0) return out;
  const gaps = block.gaps(plan, count, survivors, fillers);
  if (plan.own) {
    const elements = arena.alloc(survivors * elementBytes);
    block.planes(plan.symbols.slice(1), survivors, elements);
    exports.scatterElements(gaps, survivors, NO_CODES, elements, elementBytes, out);
  } else {
    exports.scatterElements(gaps, survivors, block.symbols(plan.symbols[1], survivors, "codes"), codebook, elementBytes, out);
  }
  return out;
}

/** As `DecodeKernels.decodeRowMajor` says. */
export function decodeRowMajor(
  module: KernelModule<DecodeExports>,
  plan: RecordPlan,
  bytes: Uint8Array,
  offset: number,
  out: Uint8Array,
  blank: boolean,
): void {
  if (plan.zero && blank) {
    new ByteReader(bytes, offset).end("the block");
    return;
  }
  if (plan.scan === 0) {
    decodeBlock(module, plan, bytes, offset, out);
    return;
  }
  const scanned = new Uint8Array(out.length);
  decodeBlock(module, plan, bytes, offset, scanned);
  permute(module, scanned, plan.elementBytes, plan.axes, plan.scan, true, out);
}
