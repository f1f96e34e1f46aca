// The kernels that run layers, and that lay records of an archive out for them: nothing of Node, no package.

import scalarWasm from "../../build/runner.scalar.wasm";
import simdWasm from "../../build/runner.simd.wasm";
import type { Core, RecordHead } from "../archive/core.js";
import type { TensorEntry } from "../archive/header.js";
import { DTYPES } from "../types.js";
import { Arena, at, type Ptr, toPtr } from "./arena.js";
import { refusalOf } from "./traps.js";
import { chooseVariant, type LoadOptions, type Variant } from "./variant.js";
import { moduleOf } from "./wasm-text.js";

/** assembly/runner.ts; addresses are u32 and come signed. */
export interface RunExports {
  readonly memory: WebAssembly.Memory;
  variant(): number;
  heapBase(): number;

  foundAt(): number;
  inputAt(base: Ptr, byteLength: number): number;
  checksum(at: number, byteLength: number, seed: number): number;
  head(at: number, byteLength: number, dtype: number, tensorBytes: number, r: number, c: number, recordBytes: number): void;
  block(at: number, byteLength: number, seed: number, count: number): number;
  pairs(): number;

  straight(): number;
  centroids(): number;
  centroid(code: number, dtype: number): number;
  scanned(): number;
  valuesBytes(): number;
  entries(dtype: number, values: Ptr): number;
  elementEntries(elements: Ptr, first: number, count: number, dtype: number, values: Ptr, out: Ptr): number;
  elementFloats(elements: Ptr, count: number, dtype: number, out: Ptr): void;

  layingBytes(): number;
  beginLaying(laying: Ptr, columns: number, lines: number, panels: number, pointers: Ptr): void;
  laySurvivors(laying: Ptr, pointers: Ptr, counts: Ptr, rowPanels: number, indices: Ptr, codes: Ptr): void;
  layEntries(
    floats: boolean,
    from: Ptr,
    count: number,
    laying: Ptr,
    pointers: Ptr,
    counts: Ptr,
    rowPanels: number,
    indices: Ptr,
    weights: Ptr,
  ): void;
  laid(laying: Ptr): number;
  endBlock(laying: Ptr, count: number): void;
  endLaying(laying: Ptr, pointers: Ptr): void;
  countColumns(pointers: Ptr, panels: number, lines: number, indices: Ptr, counts: Ptr, others: number): void;
  startsOf(counts: Ptr, lines: number): void;
  turnCodes(...range: RangeNumbers): void;
  turnFloats(...range: RangeNumbers): void;
  headLines(floats: boolean, starts: Ptr, lines: number, to: Ptr, pointers: Ptr, base: number): number;
  groupLines(pointers: Ptr, entries: Ptr, lines: number, centroids: number, scratch: Ptr): number;
  countRows(floats: boolean, entries: Ptr, panels: number, lines: number, counts: Ptr, others: number): void;
  turnBack(floats: boolean, entries: Ptr, panels: number, lines: number, next: Ptr, others: number, indices: Ptr, weights: Ptr): void;

  countNonZero(x: Ptr, count: number): number;
  matvecColumns(
    pointers: Ptr,
    panels: number,
    entries: Ptr,
    mean: number,
    codebook: Ptr,
    centroids: number,
    x: Ptr,
    columns: number,
    found: Ptr,
    y: Ptr,
  ): void;
  matvecRows(pointers: Ptr, panels: number, indices: Ptr, weights: Ptr, codebook: Ptr, x: Ptr, rows: number, y: Ptr): void;
  matvecDense(weights: Ptr, x: Ptr, columns: number, rows: number, y: Ptr): void;
  matmulRows(
    pointers: Ptr,
    panels: number,
    indices: Ptr,
    weights: Ptr,
    codebook: Ptr,
    bias: number,
    stride: number,
    x: Ptr,
    lanes: number,
    rows: number,
    y: Ptr,
    yStride: number,
    relu: boolean,
  ): void;
  matmulDense(
    weights: Ptr,
    columns: number,
    bias: number,
    stride: number,
    x: Ptr,
    lanes: number,
    rows: number,
    y: Ptr,
    yStride: number,
    relu: boolean,
  ): void;
  convolve(
    pointers: Ptr,
    columns: number,
    blockLog: number,
    indices: Ptr,
    weights: Ptr,
    codebook: Ptr,
    bias: number,
    scale: number,
    offsets: Ptr,
    places: Ptr,
    x: Ptr,
    lanes: number,
    rows: number,
    y: Ptr,
    yStride: number,
    relu: boolean,
  ): void;
  transpose(from: Ptr, fromStride: number, rows: number, columns: number, to: Ptr, toStride: number): void;
  relu(values: Ptr, count: number): void;

  spread(
    from: Ptr,
    fromPitch: number,
    fromStride: number,
    channels: number,
    height: number,
    width: number,
    strideY: number,
    strideX: number,
    phasesY: number,
    phasesX: number,
    stepX: number,
    paddingY: number,
    paddingX: number,
    to: Ptr,
    toStride: number,
    rows: number,
    columns: number,
  ): void;
  poolLargest(...windows: PoolNumbers): void;
  poolMean(...windows: PoolNumbers): void;
  normalize(values: Ptr, rows: number, channels: number, plane: number, by: Ptr, out: Ptr): void;
  normalizeAcross(
    from: Ptr,
    channels: number,
    count: number,
    stride: number,
    size: number,
    scale: number,
    beta: number,
    k: number,
    to: Ptr,
  ): void;
  softmax(values: Ptr, count: number): void;
}

/** As assembly/run/turn.ts takes a range of columns. */
export type RangeNumbers = [
  cursors: Ptr,
  ends: Ptr,
  step: number,
  lines: number,
  indices: Ptr,
  weights: Ptr,
  first: number,
  end: number,
  next: Ptr,
  others: number,
  base: number,
  turned: Ptr,
];

/** As assembly/run/pool.ts takes windows. */
export type PoolNumbers = [
  from: Ptr,
  fromPitch: number,
  fromStride: number,
  channels: number,
  height: number,
  width: number,
  kernelHeight: number,
  kernelWidth: number,
  strideY: number,
  strideX: number,
  paddingY: number,
  paddingX: number,
  outHeight: number,
  outWidth: number,
  row: Ptr,
  to: Ptr,
];

/** An instance of the kernels. Its memory lives and goes with it. */
export interface Runner {
  readonly variant: Variant;
  readonly arena: Arena;
  readonly exports: RunExports;
}

const compiled = new Map<Variant, WebAssembly.Module>();

/** The module, compiled on the first call and kept: another thread may have it, and need not compile it again. */
export function runnerModule(variant: Variant): WebAssembly.Module {
  let module = compiled.get(variant);
  if (module === undefined) {
    module = moduleOf(variant === "simd" ? simdWasm : scalarWasm);
    compiled.set(variant, module);
  }
  return module;
}

function adopt(module: WebAssembly.Module): Runner {
  const exports = new WebAssembly.Instance(module).exports as unknown as RunExports;
  return {
    variant: exports.variant() === 1 ? "simd" : "scalar",
    arena: new Arena(exports.memory, exports.heapBase() >>> 0),
    exports,
  };
}

/**
 * Runs with this module, a `WebAssembly.Module`, for hosts whose policy forbids to compile bytes: `coppice/wasm/runner.simd` or `coppice/wasm/runner.scalar`, compiled by the host. It may be called at any time, once for each.
 *
 * @throws TypeError where it is no module of the kernels that run layers
 */
export function init(module: object): void {
  // Not `instanceof`: it may come from another realm. What is no module at all is refused by the runtime, with a TypeError, too.
  const kernels = module as WebAssembly.Module;
  if (!WebAssembly.Module.exports(kernels).some(({ name }) => name === "matvecColumns"))
    throw new TypeError("module must be runner.simd.wasm or runner.scalar.wasm");
  compiled.set(adopt(kernels).variant, kernels);
}

/**
 * A new instance, with an empty memory.
 *
 * @throws TypeError where the variant is none, RangeError where this runtime cannot run it
 */
export function newRunner(options: LoadOptions = {}): Runner {
  return adopt(runnerModule(chooseVariant(options)));
}

/** A record's head, which is read again for each block. */
export interface RunHead extends RecordHead {
  readonly bytes: Uint8Array;
  readonly entry: TensorEntry;
}

/** Understands records with the memory of a runner that is free; what is allocated while a block is read, by its caller, would be over the block. */
export interface RecordReader extends Pick<Core<RunHead>, "readHead" | "crc32c"> {
  /**
   * Reads a block of `count` elements, and lends the address of its elements, row-major, to `use`; 0 for a sparse block, whose survivors `entries` gives.
   *
   * @throws FormatError where the block, or what `use` asks of it, is at fault
   */
  block<T>(head: RunHead, block: Uint8Array, offset: number, seedCrc: number, count: number, use: (elements: Ptr) => T): T;
}

export function recordReader({ arena, exports }: Runner): RecordReader {
  const lend = (first: Uint8Array, second: Uint8Array = new Uint8Array(0)): Ptr => {
    const byteLength = first.length + second.length;
    const ptr = run(0, () => toPtr(exports.inputAt(toPtr(arena.top), byteLength)));
    arena.u8(ptr, first.length).set(first);
    arena.u8(at(ptr, first.length), second.length).set(second);
    return ptr;
  };
  const found = (count: number): Float64Array => arena.f64(toPtr(exports.foundAt()), count);
  /** Runs the kernels on bytes of the archive whose offsets there are their addresses and `bias`. */
  const run = <T>(bias: number, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw refusalOf(error, found(3), bias);
    }
  };
  const takeHead = (ptr: Ptr, byteLength: number, entry: TensorEntry): void => {
    const [r = 1, c = 1] = entry.shape;
    const dtype = DTYPES.indexOf(entry.dtype);
    run(entry.recordOffset - ptr, () => exports.head(ptr, byteLength, dtype, entry.byteLength, r, c, entry.recordByteLength));
  };
  return {
    readHead(start, entry) {
      takeHead(lend(start), start.length, entry);
      const [, , , byteLength, elements, elementBytes, blockElements, sparse] = found(8);
      return {
        byteLength,
        elements,
        elementBytes: elementBytes as RunHead["elementBytes"],
        blockElements,
        sparse: sparse > 0,
        bytes: start.slice(0, byteLength),
        entry,
      };
    },
    crc32c(bytes, seed = 0) {
      const ptr = lend(bytes);
      return run(0, () => exports.checksum(ptr, bytes.length, seed)) >>> 0;
    },
    block({ bytes, entry }, block, offset, seedCrc, count, use) {
      const ptr = lend(bytes, block);
      const blockAt = at(ptr, bytes.length);
      takeHead(ptr, bytes.length, entry);
      return run(offset - blockAt, () => use(toPtr(exports.block(blockAt, block.length, seedCrc, count))));
    },
  };
}
