import { deflateRaw, inflateRaw } from "pako";
import { ByteReader, ByteWriter } from "../../src/archive/bytes.js";
import { PREAMBLE_BYTES, readHeader, writeHeader } from "../../src/archive/header.js";
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

/** A file of a shell, its body no longer deflated: pieces, or the metadata of a safetensors file. */
interface ShellFile {
  readonly path: string;
  readonly template: "pieces" | "safetensors";
  readonly body: Uint8Array;
}

/** An archive that is whole, and the files of its shell. */
export interface Shelled {
  readonly tensors: readonly (TensorInfo & { readonly recordByteLength: number })[];
  readonly records: Uint8Array;
  readonly files: readonly ShellFile[];
}

/** Takes archives apart whose shells have files. */
export function shelledOf(archive: Uint8Array): Shelled[] {
  const { tensors, shell, shellOffset, recordsOffset } = readHeader(archive, crc32c);
  const reader = new ByteReader(shell, shellOffset);
  const files = Array.from({ length: reader.varint("files") }, () => readFile(reader));
  return files.length === 0 ? [] : [{ tensors, records: archive.slice(recordsOffset), files }];
}

function readFile(reader: ByteReader): ShellFile {
  const path = reader.text(reader.varint("path"), "path");
  const template = reader.u8("template");
  const start = reader.position;
  const varint = (): number => reader.varint("template");
  if (template === 2) {
    for (let texts = 2 * (varint() - 1); texts > 0; texts--) reader.take(varint(), "metadata");
    return { path, template: "safetensors", body: reader.bytes.slice(start, reader.position) };
  }
  if (template === 1) varint();
  const body = reader.take(varint(), "template").slice();
  return { path, template: "pieces", body: template === 1 ? inflateRaw(body) : body };
}

/** The pieces of a body that is whole, those of groups on their own. */
function cutPieces(body: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(body);
  const pieces: Uint8Array[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const first = reader.u8("op");
    const op = first & 3;
    if (op === 2) reader.u8("level");
    const value = reader.varint("piece");
    if (op === 2 || first === 17) reader.varint("count");
    if (op === 0) reader.take(value, "literal");
    pieces.push(body.slice(start, reader.position));
  }
  return pieces;
}

const PATHS: readonly string[] = ["", "a", "a/b", "a/b/c", "sub", "../a", "a/..", "/a", "a//b", "c:a", "a\\b", "a\0", "."];

/** An archive whose shell was mutated behind its compression, the header around it whole. */
export function aroundShell(random: Random, archive: Shelled, others: readonly Shelled[]): Uint8Array {
  const files = [...archive.files];
  const other = (): ShellFile => {
    const from = others[random.below(others.length)].files;
    return from[random.below(from.length)];
  };
  for (let edits = 1 + random.below(3); edits > 0; edits--) {
    const i = random.below(files.length);
    const file = files[i] ?? other();
    const kind = random.below(8);
    if (kind < 3) files[i] = { ...file, body: mutated(random, file.body, [other().body]) };
    else if (kind < 5 && file.template === "pieces") files[i] = { ...file, body: shuffled(random, file.body, other().body) };
    else if (kind === 5) files[i] = { ...file, path: PATHS[random.below(PATHS.length)] };
    else if (kind === 6) files.splice(i, 0, { ...other(), path: random.chance(0.5) ? file.path : `f${random.below(3)}` });
    else files.splice(i, 1);
  }
  const shell = new ByteWriter().varint(random.chance(0.95) ? files.length : EDGES[random.below(EDGES.length)]);
  for (const file of files) writeFile(random, shell, file);
  return concat(writeHeader(archive.tensors, shell.finish(), crc32c), archive.records);
}

/** A body with a piece left out, doubled, moved, or taken from another. */
function shuffled(random: Random, body: Uint8Array, other: Uint8Array): Uint8Array {
  try {
    const pieces = cutPieces(body);
    const more = [...pieces, ...(random.chance(0.5) ? cutPieces(other) : [])];
    const [taken] = pieces.splice(random.below(pieces.length), random.chance(0.5) ? 1 : 0);
    pieces.splice(random.below(pieces.length + 1), 0, taken ?? more[random.below(more.length)] ?? new Uint8Array(0));
    return concat(...pieces);
  } catch {
    return body; // it was mutated before
  }
}

function writeFile(random: Random, shell: ByteWriter, { path, template, body }: ShellFile): void {
  shell.text(path);
  const claim = random.chance(0.95) ? body.length : Math.max(0, body.length + random.below(5) - 2);
  if (template === "safetensors") shell.u8(2).bytes(body);
  else if (random.chance(0.5)) shell.u8(0).varint(claim).bytes(body);
  else {
    const stream = deflateRaw(body);
    shell.u8(1).varint(claim).varint(stream.length).bytes(stream);
  }
}
