import { ByteWriter } from "../../src/archive/bytes.js";
import { PREAMBLE_BYTES, readHeader } from "../../src/archive/header.js";
import { MAGIC } from "../../src/archive/limits.js";
import { crc32c } from "../../src/reference/index.js";
import { DTYPES, type TensorInfo } from "../../src/types.js";
import { archiveOf } from "../archive/craft.js";
import { reseal } from "../archive/reseal.js";
import type { Random } from "../random.js";

/** Numbers at the edges of what fields hold. */
const EDGES: readonly number[] = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 127, 128, 255, 256, 257, 1000, 65535, 65536],
  ...[2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2 ** 53],
];

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** One edit, anywhere; `others` are spliced in. */
function edited(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  const rest = bytes.subarray(at);
  switch (random.below(10)) {
    case 0: // a byte
    case 1:
      if (at < bytes.length) bytes[at] = random.u32();
      return bytes;
    case 2: // a bit
    case 3:
      if (at < bytes.length) bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 4: // a varint in place of one
      return concat(before, new ByteWriter().varint(EDGES[random.below(EDGES.length)]).finish(), rest.subarray(varintLength(rest)));
    case 5: // a varint a little more or less
      return nudged(random, bytes, at);
    case 6: // a fixed field of four or eight bytes
      return fixedField(random, bytes, at);
    case 7: // a few bytes less, or twice
      return random.chance(0.5) ? concat(before, rest.subarray(random.below(9))) : concat(before, rest.subarray(0, random.below(17)), rest);
    case 8: {
      const other = others[random.below(others.length)];
      const from = random.below(other.length + 1);
      return concat(before, other.subarray(from, from + random.below(64)), rest.subarray(random.below(32)));
    }
    default:
      return random.chance(0.5) ? before.slice() : concat(bytes, random.bytes(1 + random.below(8)));
  }
}

function varintLength(bytes: Uint8Array): number {
  const last = bytes.subarray(0, 8).findIndex((byte) => byte < 128);
  return last < 0 ? Math.min(8, bytes.length) : last + 1;
}

function nudged(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  const length = varintLength(bytes.subarray(at));
  let value = 0;
  for (let i = 0; i < length; i++) value += (bytes[at + i] & 127) * 2 ** (7 * i);
  const next = Math.max(0, value + random.below(9) - 4);
  return concat(bytes.subarray(0, at), new ByteWriter().varint(next).finish(), bytes.subarray(at + length));
}

function fixedField(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  const value = BigInt(EDGES[random.below(EDGES.length)]);
  const field = new Uint8Array(8);
  new DataView(field.buffer).setBigUint64(0, value, random.chance(0.9));
  const room = Math.min(random.chance(0.5) ? 4 : 8, bytes.length - at);
  if (room > 0) bytes.set(field.subarray(0, room), at);
  return bytes;
}

/** Bytes after one to four edits. */
export function mutated(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let mutant: Uint8Array = bytes.slice();
  for (let edits = 1 + random.below(4); edits > 0; edits--) mutant = edited(random, mutant, others);
  return mutant;
}

/** A record that is whole, taken out of its archive. */
export interface Piece extends TensorInfo {
  readonly record: Uint8Array;
}

export function piecesOf(archive: Uint8Array): Piece[] {
  return readHeader(archive, crc32c).tensors.map(({ name, dtype, shape, recordOffset, recordByteLength }) => ({
    ...{ name, dtype, shape },
    record: archive.slice(recordOffset, recordOffset + recordByteLength),
  }));
}

/** An archive around one mutated record: header and checksums are right, so that what reads records is reached. */
export function aroundRecord(random: Random, piece: Piece, others: readonly Uint8Array[]): Uint8Array {
  const record = concat(mutated(random, piece.record.subarray(0, -4), others), new Uint8Array(4));
  const dtype = random.chance(0.1) ? DTYPES[random.below(DTYPES.length)] : piece.dtype;
  const shape = [...piece.shape];
  if (shape.length > 0 && random.chance(0.2)) shape[random.below(shape.length)] = EDGES[random.below(20)];
  return reseal(archiveOf([{ name: piece.name, dtype, shape, record: record.length < 5 ? new Uint8Array(5) : record }]));
}

/** An archive whose header was mutated, its length and checksum right. */
export function aroundHeader(random: Random, archive: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const { recordsOffset } = readHeader(archive, crc32c);
  const start = 6 + varintLength(archive.subarray(6, PREAMBLE_BYTES));
  const body = mutated(random, archive.subarray(start, recordsOffset - 4), others);
  const covered = new ByteWriter().bytes(MAGIC).u8(1).u8(0).varint(body.length).bytes(body).finish();
  return concat(new ByteWriter().bytes(covered).u32(crc32c(covered)).finish(), archive.subarray(recordsOffset));
}
