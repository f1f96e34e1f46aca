import { ByteReader } from "../archive/bytes.js";
import { SCANS } from "../archive/scans.js";
import { FormatError } from "../errors.js";
import type { RecordPlan } from "../kernel-types.js";
import { at, type Ptr } from "./arena.js";
import { Block } from "./block.js";
import type { KernelModule, ModuleExports } from "./module.js";
import { placePairs, wordsOf } from "./pairs.js";
import { permuteAt } from "./scan.js";

// One block of a record, decoded through the module's memory: docs/format.md, sections 4.2 to 4.7.

/** assembly/huffman/decode.ts, assembly/csr/expand.ts, assembly/csr/scan.ts, assembly/context/tensor.ts */
export interface DecodeExports extends ModuleExports {
  decodeTable(lengths: Ptr, alphabet: number, tableLog: number, table: Ptr): void;
  decodeStream(table: Ptr, tableLog: number, input: Ptr, inputEnd: Ptr, count: number, out: Ptr): number;
  decodeStreams4(
    table: Ptr,
    tableLog: number,
    in0: Ptr,
    in1: Ptr,
    in2: Ptr,
    in3: Ptr,
    inEnd: Ptr,
    count: number,
    out: Ptr,
    runs: Ptr,
  ): number;
  fillerPairs(symbols: Ptr, count: number, filler: number, codes: Ptr, elements: Ptr, elementBytes: number, pairs: Ptr, state: Ptr): void;
  extraBits(symbols: Ptr, count: number, exponent: number): number;
  escapePairs(
    symbols: Ptr,
    count: number,
    exponent: number,
    extra: Ptr,
    codes: Ptr,
    elements: Ptr,
    elementBytes: number,
    pairs: Ptr,
    state: Ptr,
  ): number;
  unscanPairs(pairs: Ptr, count: number, words: number, middle: number, inner: number, a: number, b: number, c: number): void;
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

/** For kernels that take codes or elements: survivor i has element i. */
export const NO_CODES: Ptr = 0 as Ptr;

/** A codebook is looked up with codes that are checked later. */
const MOST_CODES = 256;

/** Symbols whose pairs, and elements whose bytes, are made at a time: they stay in the first-level cache, or not far from it. */
export const CHUNK: number = 1 << 12;

/** As `DecodeKernels.decodeBlock` says. */
export function decodeBlock(
  module: KernelModule<DecodeExports>,
  plan: RecordPlan,
  bytes: Uint8Array,
  offset: number,
  out: Uint8Array,
): void {
  decode(module, plan, bytes, offset, out, 0, false);
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
  decode(module, plan, bytes, offset, out, plan.scan, blank);
}

/** @param order the scan from whose order the elements are put into row-major order */
function decode(
  module: KernelModule<DecodeExports>,
  plan: RecordPlan,
  bytes: Uint8Array,
  offset: number,
  out: Uint8Array,
  order: number,
  blank: boolean,
): void {
  if (plan.coding === "sparse" && !blank) out.fill(0);
  if (plan.zero) {
    new ByteReader(bytes, offset).end("the block");
    return;
  }
  if (plan.coding === "raw") {
    const reader = new ByteReader(bytes, offset);
    out.set(reader.take(out.length, "elements"));
    reader.end("the block");
    return;
  }
  module.arena.scope(() => {
    const block = new Block(module, bytes, offset, out.length / plan.elementBytes);
    if (plan.coding === "sparse") placeSurvivors(block, plan, order, out);
    else copyElements(block, plan, order, out);
    block.reader.end("the block");
  });
}

/** The codebook, with room for what codes beyond it would find; each element takes `stride` bytes. */
function codebookAt(block: Block, { codebook, elementBytes }: RecordPlan, stride: number): Ptr {
  const { arena } = block.module;
  const ptr = arena.alloc(MOST_CODES * stride);
  if (stride === elementBytes) {
    arena.u8(ptr, codebook.length).set(codebook);
    return ptr;
  }
  const wide = arena.u8(ptr, MOST_CODES * stride).fill(0);
  for (let i = 0; i < codebook.length; i++) wide[Math.floor(i / elementBytes) * stride + (i % elementBytes)] = codebook[i];
  return ptr;
}

/** Elements that all stand in the block, one by one. */
function copyElements(block: Block, plan: RecordPlan, order: number, out: Uint8Array): void {
  const { arena, exports } = block.module;
  const { elementBytes } = plan;
  const count = out.length / elementBytes;
  if (plan.coding === "dense") {
    const codes = block.symbols(plan.symbols[0], count, "codes");
    const codebook = codebookAt(block, plan, elementBytes);
    if (order === 0) {
      const some = arena.alloc(CHUNK * elementBytes);
      const view = arena.u8(some, CHUNK * elementBytes);
      for (let first = 0; first < count; first += CHUNK) {
        const length = Math.min(CHUNK, count - first);
        exports.gatherElements(at(codes, first), length, codebook, elementBytes, some);
        out.set(length === CHUNK ? view : view.subarray(0, length * elementBytes), first * elementBytes);
      }
      return;
    }
    const elements = arena.alloc(out.length);
    exports.gatherElements(codes, count, codebook, elementBytes, elements);
    copyOut(block, elements, plan, order, out);
    return;
  }
  const elements = arena.alloc(out.length);
  if (plan.coding === "bytes") block.planes(plan.symbols, count, elements, elementBytes);
  else exports.spreadElements(block.context(plan, count), count, codebookAt(block, plan, elementBytes), elementBytes, elements);
  copyOut(block, elements, plan, order, out);
}

function copyOut(block: Block, elements: Ptr, { elementBytes, axes }: RecordPlan, order: number, out: Uint8Array): void {
  const { arena } = block.module;
  let from = elements;
  if (order > 0) {
    from = arena.alloc(out.length);
    permuteAt(block.module, elements, elementBytes, axes, order, true, from);
  }
  out.set(arena.u8(from, out.length));
}

/** The survivors of a sparse block into `out`, which holds zeros. */
function placeSurvivors(block: Block, plan: RecordPlan, order: number, out: Uint8Array): void {
  const { arena, exports } = block.module;
  const { reader } = block;
  const { elementBytes, gapParameter } = plan;
  const count = out.length / elementBytes;
  const start = reader.offset;
  const survivors = reader.varint("survivors");
  const fillers = plan.escape ? 0 : reader.varint("fillers");
  if (survivors + fillers > count || (survivors === 0 && fillers > 0)) {
    throw new FormatError("CORRUPT", start, `${survivors} survivors and ${fillers} fillers in ${count} elements`);
  }
  if (survivors === 0) return;

  const symbolCount = survivors + fillers;
  const symbols = block.symbols(plan.symbols[0], symbolCount, "gap symbols");
  const extra = block.here;
  if (plan.escape) block.bits(exports.extraBits(symbols, survivors, gapParameter), "extra bits");
  // Elements below 4 bytes are widened to a word; those of 8 are two.
  const stride = Math.max(4, elementBytes);
  const { codes, elements } = survivorsAt(block, plan, survivors, stride);

  const state = arena.alloc(16);
  const pairs = arena.alloc((CHUNK + 1) * 2 * stride);
  arena.reserve(CHUNK * stride); // codes and elements are read so far beyond the survivors that were said to be there
  const words = Math.min(4, elementBytes);
  const aligned = out.byteOffset % words === 0 ? out : new Uint8Array(out.length);
  const to = wordsOf(aligned, words);
  const list = new Int32Array(arena.u8(pairs, 0).buffer, pairs, (CHUNK * 2 * stride) / 4);
  const progress = arena.u32(state, 4).fill(0);
  const unscan = order === 0 ? undefined : unscanOf(plan, order, stride / 4);
  let placed = 0;
  for (let first = 0; first < symbolCount; first += CHUNK) {
    const from = at(symbols, first);
    const length = Math.min(CHUNK, symbolCount - first);
    if (!plan.escape) exports.fillerPairs(from, length, gapParameter, codes, elements, elementBytes, pairs, state);
    else if (!exports.escapePairs(from, length, gapParameter, extra, codes, elements, elementBytes, pairs, state)) progress[0] = count + 1;
    if (progress[0] > count || progress[1] > survivors) block.corrupt("gap symbols", "pass the block's end, or its survivors");
    const found = ((progress[1] - placed) * stride) / 4;
    placed = progress[1];
    unscan?.(exports, pairs, found);
    placePairs(list, found, to);
  }
  const last = arena.u8(at(symbols, symbolCount - 1), 1)[0];
  if (placed < survivors || (!plan.escape && last === gapParameter)) block.corrupt("gap symbols", "end with a filler, or too early");
  if (aligned !== out) out.set(aligned);
}

/** The survivors' own elements, or their codes and the codebook; each element takes `stride` bytes. */
function survivorsAt(block: Block, plan: RecordPlan, survivors: number, stride: number): { codes: Ptr; elements: Ptr } {
  if (!plan.own) return { codes: block.symbols(plan.symbols[1], survivors, "codes"), elements: codebookAt(block, plan, stride) };
  const { arena } = block.module;
  const elements = arena.alloc(survivors * stride);
  if (stride > plan.elementBytes) arena.u8(elements, survivors * stride).fill(0);
  block.planes(plan.symbols.slice(1), survivors, elements, stride);
  return { codes: NO_CODES, elements };
}

/** Puts the places of a scan's order into row-major order. */
function unscanOf({ axes }: RecordPlan, order: number, words: number): (exports: DecodeExports, pairs: Ptr, count: number) => void {
  const strides = [axes[1] * axes[2], axes[2], 1];
  const [x, y, z] = SCANS[order];
  return (exports, pairs, count) => exports.unscanPairs(pairs, count, words, axes[y], axes[z], strides[x], strides[y], strides[z]);
}
