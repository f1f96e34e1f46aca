import { Inflate } from "pako";
import { safetensorsHeader } from "../archive/safetensors-header.js";
import { readShell } from "../archive/shell.js";
import type { Archive } from "../decode/archive.js";
import { FormatError } from "../errors.js";
import { renderTemplate } from "../formats/template.js";
import type { FileTemplate, Piece, TensorInfo } from "../types.js";
import type { Meter } from "./progress.js";

/** Inflates a raw deflate stream, never to more than it should give. */
function inflateRaw(stream: Uint8Array, byteLength: number): Uint8Array {
  const out = new Uint8Array(byteLength);
  let at = 0;
  const inflate = new Inflate({ raw: true });
  inflate.onData = (chunk: Uint8Array | ArrayBuffer | string) => {
    const bytes = chunk as Uint8Array;
    if (bytes.length > byteLength - at) throw new Error(`it holds more than ${byteLength} bytes`);
    out.set(bytes, at);
    at += bytes.length;
  };
  inflate.push(stream, true);
  if (inflate.err !== 0) throw new Error(inflate.msg || `zlib error ${inflate.err}`);
  if (at !== byteLength) throw new Error(`it holds ${at} bytes, not ${byteLength}`);
  return out;
}

/** The files of the shell; none where an archive was made of tensors alone. */
export function shellFiles(archive: Archive): Promise<readonly FileTemplate[]> {
  return readShell(archive.header, inflateRaw, archive.maxBytes);
}

function headerOf(tensors: readonly TensorInfo[]): Uint8Array {
  try {
    return safetensorsHeader(tensors);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError("UNSUPPORTED", 0, `no safetensors file can hold these tensors: ${error.message}`);
  }
}

/** The files of an archive's model. One that was made of tensors alone is given as a safetensors file. */
export async function archiveFiles(archive: Archive): Promise<readonly FileTemplate[]> {
  const files = await shellFiles(archive);
  if (files.length > 0) return files;
  const { tensors } = archive.header;
  const header: Piece = { kind: "bytes", bytes: headerOf(tensors) };
  return [{ path: "", pieces: [header, ...tensors.map((_, tensor): Piece => ({ kind: "tensor", tensor }))] }];
}

/** The bytes of one file of an archive's model, in order. */
export async function* fileBytes(archive: Archive, file: FileTemplate, meter: Meter): AsyncGenerator<Uint8Array, void, undefined> {
  const { tensors } = archive.header;
  const blocks = (tensor: number): AsyncIterable<Uint8Array> => meter.blocks(tensors[tensor].name, archive.blocks(tensors[tensor]));
  for await (const chunk of renderTemplate(file, tensors, blocks)) {
    meter.check();
    yield chunk;
  }
}

/** Bytes of the tensors that stand in files, dense. */
export function denseByteLength(archive: Archive, files: readonly FileTemplate[]): number {
  const size = (piece: Piece): number => {
    if (piece.kind === "bytes") return 0;
    return piece.kind === "tensor" ? archive.header.tensors[piece.tensor].byteLength : sum(piece.pieces);
  };
  const sum = (pieces: readonly Piece[]): number => pieces.reduce((total, piece) => total + size(piece), 0);
  return sum(files.flatMap(({ pieces }) => pieces));
}

/** Bytes that a piece takes in a file. */
export function pieceByteLength(archive: Archive, piece: Piece): number {
  if (piece.kind === "bytes") return piece.bytes.length;
  return piece.kind === "tensor" ? archive.header.tensors[piece.tensor].byteLength : piece.byteLength;
}

/** Bytes that a file will have. */
export function fileByteLength(archive: Archive, file: FileTemplate): number {
  return file.pieces.reduce((sum, piece) => sum + pieceByteLength(archive, piece), 0);
}
