import { renderTemplate } from "../archive/template.js";
import type { Archive } from "../decode/archive.js";
import type { FileTemplate, Piece } from "../types.js";
import type { Meter } from "./progress.js";

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
