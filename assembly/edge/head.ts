import { fromHalf } from "../convert/floats";
import { dtypeBits, elementBytes, MOST_BLOCK } from "./header";
import { bit, found, Input, padding, read, refuse, take, octet, fail, UNSUPPORTED, wide } from "./input";

// Heads of records: docs/format.md, sections 4 to 4.3.

export const RAW: u32 = 0;
export const BYTES: u32 = 1;
export const DENSE: u32 = 2;
export const SPARSE: u32 = 3;
export const CONTEXT: u32 = 4;

const F32: u32 = 0;
const LAST_FLOAT: u32 = 3;

const SORTED: u32 = 1;
const FLOAT16: u32 = 2;
const OWN: u32 = 3;

/** Descriptions of coded symbols: code lengths u8[256], then u32: the way, the symbol, the longest code, the alphabet. */
export const DESCRIPTIONS: usize = memory.data(9 * 272, 16);
export const DESCRIPTION_BYTES: usize = 272;

/** Centroids, `Head.stride` bytes apart, and room for what codes beyond them would find. */
export const CODEBOOK: usize = memory.data(256 * 8 + 8, 16);

/** The head that was read last. */
export abstract class Head {
  static coding: u32 = 0;
  static scan: u32 = 0;
  static elementBytes: u32 = 0;
  static elements: f64 = 0;
  /** Bytes from one centroid to the next: those of sparse records are words of 32 bits, one or two. */
  static stride: u32 = 0;
  static centroids: u32 = 0;
  static own: bool = false;
  static escape: bool = false;
  static gap: u32 = 0;
  /** The record is its head alone, all elements zero. */
  static zero: bool = false;
  /** Elements along the axes R, C and K; meant where the scan is not row-major, or contexts need them. */
  static r: u32 = 0;
  static c: u32 = 0;
  static k: u32 = 0;
}

/** Elements of each block but the last, from the four bits that say it. */
function blockElements(size: u32): f64 {
  if (size == 0) {
    refuse(Head.elements > MOST_BLOCK);
    return MOST_BLOCK;
  }
  const elements = <f64>((<u32>32) << size);
  refuse(size < 3 || Head.elements <= elements);
  return elements;
}

/**
 * Reads the head of a tensor's record.
 *
 * Layout     at  u8[byteLength]  the record's beginning
 *            tensorBytes, recordBytes  bytes of the dense tensor and of its record; r, c: lengths of its first two axes, 1 where it has fewer
 *
 * found: the head's bytes, the elements, their bytes, the elements of each block but the last, and 1 where survivors alone are written
 */
export function head(at: usize, byteLength: usize, dtype: u32, tensorBytes: f64, r: u32, c: u32, recordBytes: f64): void {
  read(at, byteLength);
  Input.part = 3;
  Input.bits = 0;
  Input.byte = 0;
  Head.elementBytes = elementBytes(dtype);
  Head.elements = tensorBytes / Head.elementBytes;
  const head = octet();
  const coding = head & 7;
  if (coding > CONTEXT) fail(UNSUPPORTED);
  Head.coding = coding;
  Head.zero = coding == SPARSE && recordBytes == 5;
  Head.scan = 0;
  Head.own = false;
  let block: f64;
  if (Head.zero) {
    refuse((head & 0x78) != 0);
    block = blockElements(0);
  } else if (coding < DENSE) {
    block = blockElements((head >> 3) & 15);
    for (let plane: u32 = 0; coding == BYTES && plane < Head.elementBytes; plane++) describe(plane, 256);
    padding();
  } else {
    block = shared(head, dtype);
  }
  if (Head.scan > 0 || coding == CONTEXT) {
    refuse(Head.elements > block);
    takeAxes(<u32>Head.elements, r, c, dtype);
  }
  found(3, <f64>(Input.at - at));
  found(4, Head.elements);
  found(5, Head.elementBytes);
  found(6, block);
  found(7, coding == SPARSE ? 1 : 0);
}

/** Elements of a packed dtype are bytes, and have one axis; a tensor without elements has the axes 0, 1, 1. */
function takeAxes(elements: u32, r: u32, c: u32, dtype: u32): void {
  const flat = elements == 0 || (dtypeBits(dtype) & 7) != 0 || dtypeBits(dtype) > 64;
  Head.r = flat ? elements : r;
  Head.c = flat ? 1 : c;
  Head.k = flat ? 1 : elements / (r * c);
}

/** The rest of a head with a codebook: gives the elements of a block. */
function shared(head: u32, dtype: u32): f64 {
  const sparse = Head.coding == SPARSE;
  const kind = head >> 6;
  Head.scan = (head >> 3) & 7;
  const second = octet();
  Head.own = kind == OWN;
  Head.escape = (second & 32) != 0;
  const block = blockElements(second & 15);
  refuse(Head.scan > 5 || second > 63 || (!sparse && (Head.escape || Head.own)) || (kind == FLOAT16 && dtype != F32));
  if (sparse) {
    Head.gap = octet();
    refuse(Head.gap - 1 >= <u32>(Head.escape ? 7 : 255));
  }
  Head.stride = sparse ? max(4, Head.elementBytes) : Head.elementBytes;
  if (!Head.own) codebook(kind, dtype);
  let next: u32 = 0;
  Input.part = 5;
  if (sparse) describe(next++, Head.escape ? (1 << Head.gap) + 2 * (20 - Head.gap) : Head.gap + 1);
  if (Head.own) for (let plane: u32 = 0; plane < Head.elementBytes; plane++) describe(next++, 256);
  else if (Head.coding != CONTEXT) describe(next, Head.centroids);
  padding();
  return block;
}

function codebook(kind: u32, dtype: u32): void {
  Input.part = 4;
  memory.fill(CODEBOOK, 0, 256 * 8 + 8);
  Head.centroids = octet() + 1;
  const bits = kind == FLOAT16 ? 16 : 8 * Head.elementBytes;
  let last = bits >> 1;
  let key: u64 = 0;
  for (let i: u32 = 0; i < Head.centroids; i++) {
    let d: u64;
    if (kind != SORTED || i == 0) {
      d = wide(bits);
    } else {
      last = step(last, 7);
      refuse(last - 1 >= bits);
      d = ((<u64>1) << (last - 1)) + wide(last - 1);
    }
    const sum = kind == SORTED ? key + d : d;
    refuse((sum < key && kind == SORTED) || (bits < 64 && sum >> bits != 0));
    key = sum;
    let element = key;
    if (kind == FLOAT16) {
      refuse((key & 0x7fff) > 0x7c00);
      element = reinterpret<u32>(fromHalf(<u32>key));
    } else if (kind == SORTED && dtype <= LAST_FLOAT) {
      const sign = (<u64>1) << (bits - 1);
      element = key & sign ? key ^ sign : key ^ (sign + sign - 1);
    }
    store<u64>(CODEBOOK + i * Head.stride, element);
  }
  if (kind == SORTED) padding();
}

/** The next of a sequence whose members are close to the one before; 0 may come only where it is written out. */
function step(last: u32, explicitBits: u32): u32 {
  if (bit() == 0) return last;
  for (let by: u32 = 1; by < 3; by++) {
    if (bit() != 0) continue;
    const value = bit() == 0 ? last + by : last - by;
    refuse(<i32>value < 1);
    return value;
  }
  return <u32>wide(explicitBits);
}

/** How symbols below `alphabet` are coded. */
function describe(index: u32, alphabet: u32): void {
  const lengths = DESCRIPTIONS + <usize>index * DESCRIPTION_BYTES;
  memory.fill(lengths, 0, DESCRIPTION_BYTES);
  const way = <u32>wide(2);
  store<u32>(lengths, way, 256);
  store<u32>(lengths, alphabet, 268);
  if (way == 1) {
    const symbol = <u32>wide(8);
    refuse(symbol >= alphabet);
    store<u32>(lengths, symbol, 260);
  }
  if (way < 2) return;
  let last: u32 = max(1, 32 - clz(alphabet - 1));
  let longest: u32 = 0;
  let used: u32 = 0;
  for (let symbol: u32 = 0; used < 4096;) {
    refuse(symbol >= alphabet);
    const length = step(last, 4);
    if (length == 0) {
      // A run of symbols that do not occur, its length in Elias gamma.
      let width: u32 = 0;
      while (bit() == 0) refuse(++width > 8);
      symbol += (1 << width) + <u32>wide(width);
      refuse(symbol > alphabet);
      continue;
    }
    refuse(length > 12);
    store<u8>(lengths + symbol++, length);
    used += (<u32>4096) >> length;
    refuse(used > 4096);
    last = length;
    longest = max(longest, length);
  }
  store<u32>(lengths, longest, 264);
}
