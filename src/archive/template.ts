import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import { type FileTemplate, type Part, type Piece, type TensorInfo, tensorByteLength } from "../types.js";
import { allocate } from "./bytes.js";
import { byteSwapped, orderMatters, reordered, swapUnit } from "./order.js";
import { deflated } from "./zlib.js";

type Hole = Extract<Piece, { kind: "tensor" }>;

/** The bytes of a tensor, or of a part of it, little-endian and row-major. */
export type TensorBytes = (tensor: number, part?: Part) => AsyncIterable<Uint8Array>;

/** Literals leave in chunks of so many bytes, as copies: what the shell holds stays as it is, whatever becomes of a chunk. */
const LITERAL_CHUNK_BYTES = 65536;

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
  const all = allocate(byteLength, "a tensor");
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

/** A stream that was told to have so many bytes, by the archive: no more than those leave. */
async function* ofLength(chunks: AsyncIterable<Uint8Array>, byteLength: number): AsyncGenerator<Uint8Array> {
  let got = 0;
  for await (const chunk of chunks) {
    got += chunk.length;
    if (got > byteLength) break;
    yield chunk;
  }
  if (got !== byteLength) {
    throw new FormatError("CORRUPT", 0, `a zlib group has ${got > byteLength ? "more" : got} bytes, not ${byteLength}`);
  }
}

async function* literalBytes(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += LITERAL_CHUNK_BYTES) yield bytes.slice(at, at + LITERAL_CHUNK_BYTES);
}

async function* rendered(pieces: readonly Piece[], tensors: readonly TensorInfo[], bytes: TensorBytes): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (piece.kind === "bytes") {
      yield* literalBytes(piece.bytes);
    } else if (piece.kind === "tensor") {
      checkInteger(piece.tensor, "piece.tensor", 0, tensors.length - 1);
      yield* holeBytes(piece, tensors[piece.tensor], bytes);
    } else if (piece.kind === "part") {
      yield* counted(bytes(piece.tensor, piece), piece.byteLength, piece.tensor);
    } else {
      yield* ofLength(deflated(rendered(piece.pieces, tensors, bytes), piece.level), piece.byteLength);
    }
  }
}

/**
 * Writes a file of the shell: its literal bytes, and the tensors where its holes are. `bytes` is asked for each tensor in the
 * order of the holes. A column-major hole holds its tensor in memory; all else streams.
 * A chunk is the caller's where those of `bytes` are.
 */
export function renderTemplate(template: FileTemplate, tensors: readonly TensorInfo[], bytes: TensorBytes): AsyncIterable<Uint8Array> {
  return rendered(template.pieces, tensors, bytes);
}
