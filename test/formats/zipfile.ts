import { deflateRawSync, type ZlibOptions } from "node:zlib";
import { deflateRaw } from "pako";
import { crc32 } from "../../src/formats/crc32.js";
import { ascii, concat } from "./helpers.js";

/** A member, and what may be odd about it. Numbers that are given are written whether true or not. */
export interface ZipMember {
  readonly name: string | Uint8Array;
  readonly data: Uint8Array;
  /** Deflate level as zlib has it, 0 for stored. */
  readonly level?: number;
  /** Deflates with other settings, as another program would. */
  readonly foreign?: ZlibOptions;
  readonly compressed?: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  readonly localOffset?: number;
  readonly localName?: string;
  /** Numbers behind the data, of this many bytes each. */
  readonly descriptor?: 4 | 8;
  readonly descriptorSignature?: boolean;
  /** As numpy does: the sizes in a zip64 field of the local header. */
  readonly zip64?: boolean;
  readonly centralZip64?: boolean;
  readonly extra?: Uint8Array;
  readonly comment?: string;
  readonly disk?: number;
  /** Bytes before the local header. */
  readonly gap?: Uint8Array;
}

export interface ZipOptions {
  readonly zip64?: boolean;
  readonly comment?: string;
  readonly count?: number;
  readonly centralSize?: number;
  readonly centralOffset?: number;
  readonly disk?: number;
}

function fields(...values: [bytes: 2 | 4 | 8, value: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

const FULL = 0xffffffff;

export function makeZip(members: readonly ZipMember[], options: ZipOptions = {}): Uint8Array {
  const body: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const push = (...parts: Uint8Array[]): void => {
    body.push(...parts);
    at += parts.reduce((sum, { length }) => sum + length, 0);
  };
  for (const member of members) {
    const { data, level = 0, foreign, descriptor, extra = new Uint8Array(0), comment = "" } = member;
    const name = typeof member.name === "string" ? new TextEncoder().encode(member.name) : member.name;
    const localName = member.localName === undefined ? name : new TextEncoder().encode(member.localName);
    const packed =
      member.compressed ??
      (foreign ? new Uint8Array(deflateRawSync(data, foreign)) : level > 0 ? deflateRaw(data, { level: level as 6 }) : data);
    const method = member.method ?? (level > 0 || foreign || member.compressed ? 8 : 0);
    const isUtf8 = typeof member.name === "string" && name.some((byte) => byte > 0x7f);
    const flags = member.flags ?? (descriptor ? 8 : 0) + (isUtf8 ? 0x800 : 0);
    const crc = member.crc ?? crc32(data);
    const size = member.size ?? data.length;
    const compressedSize = member.compressedSize ?? packed.length;
    const localOffset = member.localOffset ?? at + (member.gap?.length ?? 0);
    const known = (value: number): number => (descriptor ? 0 : value);
    const wide = (value: number, zip64?: boolean): number => (zip64 ? FULL : value);
    const localExtra = concat(
      member.zip64 ? fields([2, 1], [2, 16], [8, known(size)], [8, known(compressedSize)]) : new Uint8Array(0),
      extra,
    );
    const centralExtra = concat(
      member.centralZip64 ? fields([2, 1], [2, 24], [8, size], [8, compressedSize], [8, localOffset]) : new Uint8Array(0),
      extra,
    );
    if (member.gap) push(member.gap);
    push(
      fields([4, 0x04034b50], [2, member.zip64 ? 45 : 20], [2, flags], [2, method], [2, 0], [2, 0x21], [4, known(crc)]),
      fields(
        [4, wide(known(compressedSize), member.zip64)],
        [4, wide(known(size), member.zip64)],
        [2, localName.length],
        [2, localExtra.length],
      ),
      localName,
      localExtra,
      packed,
    );
    if (descriptor) {
      if (member.descriptorSignature !== false) push(fields([4, 0x08074b50]));
      push(fields([4, crc], [descriptor, compressedSize], [descriptor, size]));
    }
    directory.push(
      fields([4, 0x02014b50], [2, 45], [2, member.zip64 ? 45 : 20], [2, flags], [2, method], [2, 0], [2, 0x21], [4, crc]),
      fields(
        [4, wide(compressedSize, member.centralZip64)],
        [4, wide(size, member.centralZip64)],
        [2, name.length],
        [2, centralExtra.length],
      ),
      fields([2, comment.length], [2, member.disk ?? 0], [2, 0], [4, 0x01800000], [4, wide(localOffset, member.centralZip64)]),
      name,
      centralExtra,
      ascii(comment),
    );
  }
  const central = concat(...directory);
  const centralOffset = options.centralOffset ?? at;
  const centralSize = options.centralSize ?? central.length;
  const count = options.count ?? members.length;
  const disk = options.disk ?? 0;
  const comment = ascii(options.comment ?? "");
  const end64 = concat(
    fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, disk], [4, disk], [8, count], [8, count], [8, centralSize], [8, centralOffset]),
    fields([4, 0x07064b50], [4, 0], [8, at + central.length], [4, 1]),
  );
  const end = options.zip64
    ? fields([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, FULL], [4, FULL], [2, comment.length])
    : fields([4, 0x06054b50], [2, disk], [2, disk], [2, count], [2, count], [4, centralSize], [4, centralOffset], [2, comment.length]);
  return concat(...body, central, options.zip64 ? end64 : new Uint8Array(0), end, comment);
}
