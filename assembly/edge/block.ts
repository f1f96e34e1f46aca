import { contextBytes, contextDecode } from "../context/tensor";
import { BYTES, CODEBOOK, DENSE, Head, RAW, SPARSE } from "./head";
import { readChecked } from "./checksum";
import { fail, finish, Input, LIMIT, padding, refuse, Room, room, take, varint, wide } from "./input";
import { symbols } from "./symbols";

// Blocks of the record whose head was read last: docs/format.md, sections 4.1 and 4.4 to 4.7.

/** Symbols whose pairs are made at a time: they stay in the first-level cache, or not far from it. */
const CHUNK: usize = 4096;

/** The sparse block that is being decoded. */
export abstract class Sparse {
  static pairs: usize = 0;
  /** The next gap symbol, and the end. */
  static symbol: usize = 0;
  static end: usize = 0;
  static survivors: u32 = 0;
  static codes: usize = 0;
  static elements: usize = 0;
  /** Address of the next extra bit. */
  static extra: u64 = 0;
  /** Elements of the block, those up to the next symbol's, and the survivors among them. */
  static count: u32 = 0;
  static place: u32 = 0;
  static index: u32 = 0;
}

/** Makes room for a block's bytes behind a head's: whatever was there before is gone. */
export function input(byteLength: usize): usize {
  Input.at = 0;
  Room.next = __heap_base;
  return room(byteLength);
}

/**
 * Decodes a block of `byteLength` bytes, its checksum among them, that holds `count` elements; `seed` is the CRC-32C of what the checksum covers before it. A stream may be read 12 bits further than it goes for each of at most `count` symbols.
 *
 * @returns the address of its elements, row-major; 0 for a sparse block, whose survivors `survivors` gives
 */
export function block(at: usize, byteLength: usize, seed: u32, count: usize): usize {
  Input.part = 6;
  readChecked(at, byteLength, seed);
  room(2 * count);
  Sparse.symbol = 0;
  Sparse.end = 0;
  let elements: usize = 0;
  if (Head.zero) {
    finish();
    return 0;
  }
  const stride = <usize>Head.elementBytes;
  if (Head.coding == RAW) elements = take(count * stride);
  else if (Head.coding == SPARSE) sparse(<u32>count);
  else {
    elements = room(count * stride);
    if (Head.coding == BYTES) planes(0, count, elements, stride);
    else if (Head.coding == DENSE) gather<u8>(symbols(0, count), count, elements);
    else byContext(count, elements);
    elements = unscan(elements, count);
  }
  finish();
  return elements;
}

/** Elements out of their byte planes, one every `stride` bytes. */
function planes(first: u32, count: usize, out: usize, stride: usize): void {
  const next = Room.next;
  for (let plane: u32 = 0; plane < Head.elementBytes; plane++) {
    Room.next = next;
    const bytes = symbols(first + plane, count);
    for (let i: usize = 0; i < count; i++) store<u8>(out + i * stride + plane, load<u8>(bytes + i));
  }
}

/** Codes into elements; codes of 16 bits are one more than they mean, and 0 is a zero element. */
// @ts-ignore: decorator
@inline
function gather<T>(codes: usize, count: usize, out: usize): void {
  const stride = <usize>Head.elementBytes;
  for (let i: usize = 0; i < count; i++) {
    const code = <usize>load<T>(codes + i * sizeof<T>());
    // The next element is written over what is too much.
    if (sizeof<T>() == 1) store<u64>(out, load<u64>(CODEBOOK + code * stride));
    else store<u64>(out, code == 0 ? 0 : load<u64>(CODEBOOK + (code - 1) * stride));
    out += stride;
  }
}

function axis(index: u32): u32 {
  return index == 0 ? Head.r : index == 1 ? Head.c : Head.k;
}

/** The axes R, C, K of each scan, slowest first, four bits each. */
function axes(): u32 {
  return load<u16>(memory.data<u16>([0x012, 0x102, 0x021, 0x120, 0x201, 0x210]) + ((<usize>Head.scan) << 1));
}

/** Elements from one index of an axis to the next, in row-major order. */
function strideOf(index: u32): u32 {
  return index == 0 ? Head.c * Head.k : index == 1 ? Head.k : 1;
}

function byContext(count: usize, out: usize): void {
  if (count > 4096 + 512 * (Input.end - Input.at)) fail(LIMIT);
  const order = axes();
  const kernel = axis(order & 15);
  const columns = axis((order >> 4) & 15) * kernel;
  const codes = room(2 * count);
  const work = room(contextBytes(columns));
  refuse(contextDecode(Input.at, Input.end, axis(order >> 8), columns, kernel, Head.centroids, codes, work) != Input.end);
  Input.at = Input.end;
  gather<u16>(codes, count, out);
}

/** Where the scan's `place`th element stands in row-major order; 0 <= place < the elements. */
function unscanned(place: u32): u32 {
  const order = axes();
  const c = order & 15;
  const b = (order >> 4) & 15;
  const row = place / axis(c);
  return (row / axis(b)) * strideOf(order >> 8) + (row % axis(b)) * strideOf(b) + (place % axis(c)) * strideOf(c);
}

/** Elements in the scan's order into row-major order. */
function unscan(from: usize, count: usize): usize {
  if (Head.scan == 0) return from;
  const stride = <usize>Head.elementBytes;
  const out = room(count * stride);
  for (let i: usize = 0; i < count; i++) memory.copy(out + <usize>unscanned(<u32>i) * stride, from + i * stride, stride);
  return out;
}

/** Reads a sparse block; `survivors` makes pairs of it. */
function sparse(count: u32): void {
  const survivors = varint();
  const fillers: u64 = Head.escape ? 0 : varint();
  refuse(survivors > count || fillers > count - survivors || (survivors == 0 && fillers > 0));
  if (survivors == 0) return;
  const all = <usize>(survivors + fillers);
  Sparse.symbol = symbols(0, all);
  Sparse.end = Sparse.symbol + all;
  Sparse.survivors = <u32>survivors;
  Sparse.count = count;
  Sparse.place = 0;
  Sparse.index = 0;
  Sparse.extra = (<u64>Input.at) << 3;
  if (Head.escape) extraBits();
  if (Head.own) {
    Sparse.elements = room(<usize>survivors * Head.stride);
    memory.fill(Sparse.elements, 0, <usize>survivors * Head.stride);
    planes(1, <usize>survivors, Sparse.elements, Head.stride);
  } else {
    Sparse.elements = CODEBOOK;
    Sparse.codes = symbols(1, <usize>survivors);
  }
  // Of each chunk there may be as many pairs as symbols, and codes and elements are read as far.
  Sparse.pairs = room(2 * CHUNK * Head.stride + 16);
  room(CHUNK * Head.stride);
}

/** Bits beside a gap symbol that is an escape. */
// @ts-ignore: decorator
@inline
function extraOf(symbol: u32): u32 {
  return Head.gap - 1 + ((symbol - ((<u32>1) << Head.gap)) >> 1);
}

/** Passes over the extra bits of all gap symbols. */
function extraBits(): void {
  let bits: u32 = 0;
  for (let at = Sparse.symbol; at < Sparse.end; at++) {
    const symbol = <u32>load<u8>(at);
    if (symbol >> Head.gap != 0) bits += extraOf(symbol);
  }
  take(bits >> 3);
  Input.bits = 0;
  wide(bits & 7);
  padding();
}

/**
 * The next survivors of a sparse block, as pairs of u32: the word of the row-major block, and what it holds.
 *
 * @returns how many pairs there are at `pairs`; 0 at the block's end
 */
export function survivors(): u32 {
  const first = Sparse.index;
  // A chunk may be fillers alone.
  while (Sparse.symbol < Sparse.end && Sparse.index == first) {
    place(min(Sparse.symbol + CHUNK, Sparse.end));
    refuse(Sparse.place > Sparse.count || Sparse.index > Sparse.survivors);
    if (Sparse.symbol == Sparse.end) refuse(Sparse.index < Sparse.survivors || lastIsFiller());
  }
  const words = Head.stride >> 2;
  const count = (Sparse.index - first) * words;
  if (Head.scan != 0) {
    const shift = words - 1;
    for (let at = Sparse.pairs; at < Sparse.pairs + ((<usize>count) << 3); at += 8) {
      const word = load<u32>(at);
      store<u32>(at, (unscanned(word >> shift) << shift) | (word & shift));
    }
  }
  return count;
}

/** The last symbol, which must not be a filler, is one. */
// @ts-ignore: decorator
@inline
export function lastIsFiller(): bool {
  return !Head.escape && <u32>load<u8>(Sparse.end - 1) == Head.gap;
}

/** The gap of the symbol at an address, with its extra bits where it is an escape: `place` is that of the element before which it stands. */
// @ts-ignore: decorator
@inline
export function gapAt(at: usize, exponent: u32, place: u32): u32 {
  let gap = <u32>load<u8>(at);
  if (gap >> exponent != 0) {
    const bits = extraOf(gap);
    const held = <u32>(load<u64>(<usize>(Sparse.extra >> 3)) >> (Sparse.extra & 7));
    gap = ((2 | (gap & 1)) << bits) | (held & ((1 << bits) - 1));
    Sparse.extra += bits;
    // Sums of such gaps would pass 32 bits.
    refuse(place > 1 << 20);
  }
  return gap;
}

/** Where `survivors` leaves its pairs. */
export function pairs(): usize {
  return Sparse.pairs;
}

/** Makes the pairs of the symbols up to `end`. */
function place(end: usize): void {
  const filler: u32 = Head.escape ? u32.MAX_VALUE : Head.gap;
  const exponent = Head.escape ? Head.gap : <u32>8;
  const own = Head.own;
  const shift = Head.stride == 8 ? 3 : 2;
  const codes = Sparse.codes;
  const elements = Sparse.elements;
  let place = Sparse.place;
  let index = Sparse.index;
  let to = Sparse.pairs;
  for (let at = Sparse.symbol; at < end; at++) {
    const gap = gapAt(at, exponent, place);
    // Whether a weight survives is as good as random: what follows a filler is written too, and written over, instead of a branch.
    const survives: u32 = gap != filler ? 1 : 0;
    const element = elements + ((own ? <usize>index : <usize>load<u8>(codes + index)) << shift);
    const at0 = (place + gap) << (shift - 2);
    store<u64>(to, (<u64>at0) | ((<u64>load<u32>(element)) << 32));
    if (shift > 2) store<u64>(to, (<u64>(at0 | 1)) | ((<u64>load<u32>(element, 4)) << 32), 8);
    place += gap + survives;
    index += survives;
    to += (<usize>survives) << (shift + 1);
  }
  Sparse.symbol = end;
  Sparse.place = place;
  Sparse.index = index;
}
