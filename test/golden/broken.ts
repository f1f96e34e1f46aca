import { ByteWriter } from "../../src/archive/bytes.js";
import { MAGIC } from "../../src/archive/limits.js";
import type { FormatErrorCode } from "../../src/errors.js";
import { crc32c } from "../../src/reference/index.js";
import type { Dtype } from "../../src/types.js";
import { archiveOf, craftArchive, floats, sealed } from "../archive/craft.js";

// Archives that are broken in one way each, put together by hand from docs/format.md, and the code that each must be refused with.

export interface Broken {
  readonly code: FormatErrorCode;
  readonly archive: Uint8Array;
  /** The tensors are whole: the shell is refused, by all that gives files. */
  readonly shell?: true;
}

const WHOLE: Uint8Array = craftArchive([{ ...floats("w", [2], [1, 2]), coding: "raw" }]);

function changed(at: number, value: number): Uint8Array {
  const bytes = WHOLE.slice();
  bytes.set([value], at < 0 ? bytes.length + at : at);
  return bytes;
}

/** A header around a body of any bytes, and nothing after it. */
function header(...body: number[]): Uint8Array {
  const covered = new ByteWriter().bytes(MAGIC).u8(1).u8(0).varint(body.length).bytes(Uint8Array.from(body)).finish();
  return new ByteWriter().bytes(covered).u32(crc32c(covered)).finish();
}

/** An archive of one tensor of `count` elements, its record these bytes and their checksum. */
function record(dtype: Dtype, count: number, ...bytes: number[]): Uint8Array {
  return archiveOf([{ name: "w", dtype, shape: [count], record: sealed(Uint8Array.from(bytes)) }]);
}

/** An archive whose shell is these bytes. */
function shell(...bytes: number[]): Uint8Array {
  return archiveOf([{ name: "w", dtype: "U8", shape: [1], record: sealed(Uint8Array.of(0, 7)) }], Uint8Array.from(bytes));
}

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];

/** A scalar I8 named `name` without prefix and tail, its record 5 bytes. */
const scalar = (name: string): number[] => [0, 2 * name.length, ...ascii(name), 7, 5];
const PADDING: readonly number[] = new Array(40).fill(0);

/** Scalars, named by their numbers, then a name of which the last two bytes are those of the name `back` before. */
function tailed(scalars: number, back: number): Uint8Array {
  const names = Array.from({ length: scalars }, (_, i) => scalar(`t${100 + i}`));
  return header(scalars + 1, ...names.flat(), 0, 3, 0x78, back, 2, 7, 5, ...PADDING);
}

/** Names that share a thousand bytes each, in a few bytes of the header. */
function longNames(count: number): Uint8Array {
  const more = Array.from({ length: count - 1 }, (_, i) => [0xe8, 7, 6, ...ascii(String(100 + i)), 7, 5]); // a prefix of 1000 bytes
  return header((count % 128) + 128, count >> 7, 0, 0xd0, 0x0f, ...ascii("n".repeat(1000)), 7, 5, ...more.flat(), ...PADDING);
}

const DENSE = 2;
const SPARSE = 3;
const CONTEXT = 4;
const ESCAPE = 0x20;
const OWN = 3 << 6;
/** One centroid, 9. */
const NINE = [0, 9];

/** A raw record of two blocks, 256 elements and one, the checksum of the second off by `off`, and more after it. */
function twoBlocks(off: number, ...more: number[]): Uint8Array {
  const first = Uint8Array.from([3 << 3, 0x84, 2, ...new Array(256).fill(1)]);
  const second = Uint8Array.of(5, 1);
  const bytes = new ByteWriter().bytes(first).u32(crc32c(first)).bytes(second);
  bytes.u32((crc32c(second) + off) >>> 0).bytes(Uint8Array.from(more));
  return archiveOf([{ name: "w", dtype: "U8", shape: [257], record: bytes.finish() }]);
}

export const BROKEN: Readonly<Record<string, Broken>> = {
  "empty file": { code: "TRUNCATED", archive: new Uint8Array(0) },
  "other magic": { code: "MAGIC", archive: changed(3, 0xe1) },
  "version 2": { code: "VERSION", archive: changed(4, 2) },
  "reserved flag": { code: "CORRUPT", archive: changed(5, 0x80) },
  "header checksum": { code: "CHECKSUM", archive: changed(8, 1) },
  "header of 2^31 bytes": { code: "LIMIT", archive: Uint8Array.of(...MAGIC, 1, 0, 0x80, 0x80, 0x80, 0x80, 8, ...PADDING) },
  "header of 2^28 + 1 bytes": { code: "LIMIT", archive: Uint8Array.of(...MAGIC, 1, 0, 0x81, 0x80, 0x80, 0x80, 1, ...PADDING) },
  "header length not in its shortest form": { code: "CORRUPT", archive: Uint8Array.of(...MAGIC, 1, 0, 0x82, 0, ...PADDING) },
  "more tensors than bytes": { code: "LIMIT", archive: header(11, ...PADDING) },
  "no count of files": { code: "TRUNCATED", archive: header(1, ...scalar("w")) },
  "two tensors of a name": { code: "DUPLICATE", archive: header(2, ...scalar("w"), ...scalar("w"), ...PADDING) },
  "prefix of nothing": { code: "CORRUPT", archive: header(1, 1, 0, 7, 5, ...PADDING) },
  "tail of the name itself": { code: "CORRUPT", archive: header(2, ...scalar("w"), 0, 1, 2, 1, 7, 5, ...PADDING) },
  "empty tail": { code: "CORRUPT", archive: header(2, ...scalar("w"), 0, 1, 1, 0, 7, 5, ...PADDING) },
  "tail from 33 names back": { code: "CORRUPT", archive: tailed(40, 33) },
  "names of more bytes than the header can mean": { code: "LIMIT", archive: longNames(200) },
  "name that is not UTF-8": { code: "CORRUPT", archive: header(1, 0, 2, 0xff, 7, 5, ...PADDING) },
  "dtype 31": { code: "UNSUPPORTED", archive: header(1, 0, 2, 0x77, 31, 5, ...PADDING) },
  "rank 3 in the long form": { code: "CORRUPT", archive: header(1, 0, 2, 0x77, 0xe7, 3, 1, 1, 1, 5, ...PADDING) },
  "three weights of four bits": { code: "CORRUPT", archive: header(1, 0, 2, 0x77, 0x20 | 18, 3, 5, ...PADDING) },
  "2^21 elements in 5 bytes": { code: "LIMIT", archive: header(1, 0, 2, 0x77, 0x27, 0x80, 0x80, 0x80, 1, 5, ...PADDING) },
  "record of 4 bytes": { code: "CORRUPT", archive: header(1, 0, 2, 0x77, 7, 4, ...PADDING) },
  "byte missing": { code: "TRUNCATED", archive: WHOLE.subarray(0, -1) },
  "byte more": { code: "TRAILING", archive: Uint8Array.of(...WHOLE, 0) },
  "record checksum": { code: "CHECKSUM", archive: changed(-1, 0) },

  "coding 7": { code: "UNSUPPORTED", archive: record("U8", 2, 7, 0, 0) },
  "raw block too short": { code: "TRUNCATED", archive: record("U8", 3, 0, 1, 2) },
  "raw block too long": { code: "TRAILING", archive: record("U8", 3, 0, 1, 2, 3, 4) },
  "block size reserved": { code: "CORRUPT", archive: record("U8", 300, 1 << 3, ...PADDING) },
  "blocks larger than the tensor": { code: "CORRUPT", archive: record("U8", 256, 3 << 3, ...PADDING) },
  "zeros with reserved bits": { code: "CORRUPT", archive: record("U8", 3, SPARSE | 8) },
  "scan 6": { code: "CORRUPT", archive: record("U8", 3, DENSE | (6 << 3), 0, ...NINE, 1) },
  "several blocks by columns": { code: "CORRUPT", archive: record("U8", 257, DENSE | (3 << 3), 3, ...NINE, 1, 0, 0, 0) },
  "dense with reserved bits": { code: "CORRUPT", archive: record("U8", 3, DENSE, 0x20, ...NINE, 1, 0) },
  "dense with elements of their own": { code: "CORRUPT", archive: record("U8", 3, DENSE | OWN, 0, 0, 1, 2, 3) },
  "float16 codebook for integers": { code: "CORRUPT", archive: record("U16", 1, DENSE | (2 << 6), 0, 0, 0, 0, 1, 0) },
  "float16 codebook with NaN": { code: "CORRUPT", archive: record("F32", 1, DENSE | (2 << 6), 0, 0, 0x01, 0x7c, 1, 0) },
  "sorted codebook beyond the element": { code: "CORRUPT", archive: record("U8", 1, DENSE | (1 << 6), 0, 1, 0xff, 0b1111, 0, 0, 0) },
  "codebook cut off": { code: "TRUNCATED", archive: record("U8", 1, DENSE, 0, 200, 1, 2, 3) },

  // Alphabet 4 by a codebook of four; the last length is at first 2.
  "code over-full": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, 3, 1, 2, 3, 4, 0b00110110, 0b101, 0) },
  "code incomplete": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, 3, 1, 2, 3, 4, 0b00000110, 0b1110000, 0) },
  "code of 13 bits": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, 3, 1, 2, 3, 4, 0b10111110, 0b1, 0) },
  "run of zeros past the alphabet": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, 3, 1, 2, 3, 4, 0b00011110, 0b101000, 0) },
  "symbol beyond the alphabet": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, ...NINE, 0b0101, 0) },
  "padding after the descriptions": { code: "CORRUPT", archive: record("U8", 1, DENSE, 0, ...NINE, 0b10000000, 0) },
  "raw code beyond the codebook": { code: "CORRUPT", archive: record("U8", 3, DENSE, 0, ...NINE, 0, 0, 1, 0) },
  // Four codes of two bits: 0, 10, 01, 11 as written.
  "padding after a stream": { code: "CORRUPT", archive: record("U8", 3, DENSE, 0, 3, 1, 2, 3, 4, 0b000010, 0b1000000) },
  "stream cut off": { code: "TRUNCATED", archive: record("U8", 5, DENSE, 0, 3, 1, 2, 3, 4, 0b000010, 0) },
  "stream too long": { code: "TRAILING", archive: record("U8", 3, DENSE, 0, 3, 1, 2, 3, 4, 0b000010, 0, 0) },
  "four streams, one a byte short": { code: "CORRUPT", archive: record("U8", 4, DENSE, 0, 3, 1, 2, 3, 4, 0b000011, 1, 1, 1, 0, 0, 0, 0) },
  "four streams, one a byte long": {
    code: "CORRUPT",
    archive: record("U8", 4, DENSE, 0, 3, 1, 2, 3, 4, 0b000011, 1, 1, 1, 2, 0, 0, 0, 0, 0),
  },

  "gap parameter 0": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 0, ...NINE, 0, 0) },
  "escape exponent 8": { code: "CORRUPT", archive: record("U8", 9, SPARSE, ESCAPE, 8, ...NINE, 0, 0) },
  // Gap symbols raw, codes single.
  "more survivors than elements": { code: "CORRUPT", archive: record("U8", 2, SPARSE, 0, 3, ...NINE, 0b0100, 0, 3, 0, 0, 0, 0) },
  "fillers without survivors": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 3, ...NINE, 0b0100, 0, 0, 1, 3) },
  "filler at the end": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 3, ...NINE, 0b0100, 0, 1, 1, 0, 3) },
  "fewer survivors than said": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 3, ...NINE, 0b0100, 0, 2, 1, 3, 3, 0) },
  "survivor beyond the block": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 3, ...NINE, 0b0100, 0, 1, 3, 3, 3, 3, 0) },
  "gap symbol beyond the alphabet": { code: "CORRUPT", archive: record("U8", 9, SPARSE, 0, 3, ...NINE, 0b0100, 0, 1, 0, 4) },
  "padding after the extra bits": { code: "CORRUPT", archive: record("U8", 9, SPARSE, ESCAPE, 2, ...NINE, 0b0100, 0, 1, 4, 0b10) },
  "extra bits cut off": { code: "TRUNCATED", archive: record("U8", 99, SPARSE, ESCAPE, 2, ...NINE, 0b0100, 0, 1, 6) },

  "context in several blocks": { code: "CORRUPT", archive: record("U8", 257, CONTEXT, 3, ...NINE, 0, 0) },
  "context with reserved bits": { code: "CORRUPT", archive: record("U8", 3, CONTEXT, 0x20, ...NINE, 0) },
  "context stream that goes on": { code: "CORRUPT", archive: record("U8", 3, CONTEXT, 0, ...NINE, 1, 2, 3, 4, 5, 6, 7, 8, 9) },

  "context of more elements than its bytes can mean": {
    code: "LIMIT",
    archive: record("U8", 4096 + 512 * 10 + 1, CONTEXT, 0, ...NINE, ...PADDING.slice(0, 10)),
  },

  "block of several cut off": { code: "TRUNCATED", archive: record("U8", 257, 3 << 3, 0xff, 0xff, 3, 1, 2) },
  "block of several shorter than a checksum": { code: "TRUNCATED", archive: record("U8", 257, 3 << 3, 3, 1, 2, 3) },
  "block longer than its elements can take": { code: "LIMIT", archive: record("U8", 1, 0, ...new Array(1024 + 4 + 1 - 4).fill(7)) },
  "block of several longer than its elements can take": {
    code: "LIMIT",
    archive: record("U8", 257, 3 << 3, 0x81, 0x10, ...new Array(1024 + 4 * 256 + 1).fill(7)),
  },
  "bytes after the last block": { code: "TRAILING", archive: twoBlocks(0, 9) },
  "second block's checksum": { code: "CHECKSUM", archive: twoBlocks(1) },

  "path that climbs": { code: "CORRUPT", shell: true, archive: shell(1, 4, ...ascii("../x"), 0, 0) },
  "path with a drive": { code: "CORRUPT", shell: true, archive: shell(1, 4, ...ascii("c:/x"), 0, 0) },
  "two files of a name": { code: "DUPLICATE", shell: true, archive: shell(2, 1, 0x78, 0, 0, 1, 0x78, 0, 0) },
  "file in a file": { code: "CORRUPT", shell: true, archive: shell(2, 3, ...ascii("a/b"), 0, 0, 1, ...ascii("a"), 0, 0) },
  "file without a path beside another": { code: "CORRUPT", shell: true, archive: shell(2, 0, 0, 0, 1, 0x78, 0, 0) },
  "literal of no bytes": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 2, 0, 0) },
  "literal after a literal": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 6, 0, 1, 0x41, 0, 1, 0x42) },
  "two holes for a tensor": { code: "DUPLICATE", shell: true, archive: shell(1, 0, 0, 4, 1, 0, 1, 0) },
  "part of all of a tensor": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 3, 17, 0, 1) },
  "two safetensors files": { code: "DUPLICATE", shell: true, archive: shell(2, 1, 0x78, 2, 0, 1, 0x79, 2, 0) },
  "zlib group without a tensor": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 7, 2, 6, 3, 1, 0, 1, 0x41) },
  // Of one byte, 7, zlib makes three.
  "zlib group of another length": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 6, 2, 6, 4, 1, 1, 0) },
  "template 9": { code: "UNSUPPORTED", shell: true, archive: shell(1, 0, 9) },
  "hole for no tensor": { code: "CORRUPT", shell: true, archive: shell(1, 0, 0, 2, 1, 1) },
  "template of more than deflate can give": { code: "LIMIT", shell: true, archive: shell(1, 0, 1, 0xff, 0x7f, 2, 3, 0) },
  "bytes after the shell": { code: "TRAILING", shell: true, archive: shell(0, 0) },
};
