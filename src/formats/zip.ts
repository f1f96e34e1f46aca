import { MAX_DEFLATE_RATIO } from "../archive/limits.js";
import { FormatError } from "../errors.js";
import type { Source } from "../types.js";
import { type EndRecord, readEnd } from "./zip-end.js";
import {
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  corrupt,
  DEFLATED,
  DESCRIPTOR_SIGNATURE,
  FLAG_DESCRIPTOR,
  FLAG_ENCRYPTED,
  FLAG_UTF8,
  FULL16,
  FULL32,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
  STORED,
  uint64,
  viewOf,
  ZIP64_EXTRA,
} from "./zip-fields.js";
import { memberName } from "./zip-name.js";

/** Encryption, patch data, strong encryption and masked headers. */
const FLAGS_REFUSED = FLAG_ENCRYPTED | 0x20 | 0x40 | 0x2000;

/** One member, all fields checked against each other. Offsets are from the start of the file. */
export interface ZipEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: typeof STORED | typeof DEFLATED;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  readonly localOffset: number;
  readonly dataOffset: number;
  readonly dataEnd: number;
  /** Behind the descriptor, where there is one. */
  readonly memberEnd: number;
  /** Of the CRC-32 in the descriptor, 0 where there is none. */
  readonly descriptorCrcOffset: number;
  /** The entry of the central directory as it stands in the file. */
  readonly central: Uint8Array;
  readonly centralOffset: number;
}

export interface ZipDirectory extends EndRecord {
  /** In the order of the central directory. */
  readonly entries: readonly ZipEntry[];
  /** The records behind the central directory, to the end of the file. */
  readonly end: Uint8Array;
}

type CentralFields = Omit<ZipEntry, "dataOffset" | "dataEnd" | "memberEnd" | "descriptorCrcOffset"> & { readonly nameBytes: Uint8Array };

/** The extra fields of a header as [id, start of data, end of data]. */
export function extraFields(bytes: Uint8Array, from: number, to: number, offset: number): [number, number, number][] {
  const view = viewOf(bytes);
  const fields: [number, number, number][] = [];
  let at = from;
  // Alignment tools leave up to three bytes of padding.
  while (to - at >= 4) {
    const length = view.getUint16(at + 2, true);
    if (length > to - at - 4) corrupt(offset + at, "an extra field is longer than its header says");
    fields.push([view.getUint16(at, true), at + 4, at + 4 + length]);
    at += 4 + length;
  }
  return fields;
}

function readCentral(directory: Uint8Array, at: number, base: number): CentralFields {
  const view = viewOf(directory);
  const offset = base + at;
  if (directory.length - at < CENTRAL_BYTES || view.getUint32(at, true) !== CENTRAL_SIGNATURE)
    corrupt(offset, "no entry of a central directory");
  const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const entryEnd = extraEnd + view.getUint16(at + 32, true);
  if (entryEnd > directory.length) corrupt(offset + 28, "an entry is longer than the central directory");
  const flags = view.getUint16(at + 8, true);
  const nameBytes = directory.subarray(at + CENTRAL_BYTES, nameEnd);
  const name = memberName(nameBytes, (flags & FLAG_UTF8) !== 0, offset + CENTRAL_BYTES);
  const title = JSON.stringify(name);
  if (flags & FLAGS_REFUSED) {
    throw new FormatError(
      "UNSUPPORTED",
      offset + 8,
      `${title} is ${flags & FLAG_ENCRYPTED ? "encrypted" : "of a kind of zip that is not read"}`,
    );
  }
  const method = view.getUint16(at + 10, true);
  if (method !== STORED && method !== DEFLATED)
    throw new FormatError("UNSUPPORTED", offset + 10, `${title} uses compression method ${method}`);

  let compressedSize = view.getUint32(at + 20, true);
  let size = view.getUint32(at + 24, true);
  let localOffset = view.getUint32(at + 42, true);
  const extras = extraFields(directory, nameEnd, extraEnd, base).filter(([id]) => id === ZIP64_EXTRA);
  if (extras.length > 1) corrupt(offset + CENTRAL_BYTES, `${title} has two zip64 fields`);
  if (extras.length === 1) {
    let [, from, to] = extras[0];
    const next = (): number => {
      if (to - from < 8) corrupt(base + from, `the zip64 field of ${title} is too short`);
      from += 8;
      return uint64(view, from - 8, base + from - 8);
    };
    if (size === FULL32) size = next();
    if (compressedSize === FULL32) compressedSize = next();
    if (localOffset === FULL32) localOffset = next();
  }
  const disk = view.getUint16(at + 34, true);
  if (disk !== 0 && disk !== FULL16) throw new FormatError("UNSUPPORTED", offset + 34, "a zip in several volumes");
  if (method === STORED && size !== compressedSize) corrupt(offset + 20, `${title} is stored, but its two sizes differ`);
  if (method === DEFLATED && size > compressedSize * MAX_DEFLATE_RATIO) {
    corrupt(offset + 24, `${title}: deflate cannot make ${size} bytes of ${compressedSize}`);
  }
  const crc = view.getUint32(at + 16, true);
  const central = directory.subarray(at, entryEnd);
  return { name, nameBytes, flags, method, crc, compressedSize, size, localOffset, central, centralOffset: offset };
}

/** Reads what stands around the data of a member, which must end by `limit`, and compares it with the central directory. */
async function readLocal(source: Source, fields: CentralFields, limit: number): Promise<ZipEntry> {
  const { localOffset, nameBytes, flags, method, crc, compressedSize, size, centralOffset } = fields;
  const title = JSON.stringify(fields.name);
  const outside = (): never => corrupt(centralOffset + 42, `${title} does not end before what follows it, at ${limit}`);
  if (localOffset > limit || limit - localOffset < LOCAL_BYTES) outside();
  const head = viewOf(await source.read(localOffset, LOCAL_BYTES));
  if (head.getUint32(0, true) !== LOCAL_SIGNATURE) corrupt(localOffset, `no local header of ${title}`);
  const nameLength = head.getUint16(26, true);
  const dataOffset = localOffset + LOCAL_BYTES + nameLength + head.getUint16(28, true);
  const sameFlags = ((head.getUint16(6, true) ^ flags) & (FLAG_ENCRYPTED | FLAG_DESCRIPTOR | FLAG_UTF8)) === 0;
  const differs = (at: number): never => corrupt(localOffset + at, `the local header of ${title} differs from the central directory`);
  if (!sameFlags || head.getUint16(8, true) !== method) differs(6);
  const crcs = head.getUint32(14, true);
  const [shortCompressed, shortSize] = [head.getUint32(18, true), head.getUint32(22, true)];
  if (dataOffset > limit || compressedSize > limit - dataOffset) outside();
  const rest = await source.read(localOffset + LOCAL_BYTES, dataOffset - localOffset - LOCAL_BYTES);
  if (nameLength !== nameBytes.length || nameBytes.some((byte, i) => byte !== rest[i])) differs(LOCAL_BYTES);

  let [localCompressed, localSize] = [shortCompressed, shortSize];
  for (const [id, from, to] of extraFields(rest, nameLength, rest.length, localOffset + LOCAL_BYTES)) {
    if (id !== ZIP64_EXTRA) continue;
    let at = from;
    const view = viewOf(rest);
    const wide = (short: number): number => (short === FULL32 && to - at >= 8 ? uint64(view, (at += 8) - 8, localOffset) : short);
    localSize = wide(shortSize);
    localCompressed = wide(shortCompressed);
  }
  // Where a descriptor follows, the header was written before the numbers were known, and may have zeros.
  const known = (local: number, central: number): boolean => local === central || (local === 0 && (flags & FLAG_DESCRIPTOR) !== 0);
  if (!known(crcs, crc)) differs(14);
  if (!known(localCompressed, compressedSize)) differs(18);
  if (!known(localSize, size)) differs(22);

  const dataEnd = dataOffset + compressedSize;
  if ((flags & FLAG_DESCRIPTOR) === 0) return entryOf(fields, dataOffset, dataEnd, 0);
  const descriptor = await source.read(dataEnd, Math.min(24, limit - dataEnd));
  const [crcAt, length] =
    descriptorLayout(descriptor, fields) ?? corrupt(dataEnd, `no descriptor of ${title} that agrees with the central directory`);
  return entryOf(fields, dataOffset, dataEnd + length, dataEnd + crcAt);
}

/** Field by field: what is spread out of another object takes 400 bytes more, and there may be a hundred thousand. */
function entryOf(fields: CentralFields, dataOffset: number, memberEnd: number, descriptorCrcOffset: number): ZipEntry {
  const { name, flags, method, crc, compressedSize, size, localOffset, central, centralOffset } = fields;
  const dataEnd = dataOffset + compressedSize;
  return {
    name,
    flags,
    method,
    crc,
    compressedSize,
    size,
    localOffset,
    dataOffset,
    dataEnd,
    memberEnd,
    descriptorCrcOffset,
    central,
    centralOffset,
  };
}

/** A descriptor has a signature or not, sizes of 8 bytes or 4: whichever of the four agrees. Gives [place of the CRC-32, length]. */
function descriptorLayout(bytes: Uint8Array, { crc, compressedSize, size }: CentralFields): [number, number] | undefined {
  const view = viewOf(bytes);
  for (const crcAt of [4, 0]) {
    for (const width of [8, 4]) {
      const length = crcAt + 4 + 2 * width;
      if (length > bytes.length || (crcAt === 4 && view.getUint32(0, true) !== DESCRIPTOR_SIGNATURE)) continue;
      const number = (at: number): number => (width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true)));
      const same = view.getUint32(crcAt, true) === crc && number(crcAt + 4) === compressedSize && number(crcAt + 4 + width) === size;
      if (same) return [crcAt, length];
    }
  }
  return undefined;
}

/** Reads the directory of a zip and the local headers of all members: what is not compared here is the data itself. */
export async function readZip(source: Source): Promise<ZipDirectory> {
  const record = await readEnd(source);
  const { count, centralOffset, centralEnd } = record;
  const directory = (await source.read(centralOffset, centralEnd - centralOffset)).slice();
  const fields: CentralFields[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const entry = readCentral(directory, at, centralOffset);
    if (names.has(entry.name))
      throw new FormatError("DUPLICATE", centralOffset + at, `two members are called ${JSON.stringify(entry.name)}`);
    names.add(entry.name);
    fields.push(entry);
    at += entry.central.length;
  }
  if (at !== directory.length) corrupt(centralOffset + at, `${directory.length - at} bytes behind the last entry of the central directory`);

  const byOffset = [...fields].sort((a, b) => a.localOffset - b.localOffset);
  const found = new Map<CentralFields, ZipEntry>();
  for (const [i, entry] of byOffset.entries()) {
    const limit = Math.min(byOffset[i + 1]?.localOffset ?? centralOffset, centralOffset);
    found.set(entry, await readLocal(source, entry, limit));
  }
  const end = (await source.read(centralEnd, source.byteLength - centralEnd)).slice();
  return { ...record, entries: fields.map((entry) => found.get(entry)!), end };
}
