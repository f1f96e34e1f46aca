import { FormatError } from "../errors.js";
import type { ByteReader } from "./bytes.js";

/** Reads a bit string (docs/format.md, section 1) from where `bytes` stands; meant for the small fields of a record's head. */
export class BitReader {
  readonly #bytes: ByteReader;
  #byte = 0;
  /** Bits of `#byte` not yet read. */
  #left = 0;

  constructor(bytes: ByteReader) {
    this.#bytes = bytes;
  }

  /** Where the next bit is, or the byte after the last. */
  get offset(): number {
    return this.#bytes.offset - (this.#left > 0 ? 1 : 0);
  }

  bit(what: string): number {
    if (this.#left === 0) {
      this.#byte = this.#bytes.u8(what);
      this.#left = 8;
    }
    const bit = this.#byte & 1;
    this.#byte >>= 1;
    this.#left--;
    return bit;
  }

  /** A field of at most 31 bits. */
  bits(count: number, what: string): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.bit(what) << i;
    return value;
  }

  /** A field of any width. */
  wide(count: number, what: string): bigint {
    let value = 0n;
    for (let i = 0; i < count; i++) if (this.bit(what) === 1) value |= 1n << BigInt(i);
    return value;
  }

  /** The bit string ends: the rest of its last byte is zero. */
  end(what: string): void {
    if (this.#byte !== 0) throw new FormatError("CORRUPT", this.offset, `the padding after ${what} is not zero`);
    this.#left = 0;
  }
}

/** Writes a bit string. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #used = 8;

  get bitLength(): number {
    return this.#bytes.length * 8 - (8 - this.#used);
  }

  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bit((value >>> i) & 1);
    return this;
  }

  wide(value: bigint, count: number): this {
    // 32 bits at a time: operations on a bigint for each bit would take most of the time that a small tensor takes.
    let rest = value;
    for (let left = count; left > 0; left -= 32) {
      this.bits(Number(rest & 0xffffffffn), Math.min(32, left));
      rest >>= 32n;
    }
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #bit(bit: number): void {
    if (this.#used === 8) {
      this.#bytes.push(0);
      this.#used = 0;
    }
    this.#bytes[this.#bytes.length - 1] |= bit << this.#used++;
  }
}
