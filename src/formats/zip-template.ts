import { renderTemplate } from "../archive/template.js";
import type { FileTemplate, Piece, Restored, Source, TensorInfo } from "../types.js";
import { crc32 } from "./crc32.js";
import { PieceList } from "./piece-list.js";
import type { ZipDirectory, ZipEntry } from "./zip.js";
import { STORED } from "./zip-fields.js";
import { deflateLevel, inflated } from "./zip-member.js";
import { centralEntry, endRecords, type MemberChange, storedLocalHeader } from "./zip-write.js";

/** What the data of a member with tensors is made of, in all as many bytes as it has. */
export type MemberPieces = readonly Exclude<Piece, { readonly kind: "deflate" }>[];

function withUint32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

/** Writes the template of a zip, in the order of the file. */
class TemplateWriter {
  readonly #source: Source;
  readonly #tensors: readonly TensorInfo[];
  readonly #restored: Restored;
  readonly #list: PieceList;
  readonly #changes = new Map<ZipEntry, MemberChange>();
  /** Up to where the file is dealt with. */
  #at = 0;
  /** By how much later bytes stand further back than they did. */
  #shift = 0;

  constructor(source: Source, tensors: readonly TensorInfo[], restored: Restored) {
    this.#source = source;
    this.#tensors = tensors;
    this.#restored = restored;
    this.#list = new PieceList(source);
  }

  async #copyTo(offset: number): Promise<void> {
    await this.#list.copy(this.#at, offset);
    this.#at = offset;
  }

  #pieces(pieces: MemberPieces): void {
    for (const piece of pieces) this.#list.piece(piece);
  }

  /** The CRC-32 of a member with the tensors as they come back. */
  async #restoredCrc(pieces: MemberPieces): Promise<number> {
    let crc = 0;
    const chunks = renderTemplate({ path: "", pieces }, this.#tensors, (i) => this.#restored.bytes(i));
    for await (const chunk of chunks) crc = crc32(chunk, crc);
    return crc;
  }

  async member(entry: ZipEntry, pieces: MemberPieces | undefined): Promise<void> {
    const { method, crc, compressedSize, localOffset } = entry;
    const moved = localOffset + this.#shift;
    let change: MemberChange = { method, crc, compressedSize, localOffset: moved };
    if (pieces) {
      const exact = pieces.every((piece) => piece.kind === "bytes" || this.#restored.exact(piece.tensor));
      if (!exact) change = { ...change, crc: await this.#restoredCrc(pieces) };
      if (method === STORED) await this.#stored(entry, pieces, change.crc);
      else if (exact) await this.#deflated(entry, pieces);
      else {
        change = { ...change, method: STORED, compressedSize: entry.size };
        await this.#nowStored(entry, pieces, change.crc);
      }
    }
    this.#changes.set(entry, change);
  }

  async #stored(entry: ZipEntry, pieces: MemberPieces, crc: number): Promise<void> {
    const { localOffset, dataOffset, dataEnd, memberEnd, descriptorCrcOffset } = entry;
    await this.#copyTo(localOffset);
    const local = await this.#source.read(localOffset, dataOffset - localOffset);
    // Where a descriptor follows, the local header may have zero for the CRC-32, and keeps it.
    const known = new DataView(local.buffer, local.byteOffset).getUint32(14, true) === entry.crc;
    this.#list.bytes(known ? withUint32(local, 14, crc) : local.slice());
    this.#pieces(pieces);
    this.#at = dataEnd;
    if (descriptorCrcOffset === 0) return;
    const descriptor = await this.#source.read(dataEnd, memberEnd - dataEnd);
    this.#list.bytes(withUint32(descriptor, descriptorCrcOffset - dataEnd, crc));
    this.#at = memberEnd;
  }

  /** The stream is made again where zlib's own can be, and else kept as it is: the tensor is then in the archive twice. */
  async #deflated(entry: ZipEntry, pieces: MemberPieces): Promise<void> {
    const level = await deflateLevel(this.#source, entry, await inflated(this.#source, entry));
    if (level === undefined) return;
    await this.#copyTo(entry.dataOffset);
    this.#list.piece({ kind: "deflate", level, byteLength: entry.dataEnd - entry.dataOffset, pieces });
    this.#at = entry.dataEnd;
  }

  /** Deflating the new bytes would make the size, and so all that stands behind, depend on a compressor. */
  async #nowStored(entry: ZipEntry, pieces: MemberPieces, crc: number): Promise<void> {
    const { localOffset, dataOffset, memberEnd, size } = entry;
    await this.#copyTo(localOffset);
    const local = storedLocalHeader(await this.#source.read(localOffset, dataOffset - localOffset), crc, size);
    this.#list.bytes(local);
    this.#pieces(pieces);
    this.#at = memberEnd;
    this.#shift += local.length + size - (memberEnd - localOffset);
  }

  async end({ entries, centralOffset, centralEnd, end, zip64, count }: ZipDirectory): Promise<readonly Piece[]> {
    await this.#copyTo(centralOffset);
    let centralBytes = 0;
    for (const entry of entries) {
      const bytes = centralEntry(entry, this.#changes.get(entry)!);
      this.#list.bytes(bytes);
      centralBytes += bytes.length;
    }
    const asItWas = this.#shift === 0 && centralBytes === centralEnd - centralOffset;
    this.#list.bytes(asItWas ? end : endRecords(end, zip64, count, centralOffset + this.#shift, centralBytes));
    return this.#list.end();
  }
}

/** Members in the order in which they stand in the file. */
export function inFileOrder({ entries }: ZipDirectory): ZipEntry[] {
  return [...entries].sort((a, b) => a.localOffset - b.localOffset);
}

/**
 * The template of a zip. Its checksums are those of the tensors as they come back; a deflated member whose tensors come back
 * changed is stored.
 *
 * @param piecesOf what a member with tensors is made of; undefined for those that are kept as they are
 */
export async function zipTemplate(
  source: Source,
  zip: ZipDirectory,
  tensors: readonly TensorInfo[],
  restored: Restored,
  piecesOf: (entry: ZipEntry) => Promise<MemberPieces | undefined>,
): Promise<FileTemplate> {
  const writer = new TemplateWriter(source, tensors, restored);
  for (const entry of inFileOrder(zip)) await writer.member(entry, await piecesOf(entry));
  return { path: "", pieces: await writer.end(zip) };
}
