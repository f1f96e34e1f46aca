import { FormatError } from "../errors.js";
import { dtypeBits, type FileTemplate, type Piece, type TensorInfo } from "../types.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import type { Header } from "./header.js";
import { MAX_DEFLATE_RATIO, MAX_SHELL_BYTES } from "./limits.js";
import { isModelPath, pathInFile } from "./paths.js";
import { safetensorsHeader, safetensorsPieces } from "./safetensors-header.js";
import { inflateRaw } from "./zlib.js";

// The shell: docs/format.md, section 3.2.

const PLAIN = 0;
const DEFLATED = 1;
const SAFETENSORS = 2;

const LITERAL = 0;
const TENSOR = 1;
const GROUP = 2;
const BIG_ENDIAN = 4;
const COLUMN_MAJOR = 8;
const PART = 16;

/**
 * Reads the shell of an archive.
 *
 * @param maxBytes most bytes that the bodies of all templates may have
 * @throws FormatError of any code but `MAGIC`, `VERSION`, `CHECKSUM`
 */
export function readShell(header: Header, maxBytes: number = MAX_SHELL_BYTES): FileTemplate[] {
  const bytes = new ByteReader(header.shell, header.shellOffset);
  const fileCount = bytes.varint("fileCount");
  const files: FileTemplate[] = [];
  const paths = new Set<string>();
  const tensors: Tensors = { infos: header.tensors, holes: new Set(), file: 0, divided: undefined };
  const room = { bytes: maxBytes };
  for (; tensors.file < fileCount; tensors.file++) {
    const at = bytes.offset;
    const path = bytes.text(bytes.varint("path"), "a path");
    checkPath(path, at);
    if (paths.has(path)) throw new FormatError("DUPLICATE", at, `two files are named ${JSON.stringify(path)}`);
    paths.add(path);
    files.push({ path, pieces: readTemplate(bytes, tensors, room) });
  }
  checkFolders(paths, header.shellOffset);
  bytes.end("the shell");
  if (tensors.divided) throw new FormatError("CORRUPT", bytes.offset, `the last part of tensor ${tensors.divided.tensor} is missing`);
  return files;
}

/** The tensors of the archive, and those that have a hole already: one each, so that what comes out is bounded by what the archive holds. */
interface Tensors {
  readonly infos: readonly (TensorInfo & { readonly byteLength: number })[];
  readonly holes: Set<number>;
  /** Files before the one that is read. */
  file: number;
  /** The tensor that goes on in a later file: its bytes so far, and the file of its last part. */
  divided: { readonly tensor: number; readonly end: number; readonly file: number } | undefined;
}

/** No file stands where another needs a folder. */
function checkFolders(paths: ReadonlySet<string>, at: number): void {
  if (paths.has("") && paths.size > 1) throw new FormatError("CORRUPT", at, "a file without a path beside others");
  const inner = pathInFile(paths);
  if (inner !== undefined) throw new FormatError("CORRUPT", at, `${JSON.stringify(inner)} is in another file`);
}

/**
 * A path from a stranger leaves the folder it is meant for in no operating system.
 *
 * @throws FormatError `CORRUPT` at `at`
 */
function checkPath(path: string, at: number): void {
  if (path !== "" && !isModelPath(path)) throw new FormatError("CORRUPT", at, `the path ${JSON.stringify(path)} is not allowed`);
}

/** What the bodies of templates may still have, all together. */
interface Room {
  bytes: number;
}

/** @throws FormatError `LIMIT` where a body is larger than bodies may be */
function takeRoom(room: Room, byteLength: number, at: number): void {
  if (byteLength > Math.min(room.bytes, MAX_SHELL_BYTES)) throw new FormatError("LIMIT", at, `a template of ${byteLength} bytes`);
  room.bytes -= byteLength;
}

function readTemplate(bytes: ByteReader, tensors: Tensors, room: Room): readonly Piece[] {
  const at = bytes.offset;
  const template = bytes.u8("template");
  if (template === PLAIN) {
    const byteLength = bytes.varint("template length");
    const start = bytes.offset;
    const body = bytes.take(byteLength, "template");
    takeRoom(room, byteLength, at);
    return readPieces(new ByteReader(body, start), tensors);
  }
  if (template === DEFLATED) {
    const byteLength = bytes.varint("template length");
    const streamByteLength = bytes.varint("template length");
    const start = bytes.offset;
    const stream = bytes.take(streamByteLength, "template");
    if (byteLength > MAX_DEFLATE_RATIO * stream.length) {
      throw new FormatError("LIMIT", at, `a template of ${byteLength} bytes out of ${stream.length}`);
    }
    takeRoom(room, byteLength, at);
    return readPieces(new ByteReader(inflateRaw(stream, byteLength, start), start), tensors);
  }
  if (template === SAFETENSORS) return readSafetensors(bytes, tensors);
  throw new FormatError("UNSUPPORTED", at, `template kind ${template} is not known`);
}

function readPieces(bytes: ByteReader, tensors: Tensors): Piece[] {
  const pieces: Piece[] = [];
  while (bytes.left > 0) addPiece(pieces, bytes, tensors, true);
  return pieces;
}

/** Pieces are few: literals are not empty and do not follow each other, and groups have a hole of their own. */
function addPiece(pieces: Piece[], bytes: ByteReader, tensors: Tensors, groups: boolean): void {
  const at = bytes.offset;
  const op = bytes.u8("piece");
  if (op === LITERAL) {
    const literal = bytes.take(bytes.varint("literal length"), "literal");
    if (literal.length === 0 || pieces.at(-1)?.kind === "bytes")
      throw new FormatError("CORRUPT", at, "a literal is empty, or follows another");
    pieces.push({ kind: "bytes", bytes: literal });
  } else if ((op & 3) === TENSOR && op < PART) pieces.push(readHole(bytes, tensors, op, at));
  else if (op === (TENSOR | PART) && groups) pieces.push(readPart(bytes, tensors, at));
  else if (op === GROUP && groups) pieces.push(readGroup(bytes, tensors, at));
  else throw new FormatError("CORRUPT", at, `piece ${op}`);
}

/** The tensor that a hole begins. */
function readTensor(bytes: ByteReader, { infos, holes, divided }: Tensors, at: number): number {
  const tensor = bytes.varint("tensor index");
  if (tensor >= infos.length) throw new FormatError("CORRUPT", at, `a hole for tensor ${tensor} of ${infos.length}`);
  if (holes.has(tensor)) throw new FormatError("DUPLICATE", at, `two holes for tensor ${tensor}`);
  if (divided) throw new FormatError("CORRUPT", at, `a hole between parts of tensor ${divided.tensor}`);
  holes.add(tensor);
  return tensor;
}

function readHole(bytes: ByteReader, tensors: Tensors, op: number, at: number): Piece {
  const { infos } = tensors;
  const tensor = readTensor(bytes, tensors, at);
  if ((op & COLUMN_MAJOR) !== 0 && dtypeBits(infos[tensor].dtype) < 8) {
    throw new FormatError("CORRUPT", at, `a column-major hole for ${infos[tensor].dtype}, whose weights share bytes`);
  }
  return { kind: "tensor", tensor, bigEndian: (op & BIG_ENDIAN) !== 0, columnMajor: (op & COLUMN_MAJOR) !== 0 };
}

function readPart(bytes: ByteReader, tensors: Tensors, at: number): Piece {
  const { infos, divided, file } = tensors;
  let tensor: number;
  if (divided) {
    tensor = bytes.varint("tensor index");
    if (tensor !== divided.tensor || file === divided.file) {
      throw new FormatError(
        "CORRUPT",
        at,
        `a part of tensor ${tensor}, where one of tensor ${divided.tensor} is to follow in another file`,
      );
    }
  } else tensor = readTensor(bytes, tensors, at);
  const offset = divided?.end ?? 0;
  const byteLength = bytes.varint("bytes of a part");
  const end = offset + byteLength;
  const all = infos[tensor].byteLength;
  if (byteLength === 0 || byteLength >= all || end > all) {
    throw new FormatError("CORRUPT", at, `a part of ${byteLength} bytes, of a tensor of ${all} at its byte ${offset}`);
  }
  tensors.divided = end === all ? undefined : { tensor, end, file };
  return { kind: "part", tensor, offset, byteLength };
}

function readGroup(bytes: ByteReader, tensors: Tensors, at: number): Piece {
  const level = bytes.u8("zlib level");
  if (level < 1 || level > 9) throw new FormatError("CORRUPT", at, `zlib level ${level}`);
  const byteLength = bytes.varint("bytes of a group");
  const count = bytes.varint("pieces of a group");
  if (count > bytes.left) throw new FormatError("CORRUPT", at, `a group of ${count} pieces`);
  const pieces: Piece[] = [];
  for (let i = 0; i < count; i++) addPiece(pieces, bytes, tensors, false);
  if (!pieces.some(({ kind }) => kind === "tensor")) throw new FormatError("CORRUPT", at, "a group without a tensor");
  return { kind: "deflate", level, byteLength, pieces };
}

function readSafetensors(bytes: ByteReader, { infos, holes }: Tensors): Piece[] {
  const at = bytes.offset;
  if (holes.size > 0) throw new FormatError("DUPLICATE", at, "two holes for a tensor");
  for (const tensor of infos.keys()) holes.add(tensor);
  const entries = bytes.varint("metadata");
  if (2 * (entries - 1) > bytes.left) throw new FormatError("CORRUPT", at, `${entries - 1} metadata entries`);
  let metadata: Map<string, string> | undefined;
  if (entries > 0) {
    metadata = new Map();
    for (let i = 1; i < entries; i++) {
      const key = bytes.text(bytes.varint("metadata"), "metadata");
      if (metadata.has(key)) throw new FormatError("DUPLICATE", at, `two metadata entries are named ${JSON.stringify(key)}`);
      metadata.set(key, bytes.text(bytes.varint("metadata"), "metadata"));
    }
  }
  try {
    return safetensorsPieces(infos, safetensorsHeader(infos, metadata));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError("CORRUPT", at, `no safetensors file can hold these tensors: ${error.message}`);
  }
}

/**
 * The shell as the header holds it.
 *
 * @param deflateRaw must give the same bytes on every machine
 */
export function writeShell(
  files: readonly FileTemplate[],
  tensors: readonly TensorInfo[],
  deflateRaw: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const out = new ByteWriter().varint(files.length);
  for (const { path, pieces } of files) {
    out.text(path);
    const metadata = canonicalMetadata(pieces, tensors);
    if (metadata !== undefined) {
      out.u8(SAFETENSORS).varint(metadata === null ? 0 : metadata.size + 1);
      for (const [key, value] of metadata ?? []) out.text(key).text(value);
      continue;
    }
    const body = new ByteWriter();
    for (const piece of joinedLiterals(pieces)) writePiece(body, piece);
    const plain = body.finish();
    if (plain.length > MAX_SHELL_BYTES) {
      throw new FormatError("LIMIT", 0, `the model has ${plain.length} bytes beside its tensors, an archive holds ${MAX_SHELL_BYTES}`);
    }
    const deflated = deflateRaw(plain);
    if (deflated.length < plain.length) out.u8(DEFLATED).varint(plain.length).varint(deflated.length).bytes(deflated);
    else out.u8(PLAIN).varint(plain.length).bytes(plain);
  }
  return out.finish();
}

/** The pieces with neighbouring literals as one, and without empty ones. */
function joinedLiterals(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  let literals: Uint8Array[] = [];
  const flush = (): void => {
    const bytes = new ByteWriter();
    for (const literal of literals) bytes.bytes(literal);
    if (bytes.length > 0) joined.push({ kind: "bytes", bytes: bytes.finish() });
    literals = [];
  };
  for (const piece of pieces) {
    if (piece.kind === "bytes") {
      literals.push(piece.bytes);
      continue;
    }
    flush();
    joined.push(piece.kind === "deflate" ? { ...piece, pieces: joinedLiterals(piece.pieces) } : piece);
  }
  flush();
  return joined;
}

function writePiece(out: ByteWriter, piece: Piece): void {
  if (piece.kind === "bytes") out.u8(LITERAL).varint(piece.bytes.length).bytes(piece.bytes);
  else if (piece.kind === "tensor") {
    out.u8(TENSOR | (piece.bigEndian ? BIG_ENDIAN : 0) | (piece.columnMajor ? COLUMN_MAJOR : 0)).varint(piece.tensor);
  } else if (piece.kind === "part")
    out
      .u8(TENSOR | PART)
      .varint(piece.tensor)
      .varint(piece.byteLength);
  else {
    out.u8(GROUP).u8(piece.level).varint(piece.byteLength).varint(piece.pieces.length);
    for (const inner of piece.pieces) writePiece(out, inner);
  }
}

/** The metadata of a safetensors file with the canonical header, null where it has none; undefined for any other file. */
function canonicalMetadata(pieces: readonly Piece[], tensors: readonly TensorInfo[]): ReadonlyMap<string, string> | null | undefined {
  const [first, ...holes] = pieces;
  if (first?.kind !== "bytes" || holes.length !== tensors.length) return undefined;
  if (!holes.every((hole, i) => hole.kind === "tensor" && hole.tensor === i && !hole.bigEndian && !hole.columnMajor)) return undefined;
  try {
    // What JSON.parse gets wrong (doubled or number-like keys) shows in the comparison.
    const parsed = JSON.parse(new TextDecoder().decode(first.bytes.subarray(8)));
    const metadata = parsed.__metadata__ === undefined ? null : new Map<string, string>(Object.entries(parsed.__metadata__));
    const canonical = safetensorsHeader(tensors, metadata ?? undefined);
    return canonical.length === first.bytes.length && canonical.every((byte, i) => byte === first.bytes[i]) ? metadata : undefined;
  } catch {
    return undefined; // no JSON, or names and dtypes that safetensors does not have
  }
}
