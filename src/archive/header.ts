import { FormatError } from "../errors.js";
import { DTYPES, type TensorInfo, tensorByteLength } from "../types.js";
import { ByteReader, ByteWriter, decodeUtf8 } from "./bytes.js";
import {
  MAGIC,
  MAX_BLOCK_ELEMENTS,
  MAX_HEADER_BYTES,
  MAX_NAME_BACK,
  MAX_NAME_BYTES,
  MAX_NAMES_BYTES,
  MAX_NAMES_RATIO,
  MAX_RANK,
  MAX_SHARED_NAME_BYTES,
  MIN_RECORD_BYTES,
  MIN_TENSOR_HEADER_BYTES,
  VERSION,
} from "./limits.js";
import { elementsOf } from "./record.js";
import { CHECKSUM_BYTES } from "./sizes.js";

// The header: docs/format.md, sections 2 and 3.

/** A tensor as the header announces it. */
export interface TensorEntry extends TensorInfo {
  /** Bytes of the dense tensor. */
  readonly byteLength: number;
  /** Where the record begins, in bytes from the start of the archive. */
  readonly recordOffset: number;
  /** Bytes of the record, its checksums among them. */
  readonly recordByteLength: number;
}

/** What an archive says of itself before its records. Offsets and lengths are bytes, from the start of the archive. */
export interface Header {
  /** In the order of their records, which stand without a byte between them. Names are unique. */
  readonly tensors: readonly TensorEntry[];
  /** The shell as it stands in the header, from fileCount on: `readShell` in shell.ts understands it. */
  readonly shell: Uint8Array;
  /** Where `shell` begins in the archive. */
  readonly shellOffset: number;
  /** Where the first record begins. */
  readonly recordsOffset: number;
  /** Where the archive ends: its length. */
  readonly archiveByteLength: number;
}

const SOME_TENSORS = 1024;

/** Magic, version, flags and the longest varint: enough to know how long the header is. */
export const PREAMBLE_BYTES = 14;

/**
 * Bytes from the archive's start to the first record.
 *
 * @param start the archive's first `PREAMBLE_BYTES` bytes, or all of it where it is shorter
 * @throws FormatError `MAGIC`, `VERSION`, `CORRUPT`, `LIMIT` or `TRUNCATED`
 */
export function headerEnd(start: Uint8Array): number {
  const bytes = new ByteReader(start);
  readPreamble(bytes);
  const headerByteLength = bytes.varint("headerByteLength");
  if (headerByteLength > MAX_HEADER_BYTES) throw new FormatError("LIMIT", 6, `a header of ${headerByteLength} bytes`);
  return bytes.position + headerByteLength + CHECKSUM_BYTES;
}

function readPreamble(bytes: ByteReader): void {
  for (const [i, byte] of MAGIC.entries()) {
    if (bytes.left === 0) throw new FormatError("TRUNCATED", i, "the magic is cut off");
    if (bytes.u8("magic") !== byte) throw new FormatError("MAGIC", i, "not a .coppice archive");
  }
  const version = bytes.u8("version");
  if (version !== VERSION) throw new FormatError("VERSION", 4, `version ${version}, this build reads ${VERSION}`);
  const flags = bytes.u8("flags");
  if (flags !== 0) throw new FormatError("CORRUPT", 5, "reserved flags are set");
}

/**
 * Reads the header.
 *
 * @param start the archive's first `headerEnd` bytes, or more
 * @param archiveByteLength bytes that there are, where that is known: records beyond them are refused before they take memory
 * @throws FormatError of every code but `TRAILING`
 */
export function readHeader(
  start: Uint8Array,
  crc32c: (bytes: Uint8Array) => number,
  archiveByteLength: number = Number.MAX_SAFE_INTEGER,
): Header {
  const end = headerEnd(start);
  const all = new ByteReader(start);
  const covered = all.take(end - CHECKSUM_BYTES, "header");
  if (all.u32("headerChecksum") !== crc32c(covered))
    throw new FormatError("CHECKSUM", end - CHECKSUM_BYTES, "the header's checksum does not match");

  const bytes = new ByteReader(covered);
  readPreamble(bytes);
  bytes.varint("headerByteLength");
  const countOffset = bytes.offset;
  const tensorCount = bytes.varint("tensorCount");
  if (tensorCount > bytes.left / MIN_TENSOR_HEADER_BYTES) {
    throw new FormatError("LIMIT", countOffset, `${tensorCount} tensors cannot stand in ${bytes.left} bytes`);
  }
  const tensors: TensorEntry[] = [];
  const names: Uint8Array[] = [];
  const seen = new Set<string>();
  const mostNameBytes = MAX_NAMES_RATIO * covered.length + MAX_NAMES_BYTES;
  let nameBytes = 0;
  let recordOffset = end;
  for (let i = 0; i < tensorCount; i++) {
    const at = bytes.offset;
    const name = readName(bytes, names);
    if (seen.has(name)) throw new FormatError("DUPLICATE", at, `two tensors are named ${JSON.stringify(name)}`);
    seen.add(name);
    nameBytes += names[names.length - 1].length;
    if (nameBytes > mostNameBytes) throw new FormatError("LIMIT", at, `names of more than ${mostNameBytes} bytes in all`);
    const entry = readEntry(bytes, name, recordOffset);
    recordOffset += entry.recordByteLength;
    if (recordOffset > Number.MAX_SAFE_INTEGER) throw new FormatError("LIMIT", at, "the records pass 2^53 bytes");
    // Whether the records fit is the caller's to check in the end; a header of millions is not read through for it.
    if (i % SOME_TENSORS === SOME_TENSORS - 1 && recordOffset > archiveByteLength) {
      throw new FormatError("TRUNCATED", archiveByteLength, `the record of tensor ${i} ends at byte ${recordOffset}`);
    }
    tensors.push(entry);
  }
  const shellOffset = bytes.offset;
  const shell = bytes.take(bytes.left, "shell");
  if (shell.length === 0) throw new FormatError("TRUNCATED", shellOffset, "fileCount is cut off");
  return { tensors, shell, shellOffset, recordsOffset: end, archiveByteLength: recordOffset };
}

/** Reads one name and adds its bytes to `names`, the last ones. */
function readName(bytes: ByteReader, names: Uint8Array[]): string {
  const at = bytes.offset;
  const before = names.length > 0 ? names[names.length - 1] : new Uint8Array(0);
  const prefixByteLength = bytes.varint("name prefix");
  if (prefixByteLength > before.length) throw new FormatError("CORRUPT", at, "a name shares more than the name before it has");
  const middle = bytes.varint("name length");
  const middleBytes = bytes.take(Math.floor(middle / 2), "name");
  let tail = new Uint8Array(0);
  if (middle % 2 === 1) {
    const back = bytes.varint("name tail");
    const tailByteLength = bytes.varint("name tail");
    if (back < 1 || back > names.length) throw new FormatError("CORRUPT", at, `a name refers ${back} names back`);
    const source = names[names.length - back];
    if (tailByteLength < 1 || tailByteLength > source.length)
      throw new FormatError("CORRUPT", at, "a name's tail is longer than its source");
    tail = source.slice(source.length - tailByteLength);
  }
  const length = prefixByteLength + middleBytes.length + tail.length;
  if (length > (length > middleBytes.length ? MAX_SHARED_NAME_BYTES : MAX_NAME_BYTES)) {
    throw new FormatError("LIMIT", at, `a name of ${length} bytes`);
  }
  const name = new Uint8Array(length);
  name.set(before.subarray(0, prefixByteLength));
  name.set(middleBytes, prefixByteLength);
  name.set(tail, prefixByteLength + middleBytes.length);
  names.push(name);
  if (names.length > MAX_NAME_BACK) names.shift();
  return decodeUtf8(name, at, "a name");
}

function readEntry(bytes: ByteReader, name: string, recordOffset: number): TensorEntry {
  const at = bytes.offset;
  const kind = bytes.u8("kind");
  const dtype = DTYPES[kind & 31];
  if (dtype === undefined) throw new FormatError("UNSUPPORTED", at, `dtype ${kind & 31} is not known`);
  let rank = kind >> 5;
  if (rank === 7) {
    rank = bytes.varint("rank");
    if (rank < 7 || rank > MAX_RANK) throw new FormatError("CORRUPT", at, `a rank of ${rank}`);
  }
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.push(bytes.varint("shape"));
  const byteLength = tensorByteLength(dtype, shape, at);
  const recordByteLength = bytes.varint("recordByteLength");
  if (recordByteLength < MIN_RECORD_BYTES) throw new FormatError("CORRUPT", bytes.offset, `a record of ${recordByteLength} bytes`);
  const mostElements = MAX_BLOCK_ELEMENTS * Math.floor(recordByteLength / MIN_RECORD_BYTES);
  if (elementsOf({ name, dtype, shape }).elements > mostElements) {
    throw new FormatError("LIMIT", at, `a tensor of ${byteLength} bytes cannot stand in a record of ${recordByteLength}`);
  }
  return { name, dtype, shape, byteLength, recordOffset, recordByteLength };
}

/** Everything before the records. `shell` is as `writeShell` gives it. */
export function writeHeader(
  tensors: readonly (TensorInfo & { readonly recordByteLength: number })[],
  shell: Uint8Array,
  crc32c: (bytes: Uint8Array) => number,
): Uint8Array {
  const body = new ByteWriter().varint(tensors.length);
  const names: Uint8Array[] = [];
  for (const tensor of tensors) {
    writeName(body, new TextEncoder().encode(tensor.name), names);
    const rank = tensor.shape.length;
    body.u8(DTYPES.indexOf(tensor.dtype) | (Math.min(rank, 7) << 5));
    if (rank >= 7) body.varint(rank);
    for (const axis of tensor.shape) body.varint(axis);
    body.varint(tensor.recordByteLength);
  }
  body.bytes(shell);
  const header = new ByteWriter().bytes(MAGIC).u8(VERSION).u8(0).varint(body.length).bytes(body.finish()).finish();
  return new ByteWriter().bytes(header).u32(crc32c(header)).finish();
}

/** Writes a name and adds it to `names`: the longest prefix, and the tail that saves the most. */
function writeName(bytes: ByteWriter, name: Uint8Array, names: Uint8Array[]): void {
  const before = names.length > 0 ? names[names.length - 1] : new Uint8Array(0);
  const shares = name.length <= MAX_SHARED_NAME_BYTES;
  let prefix = 0;
  while (shares && prefix < Math.min(name.length, before.length) && name[prefix] === before[prefix]) prefix++;
  let tail = 0;
  let back = 0;
  for (let b = 1; shares && b <= Math.min(MAX_NAME_BACK, names.length); b++) {
    const source = names[names.length - b];
    let common = 0;
    while (common < Math.min(name.length - prefix, source.length) && name[name.length - 1 - common] === source[source.length - 1 - common])
      common++;
    if (common > tail) [tail, back] = [common, b];
  }
  if (tail <= 2) tail = 0; // two bytes say where a tail is
  bytes
    .varint(prefix)
    .varint(2 * (name.length - prefix - tail) + (tail > 0 ? 1 : 0))
    .bytes(name.subarray(prefix, name.length - tail));
  if (tail > 0) bytes.varint(back).varint(tail);
  names.push(name);
}
