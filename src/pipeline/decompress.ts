import { tensorBytes } from "../archive/parts.js";
import { renderTemplate } from "../archive/template.js";
import type { Archive } from "../decode/archive.js";
import type { FileTemplate, Piece } from "../types.js";
import type { Meter } from "./progress.js";

/** What gives the bytes of an archive's files, each in order. They are asked for in the archive's order: a tensor may go on in the next. */
export function fileReader(archive: Archive, meter: Meter): (file: FileTemplate) => AsyncGenerator<Uint8Array, void, undefined> {
  const { tensors } = archive.header;
  const bytes = tensorBytes((tensor) => meter.blocks(tensors[tensor].name, archive.blocks(tensors[tensor])));
  return async function* (file) {
    for await (const chunk of renderTemplate(file, tensors, bytes)) {
      meter.check();
      yield chunk;
    }
  };
}

/** Bytes of the tensors that stand in files, dense. */
export function denseByteLength(archive: Archive, files: readonly FileTemplate[]): number {
  const size = (piece: Piece): number => {
    if (piece.kind === "bytes") return 0;
    if (piece.kind === "part") return piece.byteLength;
    return piece.kind === "tensor" ? archive.header.tensors[piece.tensor].byteLength : sum(piece.pieces);
  };
  const sum = (pieces: readonly Piece[]): number => pieces.reduce((total, piece) => total + size(piece), 0);
  return sum(files.flatMap(({ pieces }) => pieces));
}
