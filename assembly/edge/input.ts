// Bytes that are not trusted, read one field after another. What is wrong ends the call: `fail` says what, and traps.

/** Codes of src/errors.ts, by their places in the list of src/kernels/decoder-core.ts. */
export const MAGIC: u32 = 0;
export const VERSION: u32 = 1;
export const TRUNCATED: u32 = 2;
export const TRAILING: u32 = 3;
export const CHECKSUM: u32 = 4;
export const CORRUPT: u32 = 5;
export const LIMIT: u32 = 7;
export const UNSUPPORTED: u32 = 8;

/**
 * What a call has found, for TypeScript to read: f64 each.
 *
 * After a trap: the code that the bytes are refused with, or -1 where the fault is ours, the address at which they were read, and the part of the archive (`Input.part`).
 */
export const FOUND: usize = memory.data(8 * 74, 8);

// @ts-ignore: decorator
@inline
export function found(field: usize, value: f64): void {
  store<f64>(FOUND + (field << 3), value);
}

export abstract class Input {
  /** Where the next byte is, and where the bytes end. */
  static at: usize = 0;
  static end: usize = 0;
  /** Bits of `byte` that were not read. */
  static bits: u32 = 0;
  static byte: u32 = 0;
  /** What is being read: a place in the list of src/kernels/decoder-core.ts. */
  static part: u32 = 0;
}

export function fail(code: u32): void {
  found(0, code);
  found(1, <f64>Input.at);
  found(2, Input.part);
  unreachable();
}

/** Refuses the bytes where `wrong`. */
export function refuse(wrong: bool): void {
  if (wrong) fail(CORRUPT);
}

export function read(at: usize, byteLength: usize): void {
  found(0, -1);
  Input.at = at;
  Input.end = at + byteLength;
}

/** The address of the next `byteLength` bytes. */
export function take(byteLength: u64): usize {
  if (byteLength > <u64>(Input.end - Input.at)) fail(TRUNCATED);
  const at = Input.at;
  Input.at += <usize>byteLength;
  return at;
}

export function octet(): u32 {
  return load<u8>(take(1));
}

/** An integer below 2^53, in its shortest form. */
export function varint(): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  let byte: u64 = 0;
  do {
    byte = octet();
    value |= (byte & 127) << shift;
    refuse(shift > 49 || value >> 53 != 0 || (byte == 0 && shift > 0));
    shift += 7;
  } while (byte > 127);
  return value;
}

/** The bytes end here. */
export function finish(): void {
  if (Input.at != Input.end) fail(TRAILING);
}

export function bit(): u32 {
  if (Input.bits == 0) {
    Input.byte = octet();
    Input.bits = 8;
  }
  const bit = Input.byte & 1;
  Input.byte >>= 1;
  Input.bits--;
  return bit;
}

/** A field of up to 64 bits. */
export function wide(count: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < count; i++) value |= (<u64>bit()) << i;
  return value;
}

/** A bit string ends: the rest of its last byte is zero. */
export function padding(): void {
  refuse(Input.byte != 0);
  Input.bits = 0;
}

export abstract class Room {
  /** Everything from here on is free. */
  static next: usize = 0;
}

/** As many bytes, 16-aligned, and 64 more that may be read and written past them. */
export function room(byteLength: usize): usize {
  const at = Room.next;
  const next = (<u64>at + byteLength + 15) & ~15;
  const missing = <i64>next + 64 - ((<i64>memory.size()) << 16);
  if (missing > 0 && memory.grow(<i32>((missing + 0xffff) >> 16)) < 0) fail(LIMIT);
  Room.next = <usize>next;
  return at;
}

/** Where `found` leaves what was found. */
export function foundAt(): usize {
  return FOUND;
}
