import { FormatError } from "../errors.js";
import type { FileTemplate, Piece, TensorInfo } from "../types.js";
import type { Header } from "./header.js";
import { safetensorsHeader, safetensorsPieces } from "./safetensors-header.js";
import { readShell } from "./shell.js";

/** What the files of an archive's model are made of, beside the tensors' bytes. */
export interface Framed {
  readonly header: Header;
  /** Most bytes that the templates of the shell may have. */
  readonly maxBytes: number;
}

function headerOf(tensors: readonly TensorInfo[]): Uint8Array {
  try {
    return safetensorsHeader(tensors);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError("UNSUPPORTED", 0, `no safetensors file can hold these tensors: ${error.message}`);
  }
}

/**
 * The files of an archive's model, at least one. An archive that was made of tensors alone is given as a safetensors file.
 *
 * @throws FormatError where the shell is at fault, `UNSUPPORTED` where no safetensors file can hold the tensors
 */
export function archiveFiles({ header, maxBytes }: Framed): readonly FileTemplate[] {
  const files = readShell(header, maxBytes);
  if (files.length > 0) return files;
  const { tensors } = header;
  return [{ path: "", pieces: safetensorsPieces(tensors, headerOf(tensors)) }];
}

/** Bytes that a piece takes in a file. */
export function pieceByteLength({ header }: Pick<Framed, "header">, piece: Piece): number {
  if (piece.kind === "bytes") return piece.bytes.length;
  return piece.kind === "tensor" ? header.tensors[piece.tensor].byteLength : piece.byteLength;
}

/** Bytes that a file will have. */
export function fileByteLength(archive: Pick<Framed, "header">, { pieces }: FileTemplate): number {
  return pieces.reduce((sum, piece) => sum + pieceByteLength(archive, piece), 0);
}
