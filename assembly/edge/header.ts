import { readChecked } from "./checksum";
import {
  CHECKSUM,
  fail,
  found,
  Input,
  LIMIT,
  MAGIC,
  read,
  refuse,
  room,
  take,
  TRUNCATED,
  octet,
  UNSUPPORTED,
  varint,
  VERSION,
} from "./input";

// The header: docs/format.md, sections 2, 3 and 3.1. The shell is somebody else's.

/** The first bytes of an archive. */
const FIRST: u32 = 0xe01c99c0;

const MOST_BYTES: u64 = 1 << 28;
export const MOST_BLOCK: f64 = 1048576;
const MOST_SAFE: f64 = 9007199254740991;
const MOST_NAME: usize = 65535;
const MOST_SHARED_NAME: usize = 1024;

/** Names that a tail may refer to, and the one that is read. */
const NAMES: u32 = 33;
/** Bytes between two of them: the length, then the bytes. */
const NAME_BYTES: usize = MOST_NAME + 5;

/** Bits of each dtype: docs/format.md, section 3.1. */
const DTYPES: u32 = 23;
const DTYPE_BITS: usize = memory.data<u8>([32, 16, 16, 64, 64, 32, 16, 8, 64, 32, 16, 8, 8, 8, 8, 8, 64, 128, 4, 6, 6, 8, 8]);

export function dtypeBits(dtype: u32): u32 {
  return load<u8>(DTYPE_BITS + dtype);
}

/** Bytes of an element, as records count them. */
export function elementBytes(dtype: u32): u32 {
  const bits = dtypeBits(dtype);
  return bits < 8 || bits > 64 ? 1 : bits >> 3;
}

abstract class Header {
  static names: usize = 0;
  static count: u32 = 0;
  /** Bytes that the names may still have, all together. */
  static left: i64 = 0;
}

/** Reads up to the header's body, and gives its end: the checksum begins there. */
function preamble(): usize {
  for (let i: usize = 0; i < 4; i++) if (octet() != <u32>((FIRST >> ((<u32>i) << 3)) & 255)) fail(MAGIC);
  if (octet() != 1) fail(VERSION);
  refuse(octet() != 0);
  const byteLength = varint();
  if (byteLength > MOST_BYTES) fail(LIMIT);
  return Input.at + <usize>byteLength;
}

/** found: the archive's bytes up to its first record, out of its first 14, or all that there are. */
export function headerEnd(at: usize, byteLength: usize): void {
  read(at, byteLength);
  Input.part = 0;
  found(3, <f64>(preamble() + 4 - at));
}

/** Begins to read a header, which is there whole. found: how many tensors there are. */
export function header(at: usize, byteLength: usize): void {
  Input.part = 0;
  readChecked(at, byteLength, 0);
  const end = preamble();
  const count = varint();
  if (count > <u64>((end - Input.at) >> 2)) fail(LIMIT);
  Header.count = 0;
  Header.left = ((<i64>(end - at)) << 5) + 65536;
  Header.names = room(<usize>NAMES * NAME_BYTES);
  store<u32>(nameOf(NAMES - 1), 0);
  found(3, <f64>count);
}

/** Where the name `count` tensors after the first is kept: its length, then its bytes. */
function nameOf(count: u32): usize {
  return Header.names + <usize>(count % NAMES) * NAME_BYTES;
}

function readName(): usize {
  Input.part = 1;
  const before = nameOf(Header.count + NAMES - 1);
  const name = nameOf(Header.count);
  const prefix = varint();
  refuse(prefix > <u64>load<u32>(before));
  const middle = varint();
  const from = take(middle >> 1);
  let tail: u64 = 0;
  let source: usize = 0;
  if (middle & 1) {
    const back = varint();
    tail = varint();
    refuse(back - 1 >= <u64>min(Header.count, NAMES - 1));
    source = nameOf(Header.count + NAMES - <u32>back);
    const sourceLength = <u64>load<u32>(source);
    refuse(tail - 1 >= sourceLength);
    source += <usize>(sourceLength - tail);
  }
  const shared = prefix + tail;
  const length = shared + (middle >> 1);
  Header.left -= <i64>length;
  if (length > (shared != 0 ? MOST_SHARED_NAME : MOST_NAME) || Header.left < 0) fail(LIMIT);
  store<u32>(name, <u32>length);
  memory.copy(name + 4, before + 4, <usize>prefix);
  memory.copy(name + 4 + <usize>prefix, from, <usize>(middle >> 1));
  memory.copy(name + 4 + <usize>(length - tail), source + 4, <usize>tail);
  found(9, <f64>Input.at);
  Header.count++;
  return name;
}

/** Reads the next tensor. found: its name's address and bytes, the dtype, the tensor's bytes, its record's, the rank, where the name ends in the header, and the shape. */
export function tensor(): void {
  const name = readName();
  found(3, <f64>(name + 4));
  found(4, load<u32>(name));
  Input.part = 2;
  const kind = octet();
  const dtype = kind & 31;
  if (dtype >= DTYPES) fail(UNSUPPORTED);
  found(5, dtype);
  let rank = <u64>(kind >> 5);
  if (rank == 7) {
    rank = varint();
    refuse(rank < 7 || rank > 64);
  }
  let count: f64 = 1;
  for (let axis: usize = 0; axis < <usize>rank; axis++) {
    const length = <f64>varint();
    found(10 + axis, length);
    count *= length;
    if (count > MOST_SAFE) fail(LIMIT);
  }
  found(8, <f64>rank);
  const bits = dtypeBits(dtype);
  const allBits = count * bits;
  if (allBits > MOST_SAFE) fail(LIMIT);
  refuse(((<u64>allBits) & 7) != 0);
  found(6, allBits / 8);
  const record = varint();
  refuse(record < 5);
  found(7, <f64>record);
  if (allBits / 8 / elementBytes(dtype) > MOST_BLOCK * <f64>(record / 5)) fail(LIMIT);
}

/** found: where the shell begins, after the last tensor. */
export function shell(): void {
  if (Input.at == Input.end) fail(TRUNCATED);
  found(3, <f64>Input.at);
}
