import { ByteReader } from "../archive/bytes.js";
import { checkContext } from "../archive/context.js";
import { MAX_CODE_BITS } from "../archive/limits.js";
import { scanRows } from "../archive/scans.js";
import { FormatError } from "../errors.js";
import type { RecordPlan, SymbolCoding } from "../kernel-types.js";
import { at, type Ptr, toPtr } from "./arena.js";
import type { DecodeExports } from "./decode-block.js";
import type { KernelModule } from "./module.js";

/** A block in the module's memory, and how far it was read. */
export class Block {
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

  /** Where the next byte is. */
  get here(): Ptr {
    return at(this.#start, this.reader.position);
  }

  get end(): Ptr {
    return at(this.#start, this.reader.bytes.length);
  }

  /** `count` symbols into memory that lives as long as the block. */
  symbols(coding: SymbolCoding, count: number, what: string): Ptr {
    const { arena } = this.module;
    if (coding.way === 0) {
      const here = this.here;
      const raw = this.reader.take(count, what);
      if (coding.alphabet < 256 && raw.some((symbol) => symbol >= coding.alphabet)) this.corrupt(what, "has a symbol beyond its alphabet");
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
    const table = arena.alloc(4 << MAX_CODE_BITS);
    arena.u8(lengths, coding.alphabet).set(coding.lengths);
    exports.decodeTable(lengths, coding.alphabet, tableLog, table);
    if (coding.way === 2) {
      const end = toPtr(exports.decodeStream(table, tableLog, this.here, this.end, count, out));
      if (end === 0) this.corrupt(what, "does not end with zero bits");
      this.reader.take(end - this.here, what);
      return;
    }
    const [a, b, c, d] = this.#streams(what);
    const in0 = this.here;
    const [in1, in2, in3] = [at(in0, a), at(in0, a + b), at(in0, a + b + c)];
    const all = this.reader.take(a + b + c + d, what);
    const exact = exports.decodeStreams4(table, tableLog, in0, in1, in2, in3, at(in3, d), count, out, arena.alloc(count + 64));
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
    if (all.length > 0) this.corrupt(what, "streams without symbols");
  }

  /** `count` elements out of their byte planes, into `out`, one every `stride` bytes. */
  planes(codings: readonly SymbolCoding[], count: number, out: Ptr, stride: number): void {
    const { arena, exports } = this.module;
    for (const [plane, coding] of codings.entries()) {
      arena.scope(() => exports.joinPlane(this.symbols(coding, count, `byte plane ${plane}`), count, stride, at(out, plane)));
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
    const end = toPtr(exports.contextDecode(this.here, this.end, rows, columns, kernel, codes, symbols, work));
    if (end !== this.end) this.corrupt("context", "the stream does not end where it should, or has a code beyond the codebook");
    this.reader.take(this.reader.left, "context");
    return symbols;
  }

  /** Passes over a bit string, whose last byte is filled up with zero bits. */
  bits(count: number, what: string): void {
    const bytes = this.reader.take(Math.ceil(count / 8), what);
    if (count % 8 > 0 && bytes[bytes.length - 1] >> (count % 8) !== 0) this.corrupt(what, "have bits after the last that are not zero");
  }

  /** @throws FormatError `CORRUPT` where the block is read */
  corrupt(what: string, detail: string): never {
    throw new FormatError("CORRUPT", this.reader.offset, `${what}: ${detail}`);
  }
}
