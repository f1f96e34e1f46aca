import { concat } from "./helpers.js";

// HDF5 structures in their newer form, byte by byte: files that the library does not write.

const NOWHERE = 0xffff_ffff_ffff_ffffn;

/** Little-endian numbers of 1, 2, 4 or 8 bytes. */
export function numbers(byteLength: 1 | 2 | 4 | 8, ...values: (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(byteLength * values.length);
  for (const [i, value] of values.entries())
    for (let k = 0; k < byteLength; k++) bytes[i * byteLength + k] = Number((BigInt(value) >> BigInt(8 * k)) & 255n);
  return bytes;
}

/** Where the root group's header stands: behind the superblock. */
export const ROOT_AT = 48;

/** A file: its superblock, and parts at offsets, the root group's header at `ROOT_AT` among them. */
export function h5File(parts: readonly (readonly [offset: number, bytes: Uint8Array])[]): Uint8Array {
  const byteLength = Math.max(...parts.map(([offset, bytes]) => offset + bytes.length));
  const file = new Uint8Array(byteLength);
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  file.set(concat(Uint8Array.of(...signature, 2, 8, 8, 0), numbers(8, 0, NOWHERE, byteLength, ROOT_AT)));
  for (const [offset, bytes] of parts) file.set(bytes, offset);
  return file;
}

export const LINK_INFO = 2;
export const LINK = 6;

export function message(type: number, body: Uint8Array): Uint8Array {
  return concat(numbers(1, type), numbers(2, body.length), numbers(1, 0), body);
}

/** The header of an object, with these messages. */
export function header(...messages: Uint8Array[]): Uint8Array {
  const body = concat(...messages);
  return concat(Buffer.from("OHDR"), numbers(1, 2, 2), numbers(4, body.length), body, numbers(4, 0));
}

/** The body of a link: what a group calls the object at `address`. */
export function link(name: string, address: number): Uint8Array {
  return concat(numbers(1, 1, 0, name.length), Buffer.from(name), numbers(8, address));
}

/** The messages of a dataset of `count` float32. */
export function dataset(address: number, count: number): Uint8Array[] {
  const float32 = concat(numbers(1, 0x11, 0x20, 31, 0), numbers(4, 4), numbers(2, 0, 32), numbers(1, 23, 8, 0, 23), numbers(4, 127));
  return [
    message(1, concat(numbers(1, 2, 1, 0, 1), numbers(8, count))),
    message(3, float32),
    message(8, concat(numbers(1, 3, 1), numbers(8, address, 4 * count))),
  ];
}
