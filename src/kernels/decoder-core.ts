// Part of the edge decoder: nothing of Node, no package, no other parser of archives.

import wasm from "../../build/decoder.wasm";
import { decodeUtf8 } from "../archive/bytes.js";
import type { Core, RecordHead } from "../archive/core.js";
import type { Header, TensorEntry } from "../archive/header.js";
import { FormatError } from "../errors.js";
import { DTYPES } from "../types.js";
import { placePairs, wordsOf } from "./pairs.js";
import { refusalOf } from "./traps.js";
import { moduleOf } from "./wasm-text.js";

/** assembly/decoder.ts; addresses are u32 and come signed. */
interface DecoderExports {
  readonly memory: WebAssembly.Memory;
  foundAt(): number;
  input(byteLength: number): number;
  checksum(at: number, byteLength: number, seed: number): number;
  headerEnd(at: number, byteLength: number): void;
  header(at: number, byteLength: number): void;
  tensor(): void;
  shell(): void;
  head(at: number, byteLength: number, dtype: number, tensorBytes: number, r: number, c: number, recordBytes: number): void;
  block(at: number, byteLength: number, seed: number, count: number): number;
  survivors(): number;
  pairs(): number;
}

/** A record's head, which is read again for each block: the module keeps nothing from one call to the next. */
interface Head extends RecordHead {
  readonly bytes: Uint8Array;
  readonly entry: TensorEntry;
}

const FOUND = 74;

/** WASM memory never shrinks: a module that was made to grow beyond this is let go. */
const MOST_KEPT_BYTES = 0x4000000;

let compiled: WebAssembly.Module | undefined;
let decoder: DecoderExports | undefined;

/**
 * Decodes with this module, a `WebAssembly.Module`, for hosts whose policy forbids to compile bytes: `coppice/wasm/decoder`, compiled by the host, or in a worker that may. It may be called at any time.
 *
 * @throws TypeError where it is no module of the decoder
 */
export function init(module: object): void {
  const { exports } = new WebAssembly.Instance(module as WebAssembly.Module);
  if (!exports["survivors"]) throw new TypeError("module must be decoder.wasm");
  compiled = module as WebAssembly.Module;
  decoder = exports as unknown as DecoderExports;
}

/** Lends the bytes to the module: their address. */
function lend(first: Uint8Array, second: Uint8Array = first.subarray(0, 0)): number {
  if (!decoder || decoder.memory.buffer.byteLength > MOST_KEPT_BYTES) {
    init((compiled ??= moduleOf(wasm)));
  }
  const at = run(0, ({ input }) => input(first.length + second.length)) >>> 0;
  const bytes = lent(at, first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return at;
}

function lent(at: number, byteLength: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(decoder!.memory.buffer as ArrayBuffer, at, byteLength);
}

function found(): Float64Array {
  return new Float64Array(decoder!.memory.buffer, decoder!.foundAt(), FOUND);
}

/** Runs the module on bytes of the archive whose offsets there are their addresses and `bias`. */
function run<T>(bias: number, work: (decoder: DecoderExports) => T): T {
  try {
    return work(decoder!);
  } catch (error) {
    throw refusalOf(error, found(), bias);
  }
}

function headerEnd(start: Uint8Array): number {
  const first = start.subarray(0, 14);
  const at = lend(first);
  run(-at, (decoder) => decoder.headerEnd(at, first.length));
  return found()[3];
}

function readHeader(start: Uint8Array, archiveByteLength = Infinity): Header {
  const end = headerEnd(start);
  if (end > start.length) throw new FormatError("TRUNCATED", start.length, "in a header");
  const at = lend(start.subarray(0, end));
  return run(-at, (decoder) => {
    decoder.header(at, end);
    const tensors: TensorEntry[] = [];
    const names = new Set<string>();
    let recordOffset = end;
    for (let left = found()[3]; left > 0; left--) {
      decoder.tensor();
      const [, , , nameAt, nameByteLength, dtype, byteLength, recordByteLength, rank, nameEnd, ...axes] = found();
      const name = decodeUtf8(lent(nameAt, nameByteLength), nameEnd - at, "a name");
      if (names.has(name)) throw new FormatError("DUPLICATE", nameEnd - at, `two of ${name}`);
      names.add(name);
      tensors.push({ name, dtype: DTYPES[dtype], shape: axes.slice(0, rank), byteLength, recordOffset, recordByteLength });
      recordOffset += recordByteLength;
      if (!Number.isSafeInteger(recordOffset)) throw new FormatError("LIMIT", 0, "records of 2^53 bytes");
      // Whether the records fit is the caller's to check in the end; a header of millions is not read through for it.
      if (left % 1024 === 0 && recordOffset > archiveByteLength) throw new FormatError("TRUNCATED", archiveByteLength, "records");
    }
    decoder.shell();
    const shellOffset = found()[3] - at;
    return { tensors, shell: start.subarray(shellOffset, end - 4), shellOffset, recordsOffset: end, archiveByteLength: recordOffset };
  });
}

function takeHead(
  at: number,
  byteLength: number,
  { recordOffset, dtype, byteLength: tensorBytes, shape, recordByteLength }: TensorEntry,
): void {
  const [r = 1, c = 1] = shape;
  run(recordOffset - at, ({ head }) => head(at, byteLength, DTYPES.indexOf(dtype), tensorBytes, r, c, recordByteLength));
}

function readHead(start: Uint8Array, entry: TensorEntry): Head {
  takeHead(lend(start), start.length, entry);
  const [, , , byteLength, elements, elementBytes, blockElements, sparse] = found();
  return {
    byteLength,
    elements,
    elementBytes: elementBytes as Head["elementBytes"],
    blockElements,
    sparse: sparse > 0,
    bytes: start.slice(0, byteLength),
    entry,
  };
}

function decodeBlock(
  { bytes, entry, elementBytes }: Head,
  block: Uint8Array,
  offset: number,
  seedCrc: number,
  out: Uint8Array,
  blank: boolean,
): void {
  const headAt = lend(bytes, block);
  const at = headAt + bytes.length;
  takeHead(headAt, bytes.length, entry);
  run(offset - at, (decoder) => {
    const elements = decoder.block(at, block.length, seedCrc, out.length / elementBytes) >>> 0;
    if (elements > 0) return out.set(lent(elements, out.length));
    if (!blank) out.fill(0);
    const wordBytes = Math.min(4, elementBytes);
    const aligned = out.byteOffset % wordBytes > 0 ? new Uint8Array(out.length) : out;
    const words = wordsOf(aligned, wordBytes);
    for (let count = decoder.survivors(); count > 0; count = decoder.survivors()) {
      placePairs(new Int32Array(decoder.memory.buffer, decoder.pairs(), 2 * count), count, words);
    }
    if (aligned !== out) out.set(aligned);
  });
}

function crc32c(bytes: Uint8Array, seed = 0): number {
  const at = lend(bytes);
  return run(0, ({ checksum }) => checksum(at, bytes.length, seed)) >>> 0;
}

const core: Core<Head> = { headerEnd, readHeader, readHead, crc32c, decodeBlock };

/** Understands archives by decoder.wasm, which is compiled when it is first needed. */
export function decoderCore(): Core {
  return core as Core;
}
