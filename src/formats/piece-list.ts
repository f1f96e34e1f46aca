import { concat } from "../archive/bytes.js";
import { FormatError } from "../errors.js";
import type { Piece, Source } from "../types.js";

/** Literal bytes of a template are held in memory. Beside the tensors, a file has some hundred bytes for each. */
const MAX_LITERAL_BYTES = 2 ** 30;

/** Collects the pieces of a template; neighbouring literal bytes become one piece. */
export class PieceList {
  readonly pieces: Piece[] = [];
  readonly #source: Source;
  #literal: Uint8Array[] = [];
  #literalBytes = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  bytes(bytes: Uint8Array): void {
    this.#literalBytes += bytes.length;
    this.#literal.push(bytes);
  }

  /** A stretch of the file, as it is. */
  async copy(from: number, to: number): Promise<void> {
    if (to - from > MAX_LITERAL_BYTES - this.#literalBytes) {
      throw new FormatError("LIMIT", from, `more than ${MAX_LITERAL_BYTES} bytes of the file have to be kept as they are`);
    }
    if (to > from) this.bytes((await this.#source.read(from, to - from)).slice());
  }

  piece(piece: Piece): void {
    if (piece.kind === "bytes") {
      this.bytes(piece.bytes);
      return;
    }
    this.#flush();
    this.pieces.push(piece);
  }

  end(): readonly Piece[] {
    this.#flush();
    return this.pieces;
  }

  #flush(): void {
    if (this.#literal.length === 0) return;
    this.pieces.push({ kind: "bytes", bytes: concat(this.#literal) });
    this.#literal = [];
  }
}
