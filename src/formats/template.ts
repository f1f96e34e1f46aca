import { Deflate } from "pako";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { type FileTemplate, type Piece, type TensorInfo, tensorByteLength } from "../types.js";
import { byteSwapped, orderMatters, reordered, swapUnit } from "./order.js";

type Hole = Extract<Piece, { kind: "tensor" }>;

/** The bytes of a tensor, little-endian and row-major. */
export type TensorBytes = (tensor: number) => AsyncIterable<Uint8Array>;

const DEFLATE_OUTPUT_BYTES = 65536;

async function* counted(chunks: AsyncIterable<Uint8Array>, wanted: number, tensor: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  for await (const chunk of chunks) {
    got += chunk.length;
    if (got > wanted) break;
    if (chunk.length > 0) yield chunk;
  }
  if (got !== wanted) throw new RangeError(`bytes(${tensor}) must give ${wanted} bytes, gave ${got > wanted ? "more" : got}`);
}

async function whole(chunks: AsyncIterable<Uint8Array>, byteLength: number): Promise<Uint8Array> {
  const all = new Uint8Array(byteLength);
  let at = 0;
  for await (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Chunks of whole units, each unit reversed. */
async function* swapped(chunks: AsyncIterable<Uint8Array>, unit: number): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    const wholeEnd = joined.length - (joined.length % unit);
    if (wholeEnd > 0) yield byteSwapped(joined.subarray(0, wholeEnd), unit);
    rest = joined.slice(wholeEnd);
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What a hole is filled with: the tensor in the order of bytes and of elements that the file wants. */
export async function* holeBytes(hole: Hole, tensor: TensorInfo, bytes: TensorBytes): AsyncGenerator<Uint8Array> {
  const byteLength = tensorByteLength(tensor.dtype, tensor.shape);
  const unit = swapUnit(tensor.dtype);
  let chunks: AsyncIterable<Uint8Array> = counted(bytes(hole.tensor), byteLength, hole.tensor);
  if (hole.columnMajor && orderMatters(tensor.shape)) {
    // The first element of the last axis is wanted before the second of the first: nothing can leave until all is there.
    chunks = single(reordered(await whole(chunks, byteLength), tensor.dtype, tensor.shape, "column-major"));
  }
  yield* hole.bigEndian && unit > 1 ? swapped(chunks, unit) : chunks;
}

/**
 * The raw deflate stream of `chunks`, as zlib makes it with windowBits 15 and memLevel 8. pako is a port of zlib that
 * repeats its every decision, and zlib's output does not depend on how its input is cut (test/formats/template.test.ts).
 */
export async function* deflated(chunks: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  checkInteger(level, "level", 1, 9);
  const ready: Uint8Array[] = [];
  const stream = new Deflate({
    level: level as 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9,
    raw: true,
    windowBits: 15,
    memLevel: 8,
    chunkSize: DEFLATE_OUTPUT_BYTES,
  });
  stream.onData = (chunk) => ready.push(chunk as Uint8Array);
  for await (const chunk of chunks) {
    // One step of input gives at most a few of output, so that they do not pile up.
    for (let at = 0; at < chunk.length; at += DEFLATE_OUTPUT_BYTES) {
      stream.push(chunk.subarray(at, at + DEFLATE_OUTPUT_BYTES), false);
      yield* ready.splice(0);
    }
  }
  stream.push(new Uint8Array(0), true);
  yield* ready;
}

/** A stream that was told to have so many bytes, by the archive. */
async function* ofLength(chunks: AsyncIterable<Uint8Array>, byteLength: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  for await (const chunk of chunks) {
    got += chunk.length;
    yield chunk;
  }
  if (got !== byteLength) throw new FormatError("CORRUPT", 0, `a zlib group has ${got} bytes, not ${byteLength}`);
}

async function* rendered(pieces: readonly Piece[], tensors: readonly TensorInfo[], bytes: TensorBytes): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (piece.kind === "bytes") {
      if (piece.bytes.length > 0) yield piece.bytes;
    } else if (piece.kind === "tensor") {
      checkInteger(piece.tensor, "piece.tensor", 0, tensors.length - 1);
      yield* holeBytes(piece, tensors[piece.tensor], bytes);
    } else {
      yield* ofLength(deflated(rendered(piece.pieces, tensors, bytes), piece.level), piece.byteLength);
    }
  }
}

/**
 * Writes a file of the shell: its literal bytes, and the tensors where its holes are. `bytes` is asked for each tensor in the
 * order of the holes. A column-major hole holds its tensor in memory; all else streams.
 */
export function renderTemplate(template: FileTemplate, tensors: readonly TensorInfo[], bytes: TensorBytes): AsyncIterable<Uint8Array> {
  return rendered(template.pieces, tensors, bytes);
}
