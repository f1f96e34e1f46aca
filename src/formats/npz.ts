import { holeBytes } from "../archive/template.js";
import { checkInteger } from "../check.js";
import { FormatError } from "../errors.js";
import type { FileTemplate, OpenModel, Piece, Restored, Source, TensorInfo } from "../types.js";
import { crc32 } from "./crc32.js";
import { checkNpyEnd, type NpyHeader, npyElements, npyHole, type ReadRange, readNpyHeader } from "./npy.js";
import { readZip, type ZipDirectory, type ZipEntry } from "./zip.js";
import { DEFLATED, STORED } from "./zip-fields.js";
import { deflateLevel, inflated, inflatedPrefix, MAX_INFLATED_BYTES, storedRange } from "./zip-member.js";
import { centralEntry, endRecords, type MemberChange, storedLocalHeader } from "./zip-write.js";

/** Literal bytes of a template are held in memory. Beside the arrays, a .npz has some hundred bytes for each. */
const MAX_LITERAL_BYTES = 2 ** 30;

interface TensorMember {
  readonly entry: ZipEntry;
  readonly header: NpyHeader;
}

/** The header of a member that is an array of numbers; undefined for arrays of strings, objects or records. */
async function readMember(source: Source, entry: ZipEntry): Promise<NpyHeader | undefined> {
  const where = `${JSON.stringify(entry.name)}: `;
  const read: ReadRange =
    entry.method === STORED ? (offset, byteLength) => source.read(entry.dataOffset + offset, byteLength) : inflatedPrefix(source, entry);
  let header: NpyHeader;
  try {
    header = await readNpyHeader(read, entry.size, where);
  } catch (error) {
    if (error instanceof FormatError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
  checkNpyEnd(header, entry.size, where);
  if (entry.method === DEFLATED && entry.size > MAX_INFLATED_BYTES) {
    throw new FormatError("LIMIT", entry.centralOffset + 24, `${where}a deflated array of ${entry.size} bytes`);
  }
  return header;
}

/** Collects the pieces of a template; neighbouring literal bytes become one piece. */
class PieceList {
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
      throw new FormatError("LIMIT", from, `more than ${MAX_LITERAL_BYTES} bytes of the .npz have to be kept as they are`);
    }
    if (to > from) this.bytes((await this.#source.read(from, to - from)).slice());
  }

  piece(piece: Piece): void {
    this.#flush();
    this.pieces.push(piece);
  }

  end(): readonly Piece[] {
    this.#flush();
    return this.pieces;
  }

  #flush(): void {
    if (this.#literal.length === 0) return;
    const bytes = new Uint8Array(this.#literal.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#literal) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#literal = [];
    this.pieces.push({ kind: "bytes", bytes });
  }
}

/** The CRC-32 of a member with the tensor as it comes back. */
async function restoredCrc(header: NpyHeader, tensor: number, info: TensorInfo, restored: Restored): Promise<number> {
  let crc = crc32(header.bytes);
  for await (const chunk of holeBytes(npyHole(header, tensor), info, (i) => restored.bytes(i))) crc = crc32(chunk, crc);
  return crc;
}

function withUint32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

/** Writes the template of a .npz, in the order of the file. */
class TemplateWriter {
  readonly #source: Source;
  readonly #restored: Restored;
  readonly #list: PieceList;
  readonly #changes = new Map<ZipEntry, MemberChange>();
  /** Up to where the file is dealt with. */
  #at = 0;
  /** By how much later bytes stand further back than they did. */
  #shift = 0;

  constructor(source: Source, restored: Restored) {
    this.#source = source;
    this.#restored = restored;
    this.#list = new PieceList(source);
  }

  async #copyTo(offset: number): Promise<void> {
    await this.#list.copy(this.#at, offset);
    this.#at = offset;
  }

  async member(entry: ZipEntry, header: NpyHeader | undefined, tensor: number, info: TensorInfo | undefined): Promise<void> {
    const { method, crc, compressedSize, localOffset } = entry;
    const moved = localOffset + this.#shift;
    let change: MemberChange = { method, crc, compressedSize, localOffset: moved };
    if (header && info) {
      const exact = this.#restored.exact(tensor);
      if (!exact) change = { ...change, crc: await restoredCrc(header, tensor, info, this.#restored) };
      if (method === STORED) await this.#stored(entry, header, tensor, change.crc);
      else if (exact) await this.#deflated(entry, header, tensor);
      else {
        change = { ...change, method: STORED, compressedSize: entry.size };
        await this.#nowStored(entry, header, tensor, change.crc);
      }
    }
    this.#changes.set(entry, change);
  }

  async #stored(entry: ZipEntry, header: NpyHeader, tensor: number, crc: number): Promise<void> {
    const { localOffset, dataOffset, dataEnd, memberEnd, descriptorCrcOffset } = entry;
    await this.#copyTo(localOffset);
    const local = await this.#source.read(localOffset, dataOffset - localOffset);
    // Where a descriptor follows, the local header may have zero for the CRC-32, and keeps it.
    const known = new DataView(local.buffer, local.byteOffset).getUint32(14, true) === entry.crc;
    this.#list.bytes(known ? withUint32(local, 14, crc) : local.slice());
    this.#list.bytes(header.bytes);
    this.#list.piece(npyHole(header, tensor));
    this.#at = dataEnd;
    if (descriptorCrcOffset === 0) return;
    const descriptor = await this.#source.read(dataEnd, memberEnd - dataEnd);
    this.#list.bytes(withUint32(descriptor, descriptorCrcOffset - dataEnd, crc));
    this.#at = memberEnd;
  }

  /** The stream is made again where zlib's own can be, and else kept as it is: the tensor is then in the archive twice. */
  async #deflated(entry: ZipEntry, header: NpyHeader, tensor: number): Promise<void> {
    const level = await deflateLevel(this.#source, entry, await inflated(this.#source, entry));
    if (level === undefined) return;
    await this.#copyTo(entry.dataOffset);
    this.#list.piece({
      kind: "deflate",
      level,
      byteLength: entry.dataEnd - entry.dataOffset,
      pieces: [{ kind: "bytes", bytes: header.bytes }, npyHole(header, tensor)],
    });
    this.#at = entry.dataEnd;
  }

  /** Deflating the new bytes would make the size, and so all that stands behind, depend on a compressor. */
  async #nowStored(entry: ZipEntry, header: NpyHeader, tensor: number, crc: number): Promise<void> {
    const { localOffset, dataOffset, memberEnd, size } = entry;
    await this.#copyTo(localOffset);
    const local = storedLocalHeader(await this.#source.read(localOffset, dataOffset - localOffset), crc, size);
    this.#list.bytes(local);
    this.#list.bytes(header.bytes);
    this.#list.piece(npyHole(header, tensor));
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

/**
 * Opens a .npz file: a zip of .npy files. Members that are not .npy, and arrays of strings, objects or records, are no tensors;
 * they are kept in the template as they are. A deflated member is inflated as a whole when it is asked for, and
 * held until it was read to its end; the same goes for column-major arrays.
 *
 * @throws FormatError, and the source stays the caller's.
 */
export async function openNpz(source: Source): Promise<OpenModel> {
  const zip = await readZip(source);
  const inFileOrder = [...zip.entries].sort((a, b) => a.localOffset - b.localOffset);
  const members: TensorMember[] = [];
  const tensors: TensorInfo[] = [];
  const indexOf = new Map<ZipEntry, number>();
  const arrays = inFileOrder.filter(({ name }) => name.endsWith(".npy"));
  if (arrays.length === 0 && zip.count > 0) throw new FormatError("MAGIC", 0, "a zip without a .npy file, which is not a .npz");
  for (const entry of arrays) {
    const header = await readMember(source, entry);
    if (!header) continue;
    indexOf.set(entry, members.length);
    members.push({ entry, header });
    tensors.push({ name: entry.name.slice(0, -".npy".length), dtype: header.dtype, shape: header.shape });
  }

  // Several tensors may be read side by side: each keeps its reader, with what it inflated, until it was read to its end.
  const readers = new Map<number, ReadRange>();
  const readerOf = (tensor: number): ReadRange => {
    const known = readers.get(tensor);
    if (known) return known;
    const { entry, header } = members[tensor];
    let range: ReadRange;
    if (entry.method === STORED) {
      range = storedRange(source, entry, header.bytes);
    } else {
      let whole: Promise<Uint8Array> | undefined;
      range = async (offset, byteLength) => {
        whole ??= inflated(source, entry);
        const from = header.bytes.length + offset;
        return (await whole).subarray(from, from + byteLength);
      };
    }
    const reader = npyElements(header, range);
    readers.set(tensor, reader);
    return reader;
  };

  return {
    format: "npz",
    checkedInOrder: true,
    byteLength: source.byteLength,
    tensors,
    async read(tensor: number, offset: number, byteLength: number): Promise<Uint8Array> {
      checkInteger(tensor, "tensor", 0, members.length - 1);
      const { dataBytes } = members[tensor].header;
      checkInteger(offset, "offset", 0, dataBytes);
      checkInteger(byteLength, "byteLength", 0, dataBytes - offset);
      const bytes = await readerOf(tensor)(offset, byteLength);
      if (offset + byteLength === dataBytes) readers.delete(tensor);
      return bytes;
    },
    async templates(restored: Restored): Promise<readonly FileTemplate[]> {
      readers.clear();
      const writer = new TemplateWriter(source, restored);
      for (const entry of inFileOrder) {
        const tensor = indexOf.get(entry) ?? -1;
        await writer.member(entry, members[tensor]?.header, tensor, tensors[tensor]);
      }
      return [{ path: "", pieces: await writer.end(zip) }];
    },
    close: () => source.close(),
  };
}
